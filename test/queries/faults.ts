/** Faults at each hop between a table and the archive, and what must be found of each. */
import { createHash } from 'node:crypto'
import { type AuditRow, rowHash } from '../../transform/audit-row.js'
import { transformRecord } from '../../transform/transform.js'
import { recordBytes, tableConfiguration } from '../factories.js'
import {
  arrivalOf,
  BASELINES,
  type Capture,
  type CleanItem,
  cleanItem,
  type Dice,
  type Event,
  recordOf,
  rowOf,
} from './clean-history.js'

/** Something that is found: what, and one of which changes it may be named by. */
export interface Expected {
  readonly finding: string
  readonly events: readonly string[]
}

/** What a fault leaves of an item's rows, and who must see it. */
export interface Injected {
  readonly item: CleanItem
  readonly rows: readonly AuditRow[]
  /** Found by `continuity` without any baseline. */
  readonly chain: readonly Expected[]
  /** Found by `altered-rows`. */
  readonly hashes: readonly Expected[]
  /** Found beside that once baselines are there. */
  readonly anchors: readonly Expected[]
  /** Found by `late-arrivals`. */
  readonly late: readonly Expected[]
  /** Records that the transform refused, which keeps them. */
  readonly refused: number
}

export interface Fault {
  readonly name: string
  readonly hop: 'stream' | 'record' | 'archive'
  /** What the table of figures says of it. */
  readonly seenBy: string
  readonly inject: (name: string, capture: Capture, dice: Dice) => Injected
}

const NOTHING = { chain: [], hashes: [], anchors: [], late: [], refused: 0 } as const

/** The ids of an item's changes at a second: changes of one tick are named by any of them. */
function idsAt(item: CleanItem, ...seconds: readonly (number | undefined)[]): readonly string[] {
  return item.events.filter(({ second }) => seconds.includes(second)).map(event => rowOf(item, event).event_id)
}

/** The rows of an item's changes. */
export function rowsOf(item: CleanItem, events: readonly Event[] = item.events): readonly AuditRow[] {
  return events.map(event => rowOf(item, event))
}

/** An event that is neither the first nor the last. */
function inside({ events }: CleanItem, dice: Dice): number {
  return 1 + dice.roll(events.length - 2)
}

function without(item: CleanItem, ...places: readonly number[]): readonly Event[] {
  return item.events.filter(({ place }) => !places.includes(place))
}

/** A change is missing: the next one does not leave the state that the one before entered. */
function gapAfter(item: CleanItem, place: number): Expected {
  const [lost, next] = [item.events[place], item.events[place + 1]] as const
  // which way leads out of a tick that lost a change is not certain, so the gap may show later, and more than once
  const later = item.events.filter(({ second }) => item.capture === 'kinesis in ties' && second > (next?.second ?? 0))
  return { finding: 'GAP', events: idsAt(item, lost?.second, next?.second, ...later.map(({ second }) => second)) }
}

const dropInside: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  const place = inside(item, dice)
  return { ...NOTHING, item, rows: rowsOf(item, without(item, place)), chain: [gapAfter(item, place)] }
}

const dropFirst: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  const events = idsAt(item, item.events[0]?.second, item.events[1]?.second)
  return {
    ...NOTHING,
    item,
    rows: rowsOf(item, without(item, 0)),
    chain: [{ finding: 'PRE-ARCHIVE', events }],
    anchors: [{ finding: 'GAP', events }],
  }
}

/** What only the next baseline can know: its row, or where it lacks the item, the last change that is left. */
const dropLast: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  const last = item.events.length - 1
  const rows = rowsOf(item, without(item, last))
  return {
    ...NOTHING,
    item,
    rows,
    anchors: [{ finding: 'GAP', events: ['the last baseline', ...rows.map(row => row.event_id)] }],
  }
}

/** Two changes, there and back, that fit into an item's life after its place `place`. */
function withLoop(
  item: CleanItem,
  around: 'the middle' | 'nothing',
): { readonly item: CleanItem; readonly loop: readonly [number, number] } {
  const half = item.events.findIndex(({ second }) => second > BASELINES.middle)
  const state = item.events[half - 1]?.after ?? null
  const [from, to] =
    around === 'the middle'
      ? [BASELINES.middle - 5, BASELINES.middle + 5]
      : [BASELINES.middle + 3, BASELINES.middle + 5]
  const there = { before: state, after: 'elsewhere', second: from, place: half, timeToLive: false }
  const back = { before: 'elsewhere', after: state, second: to, place: half + 1, timeToLive: false }
  const rest = item.events.slice(half).map(event => ({ ...event, place: event.place + 2 }))
  return { item: { ...item, events: [...item.events.slice(0, half), there, back, ...rest] }, loop: [half, half + 1] }
}

const dropLoop =
  (around: 'the middle' | 'nothing'): Fault['inject'] =>
  (name, capture, dice) => {
    const { item, loop } = withLoop(cleanItem(name, capture, dice), around)
    const rows = rowsOf(item, without(item, ...loop))
    const seen = { finding: 'GAP', events: ['the middle baseline', ...rows.map(row => row.event_id)] }
    return { ...NOTHING, item, rows, anchors: around === 'the middle' ? [seen] : [] }
  }

const duplicate: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  const rows = rowsOf(item)
  const again = rows[dice.roll(rows.length)] as AuditRow
  const later = { ...again, arrived_at: again.arrived_at.replace(/\d$/, digit => String((Number(digit) + 1) % 10)) }
  return { ...NOTHING, item, rows: [...rows, later], chain: [{ finding: 'DUPLICATE', events: [again.event_id] }] }
}

const reorder: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  return { ...NOTHING, item, rows: [...rowsOf(item)].reverse() }
}

const delay: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  const event = item.events[dice.roll(item.events.length)] as Event
  const [late] = rowsThrough(recordBytes(recordOf(item, event)), arrivalOf(event.second) + 3 * 86_400_000).rows
  const rows = [...rowsOf(item, without(item, event.place)), late as AuditRow]
  return { ...NOTHING, item, rows, late: [{ finding: 'late', events: [(late as AuditRow).event_id] }] }
}

/** The real transform over some bytes. */
function rowsThrough(
  bytes: Uint8Array,
  arrival: number,
): { readonly rows: readonly AuditRow[]; readonly refused: number } {
  const outcome = transformRecord(bytes, arrival, tableConfiguration())
  return outcome.kind === 'refused' ? { rows: [], refused: 1 } : { rows: outcome.rows, refused: 0 }
}

const truncate: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  const place = inside(item, dice)
  const bytes = recordBytes(recordOf(item, item.events[place] as Event))
  const cut = rowsThrough(bytes.subarray(0, 1 + dice.roll(bytes.length - 1)), arrivalOf(0))
  return {
    ...NOTHING,
    item,
    rows: [...rowsOf(item, without(item, place)), ...cut.rows],
    refused: cut.refused,
    chain: [gapAfter(item, place)],
  }
}

/** A record with another image than the table had, before any hash was taken. */
const editRecord =
  (side: 'before' | 'after', where: 'inside' | 'last'): Fault['inject'] =>
  (name, capture, dice) => {
    const item = cleanItem(name, capture, dice)
    const candidates = item.events.filter(
      event =>
        event[side] !== null &&
        (where === 'last'
          ? event.place === item.events.length - 1
          : event.place > 0 && event.place < item.events.length - 1),
    )
    const event = candidates[dice.roll(candidates.length)]
    // an item that ends with a delete has no last image
    if (event === undefined) return editRecord(side, where)(name, capture, dice)
    const edited = rowOf(item, { ...event, [side]: 'edited' })
    const rows = [...rowsOf(item, without(item, event.place)), edited]
    if (where === 'last')
      return { ...NOTHING, item, rows, anchors: [{ finding: 'GAP', events: ['the last baseline'] }] }
    const named =
      side === 'before' && capture !== 'kinesis in ties'
        ? [edited.event_id, ...idsAt(item, event.second)]
        : [edited.event_id, ...gapAfter(item, event.place).events]
    return { ...NOTHING, item, rows, chain: [{ finding: 'GAP', events: named }] }
  }

/** A row in the archive, not the first or last of its item, with other values. */
const editRow =
  (edit: (row: AuditRow) => AuditRow, altered: readonly string[], gap: boolean): Fault['inject'] =>
  (name, capture, dice) => {
    const item = cleanItem(name, capture, dice)
    const inner = item.events.filter(
      ({ after, place }) => after !== null && place > 0 && place < item.events.length - 1,
    )
    const event = inner[dice.roll(inner.length)]
    if (event === undefined) return editRow(edit, altered, gap)(name, capture, dice)
    const edited = edit(rowOf(item, event))
    const events = [edited.event_id]
    return {
      ...NOTHING,
      item,
      rows: [...rowsOf(item, without(item, event.place)), edited],
      hashes: altered.map(finding => ({ finding, events })),
      chain: gap ? [{ finding: 'GAP', events: [...events, ...gapAfter(item, event.place).events] }] : [],
    }
  }

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const OTHER_IMAGE = '{"order_id":{"S":"ORD"},"v":{"S":"forged"}}'
const withImage = (row: AuditRow): AuditRow => ({ ...row, new_image: OTHER_IMAGE })
const withHash = (row: AuditRow): AuditRow => ({ ...withImage(row), new_hash: sha256(OTHER_IMAGE) })
const withRowHash = (row: AuditRow): AuditRow => ({ ...row, row_hash: rowHash(row) })

const dropRow: Fault['inject'] = (name, capture, dice) => dropInside(name, capture, dice)

/** The same change once more with another actor, its row hash made to fit. */
const contradict: Fault['inject'] = (name, capture, dice) => {
  const item = cleanItem(name, capture, dice)
  const rows = rowsOf(item)
  const row = rows[dice.roll(rows.length)] as AuditRow
  const other = withRowHash({ ...row, actor: 'somebody else', actor_source: 'new_image' })
  return { ...NOTHING, item, rows: [...rows, other], chain: [{ finding: 'CONFLICT', events: [row.event_id] }] }
}

/**
 * A change that is neither the first nor the last and the one after it, written anew with everything that a row says of
 * itself, as whoever knows the code can. No baseline stands between them.
 */
const forge =
  (rewrite: (event: Event, next: Event) => readonly Event[]): Fault['inject'] =>
  (name, capture, dice) => {
    const item = cleanItem(name, capture, dice)
    const candidates = item.events.slice(1, -1).filter(event => {
      const next = item.events[event.place + 1] as Event
      const isApart = event.second < next.second && item.events[event.place - 1]?.second !== event.second
      const sameSide = event.second < BASELINES.middle === next.second < BASELINES.middle
      return isApart && sameSide && event.after !== null && event.before !== null && event.before !== next.after
    })
    const event = candidates[dice.roll(candidates.length)]
    if (event === undefined) return forge(rewrite)(name, capture, dice)
    const next = item.events[event.place + 1] as Event
    const rows = rowsOf(item, [...without(item, event.place, next.place), ...rewrite(event, next)])
    return { ...NOTHING, item, rows }
  }

const forgePair = forge((event, next) => [
  { ...event, after: 'forged' },
  { ...next, before: 'forged' },
])

/** As if the change had never been. */
const splice = forge((event, next) => [{ ...next, before: event.before }])

export const FAULTS: readonly Fault[] = [
  { name: 'drop of a change', hop: 'stream', seenBy: 'chain', inject: dropInside },
  {
    name: 'drop of the first change',
    hop: 'stream',
    seenBy: 'chain, as PRE-ARCHIVE; a baseline before it',
    inject: dropFirst,
  },
  { name: 'drop of the last change', hop: 'stream', seenBy: 'the next baseline only', inject: dropLast },
  {
    name: 'drop of a closed loop around a baseline',
    hop: 'stream',
    seenBy: 'the baseline only',
    inject: dropLoop('the middle'),
  },
  { name: 'drop of a closed loop between baselines', hop: 'stream', seenBy: 'nobody', inject: dropLoop('nothing') },
  { name: 'duplicate', hop: 'stream', seenBy: 'chain, as a remark', inject: duplicate },
  { name: 'reorder', hop: 'stream', seenBy: 'harmless', inject: reorder },
  { name: 'delay of three days', hop: 'stream', seenBy: 'harmless; late-arrivals', inject: delay },
  { name: 'truncated record', hop: 'record', seenBy: 'refused and kept; chain', inject: truncate },
  { name: 'edit of the new image', hop: 'record', seenBy: 'chain', inject: editRecord('after', 'inside') },
  { name: 'edit of the old image', hop: 'record', seenBy: 'chain', inject: editRecord('before', 'inside') },
  {
    name: 'edit of the last new image',
    hop: 'record',
    seenBy: 'the next baseline only',
    inject: editRecord('after', 'last'),
  },
  { name: 'drop of a row', hop: 'archive', seenBy: 'chain', inject: dropRow },
  { name: 'edit of an image', hop: 'archive', seenBy: 'hashes', inject: editRow(withImage, ['new_image'], false) },
  {
    name: 'edit of an image and its hash',
    hop: 'archive',
    seenBy: 'hashes and chain',
    inject: editRow(withHash, ['row', 'event_id'], true),
  },
  {
    name: 'edit of an image and all of its hashes but the id',
    hop: 'archive',
    seenBy: 'hashes and chain',
    inject: editRow(row => withRowHash(withHash(row)), ['event_id'], true),
  },
  {
    name: 'edit of the actor',
    hop: 'archive',
    seenBy: 'hashes',
    inject: editRow(row => ({ ...row, actor: 'mallory' }), ['row'], false),
  },
  {
    name: 'edit of the time',
    hop: 'archive',
    seenBy: 'hashes',
    inject: editRow(row => ({ ...row, event_time_us: row.event_time_us + 1 }), ['row', 'event_id'], false),
  },
  { name: 'a change and its neighbour, forged to fit', hop: 'archive', seenBy: 'nobody', inject: forgePair },
  { name: 'a change taken out, its neighbour forged to fit', hop: 'archive', seenBy: 'nobody', inject: splice },
  { name: 'a row beside the true one', hop: 'archive', seenBy: 'chain, as CONFLICT', inject: contradict },
]
