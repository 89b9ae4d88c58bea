import { setTimeout as wait } from 'node:timers/promises'
import {
  type ApproximateCreationDateTimePrecision,
  DescribeKinesisStreamingDestinationCommand,
  DisableKinesisStreamingDestinationCommand,
  type DynamoDBClient,
  EnableKinesisStreamingDestinationCommand,
  type KinesisDataStreamDestination,
  UpdateKinesisStreamingDestinationCommand,
} from '@aws-sdk/client-dynamodb'

/** Into which Kinesis stream a table writes its changes, and how precise their times are. */
export interface Destination {
  readonly table: string
  readonly streamArn: string
  readonly precision: ApproximateCreationDateTimePrecision
}

/** How often DynamoDB is asked whether it is done. Enabling takes a minute or two, another precision up to five. */
const POLL_MS = 5_000

/** Kept at the end of an invocation to tell CloudFormation. */
const RESERVE_MS = 15_000

/** An invocation's time. */
export interface PollTime {
  /** Milliseconds until Lambda ends the invocation. */
  remaining(): number
  /** @default - the clock */
  readonly sleep?: (ms: number) => Promise<unknown>
}

/** What brings a destination nearer to what is wanted. `wait`: DynamoDB is at it. */
export type ActivationStep = 'done' | 'wait' | 'enable' | 'update' | 'disable' | 'failed'

/**
 * The next step from a destination as DynamoDB describes it, undefined where it never was, to an active one of that
 * precision. `asked`: DynamoDB has taken a request since, which its description may not show yet.
 */
function stepToActive(
  present: KinesisDataStreamDestination | undefined,
  precision: ApproximateCreationDateTimePrecision,
  asked: boolean,
): ActivationStep {
  switch (present?.DestinationStatus) {
    case 'ACTIVE':
      if (present.ApproximateCreationDateTimePrecision === precision) return 'done'
      return asked ? 'wait' : 'update'
    case 'ENABLE_FAILED':
      return asked ? 'failed' : 'enable'
    case undefined:
    case 'DISABLED':
      return asked ? 'wait' : 'enable'
    default:
      return 'wait'
  }
}

/** The next step to a table that no longer writes into the stream. What the stream holds stays. */
function stepToDisabled(present: KinesisDataStreamDestination | undefined, asked: boolean): ActivationStep {
  switch (present?.DestinationStatus) {
    case undefined:
    case 'DISABLED':
    case 'ENABLE_FAILED':
      return 'done'
    case 'ACTIVE':
      return asked ? 'wait' : 'disable'
    default:
      return 'wait'
  }
}

/** Has a table write into a stream, and returns when it does. Throws when it cannot, or not in time. */
export async function enableDestination(client: DynamoDBClient, wanted: Destination, time: PollTime): Promise<void> {
  await reach(client, wanted, time, (destinations, asked) => {
    const other = destinations.find(({ StreamArn, DestinationStatus }) => {
      return StreamArn !== wanted.streamArn && ['ACTIVE', 'ENABLING', 'UPDATING'].includes(DestinationStatus ?? '')
    })
    if (other !== undefined) {
      throw new Error(
        `table ${wanted.table} writes into ${other.StreamArn} already, expected no other: DynamoDB writes into one stream at a ` +
          'time, and changes made between two would be lost',
      )
    }
    return stepToActive(destinationOf(destinations, wanted), wanted.precision, asked)
  })
}

/** Ends a table's writing into a stream, and returns when it has ended. A table that is gone writes nothing. */
export async function disableDestination(client: DynamoDBClient, wanted: Destination, time: PollTime): Promise<void> {
  try {
    await reach(client, wanted, time, (destinations, asked) =>
      stepToDisabled(destinationOf(destinations, wanted), asked),
    )
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error
  }
}

async function reach(
  client: DynamoDBClient,
  wanted: Destination,
  { remaining, sleep = wait }: PollTime,
  nextStep: (destinations: readonly KinesisDataStreamDestination[], asked: boolean) => ActivationStep,
): Promise<void> {
  for (let asked = false; ; ) {
    const described = await client.send(new DescribeKinesisStreamingDestinationCommand({ TableName: wanted.table }))
    const destinations = described.KinesisDataStreamDestinations ?? []
    const step = nextStep(destinations, asked)
    if (step === 'done') return
    const { DestinationStatus = 'unknown', DestinationStatusDescription } = destinationOf(destinations, wanted) ?? {}
    const state = `table ${wanted.table} and stream ${wanted.streamArn} are ${DestinationStatus}`
    if (step === 'failed') throw new Error(`${state}: ${DestinationStatusDescription ?? 'DynamoDB does not say why'}`)
    if (step !== 'wait') asked = await ask(client, step, wanted)
    if (remaining() < POLL_MS + RESERVE_MS) throw new Error(`${state}, and the time of this function is over`)
    await sleep(POLL_MS)
  }
}

function destinationOf(destinations: readonly KinesisDataStreamDestination[], { streamArn }: Destination) {
  return destinations.find(({ StreamArn }) => StreamArn === streamArn)
}

/** False where DynamoDB is busy with the table and has to be asked again. */
async function ask(
  client: DynamoDBClient,
  step: 'enable' | 'update' | 'disable',
  wanted: Destination,
): Promise<boolean> {
  const names = { TableName: wanted.table, StreamArn: wanted.streamArn }
  const configuration = { ApproximateCreationDateTimePrecision: wanted.precision }
  try {
    if (step === 'enable') {
      await client.send(
        new EnableKinesisStreamingDestinationCommand({ ...names, EnableKinesisStreamingConfiguration: configuration }),
      )
    } else if (step === 'update') {
      await client.send(
        new UpdateKinesisStreamingDestinationCommand({ ...names, UpdateKinesisStreamingConfiguration: configuration }),
      )
    } else {
      await client.send(new DisableKinesisStreamingDestinationCommand(names))
    }
    return true
  } catch (error) {
    if (['ResourceInUseException', 'LimitExceededException'].includes((error as Error).name)) return false
    throw error
  }
}
