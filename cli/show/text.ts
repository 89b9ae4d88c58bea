import stringWidth from 'string-width'
import { escapeControls, escapeControlsInLines } from '../../transform/escape-controls.js'

/** What of items, names and files is shown to people: nothing in it steers a terminal. */
export const printable = escapeControls

/** `printable` for a text of several lines. */
export const printableLines = escapeControlsInLines

const MEASURED_PIECE = /.{1,200}/gsu

/**
 * Columns of a terminal that a text takes. In pieces, because string-width takes time with the square of the length.
 */
function displayWidth(text: string): number {
  // the arrow between two values, and the mark of what was cut, take one column each
  if (/^[ -~→…]*$/.test(text)) return text.length
  return (text.match(MEASURED_PIECE) ?? []).reduce((width, piece) => width + stringWidth(piece), 0)
}

/** Text with blanks up to a width, as a terminal counts it. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

/** The widest of some texts. */
export function widthOf(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, displayWidth(text)), 0)
}

/** Text cut to a width, with a mark where something is gone. */
export function cut(text: string, width: number): string {
  // a cell may be an item of 400 KB, of which only the start can show
  const head = text.slice(0, width * 16 + 16)
  if (head === text && displayWidth(text) <= width) return text
  let kept = ''
  let room = width - 1
  for (const { segment } of new Intl.Segmenter().segment(head)) {
    room -= stringWidth(segment)
    if (room < 0) break
    kept += segment
  }
  return `${kept}…`
}

/**
 * A sentence broken between words, a date and its time being one, to keep within a width; undefined leaves it whole.
 */
export function wrap(sentence: string, width: number | undefined): string {
  if (width === undefined) return sentence
  const lines: string[] = []
  let line = ''
  for (const word of sentence.split(/ (?!\d{2}:\d{2}:\d{2})/)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line].join('\n')
}
