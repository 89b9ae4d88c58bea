import type { TableConfiguration } from '../transform/table-configuration.js'
import { underKeys } from '../transform/table-configuration.js'

/** Things in arrays of a size, or of fewer that reach a weight together. */
export async function* batchesOf<T>(
  values: AsyncIterable<T>,
  size: number,
  most = Number.POSITIVE_INFINITY,
  weigh: (value: T) => number = () => 0,
): AsyncGenerator<readonly T[]> {
  let batch: T[] = []
  let weight = 0
  for await (const value of values) {
    batch.push(value)
    weight += weigh(value)
    if (batch.length < size && weight < most) continue
    yield batch
    batch = []
    weight = 0
  }
  if (batch.length > 0) yield batch
}

/** Items whose keys are fetched together, which is what DynamoDB gives for one call at most. */
const KEYS_TOGETHER = 100

/** Items with what is read of each under a table, in their order; keys that have to be fetched are, of many at once. */
export async function* readUnderKeys<Item, Read>(
  items: AsyncIterable<Item>,
  table: TableConfiguration,
  read: (item: Item, table: TableConfiguration) => Read,
): AsyncGenerator<readonly [item: Item, read: Read]> {
  for await (const batch of batchesOf(items, table.withKeys === undefined ? 1 : KEYS_TOGETHER)) {
    const found = await underKeys(table, sealing => batch.map(item => read(item, sealing)))
    for (const [i, item] of batch.entries()) yield [item, found[i] as Read]
  }
}
