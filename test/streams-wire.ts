/** A record as the stream API has it on the wire: `change` shows what matters to the test. */
export function wireRecord(change: object = {}, more: object = {}): object {
  return {
    eventID: 'a1',
    eventName: 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: 1795341607,
      Keys: { order_id: { S: 'ORD1' } },
      SequenceNumber: '100',
      SizeBytes: 8,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      ...change,
    },
    ...more,
  }
}
