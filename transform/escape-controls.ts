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

/** Of Latin, Greek, Cyrillic, punctuation, kana, Han, Hangul what is neither: a law of all code points holds it. */
const PLAIN_CHARACTERS = String.raw` -~\u00a0-\u00ac\u00ae-\u052f\u2010-\u2027\u2030-\u205f\u2070-\ud7ff`
/** Most emoji. */
const PLAIN_PAIR = String.raw`[\ud83c-\ud83e][\udc00-\udfff]`
const plain = (characters: string) => new RegExp(`^[${characters}]*(?:${PLAIN_PAIR}[${characters}]*)*$`)
const PLAIN = plain(PLAIN_CHARACTERS)
const PLAIN_LINES = plain(`\\n${PLAIN_CHARACTERS}`)

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
