/**
 * Items, names and files are not ours: controls, which could steer a terminal or begin a line of their own, and format
 * characters, which turn its direction or cannot be seen, as the escapes that JSON has for them. Joiners stay, names
 * and emoji are written with them.
 */
export function escapeControls(text: string): string {
  // most texts are plain, which is seen much sooner
  if (PLAIN.test(text)) return text
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu, escapeUnits)
}

/** Of ASCII, Latin, Greek and Cyrillic, kana and Han what is neither: a law of all code points holds it. */
const PLAIN_CHARACTERS = String.raw` -~\u00a0-\u00ac\u00ae-\u052f\u3040-\u9fff`
const PLAIN = new RegExp(`^[${PLAIN_CHARACTERS}]*$`)
const PLAIN_LINES = new RegExp(`^[\\n${PLAIN_CHARACTERS}]*$`)

/** The same of a text of several lines, whose line feeds stay. */
export function escapeControlsInLines(text: string): string {
  if (PLAIN_LINES.test(text)) return text
  return text.split('\n').map(escapeControls).join('\n')
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
