import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse, Context } from 'aws-lambda'
import { type Destination, disableDestination, enableDestination, type PollTime } from './kinesis-destination.js'

type Properties = CloudFormationCustomResourceEvent['ResourceProperties']
export type ResourceContext = Pick<Context, 'getRemainingTimeInMillis' | 'logStreamName'>
export type ResourceHandler = (event: CloudFormationCustomResourceEvent, context: ResourceContext) => Promise<void>

/** An answer to CloudFormation has 4,096 bytes at most; this much of a reason leaves room for the rest. */
const REASON_CHARACTERS = 1_000

/**
 * The custom resource that has a table write into a Kinesis stream, for tables that another stack or nobody's made. Its
 * properties are those of CloudFormation's own: `TableName`, `StreamArn`, `ApproximateCreationDateTimePrecision`.
 * Deleting it ends the writing; table, stream and everything in them stay. It does no harm when it is called twice, as
 * Lambda may.
 *
 * CloudFormation calls it directly and it polls: one function, where the provider framework would add four and a state
 * machine.
 */
export function createDestinationResource(client: DynamoDBClient, sleep?: PollTime['sleep']): ResourceHandler {
  return async (event, context) => {
    const time = { remaining: () => context.getRemainingTimeInMillis(), ...(sleep && { sleep }) }
    const { ResourceProperties: properties } = event
    let id = 'PhysicalResourceId' in event ? event.PhysicalResourceId : event.LogicalResourceId
    let outcome: { readonly Status: 'SUCCESS' } | { readonly Status: 'FAILED'; readonly Reason: string }
    try {
      if (event.RequestType !== 'Delete') {
        const destination = parseDestination(properties)
        id = idOf(properties)
        await enableDestination(client, destination, time)
      } else if (id === idOf(properties)) {
        await disableDestination(client, parseDestination(properties), time)
      }
      // any other id is of a resource whose properties were refused: there is nothing to delete
      outcome = { Status: 'SUCCESS' }
    } catch (error) {
      outcome = { Status: 'FAILED', Reason: `${error}`.slice(0, REASON_CHARACTERS) }
    }
    const { StackId, RequestId, LogicalResourceId } = event
    await answer(event.ResponseURL, { ...outcome, StackId, RequestId, LogicalResourceId, PhysicalResourceId: id })
  }
}

/** Another table or stream is another resource: CloudFormation then deletes the old one, after it made the new. */
function idOf({ TableName, StreamArn }: Properties): string {
  return `${TableName} to ${StreamArn}`
}

function parseDestination(properties: Properties): Destination {
  const { TableName: table, StreamArn: streamArn, ApproximateCreationDateTimePrecision: precision } = properties
  if (typeof table !== 'string' || table === '') throw new Error('property TableName is missing')
  if (typeof streamArn !== 'string' || streamArn === '') throw new Error('property StreamArn is missing')
  if (precision !== 'MICROSECOND' && precision !== 'MILLISECOND') {
    throw new Error(
      `property ApproximateCreationDateTimePrecision is ${JSON.stringify(precision)}, expected MICROSECOND or MILLISECOND`,
    )
  }
  return { table, streamArn, precision }
}

/**
 * Throws when CloudFormation did not get the answer: Lambda then calls once more, and what is done is only answered
 * again.
 */
async function answer(url: string, body: CloudFormationCustomResourceResponse): Promise<void> {
  // the URL is signed for an empty content type
  const headers = { 'content-type': '' }
  const response = await fetch(url, { method: 'PUT', headers, body: Buffer.from(JSON.stringify(body)) })
  if (!response.ok) throw new Error(`CloudFormation did not take the answer: ${response.status}`)
}
