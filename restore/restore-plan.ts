import { batchesOf } from '../capture/batches.js'
import type { LostStretch } from '../queries/verdict/archive-facts.js'
import type { ItemState } from '../queries/verdict/reconstruct.js'
import type { StateAt } from '../queries/verdict/state-at.js'
import type { ItemOfTable, LastChange } from '../queries/verdict/table-at.js'
import { parseItem } from '../transform/attribute-value.js'
import type { Instant } from '../transform/instant.js'
import type { AttributePath } from '../transform/table-configuration.js'
import { withoutActor } from './actor-attribute.js'
import { comparableHash, holdsSealed, isSameItem } from './comparable.js'

/**
 * What would bring a table back to what it was: states then and states now in, one action for each item that differs
 * out. It acts only on what is known for certain; everything else is listed with the reason.
 */

/** What an item was at the instant, and what speaks against believing it. */
export interface Then {
  readonly state: 'present' | 'absent' | 'unknown'
  /** Canonical DynamoDB JSON, where it was present. */
  readonly image: string | null
  readonly confidence: string
  /** True where changes of one time contradict one another, so that the state is one of several. */
  readonly unresolved: boolean
  /**
   * True where changes of the table were lost between its last change and the instant, and no later change shows that
   * none was its own. Of an item among many (`thenOfTable`) later changes were not looked at.
   */
  readonly lost: boolean
  /** True where its last change was made within the very second of the instant, and may have come after it. */
  readonly withinSecond: boolean
}

/**
 * `put`: it is not there and was; `update`: it is another than it was; `delete`: it is there and was not. `leave`: the
 * same, where nobody asked for deletes. `skip`: what it was is unknown, or not known for certain.
 */
export type PlannedAction = 'put' | 'update' | 'delete' | 'leave' | 'skip'

/** What is to happen to one item. */
export interface PlannedItem {
  /** Canonical DynamoDB JSON of its key. */
  readonly key: string
  readonly action: PlannedAction
  /**
   * What it was, in canonical DynamoDB JSON: what `put` and `update` write. Null where it was not there, or is
   * unknown.
   */
  readonly wanted: string | null
  /**
   * `absent`, or the hash (`comparableHash`) of what the table holds now: where it then holds anything else, the item
   * is left alone. `unknown` of some that are skipped.
   */
  readonly expected: string
  /** What is known of the state at the instant. */
  readonly confidence: string
  /** Why nothing is done: of `leave` and `skip`. Of an `update` in part what stays, as others changed it since. */
  readonly reason: string | null
}

/** What an item is now, in canonical DynamoDB JSON: null where it is not there, undefined where nobody can say. */
export type Now = string | null | undefined

/** An image, and the key of its item. */
export interface KeyedImage {
  readonly key: string
  readonly image: string
}

/** An image as it was in the table, or why that cannot be had. */
export type OpenedImage =
  | { readonly kind: 'open'; readonly image: string }
  | { readonly kind: 'closed'; readonly reason: string }

/** How sealed values of a table open, and are hidden again from who reads a plan: by whoever has the keys. */
export interface SealedItems {
  /** Each image, in canonical DynamoDB JSON, as it was in the table, in their order. */
  open(images: readonly string[]): Promise<readonly OpenedImage[]>
  /** Each image with what is erasable sealed, in their order. */
  hide(images: readonly KeyedImage[]): Promise<readonly string[]>
}

/** A planned item beside what the table holds now, which a plan does not keep: to show the difference. */
export interface PlannedChange extends PlannedItem {
  readonly now: string | null
}

/** What a plan may do. */
export interface PlanOptions {
  /** Deletes what was not there. */
  readonly deletes: boolean
  /** Kinds of doubt that are accepted. */
  readonly accepted: ReadonlySet<string>
  /**
   * True where the archive tells of no time after the instant, as while its tail is behind: what made of an item what
   * the table holds now is not in it, and may have been made before the instant.
   */
  readonly late: boolean
  /**
   * The attribute that a restore writes its own name into: what differs in nothing else is the same. Null where none
   * is.
   */
  readonly actorAttribute: AttributePath | null
  /** How sealed values are opened. Without it an item that has any is skipped. */
  readonly sealed?: SealedItems | undefined
}

/** Kinds of doubt about a state that is known all the same. What is not known cannot be accepted. */
export const RESTORE_DOUBTS = [
  'PRE-ARCHIVE',
  'KEYS-ONLY',
  'DIFFERS',
  'GAP',
  'CONFLICT',
  'UNRESOLVED-ORDER',
  'LOST',
  'LATE',
] as const

/** Confidence that leaves nothing to accept. */
const CERTAIN: readonly string[] = ['COMPLETE', 'UNBROKEN', 'ERASED', 'CONFIG-BOUNDARY']

/** What a plan expects where the item is not there, and where nobody can say what is. */
export const ABSENT = 'absent'
export const UNKNOWN = 'unknown'

/** An item then and now. */
interface ThenAndNow {
  readonly key: string
  readonly was: Then
  readonly now: Now
}

/**
 * What is to happen to some items, in their order; undefined where one is as it was. They are compared as they were in
 * the table; what is given has what is erasable sealed, as a plan is kept, and shown.
 */
export async function planItems(
  items: readonly ThenAndNow[],
  options: PlanOptions,
): Promise<readonly (PlannedChange | undefined)[]> {
  return hidePlanned(await planOpened(items, options), options.sealed)
}

/** The same with every value as it was in the table, where there are keys. */
async function planOpened(
  items: readonly ThenAndNow[],
  options: PlanOptions,
): Promise<readonly (PlannedChange | undefined)[]> {
  const { sealed } = options
  if (sealed === undefined) return items.map(({ key, was, now }) => planItem(key, was, now, options))
  const opened = await openImages(
    items.flatMap(({ was, now }) => [was.image, now ?? null]),
    sealed,
  )
  return items.map(({ key, was, now }) => {
    const [past, present] = [opened.get(was.image ?? ''), opened.get(now ?? '')]
    const image = past?.kind === 'open' ? past.image : was.image
    // what an item was cannot be held against what nobody can read
    const closed = [past, was.image === null ? undefined : present].find(one => one?.kind === 'closed')
    if (closed?.kind === 'closed') return closedItem(key, was, closed.reason)
    return planItem(key, { ...was, image }, present?.kind === 'open' ? present.image : now, options)
  })
}

/** Each of some images that holds sealed values, as it was in the table, or why it cannot be; no other is in it. */
export async function openImages(
  images: readonly (string | null)[],
  sealed: Pick<SealedItems, 'open'>,
): Promise<ReadonlyMap<string, OpenedImage>> {
  const closed = [...new Set(images)].filter(image => image !== null && holdsSealed(image)) as readonly string[]
  const opened = closed.length === 0 ? [] : await sealed.open(closed)
  return new Map(closed.map((image, i) => [image, opened[i] as OpenedImage]))
}

/** Of what nobody can read a plan has no hash either, by which it could be guessed. */
function closedItem(key: string, { confidence }: Pick<Then, 'confidence'>, reason: string): PlannedChange {
  return { key, action: 'skip', wanted: null, expected: UNKNOWN, confidence, reason, now: null }
}

/**
 * Planned items with what is erasable sealed, as a plan is kept, and shown; what could not be opened again is not
 * planned. Without keys they are as they stand.
 */
export async function hidePlanned(
  planned: readonly (PlannedChange | undefined)[],
  sealed: SealedItems | undefined,
): Promise<readonly (PlannedChange | undefined)[]> {
  if (sealed === undefined) return planned
  const shown = planned.flatMap(item =>
    [item?.wanted, item?.now].flatMap(image => (item && image ? [{ key: item.key, image }] : [])),
  )
  const hidden = (await (shown.length === 0 ? [] : sealed.hide(shown))).values()
  const next = (image: string | null) => (image === null ? null : (hidden.next().value as string))
  const sealedOnes = planned.map(item => item && { ...item, wanted: next(item.wanted), now: next(item.now) })
  const opened = await openImages(
    sealedOnes.map(item => item?.wanted ?? null),
    sealed,
  )
  return sealedOnes.map(item => {
    const again = opened.get(item?.wanted ?? '')
    return item !== undefined && again?.kind === 'closed' ? closedItem(item.key, item, again.reason) : item
  })
}

/** What is to happen to an item; undefined where it is as it was. */
export function planItem(key: string, then: Then, now: Now, options: PlanOptions): PlannedChange | undefined {
  if (now === undefined) {
    const { image: wanted, confidence } = then
    return { key, action: 'skip', wanted, expected: UNKNOWN, confidence, reason: NOW_UNKNOWN, now: null }
  }
  const expected = now === null ? ABSENT : comparableHash(now)
  const planned = { key, wanted: then.image, expected, confidence: then.confidence, now }
  if (then.state === 'unknown')
    return { ...planned, action: 'skip', wanted: null, reason: `${then.confidence}: no image tells what it was` }
  if (holdsSealed(then.image)) return closedItem(key, then, `${SEALED}: no keys are at hand`)
  if (then.image === null ? now === null : now !== null && isSameButForActor(then.image, now, options)) return undefined
  const doubt = doubtOf(then, options)
  if (doubt !== undefined) return { ...planned, action: 'skip', reason: doubt }
  if (then.image !== null) return { ...planned, action: now === null ? 'put' : 'update', reason: null }
  return options.deletes
    ? { ...planned, action: 'delete', reason: null }
    : { ...planned, action: 'leave', reason: 'it was not there: --delete deletes it' }
}

/** Why nothing is done to an item of which nobody can say what it is, and to one that holds sealed values. */
export const NOW_UNKNOWN = 'what it is now is not known: the archive has no image of it'
export const SEALED = 'values of it are sealed in the archive, and ciphertext is never written into a table'

function isSameButForActor(then: string, now: string, { actorAttribute }: PlanOptions): boolean {
  if (actorAttribute === null || then === now) return isSameItem(then, now)
  const without = (image: string) => JSON.stringify(withoutActor(parseItem(image), actorAttribute))
  return isSameItem(without(then), without(now))
}

/** Why what is known of an item is not acted on; undefined where it is certain enough. */
export function doubtOf(
  { confidence, unresolved, lost, state }: Pick<Then, 'confidence' | 'unresolved' | 'lost' | 'state'>,
  options: PlanOptions,
): string | undefined {
  const { accepted, late } = options
  if (confidence === 'ALTERED')
    return 'ALTERED: what the archive holds of it is not what its own hashes say, or not what was sealed, and nothing accepts that: itemtrail history tells which change'
  if (confidence === 'UNCHECKED')
    return 'UNCHECKED: a later itemtrail wrote what the archive holds of it, in a row version that this one does not know: restore it with that one'
  const isDoubted = !CERTAIN.includes(confidence) && !accepted.has(confidence)
  if (isDoubted) return `${confidence}: ${explain(confidence, state)}; --accept ${confidence} takes it so`
  if (unresolved && !accepted.has('UNRESOLVED-ORDER'))
    return 'UNRESOLVED-ORDER: changes of one time contradict one another, this state is one of several; --accept UNRESOLVED-ORDER takes it so'
  if (late && !accepted.has('LATE'))
    return 'LATE: the archive has no change of the table after the instant, so what it is now may have come before it and not have arrived yet; --accept LATE acts all the same'
  if (lost && confidence !== 'COMPLETE' && !accepted.has('LOST'))
    return 'LOST: changes of the table are lost between its last change and the instant, and no later one tells whether one was its own; --accept LOST takes it so'
  return undefined
}

function explain(confidence: string, state: Then['state']): string {
  switch (confidence) {
    case 'PRE-ARCHIVE':
      return state === 'absent'
        ? 'the archive has nothing of it then, and it may be older than the archive'
        : 'the item is older than its first change in the archive'
    case 'KEYS-ONLY':
      return 'changes lack an image, so a missing one would not show'
    case 'DIFFERS':
      return 'the table held something else when it was compared since, so a change is missing'
    case 'GAP':
      return 'changes before or after the instant are missing'
    case 'CONFLICT':
      return 'the archive holds one change with different contents'
    default:
      return 'this is no certain state'
  }
}

/** When something was lost. */
type Lost = Pick<LostStretch, 'fromUs' | 'toUs'>

/** What one item was at an instant, from its whole history. */
export function thenOf(found: StateAt, at: Pick<Instant, 'us'>, stretches: readonly Lost[] = []): Then {
  const { state, until, last, next } = found
  const step = until.steps.at(-1)
  const unresolved = until.findings.some(
    ({ finding, eventId }) =>
      finding === 'UNRESOLVED-ORDER' && step?.changes.some(({ event_id: id }) => id === eventId) === true,
  )
  const image = state.kind === 'present' ? state.image : null
  const { confidence } = until
  // a complete baseline tells what was lost before it, an item that it lacks included
  const known = [last?.event_time_us, until.start?.us].filter(us => us !== undefined)
  const sinceUs = known.length === 0 ? undefined : Math.max(...known)
  const lost = next === undefined && isLostBetween(sinceUs, at.us, stretches)
  return { state: STATE_NAMES[state.kind], image, confidence, unresolved, lost, withinSecond: isWithinSecond(last, at) }
}

/**
 * True where something was lost between an item's last change, if it had one, and a moment: it may have been the
 * item's.
 */
export function isLostBetween(lastUs: number | undefined, atUs: number, lost: readonly Lost[]): boolean {
  return lost.some(
    ({ fromUs, toUs }) => (fromUs === null || fromUs <= atUs) && (lastUs === undefined || toUs >= lastUs),
  )
}

/** What a state of an item is to a plan. */
export const STATE_NAMES: Readonly<Record<ItemState['kind'], Then['state']>> = {
  present: 'present',
  deleted: 'absent',
  'never seen': 'absent',
  unknown: 'unknown',
}

/** What one item of a whole table was. */
export function thenOfTable(item: ItemOfTable, at: Pick<Instant, 'us'>, stretches: readonly Lost[] = []): Then {
  const { image, confidence, unresolved, last } = item
  const state = image === null ? 'unknown' : 'present'
  const lost = isLostBetween(last?.event_time_us, at.us, stretches)
  return { state, image, confidence, unresolved, lost, withinSecond: isWithinSecond(last, at) }
}

/** Of a time that is known to the second only, the moment may lie before or after the change within it. */
function isWithinSecond(
  last: Pick<LastChange, 'event_time_us' | 'time_precision'> | undefined,
  { us }: Pick<Instant, 'us'>,
) {
  return last?.time_precision === 's' && last.event_time_us === Math.floor(us / 1_000_000) * 1_000_000
}

/** An item of one side, which comes in the order of `key` (by the bytes of its UTF-8). */
export interface Keyed<T> {
  readonly key: string
  readonly value: T
}

/** A table's items, then and now, beside each other. */
export interface Pair {
  readonly key: string
  /** Undefined where the archive does not list it among what was there. */
  readonly was: Then | undefined
  readonly now: Now
}

/** Puts two sides together that both come in the order of their keys. */
export async function* pairItems(
  then: AsyncIterable<Keyed<Then>>,
  now: AsyncIterable<Keyed<Now>>,
  compare: (a: string, b: string) => number,
): AsyncGenerator<Pair> {
  const [left, right] = [then[Symbol.asyncIterator](), now[Symbol.asyncIterator]()]
  try {
    let [a, b] = [await left.next(), await right.next()]
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : compare(a.value.key, b.value.key)
      yield {
        key: (order <= 0 ? a.value : b.value).key,
        was: order <= 0 ? a.value.value : undefined,
        now: order >= 0 ? b.value.value : null,
      }
      if (order <= 0) a = await left.next()
      if (order >= 0) b = await right.next()
    }
  } finally {
    await left.return?.(undefined)
    await right.return?.(undefined)
  }
}

/** How many items are looked up at once, and so are in memory. */
const BATCH = 50

/** What is told of items that a plan does not list. */
export interface PairListener {
  /** An item that is as it was. */
  readonly onSame: () => void
  /** An item, as it was or not, whose last change may have come after the instant: see `withinSecond`. */
  readonly onWithinSecond: () => void
}

/**
 * The plan of a whole table, in the order of its pairs. `look` says from their histories what some items were: those
 * that are not among what was there, and those that something lost may concern.
 */
export async function* planTable(
  pairs: AsyncIterable<Pair>,
  look: (keys: readonly string[]) => Promise<ReadonlyMap<string, Then>>,
  options: PlanOptions,
  { onSame, onWithinSecond }: PairListener,
): AsyncGenerator<PlannedChange> {
  for await (const batch of batchesOf(pairs, BATCH)) {
    // a closer look costs a query: it is for what would be acted on
    const lost = batch.flatMap(({ key, was, now }) => (was?.lost ? [{ key, was, now }] : []))
    const acting = new Set((await planOpened(lost, options)).map(planned => planned?.key))
    const unsure = batch.filter(({ was, key }) => was === undefined || acting.has(key))
    const found = unsure.length === 0 ? new Map<string, Then>() : await look(unsure.map(pair => pair.key))
    const items = batch.map(({ key, was, now }) => ({ key, was: found.get(key) ?? (was as Then), now }))
    for (const [i, planned] of (await planItems(items, options)).entries()) {
      if (items[i]?.was.withinSecond) onWithinSecond()
      if (planned === undefined) onSame()
      else yield planned
    }
  }
}
