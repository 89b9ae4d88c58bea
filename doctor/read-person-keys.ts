import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetResourcePolicyCommand,
  ListBackupsCommand,
} from '@aws-sdk/client-dynamodb'
import type { KMSClient } from '@aws-sdk/client-kms'
import { outputsOf } from '../aws/stack-outputs.js'
import { absentAs, attempt } from './attempt.js'
import { parseStatements } from './bucket-policy.js'
import type { PersonKeyFacts, StackFacts } from './deployed-facts.js'
import { readKey } from './read-journal.js'

/** How the keys of persons are kept; undefined where the stack has none. */
export async function readPersonKeys(
  { dynamoDb, kms }: { readonly dynamoDb: DynamoDBClient; readonly kms: KMSClient },
  { outputs, resources }: StackFacts,
): Promise<PersonKeyFacts | undefined> {
  const [TableName] = outputsOf(outputs, 'PersonsKeyTable')
  if (TableName === undefined) return undefined
  const key = resources.find(({ logicalId }) => /PersonsKeysKey[0-9A-F]{8}$/.test(logicalId))
  return {
    isProtected: await attempt(async () => {
      const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName }))
      return Table?.DeletionProtectionEnabled === true
    }),
    backupDays: await attempt(() => backupDays(dynamoDb, TableName)),
    backups: await attempt(async () => {
      const { BackupSummaries = [] } = await dynamoDb.send(new ListBackupsCommand({ TableName, BackupType: 'ALL' }))
      return BackupSummaries.map(({ BackupName = '' }) => BackupName)
    }),
    policy: await attempt(() =>
      absentAs([], ['PolicyNotFoundException'], async () => {
        const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName }))
        const { Policy = '{}' } = await dynamoDb.send(new GetResourcePolicyCommand({ ResourceArn: Table?.TableArn }))
        return parseStatements(Policy)
      }),
    ),
    key: await attempt(async () => {
      if (key === undefined) throw new Error('the stack has no such resource')
      return readKey(kms, key.physicalId)
    }),
  }
}

async function backupDays(client: DynamoDBClient, TableName: string): Promise<number> {
  const { ContinuousBackupsDescription: backups } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName }),
  )
  const { PointInTimeRecoveryStatus: status, RecoveryPeriodInDays = DEFAULT_DAYS } =
    backups?.PointInTimeRecoveryDescription ?? {}
  return status === 'ENABLED' ? RecoveryPeriodInDays : 0
}

/** Where nothing is said (API reference, PointInTimeRecoverySpecification). */
const DEFAULT_DAYS = 35
