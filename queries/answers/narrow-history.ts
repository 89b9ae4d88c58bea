import type { Table } from 'apache-arrow'
import { parseItem } from '../../transform/attribute-value.js'
import { readPath } from '../attribute-path.js'
import { recordedActor } from '../bind.js'
import { differencesOf, type PathSegment } from '../difference.js'
import type { HistoryChange } from '../verdict/item-change.js'

/** Whether a change is among those that somebody wants to see. */
export type ChangeTest = (change: HistoryChange) => boolean

/** Rows of an answer that are among the changes which are shown. */
export function narrowTable(table: Table, shown: ReadonlySet<HistoryChange>): Table {
  const ids = new Set([...shown].map(change => change.event_id))
  const column = table.getChild('event_id')
  const pieces: Table[] = []
  for (let row = 0, start = 0; row <= table.numRows; row += 1) {
    if (row < table.numRows && ids.has(String(column?.get(row)))) continue
    if (row > start) pieces.push(table.slice(start, row))
    start = row + 1
  }
  const [first = table.slice(0, 0), ...others] = pieces
  return others.length === 0 ? first : first.concat(...others)
}

/** As answers print names, so they are asked for. */
export function madeBy(name: string): ChangeTest {
  const actor = recordedActor(name)
  return change => change.actor === actor
}

/**
 * True of a change at the path, below it, or of all that it is in; and where an image is missing, as nobody can tell.
 */
export function changedAt(text: string): ChangeTest {
  const path = readPath(text)
  return change => {
    const { old_image: before, new_image: after, event_name: event } = change
    if (event === 'BASELINE') return false
    if ((before === null && event !== 'INSERT') || (after === null && event !== 'REMOVE')) return true
    const [old, current] = [before, after].map(image => (image === null ? null : parseItem(image)))
    return differencesOf(old ?? null, current ?? null).some(difference => areInLine(difference.path, path))
  }
}

function areInLine(one: readonly PathSegment[], other: readonly PathSegment[]): boolean {
  const shorter = Math.min(one.length, other.length)
  return one.slice(0, shorter).every((segment, i) => JSON.stringify(segment) === JSON.stringify(other[i]))
}
