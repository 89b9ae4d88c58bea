import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createDestinationResource } from './kinesis-destination-resource.js'

/** Entry point of the custom resource that has a table write into a Kinesis stream. */
export const handler = createDestinationResource(new DynamoDBClient({}))
