import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { KeyTable } from '../erasure/key-table.js'
import { KmsSecrets } from '../erasure/kms-secrets.js'
import { createSealingHandler } from '../erasure/sealing-handler.js'
import { TableKeys } from '../erasure/table-keys.js'
import { bundledTable } from './bundled-table.js'
import { readEnvironment } from './environment.js'

const table = bundledTable()
const { ITEMTRAIL_KEY_TABLE: name } = readEnvironment(process.env, ['ITEMTRAIL_KEY_TABLE'])

/** Tries that take half a minute at most, of the two that an invocation has: then Firehose tries again. */
const PATIENCE = { tries: 8, callMs: 5_000 }

/** Entry point of the transform of a table with erasable values, which alone has clients of AWS. */
export const handler = createSealingHandler(
  table,
  () =>
    TableKeys.open(
      new KeyTable(new DynamoDBClient({ maxAttempts: 1 }), name, PATIENCE),
      new KmsSecrets(new KMSClient({})),
    ),
  (recordId, _reason, why) =>
    console.warn(JSON.stringify({ level: 'WARN', message: 'refused', table: table.table, recordId, why })),
)
