/**
 * What cannot be seen and could deceive (controls, directions, lone surrogates) as `\u202e`. Line ends, tabs and the
 * joiners that names and emoji are written with stay.
 */
export function revealText(text: string): string {
  return text.replaceAll(UNSEEN, sign => {
    const code = (sign.codePointAt(0) as number).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}

const UNSEEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/**
 * The same of all text of a page that is ready to leave, whoever put it there: what stands inside a tag is escaped
 * already, and is a value that a form gives back as it is.
 */
export function revealPage(html: string): string {
  return html.replaceAll(/>[^<]+/g, revealText)
}
