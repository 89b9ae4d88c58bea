import { createHandler, type RefusalLog, type TransformHandler } from '../transform/handler.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { sealAhead } from './seal-ahead.js'
import type { TableKeys } from './table-keys.js'

const HOUR_MS = 3_600_000

/**
 * The transform of a table with erasable values. It goes over a batch to find whose keys it takes, loads them in a few
 * calls, and goes over it again: what is answered was sealed by keys that were there, every one. Throws where they
 * cannot be had, which has Firehose try again, and then keep the records as they came.
 */
export function createSealingHandler(
  table: TableConfiguration,
  openKeys: () => Promise<TableKeys>,
  log: RefusalLog = () => {},
  now: () => number = Date.now,
): TransformHandler {
  const open = openedForAnHour(openKeys, now)
  return async event => {
    const keys = await open()
    const { answer, refused } = await sealAhead(table, keys, async sealing => {
      const told: Parameters<RefusalLog>[] = []
      return { answer: await createHandler(sealing, (...about) => told.push(about))(event), refused: told }
    })
    for (const about of refused) log(...about)
    return answer
  }
}

/**
 * Opened for the first batch, for the next where that failed, and again after an hour: a container can live for days,
 * and then another table could have the name, or KMS refuse the key.
 */
function openedForAnHour<T>(open: () => Promise<T>, now: () => number): () => Promise<T> {
  let opened: Promise<T> | undefined
  let since = 0
  return () => {
    if (now() - since >= HOUR_MS) opened = undefined
    if (opened === undefined) since = now()
    opened ??= open().catch(error => {
      opened = undefined
      throw error
    })
    return opened
  }
}
