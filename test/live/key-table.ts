/** A table for the keys of persons, as the construct makes it. */
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KEY_TABLE_KEYS } from '../../config/key-store.js'

export async function createKeyTable(client: DynamoDBClient, name: string): Promise<void> {
  const { partition, sort } = KEY_TABLE_KEYS
  await client.send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [partition, sort].map(AttributeName => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: partition, KeyType: 'HASH' },
        { AttributeName: sort, KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
}
