import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'
import { escapeControlsInLines } from '../../transform/escape-controls.js'
import type { Io } from '../io.js'

/**
 * Known to this process only: what an item, a fact or a file holds can look like anything but this. As a sequence
 * that terminals pass over it has no width.
 */
const MARK = `\u001b]${randomBytes(16).toString('hex')};`
const END = '\u0007'
const OURS = new RegExp(`\\u001b\\]${MARK.slice(2)}([^\\u0007]*)\\u0007`)

/** A sequence of our own for a terminal, which `escapeForeign` lets through. */
function own(sequence: string): string {
  return `${MARK}${sequence}${END}`
}

/** Goes back to the start of the line and wipes it away. */
export const WIPE_LINE = own('\r\u001b[K')

export type Style = Parameters<typeof styleText>[0]

/** Text in a colour, where the terminal is to have colours. */
export function paint(io: Pick<Io, 'colour'>, style: Style, text: string): string {
  if (!io.colour) return text
  const [before, after] = styleText(style, '\0', { validateStream: false }).split('\0') as [string, string]
  return `${own(before)}${text}${own(after)}`
}

/**
 * The one place where text leaves for a terminal: controls and format characters come out as the escapes that JSON
 * has for them, whoever put them there, and only what `paint` and `WIPE_LINE` marked as ours steers.
 */
export function escapeForeign(text: string): string {
  if (!text.includes(MARK)) return escapeControlsInLines(text)
  // split by a pattern with one group: every second piece is a sequence of our own
  return text
    .split(OURS)
    .map((piece, i) => (i % 2 === 1 ? piece : escapeControlsInLines(piece)))
    .join('')
}

/** The same world, to which nothing gets but what was escaped, and data in bytes. */
export function escaping(io: Io): Io {
  return {
    ...io,
    out: text => io.out(escapeForeign(text)),
    err: text => io.err(escapeForeign(text)),
    outBytes: io.outBytes ?? (bytes => io.out(Buffer.from(bytes).toString())),
  }
}
