/** Where a figure is from and of when: whoever relies on it can look it up again. */
export interface Source {
  readonly source: string
  /** Month or year of the text that was read. */
  readonly date: string
}

export const firehoseGuide = (page: string): Source => ({
  source: `Amazon Data Firehose developer guide, "${page}"`,
  date: '2025-2026',
})

export const dynamoDbGuide = (page: string): Source => ({
  source: `Amazon DynamoDB developer guide, "${page}"`,
  date: '2026-04',
})

export const kinesisGuide = (page: string): Source => ({
  source: `Amazon Kinesis Data Streams developer guide, "${page}"`,
  date: '2025-2026',
})

export const lambdaGuide = (page: string): Source => ({
  source: `AWS Lambda developer guide, "${page}"`,
  date: '2026',
})

export const athenaGuide = (page: string): Source => ({
  source: `Amazon Athena user guide, "${page}"`,
  date: '2026-04',
})

/** What Itemtrail itself takes for granted, each with its reason in the document. */
export const OURS: Source = { source: 'Itemtrail, docs/cost.md, "What a plan takes for granted"', date: '2026-11' }
