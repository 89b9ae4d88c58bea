import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { KeyTable } from '../erasure/key-table.js'
import { KmsSecrets } from '../erasure/kms-secrets.js'
import { readEnvironment } from './environment.js'
import { createKeyStoreResource } from './make-key-store.js'

const { ITEMTRAIL_KEY_TABLE: name, ITEMTRAIL_SUBJECT_KEY: keyArn } = readEnvironment(process.env, [
  'ITEMTRAIL_KEY_TABLE',
  'ITEMTRAIL_SUBJECT_KEY',
])

/** Entry point of the custom resource that makes the key store of an archive. */
export const handler = createKeyStoreResource(
  new KeyTable(new DynamoDBClient({ maxAttempts: 1 }), name),
  new KmsSecrets(new KMSClient({}), keyArn),
)
