/** What a user would run in the place of our transform, and the floor that nothing can be below. */
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { FirehoseTransformationEvent, FirehoseTransformationResult } from 'aws-lambda'
import { transformRecord } from '../transform/transform.js'
import { ORDERS } from './orders.js'

type Transform = (event: FirehoseTransformationEvent) => FirehoseTransformationResult

const byRecord =
  (lineOf: (data: string, arrival: number) => string): Transform =>
  ({ records }) => ({
    records: records.map(({ recordId, data, approximateArrivalTimestamp }) => ({
      recordId,
      result: 'Ok',
      data: Buffer.from(lineOf(data, approximateArrivalTimestamp)).toString('base64'),
    })),
  })

/** Nothing but what every transform has to do: base64, JSON.parse, JSON.stringify, base64. */
export const identity = byRecord(data => `${JSON.stringify(JSON.parse(Buffer.from(data, 'base64').toString()))}\n`)

type Attributes = Parameters<typeof unmarshall>[0]
interface Change {
  readonly eventID: string
  readonly eventName: string
  readonly dynamodb: Readonly<Record<'Keys' | 'NewImage' | 'OldImage', Attributes | undefined>> & {
    readonly ApproximateCreationDateTime: number
  }
}

/**
 * The usual tutorial's Lambda: plain objects, and no canonical form, no hashes, no difference. Sets become `{}` in it.
 */
export const tutorial = byRecord(data => {
  const { eventID, eventName, dynamodb } = JSON.parse(Buffer.from(data, 'base64').toString()) as Change
  const plain = (item: Attributes | undefined) => item && unmarshall(item, { wrapNumbers: true })
  const row = {
    eventID,
    eventName,
    time: dynamodb.ApproximateCreationDateTime,
    keys: plain(dynamodb.Keys),
    oldImage: plain(dynamodb.OldImage),
    newImage: plain(dynamodb.NewImage),
  }
  return `${JSON.stringify(row)}\n`
})

/** Our own definition, without the fast path. */
export const plainPath = byRecord((data, arrival) => {
  const transformed = transformRecord(Buffer.from(data, 'base64'), arrival, ORDERS)
  if (transformed.kind === 'refused') throw new Error(transformed.reason)
  return transformed.lines
})
