import type { Source } from './sources.js'

/** What something costs: so many US dollars for so many of a unit. GB is 1,024³ bytes, as AWS counts. */
export interface Price extends Source {
  readonly usd: number
  readonly units: number
  readonly unit: string
}

const INFRACOST: Source = { source: "Infracost's price tests", date: '2024' }
const CALCULATOR: Source = { source: 'notes from the AWS Pricing Calculator', date: '2026' }
const SECONDARY: Source = { source: 'secondary text', date: '2022-2026' }
const UNCHECKED: Source = { source: 'list price from memory, not looked up', date: '2026' }

const price = (usd: number, units: number, unit: string, source: Source): Price => ({ usd, units, unit, ...source })

/**
 * Every price that Itemtrail reckons with: us-east-1, on demand, without free tiers and discounts. docs/cost.md has the
 * same list and a test compares the two.
 */
export const PRICES = {
  'Firehose, taken in, to 500 TB a month': price(0.029, 1, 'GB', CALCULATOR),
  'Firehose, taken in, the next 1.5 PB': price(0.025, 1, 'GB', CALCULATOR),
  'Firehose, taken in, beyond 2 PB': price(0.02, 1, 'GB', CALCULATOR),
  'Firehose, conversion to Parquet': price(0.018, 1, 'GB', CALCULATOR),
  'Firehose, dynamic partitioning': price(0.02, 1, 'GB', CALCULATOR),
  'Firehose, partitioned objects': price(0.005, 1000, 'objects', CALCULATOR),
  'Lambda, requests': price(0.2, 1_000_000, 'requests', INFRACOST),
  'Lambda, arm64': price(0.0000133334, 1, 'GB-seconds', INFRACOST),
  'DynamoDB, read': price(0.125, 1_000_000, 'units', UNCHECKED),
  'DynamoDB, write': price(0.625, 1_000_000, 'units', INFRACOST),
  'DynamoDB, kept': price(0.25, 1, 'GB-months', UNCHECKED),
  'DynamoDB, backup': price(0.2, 1, 'GB-months', INFRACOST),
  'DynamoDB, export': price(0.1, 1, 'GB', SECONDARY),
  'DynamoDB, change data capture': price(0.1, 1_000_000, 'units', SECONDARY),
  'Kinesis, stream': price(0.04, 1, 'hours', INFRACOST),
  'Kinesis, in': price(0.08, 1, 'GB', INFRACOST),
  'Kinesis, out': price(0.04, 1, 'GB', INFRACOST),
  'Kinesis, kept beyond a day': price(0.1, 1, 'GB-months', INFRACOST),
  'S3 Standard': price(0.023, 1, 'GB-months', INFRACOST),
  'S3 Standard-IA': price(0.0125, 1, 'GB-months', INFRACOST),
  'S3 Glacier Instant Retrieval': price(0.004, 1, 'GB-months', UNCHECKED),
  'S3, put': price(0.005, 1000, 'requests', INFRACOST),
  'S3, get': price(0.0004, 1000, 'requests', INFRACOST),
  'S3, move to Standard-IA': price(0.01, 1000, 'objects', INFRACOST),
  'S3, move to Glacier Instant Retrieval': price(0.02, 1000, 'objects', UNCHECKED),
  'S3 Standard-IA, read': price(0.01, 1, 'GB', INFRACOST),
  'S3 Glacier Instant Retrieval, read': price(0.03, 1, 'GB', UNCHECKED),
  'Athena, scanned': price(5, 1024, 'GB', { source: 'secondary text', date: '2025-2026' }),
  'SQS, requests': price(0.4, 1_000_000, 'requests', INFRACOST),
  'KMS, key': price(1, 1, 'keys a month', INFRACOST),
  'KMS, requests': price(0.03, 10_000, 'requests', INFRACOST),
  'KMS, asymmetric requests': price(0.15, 10_000, 'requests', SECONDARY),
  'CloudWatch, alarm': price(0.1, 1, 'metrics a month', INFRACOST),
  'CloudWatch, dashboard': price(3, 1, 'dashboards a month', INFRACOST),
  'CloudWatch, own metric': price(0.3, 1, 'metrics a month', SECONDARY),
  'CloudWatch, logs': price(0.5, 1, 'GB', INFRACOST),
} as const satisfies Readonly<Record<string, Price>>

export type PriceName = keyof typeof PRICES

/** What an amount costs in US dollars. */
export function costOfAmount(name: PriceName, amount: number): number {
  const { usd, units } = PRICES[name]
  return (amount / units) * usd
}

export const GB = 1024 ** 3

const TB_GB = 1024

/** What Firehose asks a month for taking in so many GB, tier by tier; the tiers are of an account and a region. */
export function costOfIngestion(gb: number): number {
  const tiers: readonly (readonly [PriceName, number])[] = [
    ['Firehose, taken in, to 500 TB a month', 500 * TB_GB],
    ['Firehose, taken in, the next 1.5 PB', 1536 * TB_GB],
    ['Firehose, taken in, beyond 2 PB', Number.POSITIVE_INFINITY],
  ]
  let left = gb
  let usd = 0
  for (const [name, size] of tiers) {
    const inTier = Math.min(left, size)
    usd += costOfAmount(name, inTier)
    left -= inTier
  }
  return usd
}

/** Of each export at least so much is paid (developer guide, "DynamoDB data export to Amazon S3: how it works"). */
export const BYTES_OF_EXPORT = 10 * 1024 ** 2
