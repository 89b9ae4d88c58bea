import { createHandler, type RefusalLog, type TransformHandler } from '../transform/handler.js'
import { SealingError } from '../transform/sealed-field.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { sealingOf } from './seal-image.js'
import type { SubjectKey } from './subject-keys.js'
import type { TableKeys } from './table-keys.js'

const HOUR_MS = 3_600_000

/** In one round all persons of a batch are found and loaded; a key can run out while the next is under way. */
const MOST_ROUNDS = 4

/** What a value is sealed by whose key is not loaded yet: what comes of it is thrown away. */
const NO_KEY: SubjectKey = { state: 'erased', generation: 1 }

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
    const missing = new Set<string>()
    const current = (token: string) => keys.loaded(token) ?? note(missing, token)
    const seal = sealingOf(table, { tokenOf: id => keys.tokenOf(id), current, find: name => keys.find(name) })
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const refused: Parameters<RefusalLog>[] = []
      const answer = await createHandler({ ...table, seal }, (...about) => refused.push(about))(event)
      if (missing.size === 0) {
        for (const about of refused) log(...about)
        return answer
      }
      await keys.load([...missing])
      missing.clear()
    }
    throw new SealingError(`keys of a batch ran out while it was sealed, in each of ${MOST_ROUNDS} rounds`)
  }
}

function note(missing: Set<string>, token: string): SubjectKey {
  missing.add(token)
  return NO_KEY
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
