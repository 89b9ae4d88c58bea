/** A person in an archive on AWS: keys in a table, rows by Athena, facts in a bucket. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import type { SubjectPlace } from '../../../erasure/erase.js'
import { KeyTable } from '../../../erasure/key-table.js'
import { KmsSecrets } from '../../../erasure/kms-secrets.js'
import { countUnsealed, deliveredRows } from '../../../erasure/stack-rows.js'
import { TableKeyStore } from '../../../erasure/table-key-store.js'
import { TableKeys } from '../../../erasure/table-keys.js'
import { describeStack, openStackEngine } from '../../../library/stack.js'
import { Bucket } from '../../../store/s3.js'
import { type NamedTable, nameTables } from '../../../transform/table-names.js'
import { loadConfiguration } from '../../ask/workspace.js'
import { callAws } from '../../failures.js'
import { CommandError, EXIT, type Options } from '../../io.js'

/** Opens the archive of a stack for an act about a person. Throws a `CommandError` where it has no keys. */
export async function openOnStack(id: string, stack: string, options: Options): Promise<SubjectPlace> {
  const region = typeof options.region === 'string' ? options.region : undefined
  const connection = region === undefined ? {} : { region }
  const told = await callAws(`stack ${JSON.stringify(stack)} cannot be described`, () => describeStack(stack, region))
  const { keyTable, bucket, refused } = told
  if (keyTable === undefined || bucket === undefined || refused === undefined)
    throw new CommandError(`stack ${JSON.stringify(stack)} has no keys of persons: no table of it has erasable values`)
  const tables = tablesOf(options)
  const s3 = new S3Client(connection)
  const [table, secrets] = [
    new KeyTable(new DynamoDBClient({ ...connection, maxAttempts: 1 }), keyTable),
    new KmsSecrets(new KMSClient(connection)),
  ]
  const keys = await callAws(`key table ${JSON.stringify(keyTable)} cannot be read`, () =>
    TableKeyStore.open(table, secrets),
  )
  const token = keys.tokenOf(id)
  const place = { workgroup: told.workgroup(), database: told.database(), region, bucket, derived: told.derived }
  const engine = await openStackEngine(place)
  const named = (name: string) => tables.get(name) as NamedTable
  return {
    id,
    token,
    archive: new Bucket(s3, bucket),
    keys,
    tables: [...tables.keys()].sort(),
    rows: name => deliveredRows(engine, named(name), token),
    refused: [bucket, refused].map(name => ({ at: `s3://${name}/`, objects: new Bucket(s3, name) })),
    unsearched: async name => {
      const unsealed = await countUnsealed(engine, named(name))
      if (unsealed === 0) return []
      return [
        `${unsealed} rows of ${name} were made before anything of it was sealed, and were not searched for the id`,
      ]
    },
    reveal: async () => {
      const opened = await TableKeys.open(table, secrets)
      await opened.loadAll(token)
      return opened
    },
  }
}

/** The tables that have erasable values, with their names in SQL, which their neighbours decide. */
function tablesOf(options: Options): ReadonlyMap<string, NamedTable> {
  const configuration = loadConfiguration(options)
  if (configuration === undefined)
    throw new CommandError('no configuration is there', EXIT.usage, 'use the itemtrail.config.json of the deployment')
  const named = nameTables(configuration.tables.values()).filter(({ erasable }) => erasable !== undefined)
  return new Map(named.map(table => [table.table, table]))
}
