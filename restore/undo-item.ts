import type { ItemHistory } from '../queries/verdict/fold-history.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import { historySince } from '../queries/verdict/state-after.js'
import { canonicalItem, type Item, parseItem, parseValue, valueAt } from '../transform/attribute-value.js'
import { readableInstant } from '../transform/instant.js'
import { withoutActor } from './actor-attribute.js'
import { type AttributeTexts, movesFrom, type Trail, type Trails, trailsOf } from './attribute-trails.js'
import { comparableAttributes, comparableHash, holdsSealed } from './comparable.js'
import {
  ABSENT,
  doubtOf,
  NOW_UNKNOWN,
  type Now,
  type PlannedChange,
  type PlanOptions,
  SEALED,
  UNKNOWN,
} from './restore-plan.js'

/**
 * What would take back one writer's changes of an item and nothing else, attribute by attribute: where an attribute
 * still holds what the writer made it, it gets what it was before; where somebody changed it since, it stays, and
 * `reason` says who did. Undefined where nothing is left to take back. `mine` has the event ids of the writer's
 * changes.
 */
export function undoItem(
  all: ItemHistory,
  mine: ReadonlySet<string>,
  now: Now,
  options: PlanOptions,
): PlannedChange | undefined {
  const { itemKey: key, steps } = all
  const from = steps.findIndex(step => step.changes.some(({ event_id: id }) => mine.has(id)))
  if (from === -1) throw new Error(`item ${key} has none of the changes that are to be undone`)
  const { confidence, steps: since, changes } = historySince(all, from)
  const skip = (reason: string, expected: string, shown: string | null) =>
    ({ key, action: 'skip', wanted: null, expected, confidence, reason, now: shown }) as const
  if (now === undefined) return skip(NOW_UNKNOWN, UNKNOWN, null)
  const expected = now === null ? ABSENT : comparableHash(now)
  const images = changes.flatMap(change => [change.old_image, change.new_image])
  // what is sealed in the archive is clear in the table, and a plan is kept
  if (images.some(holdsSealed)) return skip(`${SEALED}: --as-of restores it, with the keys at hand`, UNKNOWN, null)
  if (since.some(step => !step.ordered || step.unresolved)) return skip(UNORDERED, expected, now)
  const read = attributeReader(key, options)
  const moves = movesFrom(steps, from, read)
  if (moves === undefined) return skip(`${confidence}: ${NO_IMAGE}`, expected, now)
  const undone = takeBack(trailsOf(moves, mine), now === null ? null : read(now))
  if (undone.writes === undefined && undone.kept.length === 0) return undefined
  const doubt = doubtOf({ state: 'present', confidence, unresolved: false, lost: false }, { ...options, late: false })
  if (doubt !== undefined) return skip(doubt, expected, now)
  const kept = keptText(undone.kept, options)
  if (undone.writes === undefined) return skip(`changed since: ${kept}`, expected, now)
  const planned = { key, expected, confidence, now }
  if (undone.writes === null) {
    if (options.deletes) return { ...planned, action: 'delete', wanted: null, reason: null }
    return { ...planned, action: 'leave', wanted: null, reason: 'it was made by these changes: --delete deletes it' }
  }
  const wanted = itemWith(now ?? key, undone.writes)
  const reason = kept === '' ? null : `in part, changed since: ${kept}`
  return { ...planned, action: now === null ? 'put' : 'update', wanted, reason }
}

const UNORDERED =
  'UNRESOLVED-ORDER: changes of one time contradict one another, so which of them was the last nobody knows'
const NO_IMAGE = 'the stream kept no image of what changes found or left'

/** Reads an image: its attributes but those of the key, and without the name of its writer. */
function attributeReader(key: string, { actorAttribute }: PlanOptions): (image: string) => AttributeTexts {
  const keys = Object.keys(parseItem(key))
  return image => {
    const item = parseItem(image)
    const attributes = comparableAttributes(actorAttribute === null ? item : withoutActor(item, actorAttribute))
    return new Map([...attributes].filter(([name]) => !keys.includes(name)))
  }
}

/** What is to be written: null, that the item goes; undefined, nothing. And what stays as somebody else made it. */
interface Undone {
  readonly writes: ReadonlyMap<string, string | undefined> | null | undefined
  readonly kept: readonly Kept[]
}

/** An attribute that stays, or with the name null the item itself. */
interface Kept {
  readonly name: string | null
  readonly by: HistoryChange | null
  readonly how: 'changed' | 'made' | 'deleted'
}

function takeBack(trails: Trails, now: AttributeTexts): Undone {
  const { item } = trails
  const wasThere = item?.first == null || item.first.value !== undefined
  if (now === null) {
    if (item?.isMine === true && item.value === undefined)
      return item.back === undefined ? NOTHING : { writes: attributesBack(trails), kept: [] }
    // somebody else removed it: nothing is left of what the writer did
    return wasThere ? { writes: undefined, kept: [{ name: null, by: lastOf(item), how: 'deleted' }] } : NOTHING
  }
  if (item?.isMine !== true) return attributesNow(trails, now)
  // the archive knows of none: somebody made it since
  if (item.value === undefined) return { writes: undefined, kept: [{ name: null, by: null, how: 'made' }] }
  if (item.back !== undefined) return attributesNow(trails, now)
  const changed = changedSince(trails, now)
  return changed.length === 0 ? { writes: null, kept: [] } : { writes: undefined, kept: changed }
}

const NOTHING: Undone = { writes: undefined, kept: [] }

function lastOf(item: Trail | undefined): HistoryChange | null {
  return item === undefined || item.isMine || item.value !== undefined ? null : item.by
}

/** All attributes of an item that the writer removed. */
function attributesBack({ attributes }: Trails): ReadonlyMap<string, string | undefined> {
  return new Map([...attributes].filter(([, trail]) => trail.isMine).map(([name, { back }]) => [name, back]))
}

function attributesNow({ attributes }: Trails, now: ReadonlyMap<string, string>): Undone {
  const writes = new Map<string, string | undefined>()
  const kept: Kept[] = []
  for (const [name, { first, isMine, value, back, by }] of attributes) {
    const current = now.get(name)
    if (first === null || current === (isMine ? back : first.value)) continue
    if (isMine && current === value) writes.set(name, back)
    else kept.push({ name, by: isMine ? null : by, how: 'changed' })
  }
  return { writes: writes.size === 0 ? undefined : writes, kept }
}

/** What somebody else changed of an item that the writer made. */
function changedSince({ attributes, last }: Trails, now: ReadonlyMap<string, string>): readonly Kept[] {
  const names = new Set([...attributes.keys(), ...now.keys()])
  return [...names].flatMap(name => {
    const trail = attributes.get(name)
    if (trail !== undefined && !trail.isMine) return [{ name, by: trail.by, how: 'changed' as const }]
    return now.get(name) === last?.get(name) ? [] : [{ name, by: null, how: 'changed' as const }]
  })
}

/** An item, or its key, with some attributes as they are to be. */
function itemWith(image: string, writes: ReadonlyMap<string, string | undefined>): string {
  const kept = Object.entries(parseItem(image)).filter(([name]) => !writes.has(name))
  const written = [...writes].flatMap(([name, value]) =>
    value === undefined ? [] : [[name, parseValue(value)] as const],
  )
  const item: Item = Object.fromEntries([...kept, ...written])
  return canonicalItem(comparableAttributes(item), 'wanted')
}

/** Attributes that are named. */
const MOST_KEPT = 10

function keptText(kept: readonly Kept[], options: PlanOptions): string {
  const texts = kept.slice(0, MOST_KEPT).map(one => `${subjectOf(one)} by ${causeOf(one.by, options)}`)
  return [...texts, ...(kept.length > MOST_KEPT ? [`and ${kept.length - MOST_KEPT} more`] : [])].join(', ')
}

function subjectOf({ name, how }: Kept): string {
  return name === null ? `the item was ${how}` : JSON.stringify(name)
}

function causeOf(change: HistoryChange | null, options: PlanOptions): string {
  if (change === null) return 'a change that the archive does not have'
  const at = `at ${readableInstant(change.event_time_us)}`
  return `${writerOf(change, options) ?? 'a change that names nobody'} ${at}`
}

/** As the row says, else by the attribute that is configured today. */
function writerOf({ actor, event_name: name, new_image: image }: HistoryChange, options: PlanOptions): string | null {
  const { actorAttribute } = options
  if (actor !== null || actorAttribute === null || name === 'REMOVE' || image === null) return actor
  const value = valueAt(parseItem(image), actorAttribute)
  return value !== undefined && 'S' in value && value.S !== '' ? value.S : null
}
