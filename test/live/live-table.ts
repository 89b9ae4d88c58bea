/** A table of a test in DynamoDB Local, and the command line at work on it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** DynamoDB Local keeps the tables of each access key and region apart. */
export const LOCAL_CONNECTION = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const

export function connect(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({ ...LOCAL_CONNECTION, endpoint })
}

/**
 * Creates a table with a stream of both images, and returns the stream's ARN. The key is `order_id` unless told
 * otherwise.
 */
export async function createTable(
  client: DynamoDBClient,
  name: string,
  more: Partial<CreateTableCommandInput> = {},
): Promise<string> {
  const { TableDescription } = await client.send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [{ AttributeName: 'order_id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      ...more,
    }),
  )
  return TableDescription?.LatestStreamArn ?? ''
}

const CLI = join(import.meta.dirname, '../../dist/cli/itemtrail.js')

/** A command of the built command line under way. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<{
    readonly exit: number | null
    readonly signal: string | null
    readonly out: string
    readonly err: string
  }>
}

/** Starts `itemtrail` as a process of its own, connected to DynamoDB Local where it asks a table. */
export function startItemtrail(argv: readonly string[], endpoint?: string): Running {
  const more = {
    AWS_ACCESS_KEY_ID: LOCAL_CONNECTION.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CONNECTION.credentials.secretAccessKey,
    AWS_REGION: LOCAL_CONNECTION.region,
  }
  const child = spawn(
    process.execPath,
    ['--no-warnings', CLI, ...argv, ...(endpoint === undefined ? [] : ['--endpoint', endpoint])],
    {
      env: { ...process.env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (err += chunk))
  const ended = once(child, 'close').then(([exit, signal]) => ({ exit, signal, out, err }))
  return { child, ended }
}
