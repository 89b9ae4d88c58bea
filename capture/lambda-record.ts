/**
 * A record of a DynamoDB stream in the shape that Lambda gives it, so that the rest of the path cannot tell which way
 * it came.
 */
import { isObject, type JsonObject } from '../transform/json.js'

/**
 * One stream record as Lambda hands it to a function. Only what a reader of the stream needs is typed: the rest is the
 * transform's to judge, which refuses and keeps what it cannot understand.
 */
export interface LambdaRecord extends JsonObject {
  readonly dynamodb: JsonObject & {
    readonly SequenceNumber: string
    /** Epoch seconds. */
    readonly ApproximateCreationDateTime?: number
  }
  readonly eventSourceARN: string
}

/**
 * Turns a record of the stream API, as it is on the wire, into the record that Lambda would get. The wire has binary as
 * base64 and numbers as text already; only the identity of a TTL delete is written otherwise, and a record does not
 * name its stream. Throws for one without a sequence number, which no reader could come back to.
 */
export function toLambdaRecord(wire: unknown, streamArn: string): LambdaRecord {
  const { dynamodb, userIdentity, ...record } = isObject(wire) ? wire : {}
  if (!isObject(dynamodb) || typeof dynamodb.SequenceNumber !== 'string')
    throw new Error('stream API answered with a record without dynamodb.SequenceNumber, which every record has')
  return {
    ...record,
    dynamodb: dynamodb as LambdaRecord['dynamodb'],
    ...(isObject(userIdentity) && { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } }),
    eventSourceARN: streamArn,
  }
}

/** When DynamoDB made a change, in milliseconds since 1970; null where the record does not say. */
export function madeAt({ dynamodb: { ApproximateCreationDateTime: seconds } }: LambdaRecord): number | null {
  const time = typeof seconds === 'number' ? Math.floor(seconds * 1000) : Number.NaN
  return Math.abs(time) <= LAST_TIME ? time : null
}

/** The last moment that a Date can hold. */
const LAST_TIME = 8.64e15
