import type { FirehoseTransformationEvent } from 'aws-lambda'

/** Records of one Firehose event in the suites. */
export const EVENT_RECORDS = 500

/** When the delivery stream took the first record in: the evening of the first day of `orderRecords`. */
export const ARRIVAL = Date.UTC(2026, 10, 22, 23, 59)

/** Firehose events of records, `EVENT_RECORDS` each. */
export function firehoseEvents(
  records: Iterable<string>,
  size = EVENT_RECORDS,
): readonly FirehoseTransformationEvent[] {
  const events: FirehoseTransformationEvent['records'][] = []
  let event: FirehoseTransformationEvent['records'] = []
  for (const text of records) {
    if (event.length === 0) events.push(event)
    event.push({
      recordId: `49546986171${String(event.length).padStart(45, '0')}`,
      approximateArrivalTimestamp: ARRIVAL + event.length,
      data: Buffer.from(text).toString('base64'),
    })
    if (event.length === size) event = []
  }
  return events.map(records => ({
    invocationId: '0a4c2b3e-1f5d-4b6c-8d7e-9f0a1b2c3d4e',
    deliveryStreamArn: 'arn:aws:firehose:eu-central-1:123456789012:deliverystream/itemtrail-orders',
    region: 'eu-central-1',
    records,
  }))
}
