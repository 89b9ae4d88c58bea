/** Reads what a DynamoDB stream holds, once. What follows a stream as it grows is `tail.ts`. */
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { type LambdaRecord, toLambdaRecord } from '../../capture/lambda-record.js'
import { parentsFirst } from '../../capture/shards.js'
import { describePage, describeStream, getIterator, getRecords } from '../../capture/stream-calls.js'

/**
 * Yields what the stream holds, oldest first: a parent shard before its children, so the changes of one item come in
 * their order. It reads the shards there are when it is called, closed ones to their end and open ones until it has
 * caught up, and then it ends.
 */
export async function* readStream(client: DynamoDBStreamsClient, streamArn: string): AsyncGenerator<LambdaRecord> {
  const { shards } = await describeStream(after => describePage(client, streamArn, after))
  for (const { id } of parentsFirst(shards)) {
    for await (const record of readShard(client, streamArn, id)) yield toLambdaRecord(record, streamArn)
  }
}

/**
 * An open shard never says that it has no more, and a single empty answer proves nothing: GetRecords walks the shard in
 * portions, some of them empty. So many in a row count as caught up.
 */
const EMPTY_ANSWERS = 5

async function* readShard(client: DynamoDBStreamsClient, streamArn: string, shardId: string): AsyncGenerator<unknown> {
  let iterator: string | undefined = await getIterator(client, streamArn, shardId, { kind: 'oldest' })
  let empty = 0
  while (iterator !== undefined && empty < EMPTY_ANSWERS) {
    const { records, next }: Awaited<ReturnType<typeof getRecords>> = await getRecords(client, iterator)
    yield* records
    empty = records.length === 0 ? empty + 1 : 0
    iterator = next
  }
}
