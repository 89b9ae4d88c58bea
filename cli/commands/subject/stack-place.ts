/** A person in an archive on AWS: keys in a table, rows by Athena, facts in a bucket. */
import { S3Client } from '@aws-sdk/client-s3'
import { adoptCopy } from '../../../erasure/adopt-copy.js'
import type { SubjectPlace } from '../../../erasure/erase.js'
import { sealedWholeIn } from '../../../erasure/sealed-whole.js'
import { countUnsealed, deliveredRows, tellUnsealed } from '../../../erasure/stack-rows.js'
import { openStackEngine } from '../../../library/stack.js'
import { keptConfigurations } from '../../../store/kept-configurations.js'
import { Bucket } from '../../../store/s3.js'
import { tablesIn } from '../../../store/tables.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { nameTables } from '../../../transform/table-names.js'
import { openStackKeys } from '../../ask/stack-keys.js'
import { loadConfiguration } from '../../ask/workspace.js'
import { callAws } from '../../failures.js'
import { CommandError, EXIT, type Options } from '../../io.js'

/** Opens the archive of a stack for an act about a person. Throws a `CommandError` where it has no keys. */
export async function openOnStack(id: string, stack: string, options: Options): Promise<SubjectPlace> {
  const { told, connection, openStore, open, archive, refused, tables } = await openStack(stack, options)
  const keys = await openStore()
  const token = keys.tokenOf(id)
  const { derived } = told
  const place = { workgroup: told.workgroup(), database: told.database(), ...connection, bucket: archive.name, derived }
  const engine = await openStackEngine(place)
  const sealed = (name: string) => sealedWholeIn(archive, name, tables.get(name))
  return {
    id,
    token,
    archive,
    keys,
    tables: [...tables.keys()].sort(),
    rows: name => {
      const named = tables.get(name)
      return named === undefined ? none() : deliveredRows(engine, named, token)
    },
    refused: [archive, refused].map(bucket => ({ at: `s3://${bucket.name}/`, objects: bucket })),
    sealed,
    // S3 tells whole seconds by a clock of its own
    clockMs: 60_000,
    unsearched: async name => {
      const named = tables.get(name)
      if (named === undefined) return [`${name} is not configured here, so its rows were not looked at`]
      return tellUnsealed(name, await countUnsealed(engine, named, await sealed(name)))
    },
    reveal: async () => {
      const opened = await open()
      await opened.loadAll(token)
      return opened
    },
  }
}

/** Makes a restored table the archive's own. How many keys were destroyed before. */
export async function adoptOnStack(stack: string, options: Options): Promise<{ table: string; destroyed: number }> {
  const { keyTable, archive, tables } = await openStack(stack, options)
  const destroyed = await callAws(`key table ${JSON.stringify(keyTable.name)} cannot be adopted`, () =>
    adoptCopy(keyTable, archive, [...tables.keys()]),
  )
  return { table: keyTable.name, destroyed }
}

async function openStack(stack: string, options: Options) {
  const keys = await openStackKeys(stack, typeof options.region === 'string' ? options.region : undefined)
  const { bucket, refused } = keys.told
  if (bucket === undefined || refused === undefined)
    throw new CommandError(`stack ${JSON.stringify(stack)} does not name the buckets of its archive`)
  const s3 = new S3Client(keys.connection)
  const archive = new Bucket(s3, bucket)
  return {
    ...keys,
    archive,
    refused: new Bucket(s3, refused),
    tables: await callAws(`bucket ${JSON.stringify(bucket)} cannot be read`, () => tablesOf(archive, options)),
  }
}

/**
 * The tables that have erasable values, or had, with their names in SQL, which their neighbours decide; undefined for
 * one that is in the archive and not in the configuration.
 */
async function tablesOf(
  archive: Bucket,
  options: Options,
): Promise<ReadonlyMap<string, TableConfiguration | undefined>> {
  const configuration = loadConfiguration(options)
  if (configuration === undefined)
    throw new CommandError('no configuration is there', EXIT.usage, 'use the itemtrail.config.json of the deployment')
  const named = nameTables(configuration.tables.values())
  const tables = new Map<string, TableConfiguration | undefined>()
  for (const table of named) if (table.erasable !== undefined) tables.set(table.table, table)
  for (const name of (await tablesIn(archive)).keys()) {
    if (tables.has(name)) continue
    const kept = await keptConfigurations(archive, name)
    if (kept.some(({ erasable }) => erasable !== undefined))
      tables.set(
        name,
        named.find(({ table }) => table === name),
      )
  }
  return tables
}

async function* none(): AsyncGenerator<never> {}
