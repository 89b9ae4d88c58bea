import { type FoldedPart, foldParts, textDifference } from '../../queries/text-difference.js'
import { grouped } from './progress.js'
import { printable } from './text.js'

/** Texts of fewer characters are short enough to be shown as they are. */
const LONG = 240

/** Characters beside a difference, and those of one stretch that are shown. */
const AROUND = 30
const MOST_SHOWN = 300

/** Places that are shown; how many there are is told. */
const MOST_PLACES = 40

/**
 * Of two long texts what differs, a line for each place: `[-went-]` and `{+came+}` among what stands beside it;
 * undefined of texts that are short.
 */
export function showTextDifference(before: string, after: string): readonly string[] | undefined {
  if (Math.max(before.length, after.length) < LONG) return undefined
  const places = placesOf(foldParts(textDifference(before, after), AROUND))
  const size = `${grouped(before.length)} → ${grouped(after.length)} characters`
  const more = places.length - MOST_PLACES
  return [
    `${size}, ${places.length === 1 ? '1 place differs' : `${grouped(places.length)} places differ`}`,
    ...places.slice(0, MOST_PLACES).map(place => printable(place.map(showPart).join(''))),
    ...(more > 0 ? [`and ${grouped(more)} more; --format json has both texts`] : []),
  ]
}

/** What stands between two stretches that are left out. */
function placesOf(parts: readonly FoldedPart[]): readonly (readonly FoldedPart[])[] {
  const places: FoldedPart[][] = [[]]
  for (const part of parts) {
    if (part.kind === 'left') places.push([part])
    else places.at(-1)?.push(part)
  }
  return places
    .map((place, i) => (i + 1 < places.length && place.length > 0 ? [...place, LEFT] : place))
    .filter(place => place.some(({ kind }) => kind === 'removed' || kind === 'added'))
}

const LEFT: FoldedPart = { kind: 'left', characters: 0 }

function showPart(part: FoldedPart): string {
  if (part.kind === 'left') return '…'
  const { kind, text } = part
  const shown = JSON.stringify(text.length > MOST_SHOWN ? text.slice(0, MOST_SHOWN) : text).slice(1, -1)
  const rest = text.length > MOST_SHOWN ? `… ${grouped(text.length - MOST_SHOWN)} more` : ''
  if (kind === 'same') return shown + rest
  return kind === 'removed' ? `[-${shown}${rest}-]` : `{+${shown}${rest}+}`
}
