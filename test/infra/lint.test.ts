import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { nestedTemplates, ORDERS, type Resources, TABLE_KINDS, templateOf } from './archives.js'
import { templateProblems } from './template-problems.js'

const variants = {
  streams: templateOf({ Orders: ORDERS }),
  'three tables': templateOf({
    Orders: ORDERS,
    Sessions: { since: '2026-11-01', table: TABLE_KINDS.TableV2, capture: 'kinesis' },
    'My.Events': { since: '2026-11-01', keys: ['order_id'], capture: 'kinesis', table: TABLE_KINDS.imported },
  }),
  'locked by its bucket': templateOf(
    { Orders: ORDERS },
    { lock: { mode: 'compliance', days: 30, confirm: true, by: 'bucket' } },
  ),
  compacted: templateOf({ Orders: ORDERS }, { compact: true }),
  erasable: templateOf({ Orders: { ...ORDERS, erasable: [{ subject: 'buyer.id', attributes: ['buyer.name'] }] } }),
  sealed: templateOf({ Orders: ORDERS }, { seal: { mail: ['auditor@example.com'] } }),
}

describe('what linters miss', () => {
  it.each(Object.entries(variants))('is right in %s', (_, { resources }) => {
    expect(templateProblems(resources)).toEqual([])
  })

  // biome-ignore lint/suspicious/noExplicitAny: a template is spoilt in any place
  type Spoil = (properties: any) => void
  const firehose = 'AWS::KinesisFirehose::DeliveryStream'
  it.each<[string, string, Spoil, RegExp]>([
    [
      'a Firehose buffer under 64 MB with conversion',
      firehose,
      p => (p.ExtendedS3DestinationConfiguration.BufferingHints.SizeInMBs = 5),
      /buffer of 5 MB/,
    ],
    [
      'a buffer of no interval',
      firehose,
      p => (p.ExtendedS3DestinationConfiguration.BufferingHints.IntervalInSeconds = 0),
      /buffer of 0 s/,
    ],
    [
      'GZIP outside of Parquet',
      firehose,
      p => (p.ExtendedS3DestinationConfiguration.CompressionFormat = 'GZIP'),
      /GZIP outside of Parquet/,
    ],
    [
      'a misspelt prefix namespace',
      firehose,
      p =>
        (p.ExtendedS3DestinationConfiguration.Prefix = 'data/Orders/event_date=!{partitionKeyFromLamda:event_date}/'),
      /partitionKeyFromLamda is not known/,
    ],
    [
      'a partition key in the error prefix',
      firehose,
      p => (p.ExtendedS3DestinationConfiguration.ErrorOutputPrefix += '!{partitionKeyFromLambda:event_date}/'),
      /partitionKeyFromLambda is not known/,
    ],
    [
      'no error prefix with dynamic partitioning',
      firehose,
      p => delete p.ExtendedS3DestinationConfiguration.ErrorOutputPrefix,
      /no error prefix/,
    ],
    [
      'errors among the data',
      firehose,
      p => (p.ExtendedS3DestinationConfiguration.ErrorOutputPrefix = 'data/!{firehose:error-output-type}/'),
      /among the data/,
    ],
    [
      'DirectPut with a Kinesis source',
      firehose,
      p => (p.KinesisStreamSourceConfiguration = {}),
      /DirectPut and the source do not fit/,
    ],
    [
      'Object Lock without versions',
      'AWS::S3::Bucket',
      p => Object.assign(p, { ObjectLockEnabled: true, VersioningConfiguration: undefined }),
      /Object Lock without versions/,
    ],
    [
      'retention without Object Lock',
      'AWS::S3::Bucket',
      p => Object.assign(p, { ObjectLockEnabled: false, ObjectLockConfiguration: {} }),
      /retention without Object Lock/,
    ],
    [
      'a storage class that Athena skips',
      'AWS::S3::Bucket',
      p => p.LifecycleConfiguration.Rules.push({ Transitions: [{ StorageClass: 'DEEP_ARCHIVE' }] }),
      /Athena skips/,
    ],
    [
      'a Glue type that does not exist',
      'AWS::Glue::Table',
      p => (p.TableInput.StorageDescriptor.Columns[0].Type = 'text'),
      /no Glue type: event_id text/,
    ],
    [
      'a decimal that is too wide',
      'AWS::Glue::Table',
      p => (p.TableInput.StorageDescriptor.Columns[0].Type = 'decimal(40,2)'),
      /no Glue type/,
    ],
    [
      'a partition that is not projected',
      'AWS::Glue::Table',
      p => delete p.TableInput.Parameters['projection.event_date.type'],
      /not projected/,
    ],
  ])('shows %s', (_, type, spoil, problem) => {
    const resources = structuredClone(variants.streams.resources) as Resources
    spoil(Object.values(resources).find(resource => resource.Type === type)?.Properties)
    expect(templateProblems(resources).join('\n')).toMatch(problem)
  })
})

const VENV = fileURLToPath(new URL('../../.cache/cfn-lint/', import.meta.url))
const LINTER = join(VENV, 'bin', 'cfn-lint')
const VERSION = '1.58.0'
const python = spawnSync('python3', ['--version']).status === 0

/** Installed once, into `.cache`. */
function install(): boolean {
  const runs = () => spawnSync(LINTER, ['--version']).status === 0
  // a folder that was moved is there and does not run
  if (existsSync(LINTER) && runs()) return true
  rmSync(VENV, { recursive: true, force: true })
  if (!python || spawnSync('python3', ['-m', 'venv', VENV]).status !== 0) return false
  return (
    spawnSync(join(VENV, 'bin', 'pip'), ['install', '-q', `cfn-lint==${VERSION}`], { timeout: 100_000 }).status === 0
  )
}

const installed = install()

describe.skipIf(!installed)(`cfn-lint${installed ? '' : ' (skipped: no Python to install it with)'}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'templates-'))
  /** What it finds, but for W3005: CDK orders what a reference orders already. */
  const lint = (...templates: object[]) => {
    const paths = templates.map((_template, index) => join(folder, `${index}.json`))
    for (const [index, path] of paths.entries()) writeFileSync(path, JSON.stringify(templates[index]))
    const options = ['--format', 'parseable', '--ignore-checks', 'W3005', '--']
    return spawnSync(LINTER, [...options, ...paths], { encoding: 'utf8' }).stdout
  }

  it('finds nothing in templates of every kind of capture, table and lock', () => {
    const stacks = [variants['three tables'].stack, variants.compacted.stack]
    const templates = stacks.flatMap(stack => [Template.fromStack(stack), ...nestedTemplates(stack)])
    expect(lint(...templates.map(template => template.toJSON()))).toBe('')
  })

  it('finds a misspelt property', () => {
    const Type = 'AWS::Lambda::EventSourceMapping'
    const Properties = { FunctionName: 'forwarder', BisectBatch: true }
    expect(lint({ Resources: { Mapping: { Type, Properties } } })).toMatch(/BisectBatch/)
  })
})
