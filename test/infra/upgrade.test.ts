/** What a deployment of now does to an archive that a release deployed, by CloudFormation's documented behaviour. */
import { isDeepStrictEqual } from 'node:util'
import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Resource } from './archives.js'
import { KINDS, releases, type Templates, templatesOf, templatesOfNow } from './released.js'

/** What holds evidence, opens it, or is how it comes in: another one in its place is a gap, or an archive that is lost. */
const EVIDENCE = [
  'AWS::S3::Bucket',
  'AWS::KMS::Key',
  'AWS::DynamoDB::Table',
  'AWS::DynamoDB::GlobalTable',
  'AWS::Kinesis::Stream',
  'AWS::KinesisFirehose::DeliveryStream',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Glue::Database',
  'AWS::Glue::Table',
  'Custom::ItemtrailKinesisDestination',
  'AWS::CloudFormation::Stack',
]

/** Types whose resources a deployment may replace, and why nobody misses the old one. */
const REPLACED_FREELY: { readonly [type: string]: string } = {
  'AWS::Athena::NamedQuery': 'a question in new words: Athena cannot edit the text of one',
}

const ENDS: readonly ResourceImpact[] = [
  ResourceImpact.WILL_REPLACE,
  ResourceImpact.MAY_REPLACE,
  ResourceImpact.WILL_DESTROY,
  ResourceImpact.WILL_ORPHAN,
]

interface Ended {
  readonly type: string
  readonly change: string
}

const NONE: Templates[string] = { Resources: {} }

/** What of an older deployment is no longer there after a newer one, or is another, or is no longer kept. */
function endedBetween(older: Templates, newer: Templates): readonly Ended[] {
  return Object.entries(older).flatMap(([file, before]) => {
    const after = newer[file] ?? NONE
    const { resources } = fullDiff(before, after)
    const ended = Object.entries(resources.changes).filter(([, { changeImpact }]) => ENDS.includes(changeImpact))
    return [
      ...ended.map(([id, { changeImpact, oldResourceType }]) => ({
        type: `${oldResourceType}`,
        change: `${id}: ${changeImpact}`,
      })),
      ...Object.entries(before.Resources).flatMap(([id, resource]) =>
        lost(resource, after.Resources[id]).map(what => ({ type: resource.Type, change: `${id}: ${what}` })),
      ),
    ]
  })
}

/**
 * What CloudFormation's own words on replacement leave out: a Glue table keeps its id with another name, which every
 * query has; a key of another kind it refuses; and what is no longer retained goes with the next replacement.
 */
function lost(before: Resource, after: Resource | undefined): readonly string[] {
  if (after === undefined) return []
  const said = ({ Properties = {}, DeletionPolicy, UpdateReplacePolicy }: Resource) => ({
    name: Properties.TableInput?.Name ?? Properties.DatabaseInput?.Name,
    kind: before.Type === 'AWS::KMS::Key' && [Properties.KeySpec, Properties.KeyUsage],
    retained: [DeletionPolicy, UpdateReplacePolicy].map(policy => policy === 'Retain'),
  })
  const [was, is] = [said(before), said(after)]
  return (Object.keys(was) as (keyof typeof was)[]).filter(what => !isDeepStrictEqual(was[what], is[what]))
}

const isEvidence = ({ type }: Ended) => EVIDENCE.includes(type)

describe.each(releases())('a deployment over one of %s', release => {
  it.each(KINDS)('ends nothing that holds evidence of an archive %s, and what it ends is known', kind => {
    const before = templatesOf(release, kind)
    if (before === undefined) return
    const ended = endedBetween(before, templatesOfNow(kind))
    if (ended.length > 0)
      console.log(`${release}, ${kind}\n${ended.map(({ type, change }) => `  ${change} ${type}`).join('\n')}`)
    expect(ended.filter(isEvidence)).toEqual([])
    expect(ended.filter(({ type }) => REPLACED_FREELY[type] === undefined)).toEqual([])
  })
})

describe('this sees', () => {
  let before: Templates
  beforeAll(() => {
    before = templatesOf('0.1.0', 'configuration-file') as Templates
  })

  /** The same, after the first resource of a type was changed. */
  function spoilt(type: string, spoil: (resource: Resource, id: string, all: Record<string, Resource>) => void) {
    const after = structuredClone(before) as Record<string, { Resources: Record<string, Resource> }>
    const found = Object.values(after).flatMap(({ Resources }) =>
      Object.entries(Resources).flatMap(([id, it]) => (it.Type === type ? [() => spoil(it, id, Resources)] : [])),
    )
    expect(found.length).toBeGreaterThan(0)
    found[0]?.()
    return endedBetween(before, after).filter(isEvidence)
  }

  const renamed = (resource: Resource, id: string, all: Record<string, Resource>) => {
    delete all[id]
    all[`${id}New`] = resource
  }

  it.each(EVIDENCE.filter(type => !/DynamoDB|Custom/.test(type)))('a %s that is called otherwise', type => {
    expect(spoilt(type, renamed).map(ended => ended.type)).toContain(type)
  })

  it.each<[string, string, (resource: Resource) => void]>([
    ['a bucket that is given a name', 'AWS::S3::Bucket', it => (it.Properties.BucketName = 'another')],
    [
      'a delivery stream of another source',
      'AWS::KinesisFirehose::DeliveryStream',
      it => (it.Properties.DeliveryStreamType = 'KinesisStreamAsSource'),
    ],
    ['a key of another kind', 'AWS::KMS::Key', it => (it.Properties.KeySpec = 'RSA_2048')],
    ['a bucket that is no longer retained', 'AWS::S3::Bucket', it => Object.assign(it, { DeletionPolicy: 'Delete' })],
    [
      'a mapping of another stream',
      'AWS::Lambda::EventSourceMapping',
      it => (it.Properties.EventSourceArn = 'arn:another'),
    ],
    ['a Glue table of another name', 'AWS::Glue::Table', it => (it.Properties.TableInput.Name = 'another')],
    ['a Kinesis stream that is given a name', 'AWS::Kinesis::Stream', it => (it.Properties.Name = 'another')],
  ])('%s', (_, type, spoil) => {
    expect(spoilt(type, spoil).map(ended => ended.type)).toContain(type)
  })

  it('nothing in a column more, another memory, another text', () => {
    const column = (it: Resource) =>
      it.Properties.TableInput.StorageDescriptor.Columns.push({ Name: 'x', Type: 'string' })
    expect(spoilt('AWS::Glue::Table', column)).toEqual([])
    expect(spoilt('AWS::Lambda::Function', it => (it.Properties.MemorySize = 1024))).toEqual([])
    expect(spoilt('AWS::KMS::Key', it => (it.Properties.Description = 'another'))).toEqual([])
  })
})
