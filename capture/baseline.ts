/**
 * The beginning of an archive: every item that a table holds, as a document that becomes a `BASELINE` row, and a fact
 * that says that they are all there. Where the items come from, and where they go, is not known here.
 */

import { type BaselineFact, baselineRowTime, FACT_VERSION, factInstant, StatesDigest } from '../transform/fact.js'
import { type ImageState, readItemState } from '../transform/item-state.js'
import { shown } from '../transform/refusal.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { readUnderKeys } from './batches.js'
import { ExportError } from './export-layout.js'

/** Where a baseline comes from. */
export interface BaselineOrigin {
  readonly method: 'export' | 'scan'
  /** The export's ARN, or `<table ARN>/scan/<from>`. */
  readonly source: string
  /** When the export was taken or the scan began, in microseconds since 1970. */
  readonly fromUs: number
}

/** An item as it was found: JSON text in DynamoDB's own form, and where it stood. */
export interface FoundItem {
  readonly text: string
  readonly where: string
}

/** What was refused, and why. */
export interface RefusedItem {
  /** The item's canonical key, or where it stood where its key cannot be read. */
  readonly item: string
  readonly reason: string
}

/** How many were refused, and some of them. */
export interface Refusals {
  readonly refused: number
  readonly examples: readonly RefusedItem[]
}

/** Documents that were not taken, or rows that did not arrive. */
export class BaselineDeliveryError extends Error {
  override readonly name = 'DeliveryError'
}

/** Where a baseline's documents go. */
export interface BaselineTarget {
  /** Takes a document in. One call at a time. `state` is undefined for one that the transform will refuse. */
  put(document: Buffer, state: ImageState | undefined): Promise<void>
  /**
   * Resolves once every document that was not refused is durable in the archive as a row, with those that were refused
   * although their items could be read.
   */
  finish(): Promise<Refusals>
  /** Keeps the fact, which makes the baseline complete. Resolves with its key. */
  keep(fact: BaselineFact): Promise<string>
}

/** What became of a baseline. Without a fact its rows are only items that somebody saw. */
export interface BaselineResult extends Refusals {
  readonly items: number
  readonly fact: BaselineFact | undefined
  readonly key: string | undefined
}

export interface BaselineOptions {
  /** Called after each item with how many there were. */
  readonly onItem?: (items: number) => void
  /** Called when everything is read and delivery is waited for. */
  readonly onRead?: () => void
  /**
   * When the last item was read, in microseconds since 1970. Asked once, after it.
   * @default - `fromUs`, as for an export
   */
  readonly toUs?: () => number
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** So many refused items are shown: a whole table may be refused for one reason. */
export const EXAMPLES = 20

/** The instant that all rows of a baseline have, and so the one day that they lie under. */
export function rowTimeOf({ source, fromUs }: Pick<BaselineOrigin, 'source' | 'fromUs'>): number {
  return baselineRowTime(IS_LOCAL.test(source) ? Math.floor(fromUs / MINUTE_US) * MINUTE_US : fromUs)
}

/** DynamoDB Local cuts the times of its streams to the minute. */
const MINUTE_US = 60_000_000
const IS_LOCAL = /^arn:aws:dynamodb:ddblocal:/

/** An item as the transform takes it. Its text is taken over as it is. */
export function baselineDocument(item: string, table: string, origin: BaselineOrigin): string {
  const { source } = origin
  const envelope = { itemtrail: 'baseline/v1', table, source, time: factInstant(rowTimeOf(origin)) }
  return `${JSON.stringify(envelope).slice(0, -1)},"Item":${item}}`
}

/**
 * Sends all items to the archive and, once the last row is durable and none was refused, says so with a fact. If
 * reading fails, nothing is said: what was sent until then does no harm.
 */
export async function takeBaseline(
  items: AsyncIterable<FoundItem>,
  origin: BaselineOrigin,
  table: TableConfiguration,
  target: BaselineTarget,
  { onItem, onRead, toUs, now = Date.now }: BaselineOptions = {},
): Promise<BaselineResult> {
  const digest = new StatesDigest()
  const examples: RefusedItem[] = []
  let [count, unreadable] = [0, 0]
  const read = ({ text }: FoundItem, sealing: TableConfiguration) => {
    const document = baselineDocument(text, table.table, origin)
    return { document, state: readItemState(document, sealing) }
  }
  for await (const [{ where }, { document, state }] of readUnderKeys(items, table, read)) {
    if (state.kind === 'state') digest.add(state.itemKey, state.hash)
    else if (examples.length < EXAMPLES) examples.push({ item: where, reason: state.reason })
    if (state.kind === 'refused') unreadable++
    await target.put(Buffer.from(document), state.kind === 'state' ? state : undefined)
    count++
    onItem?.(count)
  }
  const to = toUs?.() ?? origin.fromUs
  onRead?.()
  const late = await target.finish()
  const refusals = {
    refused: unreadable + late.refused,
    examples: [...examples, ...late.examples].slice(0, EXAMPLES),
  }
  if (refusals.refused > 0) return { items: count, ...refusals, fact: undefined, key: undefined }
  const found = { recordedUs: now() * 1000, toUs: to, items: count, digest: digest.hex() }
  const fact = baselineFact(origin, table.table, found)
  return { items: count, ...refusals, fact, key: await target.keep(fact) }
}

/** The fact that a baseline is complete, in the order in which its file has it. */
function baselineFact(
  origin: BaselineOrigin,
  table: string,
  found: { readonly recordedUs: number; readonly toUs: number; readonly items: number; readonly digest: string },
): BaselineFact {
  return {
    version: FACT_VERSION,
    kind: 'baseline',
    table,
    recorded: factInstant(found.recordedUs),
    method: origin.method,
    source: origin.source,
    from: factInstant(origin.fromUs),
    to: factInstant(found.toUs),
    rowTime: factInstant(rowTimeOf(origin)),
    items: found.items,
    digest: found.digest,
  }
}

/** The item of a line of a full export. Throws `ExportError` for a line that holds anything else. */
export function itemOfLine({ text, where }: FoundItem): FoundItem {
  const item = /^\s*\{\s*"Item"\s*:\s*(\{.*\})\s*\}\s*$/s.exec(text)?.[1]
  if (item === undefined) throw new ExportError(`${where} is ${shown(text)}, expected {"Item":{...}}`)
  return { text: item, where }
}
