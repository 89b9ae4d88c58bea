import { batchesOf } from '../capture/batches.js'
import type { WireError } from '../capture/dynamodb-wire.js'
import { canonicalImage, type Item, parseItem } from '../transform/attribute-value.js'
import { isObject } from '../transform/json.js'
import type { AttributePath } from '../transform/table-configuration.js'
import { itemWithActor, withoutActor } from './actor-attribute.js'
import { comparableHash } from './comparable.js'
import { type ConditionalWrite, isSame, itemOf, toConditionalWrite } from './conditional-write.js'
import type { LiveTable } from './live-table.js'
import type { ItemOutcome, ProgressFile } from './progress-file.js'
import { ABSENT, type OpenedImage, openImages, type PlannedItem, type SealedItems } from './restore-plan.js'

/** Items that are read, written and remembered together: between reading and writing there are few. */
const BATCH = 10

/** Batches under way at a time. */
const WORKERS = 4

/** Who restores, and the attribute of an item that says who wrote it. */
export interface RestoreActor {
  readonly path: AttributePath
  readonly name: string
}

/** An item as a restore writes it. */
export function asWritten(wanted: Item | null, actor: RestoreActor | null): Item | null {
  return wanted === null || actor === null ? wanted : itemWithActor(wanted, actor.path, actor.name)
}

/** Whether two items are the same but for who wrote them. */
function isRestored(wanted: Item | null, current: Item | null, actor: RestoreActor | null): boolean {
  if (actor === null || wanted === null || current === null) return isSame(wanted, current)
  return isSame(withoutActor(wanted, actor.path), withoutActor(current, actor.path))
}

/** What happens to an item on the way. */
export interface ApplyOptions {
  readonly table: LiveTable
  readonly progress: ProgressFile
  /** Whose name is written into which attribute; null where the items are written as they were. */
  readonly actor: RestoreActor | null
  /** How sealed values of a plan are opened. Without it an item that has any is refused. */
  readonly sealed?: SealedItems | undefined
  readonly onOutcome: (outcome: ItemOutcome) => void
  /** @default - the clock */
  readonly now?: () => Date
}

/**
 * Performs the items of a plan that act, each with one conditional write. What an earlier run did is looked at and not
 * written again. Throws for what is no item's fault; what was done until then is remembered.
 */
export async function applyItems(items: AsyncIterable<PlannedItem>, options: ApplyOptions): Promise<void> {
  const batches = batchesOf(acting(items), BATCH)
  let failed = false
  const work = async () => {
    for (;;) {
      // each takes the next: a generator answers in the order of its calls
      const { value: batch, done } = await batches.next()
      if (done || failed) return
      await applyBatch(batch, options)
    }
  }
  const workers = Array.from({ length: WORKERS }, () =>
    work().catch(error => {
      failed = true
      throw error
    }),
  )
  const results = await Promise.allSettled(workers)
  await batches.return(undefined)
  const broken = results.find(result => result.status === 'rejected')
  if (broken !== undefined) throw broken.reason
}

/** The items of a plan that act. */
async function* acting(items: AsyncIterable<PlannedItem>): AsyncGenerator<PlannedItem> {
  for await (const item of items) if (isActing(item)) yield item
}

/** True for an item that a plan puts, updates or deletes. */
export function isActing({ action }: PlannedItem): boolean {
  return action === 'put' || action === 'update' || action === 'delete'
}

/** Writes that are under way when one fails for no item's fault end before its error is thrown, and are remembered. */
async function applyBatch(batch: readonly PlannedItem[], options: ApplyOptions): Promise<void> {
  const { table, progress, onOutcome, now = () => new Date() } = options
  const at = now()
  // a put that nobody made before needs no look: its condition is exact
  const looked = batch.filter(item => item.expected !== ABSENT || progress.isDone(item.key))
  const current = await table.read(looked.map(item => item.key))
  const opened = await openImages(
    batch.map(({ wanted }) => wanted),
    options.sealed ?? NO_KEYS,
  )
  const results = await Promise.allSettled(
    batch.map(item => applyItem(item, opened.get(item.wanted ?? ''), current.get(item.key)?.image ?? null, options)),
  )
  const outcomes = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  progress.add(outcomes, at)
  for (const outcome of outcomes) onOutcome(outcome)
  const broken = results.find(result => result.status === 'rejected')
  if (broken !== undefined) throw broken.reason
}

const CIPHERTEXT = { kind: 'closed', reason: 'the plan would write ciphertext into the table' } as const
const NO_KEYS: Pick<SealedItems, 'open'> = { open: async images => images.map(() => CIPHERTEXT) }

/**
 * `opened` is what it is to be, as it was in the table, undefined where nothing of that is sealed; `image` the item as
 * it was just read, null where it is not there or was not looked at.
 */
async function applyItem(
  item: PlannedItem,
  opened: OpenedImage | undefined,
  image: string | null,
  options: ApplyOptions,
): Promise<ItemOutcome> {
  const { key } = item
  const { actor } = options
  if (opened?.kind === 'closed') return { key, outcome: 'refused', reason: opened.reason }
  const [wanted, current] = [asWritten(itemOf(opened?.image ?? item.wanted), actor), itemOf(image)]
  if (options.progress.isDone(key)) {
    return isRestored(wanted, current, actor)
      ? { key, outcome: 'already', reason: null }
      : {
          key,
          outcome: 'refused',
          reason: `it was restored, and changed afterwards: ${describeChange(wanted, current)}`,
        }
  }
  if (item.expected !== ABSENT) {
    if (isRestored(wanted, current, actor)) return { key, outcome: 'already', reason: null }
    if (image === null) return { key, outcome: 'refused', reason: 'it was deleted after the plan was made' }
    if (comparableHash(image) !== item.expected)
      return { key, outcome: 'refused', reason: 'it was changed after the plan was made' }
  }
  return write(item, wanted, current, options)
}

async function write(
  item: PlannedItem,
  wanted: Item | null,
  current: Item | null,
  { table, actor, sealed }: ApplyOptions,
): Promise<ItemOutcome> {
  const { key } = item
  // as the archive will have it, which tells the change that this makes by it
  const archived = asWritten(itemOf(item.wanted), actor)
  const hash = archived === null ? null : comparableHash(JSON.stringify(archived))
  const write = toConditionalWrite({ key: parseItem(key), wanted, current })
  try {
    const answer = await table.call(write.operation, write.request)
    const before = isObject(answer.Attributes) ? (answer.Attributes as Item) : null
    if (isSame(before, current)) return { key, outcome: 'done', reason: null, hash }
    return await afterSurprise(item, write, before, current, { table, sealed })
  } catch (error) {
    const { name, message, wire } = error as WireError
    if (name === 'ConditionalCheckFailedException') {
      const found = isObject(wire?.Item) ? (wire.Item as Item) : null
      // a write whose answer was lost, and that was made again, or another process with the same plan
      if (isSame(found, wanted)) return { key, outcome: 'already', reason: null, hash }
      if (isRestored(wanted, found, actor)) return { key, outcome: 'already', reason: null }
      return {
        key,
        outcome: 'refused',
        reason: `it was changed after the plan was made: ${describeChange(current, found)}`,
      }
    }
    if (!OF_ONE_ITEM.has(name)) throw error
    return { key, outcome: 'failed', reason: `${name}: ${message}` }
  }
}

/**
 * Errors that say something about one item (API reference, PutItem, and "Common Errors"): any other would come for all.
 */
const OF_ONE_ITEM = new Set([
  'ValidationException',
  'ItemCollectionSizeLimitExceededException',
  'SerializationException',
])

/**
 * Between reading and writing somebody added an attribute that no condition could name, or changed one that there was
 * no room for. An update has left it as it is; what a delete took is put back; what was overwritten is kept in the
 * progress.
 */
async function afterSurprise(
  { key }: PlannedItem,
  { operation }: ConditionalWrite,
  before: Item | null,
  current: Item | null,
  { table, sealed }: Pick<ApplyOptions, 'table' | 'sealed'>,
): Promise<ItemOutcome> {
  const change = describeChange(current, before)
  if (operation === 'UpdateItem')
    return {
      key,
      outcome: 'altered',
      reason: `restored, but somebody wrote it at the same moment, which was kept: ${change}`,
    }
  if (operation === 'DeleteItem' && before !== null && (await putBack(parseItem(key), before, table)))
    return { key, outcome: 'refused', reason: `deleted and put back: somebody wrote it at the same moment: ${change}` }
  const reason = `somebody wrote it at the same moment, which was overwritten: ${change}`
  if (before === null) return { key, outcome: 'altered', reason }
  const image = canonicalImage(before)
  const [lost = image] = (await sealed?.hide([{ key, image }])) ?? []
  return { key, outcome: 'altered', reason, lost }
}

async function putBack(key: Item, item: Item, table: LiveTable): Promise<boolean> {
  const { operation, request } = toConditionalWrite({ key, wanted: item, current: null })
  try {
    await table.call(operation, request)
    return true
  } catch (error) {
    if ((error as Error).name === 'ConditionalCheckFailedException') return false
    throw error
  }
}

/** Which top-level attributes differ, by name: values may be long, and secret. */
function describeChange(before: Item | null, after: Item | null): string {
  if (before === null) return after === null ? 'it is not there' : 'it is there now'
  if (after === null) return 'it is not there now'
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const differing = names.filter(name => !isSame(only(before, name), only(after, name))).sort()
  const shown = differing.slice(0, 10).map(name => JSON.stringify(name))
  return `${shown.join(', ')}${differing.length > 10 ? ` and ${differing.length - 10} more` : ''}`
}

function only(item: Item, name: string): Item {
  return Object.hasOwn(item, name) ? Object.fromEntries([[name, item[name] as Item[string]]]) : {}
}
