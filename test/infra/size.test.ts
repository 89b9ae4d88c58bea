import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { read } from '../source.js'
import { archiveOf, nestedTemplates, ofType, type Resource, type Resources, TABLE_KINDS } from './archives.js'
import { wholeTemplate } from './whole-template.js'

const USED = 0.8

/** What AWS takes (user guides of CloudFormation, IAM, S3, KMS and Athena, "Quotas"), and which part of it we use. */
const LIMITS = {
  'bytes of a template': [1_000_000, USED],
  'resources of a stack': [500, USED],
  'outputs of a stack': [200, USED],
  'parameters of a stack': [200, USED],
  "characters of a role's own policies": [10_240, USED],
  'characters of a managed policy': [6_144, USED],
  'managed policies of a role': [10, USED],
  "bytes of a bucket's policy": [20_480, USED],
  "bytes of a key's policy": [32_768, USED],
  'bytes of a saved query': [262_144, USED],
  // counted to the last one: no table grows by itself
  'prepared statements of a workgroup': [1_000, 1],
} as const

type Measures = { readonly [limit in keyof typeof LIMITS]: number }

/** A table of the longest names that are usual. */
const table = (width: number, capture: 'streams' | 'kinesis') => ({
  since: '2026-11-22',
  keys: ['order_id'],
  capture,
  // by Kinesis there are two delivery streams a table already, which the bucket's policy has to name
  reconcile: capture === 'streams',
  columns: Object.fromEntries(Array.from({ length: width }, (_, i) => [`attribute_of_orders_${i}`, 'string' as const])),
  table: TABLE_KINDS.imported,
})

const tables = (count: number, width: number, capture: 'streams' | 'kinesis') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`production-orders-${i}`, table(width, capture)]))

/** What a name becomes once it is deployed, where that is longest. */
const LONGEST: { readonly [type: string]: string } = {
  'AWS::S3::Bucket': `arn:aws-us-gov:s3:::${'b'.repeat(63)}`,
  'AWS::IAM::Role': `arn:aws-us-gov:iam::111122223333:role/${'r'.repeat(64)}`,
  'AWS::KMS::Key': `arn:aws-us-gov:kms:ap-southeast-9:111122223333:key/${'k'.repeat(36)}`,
  'AWS::KinesisFirehose::DeliveryStream': `arn:aws-us-gov:firehose:ap-southeast-9:111122223333:deliverystream/${'f'.repeat(64)}`,
}

/** How long a document is once every name in it is there, without white space, as AWS counts it. */
function deployedLength(document: unknown, resources: Resources): number {
  const filled = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(filled)
    const [[intrinsic, of] = ['', undefined], ...others] = Object.entries(value)
    if (others.length === 0 && intrinsic === 'Ref') return 'n'.repeat(64)
    if (others.length === 0 && intrinsic === 'Fn::GetAtt')
      return LONGEST[resources[of[0]]?.Type ?? ''] ?? 'a'.repeat(120)
    if (others.length === 0 && intrinsic === 'Fn::Join') return of[1].map(filled).join('')
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner)]))
  }
  return JSON.stringify(filled(document)).length
}

/** What docs/limits.md says of it. */
const WRITTEN =
  /no stack of them has more than (\d+) resources or (\d+) kB, and that of 1 table of 60 columns has (\d+) kB/

const most = (values: readonly number[]) => Math.max(0, ...values)

function measured(...made: Parameters<typeof archiveOf>): Measures {
  const { stack } = archiveOf(...made)
  const templates = [Template.fromStack(stack), ...nestedTemplates(stack)].map(template => template.toJSON())
  const whole = wholeTemplate(stack).toJSON().Resources as Resources
  const lengths = (type: string, of: (properties: Resource['Properties']) => unknown) =>
    ofType(whole, type).map(([, { Properties }]) => deployedLength(of(Properties), whole))
  const count = (part: 'Resources' | 'Outputs' | 'Parameters') =>
    most(templates.map(template => Object.keys(template[part] ?? {}).length))
  const managed = ofType(whole, 'AWS::IAM::ManagedPolicy').map(([, { Properties }]) => JSON.stringify(Properties.Roles))
  return {
    // as CDK writes them
    'bytes of a template': most(templates.map(template => Buffer.byteLength(JSON.stringify(template, undefined, 1)))),
    'resources of a stack': count('Resources'),
    'outputs of a stack': count('Outputs'),
    'parameters of a stack': count('Parameters'),
    "characters of a role's own policies": most(lengths('AWS::IAM::Role', ({ Policies = [] }) => Policies)),
    'characters of a managed policy': most(lengths('AWS::IAM::ManagedPolicy', it => it.PolicyDocument)),
    'managed policies of a role': most(
      ofType(whole, 'AWS::IAM::Role').map(([id]) => managed.filter(roles => roles.includes(`"${id}"`)).length),
    ),
    "bytes of a bucket's policy": most(lengths('AWS::S3::BucketPolicy', it => it.PolicyDocument)),
    "bytes of a key's policy": most(lengths('AWS::KMS::Key', it => it.KeyPolicy)),
    'bytes of a saved query': most(lengths('AWS::Athena::NamedQuery', it => it.QueryString)),
    'prepared statements of a workgroup': ofType(whole, 'AWS::Athena::PreparedStatement').length,
  }
}

describe('nothing comes near what AWS takes', () => {
  it.each([
    ['one table of 60 columns', tables(1, 60, 'streams')],
    ['one table of 60 columns, by Kinesis', tables(1, 60, 'kinesis')],
    ['60 tables of 8 columns', tables(60, 8, 'streams')],
    ['60 tables of 8 columns, by Kinesis', tables(60, 8, 'kinesis')],
  ])('%s', (name, captured) => {
    const measures = measured(captured, { compact: true, seal: true, canary: true, callers: true })
    const lines = Object.entries(LIMITS).map(
      ([limit, [most]]) =>
        `  ${limit}: ${measures[limit as keyof Measures].toLocaleString('en')} of ${most.toLocaleString('en')}`,
    )
    console.log(`${name}\n${lines.join('\n')}`)
    const over = Object.entries(LIMITS).filter(
      ([limit, [most, used]]) => measures[limit as keyof Measures] > most * used,
    )
    expect(over).toEqual([])
    const [, resources, kB, ofOne] = WRITTEN.exec(read('docs/limits.md'))?.map(Number) ?? []
    const largest = measures['bytes of a template'] / 1000
    expect(measures['resources of a stack']).toBeLessThanOrEqual(resources ?? 0)
    expect(largest).toBeLessThanOrEqual((name.startsWith('one') ? ofOne : kB) ?? 0)
  })
})

describe('what is too much is refused at synthesis, by number:', () => {
  it('more delivery streams than the policy of the bucket has room for', () => {
    expect(() => archiveOf(tables(66, 0, 'kinesis'))).toThrow(
      /^Stack\/Audit: table production-orders-65 is one too many for the policy of the archive's bucket, which has room for 130 delivery streams/,
    )
  })

  it('longer names than the policies of a role have room for', () => {
    const long = Array.from({ length: 130 }, (_, i) => `${'x'.repeat(250)}-${i}`)
    const alone = { ...table(0, 'streams'), reconcile: false }
    expect(() => archiveOf(Object.fromEntries(long.map(name => [name, alone])))).toThrow(
      /is one too many for the 9 policies of a role that can be for tables, expected another archive for it$/,
    )
  })
})
