/** What a stack keeps of what was refused: how much, why, and of when. */
import type { Configuration } from '../../../config/configuration.js'
import { type RefusedGroup, surveyRefused } from '../../../delivery/refused-survey.js'
import { judgedOnly } from '../../../erasure/seal-image.js'
import { type Unsearched, unsearchedIn } from '../../../erasure/unsearched.js'
import type { StackOutputs } from '../../../library/stack.js'
import { readKept } from '../../../store/kept-configurations.js'
import type { Objects } from '../../../store/objects.js'
import { bucketLedger } from '../../../store/redriven.js'
import { refusedObjects } from '../../../store/refused-reader.js'
import { parseRefusedKey } from '../../../transform/layout.js'
import { type TableConfiguration, unconfiguredTable } from '../../../transform/table-configuration.js'
import { openBucket } from '../../ask/open-bucket.js'

/** What was refused and was not sent again from this machine. */
export interface StackRefused {
  /** By table and reason, most records first. */
  readonly groups: readonly RefusedGroup[]
  /** Records that were sent again. */
  readonly done: number
  /** Objects, or lines in them, that cannot be read. */
  readonly damaged: readonly string[]
  /** Objects that were not looked into, being older than as many as are. */
  readonly left: number
  readonly unsearched: readonly Unsearched[]
}

interface RefusedPlaces {
  readonly outputs: StackOutputs
  readonly archive: Objects
  readonly configuration: Configuration | undefined
  readonly connection: { readonly region?: string }
}

/** Whoever was woken waits: of each bucket the newest objects are read. */
const MOST_OBJECTS = 200

/** Reads what both buckets of a stack keep. Nothing is sent. */
export async function readRefusedOfStack(places: RefusedPlaces): Promise<StackRefused> {
  const { outputs, connection } = places
  const names = [outputs.bucket, outputs.refused].filter(name => name !== undefined)
  const found: Awaited<ReturnType<typeof readBucket>>[] = []
  for (const name of names) found.push(await readBucket(name, await openBucket(name, connection.region), places))
  const all = found.flatMap(({ entries }) => entries)
  return {
    groups: found.flatMap(({ groups }) => groups).toSorted((a, b) => b.records - a.records),
    done: found.reduce((sum, { done }) => sum + done, 0),
    damaged: found.flatMap(({ damaged }) => damaged),
    left: found.reduce((sum, { left }) => sum + left, 0),
    unsearched: await unsearchedIn(places.archive, all),
  }
}

async function readBucket(name: string, objects: Objects, places: RefusedPlaces) {
  const entries = await refusedObjects(objects)
  const keys = entries
    .toSorted((a, b) => b.modified - a.modified)
    .slice(0, MOST_OBJECTS)
    .map(({ key }) => key)
  const tables = await configurationsOf(keys, places)
  const { groups, done, damaged } = await surveyRefused({
    ...{ objects, prefixes: [], keys, to: 'firehose', ledger: bucketLedger(name) },
    configurationOf: table => judgedOnly(tables.get(table) ?? unconfiguredTable(table)),
    isKept: async () => true,
  })
  return { groups, done, damaged, left: entries.length - keys.length, entries }
}

/** As configured here, else as the archive knows the table; of what Lambda gave up the key names no table. */
async function configurationsOf(keys: readonly string[], { configuration, archive }: RefusedPlaces) {
  const named = keys.flatMap(key => parseRefusedKey(key)?.table ?? [])
  const tables = new Map<string, TableConfiguration>(configuration?.tables)
  for (const table of new Set(named)) {
    if (tables.has(table)) continue
    const kept = (await readKept(archive, table)).versions.at(-1)
    if (kept !== undefined) tables.set(table, kept)
  }
  return tables
}
