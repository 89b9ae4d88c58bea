import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type DynamoDBStreamsClient, ListStreamsCommand } from '@aws-sdk/client-dynamodb-streams'

/** What DynamoDB says of a table and its streams. */
export interface TableStreams {
  /** False where there is no such table, any more. */
  readonly exists: boolean
  readonly keys: readonly string[]
  /** The table's own stream or the last that it had; undefined where it never had one. */
  readonly latest: string | undefined
  /** Every stream under the table's name that can still be read, oldest first. */
  readonly readable: readonly string[]
}

/** Looks up a table and the streams that it has and had. */
export async function findStreams(
  clients: { readonly table: DynamoDBClient; readonly streams: DynamoDBStreamsClient },
  table: string,
): Promise<TableStreams> {
  const [described, readable] = await Promise.all([
    describeTable(clients.table, table),
    listStreams(clients.streams, table),
  ])
  return { ...described, readable }
}

async function describeTable(client: DynamoDBClient, name: string): Promise<Omit<TableStreams, 'readable'>> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }))
    return {
      exists: true,
      keys: (Table?.KeySchema ?? []).map(({ AttributeName }) => AttributeName ?? ''),
      latest: Table?.LatestStreamArn,
    }
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error
    return { exists: false, keys: [], latest: undefined }
  }
}

async function listStreams(client: DynamoDBStreamsClient, table: string): Promise<readonly string[]> {
  const found: { readonly arn: string; readonly label: string }[] = []
  let last: string | undefined
  do {
    const page = await client.send(new ListStreamsCommand({ TableName: table, ExclusiveStartStreamArn: last }))
    for (const { StreamArn = '', StreamLabel = '' } of page.Streams ?? [])
      found.push({ arn: StreamArn, label: StreamLabel })
    last = page.LastEvaluatedStreamArn
  } while (last !== undefined)
  // a label is the moment at which the stream was made
  return found.sort((a, b) => (a.label < b.label ? -1 : 1)).map(({ arn }) => arn)
}
