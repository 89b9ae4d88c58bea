import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda'
import { answerCloudFormation, failedBy, type ResourceOutcome } from './cloudformation-answer.js'
import { type Destination, disableDestination, enableDestination, type PollTime } from './kinesis-destination.js'

type Properties = CloudFormationCustomResourceEvent['ResourceProperties']
export type ResourceContext = Pick<Context, 'getRemainingTimeInMillis' | 'logStreamName'>
export type ResourceHandler = (event: CloudFormationCustomResourceEvent, context: ResourceContext) => Promise<void>

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
    let outcome: ResourceOutcome
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
      outcome = failedBy(error)
    }
    await answerCloudFormation(event, id, outcome)
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
