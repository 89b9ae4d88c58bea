import { hash } from 'node:crypto'
import { type HashedColumns, LEAF_COLUMNS, leafOf } from '../transform/audit-row.js'
import { changedAttributes, imageOf } from '../transform/change.js'
import { formatTimestamp } from '../transform/instant.js'
import { isObject } from '../transform/json.js'

/** What a proof says of a row: the lines of its leaf, and which columns of a row they bind. */

/** A row as a line of `rows.ndjson` has it: a column that is null is absent. */
export type EvidenceRow = Readonly<Record<string, unknown>>

/** Columns of which the leaf has a hash that tells nothing of them. */
const COVERED = ['old_image', 'new_image', 'actor', 'last_writer']

/** Columns that follow from those of the leaf, and are held against them. */
const FOLLOWING = ['old_image', 'new_image', 'changed', 'event_time', 'row_hash']

const BOUND: ReadonlySet<string> = new Set([...LEAF_COLUMNS, ...FOLLOWING])

/** The lines of a leaf by their columns; undefined where a value holds a line feed of its own. */
export function readLeaf(leaf: string): Readonly<Record<(typeof LEAF_COLUMNS)[number], string>> | undefined {
  const lines = leaf.split('\n')
  if (lines.length !== LEAF_COLUMNS.length) return undefined
  return Object.fromEntries(LEAF_COLUMNS.map((name, i) => [name, lines[i]])) as Record<
    (typeof LEAF_COLUMNS)[number],
    string
  >
}

/** The leaf of a row. */
export function leafOfRow(row: EvidenceRow): string {
  return leafOf(withNulls(row) as unknown as HashedColumns)
}

/** The columns of a row that are not what its leaf says; of those in `leftOut` the leaf alone speaks. */
export function alteredColumns(row: EvidenceRow, leaf: string, leftOut: ReadonlySet<string>): readonly string[] {
  const whole = withNulls(row)
  const altered = [...(leavesLeaf(whole, leaf, leftOut) ? [] : ['row_hash']), ...alteredImages(whole, leftOut)]
  if (whole.event_time !== null && whole.event_time !== timeOf(whole)) altered.push('event_time')
  if (altered.length === 0 && !holdsChanged(whole, leftOut)) altered.push('changed')
  return altered
}

/** Whether a row is proven without this column: the leaf has its hash, or no proof speaks of it. */
export function mayBeLeftOut(name: string): boolean {
  return COVERED.includes(name) || !BOUND.has(name)
}

/** The columns of a row that no proof speaks of: those that its configuration derives, and what delivery adds. */
export function unboundColumns(row: EvidenceRow): readonly string[] {
  return Object.keys(row).filter(name => !BOUND.has(name) && name !== 'left_out')
}

function withNulls(row: EvidenceRow): Readonly<Record<string, unknown>> {
  const absent = [...LEAF_COLUMNS, ...FOLLOWING].filter(name => !Object.hasOwn(row, name))
  return { ...row, ...Object.fromEntries(absent.map(name => [name, null])) }
}

function leavesLeaf(row: EvidenceRow, leaf: string, leftOut: ReadonlySet<string>): boolean {
  if (typeof row.row_hash === 'string' && row.row_hash !== hash('sha256', `\0${leaf}`)) return false
  try {
    if (leftOut.size === 0) return leafOf(row as unknown as HashedColumns) === leaf
    const [found, held] = [readLeaf(leafOf(row as unknown as HashedColumns)), readLeaf(leaf)]
    return held !== undefined && LEAF_COLUMNS.every(name => leftOut.has(name) || found?.[name] === held[name])
  } catch {
    // a column of another type than its own has no hash
    return false
  }
}

function alteredImages(row: EvidenceRow, leftOut: ReadonlySet<string>): string[] {
  return (['old', 'new'] as const).flatMap(side => {
    const [image, held] = [row[`${side}_image`], row[`${side}_hash`]]
    if (leftOut.has(`${side}_image`)) return []
    const found = typeof image === 'string' ? hash('sha256', image) : null
    return found === held ? [] : [`${side}_image`]
  })
}

function timeOf({ event_time_us: us }: EvidenceRow): string | undefined {
  return typeof us === 'number' ? formatTimestamp(Math.floor(us / 1000)) : undefined
}

/** Which attributes changed follows from the images, where both are there. */
function holdsChanged(row: EvidenceRow, leftOut: ReadonlySet<string>): boolean {
  if (leftOut.has('old_image') || leftOut.has('new_image')) return true
  try {
    const [before, after] = [row.old_image, row.new_image].map((image, i) =>
      typeof image === 'string' ? imageOf(parseObject(image), i === 0 ? 'old_image' : 'new_image', 'once') : null,
    )
    const found = changedAttributes({ eventName: row.event_name as 'MODIFY' }, before ?? null, after ?? null)
    return JSON.stringify(found ?? null) === JSON.stringify(row.changed)
  } catch {
    return false
  }
}

function parseObject(text: string): object {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) throw new TypeError('image is no object')
  return value
}
