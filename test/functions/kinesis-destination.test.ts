import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDestinationResource } from '../../functions/kinesis-destination-resource.js'
import { LOOPBACK_CONNECTION, type Loopback, startLoopback } from '../loopback.js'

const STREAM = 'arn:aws:kinesis:us-east-1:123456789012:stream/itemtrail-orders'
const OTHER = 'arn:aws:kinesis:us-east-1:123456789012:stream/other'

/** A destination as DynamoDB describes it. */
interface Described {
  StreamArn: string
  DestinationStatus: string
  DestinationStatusDescription?: string
  ApproximateCreationDateTimePrecision?: string
}

/**
 * DynamoDB's Kinesis operations (DynamoDB Local has none), in the shapes of its API reference. What was asked for is
 * done after `slowness` descriptions.
 */
let destinations: Described[]
let slowness: number
/** Operations that changed something, and how the next ones fail. */
let asked: string[]
let failures: string[]
/** What an enabling that DynamoDB took comes to. */
let enabling: Partial<Described>
/** What CloudFormation was told. */
let answers: CloudFormationCustomResourceResponse[]
let tableIsGone: boolean
let server: Loopback
let client: DynamoDBClient

beforeEach(() => {
  destinations = []
  slowness = 2
  asked = []
  failures = []
  enabling = { DestinationStatus: 'ACTIVE' }
  answers = []
  tableIsGone = false
})

beforeAll(async () => {
  let pending: { left: number; outcome: Partial<Described> } | undefined
  server = await startLoopback((request, body, response) => {
    if (request.method === 'PUT') {
      expect(request.headers['content-type']).toBe('')
      answers.push(JSON.parse(body.toString()))
      return response.writeHead(200).end()
    }
    const answer = (status: number, content: object) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(content))
    const refuse = (code: string) =>
      answer(400, { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: `${code} on demand` })
    const operation = String(request.headers['x-amz-target']).replace('DynamoDB_20120810.', '')
    const input = JSON.parse(body.toString())
    if (tableIsGone) return refuse('ResourceNotFoundException')
    if (operation === 'DescribeKinesisStreamingDestination') {
      if (pending !== undefined && pending.left-- <= 0) {
        Object.assign(destinations.find(({ StreamArn }) => StreamArn === STREAM) as Described, pending.outcome)
        pending = undefined
      }
      return answer(200, { TableName: input.TableName, KinesisDataStreamDestinations: destinations })
    }
    const failure = failures.shift()
    if (failure !== undefined) return refuse(failure)
    asked.push(operation)
    const precision = (input.EnableKinesisStreamingConfiguration ?? input.UpdateKinesisStreamingConfiguration)
      ?.ApproximateCreationDateTimePrecision
    const [DestinationStatus, outcome] = {
      EnableKinesisStreamingDestination: ['ENABLING', { ApproximateCreationDateTimePrecision: precision, ...enabling }],
      UpdateKinesisStreamingDestination: [
        'UPDATING',
        { ApproximateCreationDateTimePrecision: precision, DestinationStatus: 'ACTIVE' },
      ],
      DisableKinesisStreamingDestination: ['DISABLING', { DestinationStatus: 'DISABLED' }],
    }[operation] as [string, Partial<Described>]
    const present = destinations.find(({ StreamArn }) => StreamArn === input.StreamArn)
    if (present === undefined) destinations.push({ StreamArn: input.StreamArn, DestinationStatus })
    else present.DestinationStatus = DestinationStatus
    pending = { left: slowness, outcome }
    return answer(200, { TableName: input.TableName, StreamArn: input.StreamArn, DestinationStatus })
  })
  client = new DynamoDBClient({ ...LOOPBACK_CONNECTION, endpoint: server.endpoint, maxAttempts: 1 })
})
afterAll(() => server.stop())

const active = (fields: Partial<Described> = {}): Described => ({
  StreamArn: STREAM,
  DestinationStatus: 'ACTIVE',
  ApproximateCreationDateTimePrecision: 'MICROSECOND',
  ...fields,
})

const ID = `Orders to ${STREAM}`

/** CloudFormation calls the resource and is answered. */
async function call(
  RequestType: 'Create' | 'Update' | 'Delete',
  { id = ID, minutes = 10, ...properties }: Record<string, unknown> = {},
): Promise<CloudFormationCustomResourceResponse> {
  let slept = 0
  const handler = createDestinationResource(client, async ms => {
    slept += ms
  })
  const event = {
    RequestType,
    ResponseURL: `${server.endpoint}/answer`,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'Destination',
    ...(RequestType !== 'Create' && { PhysicalResourceId: id }),
    ResourceProperties: {
      ServiceToken: 'token',
      TableName: 'Orders',
      StreamArn: STREAM,
      ApproximateCreationDateTimePrecision: 'MICROSECOND',
      ...properties,
    },
  } as unknown as CloudFormationCustomResourceEvent
  const getRemainingTimeInMillis = () => (minutes as number) * 60_000 - slept
  await handler(event, { getRemainingTimeInMillis, logStreamName: 'log' })
  expect(getRemainingTimeInMillis()).toBeGreaterThan(5_000)
  expect(answers).toHaveLength(1)
  return answers[0] as CloudFormationCustomResourceResponse
}

const done = expect.objectContaining({
  Status: 'SUCCESS',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Destination',
  PhysicalResourceId: ID,
})

const failedWith = (reason: string) =>
  expect.objectContaining({ Status: 'FAILED', Reason: expect.stringContaining(reason) })

describe('creating', () => {
  it('enables the stream with the precision asked for, and ends when it is active', async () => {
    expect(await call('Create')).toEqual(done)
    expect(asked).toEqual(['EnableKinesisStreamingDestination'])
    expect(destinations).toEqual([active()])
  })

  it('finds what is enabled already as it should be', async () => {
    destinations = [active()]
    expect(await call('Create')).toEqual(done)
    expect(asked).toEqual([])
  })

  it.each([{ ApproximateCreationDateTimePrecision: 'MILLISECOND' }, {}])(
    'makes other times precise: %j',
    async other => {
      destinations = [{ StreamArn: STREAM, DestinationStatus: 'ACTIVE', ...other }]
      expect(await call('Create')).toEqual(done)
      expect(asked).toEqual(['UpdateKinesisStreamingDestination'])
      expect(destinations).toEqual([active()])
    },
  )

  it.each(['DISABLED', 'ENABLE_FAILED'])('enables again what is %s', async DestinationStatus => {
    destinations = [{ StreamArn: STREAM, DestinationStatus }]
    expect(await call('Create')).toEqual(done)
    expect(asked).toEqual(['EnableKinesisStreamingDestination'])
  })

  it('waits for what is going on', async () => {
    failures = ['ResourceInUseException', 'LimitExceededException']
    expect(await call('Create')).toEqual(done)
    expect(destinations).toEqual([active()])
  })

  it('fails with the reason that DynamoDB gives', async () => {
    enabling = { DestinationStatus: 'ENABLE_FAILED', DestinationStatusDescription: 'no access to the stream' }
    expect(await call('Create')).toEqual(failedWith('ENABLE_FAILED: no access to the stream'))
  })

  it('fails with an error of DynamoDB', async () => {
    failures = ['AccessDeniedException']
    expect(await call('Create')).toEqual(failedWith('AccessDeniedException on demand'))
  })

  it('fails in time when it takes too long', async () => {
    slowness = 1_000
    expect(await call('Create', { minutes: 2 })).toEqual(failedWith(`${STREAM} are ENABLING, and the time`))
  })

  it('fails beside another stream: between two, changes would be lost', async () => {
    destinations = [active({ StreamArn: OTHER })]
    expect(await call('Create')).toEqual(failedWith(`table Orders writes into ${OTHER} already`))
    expect(asked).toEqual([])
  })

  it('does not mind another stream that is no longer written', async () => {
    destinations = [active({ StreamArn: OTHER, DestinationStatus: 'DISABLED' })]
    expect(await call('Create')).toEqual(done)
  })

  it.each([
    [{ TableName: undefined }, 'property TableName is missing'],
    [{ StreamArn: '' }, 'property StreamArn is missing'],
    [{ ApproximateCreationDateTimePrecision: 'SECOND' }, 'is "SECOND", expected MICROSECOND or MILLISECOND'],
  ])('refuses %j', async (properties, reason) => {
    expect(await call('Create', properties)).toEqual(failedWith(reason))
    expect(asked).toEqual([])
  })
})

describe('updating', () => {
  it('changes the precision and remains the same resource', async () => {
    destinations = [active()]
    expect(await call('Update', { ApproximateCreationDateTimePrecision: 'MILLISECOND' })).toEqual(done)
    expect(destinations).toEqual([active({ ApproximateCreationDateTimePrecision: 'MILLISECOND' })])
  })

  it('to another table is another resource, so that CloudFormation deletes the first', async () => {
    const answer = await call('Update', { TableName: 'Customers' })
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: `Customers to ${STREAM}` })
  })
})

describe('deleting', () => {
  it('ends the writing, and ends when it has ended', async () => {
    destinations = [active()]
    expect(await call('Delete')).toEqual(done)
    expect(asked).toEqual(['DisableKinesisStreamingDestination'])
    expect(destinations).toEqual([active({ DestinationStatus: 'DISABLED' })])
  })

  it.each(['DISABLED', 'ENABLE_FAILED'])('has nothing to do when it is %s', async DestinationStatus => {
    destinations = [active({ DestinationStatus })]
    expect(await call('Delete')).toEqual(done)
    expect(asked).toEqual([])
  })

  it('has nothing to do when there never was a destination', async () => {
    expect(await call('Delete')).toEqual(done)
  })

  it('has nothing to do when the table is gone', async () => {
    tableIsGone = true
    expect(await call('Delete')).toEqual(done)
  })

  it('leaves other streams alone', async () => {
    destinations = [active({ StreamArn: OTHER })]
    expect(await call('Delete')).toEqual(done)
    expect(asked).toEqual([])
  })

  it('of what was refused at its creation succeeds, so that a stack can be rolled back', async () => {
    const answer = await call('Delete', { id: 'Destination', TableName: undefined })
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'Destination' })
    expect(asked).toEqual([])
  })
})

it('throws when CloudFormation does not take the answer, so that Lambda calls again', async () => {
  destinations = [active()]
  const refusing = await startLoopback((_request, _body, response) => response.writeHead(403).end())
  const handler = createDestinationResource(client)
  const event = {
    RequestType: 'Delete',
    ResponseURL: refusing.endpoint,
    PhysicalResourceId: 'x',
    ResourceProperties: {},
  }
  const context = { getRemainingTimeInMillis: () => 60_000, logStreamName: 'log' }
  await expect(handler(event as unknown as CloudFormationCustomResourceEvent, context)).rejects.toThrow('403')
  await refusing.stop()
})
