/** The keys of persons of a stack: a table of DynamoDB, and the one key of KMS that opens what is in it. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { KeyTable } from '../../erasure/key-table.js'
import { KmsSecrets } from '../../erasure/kms-secrets.js'
import { TableKeyStore } from '../../erasure/table-key-store.js'
import { TableKeys } from '../../erasure/table-keys.js'
import { describeStack, type StackOutputs } from '../../library/stack.js'
import { callAws } from '../failures.js'
import { CommandError } from '../io.js'

/** A stack's table of keys, and what the stack says besides. */
export interface StackKeys {
  readonly told: StackOutputs
  readonly connection: { readonly region?: string }
  readonly keyTable: KeyTable
  /** Opens what makes tokens, and what acts about a person take: no key. */
  readonly openStore: () => Promise<TableKeyStore>
  /** Opens the keys. */
  readonly open: () => Promise<TableKeys>
  readonly tokenOf: (id: string) => Promise<string>
}

/** The keys of a stack's archive. Throws a `CommandError` where it has none, or several archives. */
export async function openStackKeys(stack: string, region: string | undefined): Promise<StackKeys> {
  const connection = region === undefined ? {} : { region }
  const told = await callAws(`stack ${JSON.stringify(stack)} cannot be described`, () => describeStack(stack, region))
  const { keyTables, archives } = told
  const [name] = keyTables
  if (name === undefined)
    throw new CommandError(`stack ${JSON.stringify(stack)} has no keys of persons: no table of it has erasable values`)
  if (archives > 1)
    throw new CommandError(
      `stack ${JSON.stringify(stack)} has ${archives} archives, of which a person can be in any: expected one archive a stack`,
    )
  const keyTable = new KeyTable(new DynamoDBClient({ ...connection, maxAttempts: 1 }), name)
  const secrets = new KmsSecrets(new KMSClient(connection))
  const reading = <T>(open: () => Promise<T>) => callAws(`key table ${JSON.stringify(name)} cannot be read`, open)
  const openStore = () => reading(() => TableKeyStore.open(keyTable, secrets))
  return {
    told,
    connection,
    keyTable,
    openStore,
    open: () => reading(() => TableKeys.open(keyTable, secrets)),
    tokenOf: async id => (await openStore()).tokenOf(id),
  }
}
