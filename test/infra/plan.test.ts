import { describe, expect, it } from 'vitest'
import { CANARY_METRICS } from '../../config/canary.js'
import { RECONCILE_METRICS } from '../../config/nightly.js'
import { DEPLOYED } from '../../cost/deployed.js'
import { SEALING } from '../../infra/journal.js'
import { JOURNAL_METRICS } from '../../journal/journal-metrics.js'
import { archiveOf, type Resource, TABLE_KINDS } from './archives.js'
import { wholeTemplate } from './whole-template.js'

/** Resources of a type in the stack of one table. */
function resources(capture: 'streams' | 'kinesis', type: string): readonly Resource[] {
  const { stack } = archiveOf({ Orders: { since: '2026-11-22', capture } })
  return Object.values(wholeTemplate(stack).findResources(type)) as unknown as readonly Resource[]
}

const described = (functions: readonly Resource[], text: string) =>
  functions.find(({ Properties }) => String(Properties.Description).includes(text))?.Properties

/** How many metrics alarms look at, each of which is billed; a query counts as one. */
function metricsOf(alarms: readonly Resource[]): number {
  const looked = alarms.map(({ Properties: { Metrics } }) =>
    Metrics === undefined
      ? 1
      : Metrics.filter(
          ({ MetricStat, Expression }: { MetricStat?: object; Expression?: string }) =>
            MetricStat !== undefined || Expression?.startsWith('SELECT'),
        ).length,
  )
  return looked.reduce((sum, some) => sum + some, 0)
}

describe('what a plan reckons with is what is deployed', () => {
  it('functions and their batches', () => {
    const functions = resources('streams', 'AWS::Lambda::Function')
    expect(described(functions, 'carries the stream')?.MemorySize).toBe(DEPLOYED.forwarder.memoryMb)
    expect(described(functions, 'turns stream records')?.MemorySize).toBe(DEPLOYED.transform.memoryMb)
    expect(described(functions, 'locks objects')?.MemorySize).toBe(DEPLOYED.lock.memoryMb)
    for (const bundle of ['carries the stream', 'turns stream records', 'locks objects'])
      expect(described(functions, bundle)?.Architectures).toEqual(['arm64'])
    const mapping = resources('streams', 'AWS::Lambda::EventSourceMapping').find(
      ({ Properties }) => Properties.StartingPosition,
    )
    const { batchRecords, windowSeconds, parallelization } = DEPLOYED.forwarder
    expect(mapping?.Properties).toMatchObject({
      BatchSize: batchRecords,
      MaximumBatchingWindowInSeconds: windowSeconds,
    })
    expect(mapping?.Properties.ParallelizationFactor ?? 1).toBe(parallelization)
  })

  it("the transform's buffer and the archive's classes", () => {
    const [delivery] = resources('streams', 'AWS::KinesisFirehose::DeliveryStream')
    expect(JSON.stringify(delivery?.Properties.ExtendedS3DestinationConfiguration.ProcessingConfiguration)).toContain(
      `{"ParameterName":"BufferSizeInMBs","ParameterValue":"${DEPLOYED.transform.bufferMb}"}`,
    )
    const rules = resources('streams', 'AWS::S3::Bucket').flatMap(
      ({ Properties }) => Properties.LifecycleConfiguration?.Rules ?? [],
    )
    const days = rules.flatMap(({ Transitions = [] }: { Transitions?: { TransitionInDays: number }[] }) =>
      Transitions.map(({ TransitionInDays }) => TransitionInDays),
    )
    const { infrequentAccessDays, instantRetrievalDays } = DEPLOYED.lifecycle
    expect(days).toEqual([infrequentAccessDays, instantRetrievalDays])
  })

  it.each(['streams', 'kinesis'] as const)('alarms of capture %s', capture => {
    const { alarmMetrics } = DEPLOYED
    expect(metricsOf(resources(capture, 'AWS::CloudWatch::Alarm'))).toBe(alarmMetrics[capture] + alarmMetrics.archive)
    expect(resources(capture, 'AWS::CloudWatch::Dashboard')).toHaveLength(1)
  })

  it('a journal: its functions, how often they are called, its alarms and what it counts', () => {
    const { stack } = archiveOf({ Orders: { since: '2026-11-22' } }, { seal: true })
    const ofType = (type: string) =>
      Object.values(wholeTemplate(stack).findResources(type)) as unknown as readonly Resource[]
    const functions = ofType('AWS::Lambda::Function')
    expect(described(functions, 'seals what is new')?.MemorySize).toBe(DEPLOYED.seal.memoryMb)
    expect(described(functions, 'against its journal')?.MemorySize).toBe(DEPLOYED.check.memoryMb)
    expect(described(functions, 'seals what is new')?.Timeout).toBe(DEPLOYED.seal.seconds)
    expect(described(functions, 'against its journal')?.Timeout).toBe(DEPLOYED.check.seconds)
    expect([SEALING.every.toHours(), SEALING.checkedEvery.toHours()]).toEqual([
      DEPLOYED.seal.everyHours,
      DEPLOYED.check.everyHours,
    ])
    expect(Object.keys(JOURNAL_METRICS)).toHaveLength(DEPLOYED.journalMetrics)
    const { streams, archive, journal } = DEPLOYED.alarmMetrics
    expect(metricsOf(ofType('AWS::CloudWatch::Alarm'))).toBe(streams + archive + journal)
    expect(ofType('AWS::KMS::Key')).toHaveLength(2)
  })

  it('a compaction: its time, and what a run takes in', () => {
    const { stack } = archiveOf({ Orders: { since: '2026-11-22' } }, { compact: true })
    const functions = Object.values(
      wholeTemplate(stack).findResources('AWS::Lambda::Function'),
    ) as unknown as readonly Resource[]
    const compact = described(functions, 'clustered by item')
    expect(compact?.Timeout).toBe(DEPLOYED.compaction.seconds)
    expect(compact?.Environment.Variables.ITEMTRAIL_RUN_BYTES).toBe(`${DEPLOYED.compaction.runGb * 1024 ** 3}`)
    const rules = Object.values(wholeTemplate(stack).findResources('AWS::Events::Rule')) as unknown as Resource[]
    expect(rules.map(({ Properties }) => Properties.ScheduleExpression)).toContain(
      `rate(${DEPLOYED.compaction.everyHours} hours)`,
    )
  })

  it('a canary: its function, how often it is called, its alarms and what it counts', () => {
    const { stack } = archiveOf({ Orders: { since: '2026-11-22' } }, { canary: true })
    const ofType = (type: string) =>
      Object.values(wholeTemplate(stack).findResources(type)) as unknown as readonly Resource[]
    expect(described(ofType('AWS::Lambda::Function'), 'writes the canary')?.MemorySize).toBe(DEPLOYED.canary.memoryMb)
    expect(Object.keys(CANARY_METRICS)).toHaveLength(DEPLOYED.canary.metrics)
    const { streams, archive, canary } = DEPLOYED.alarmMetrics
    expect(metricsOf(ofType('AWS::CloudWatch::Alarm'))).toBe(streams + archive + canary)
    expect(ofType('AWS::CloudWatch::Dashboard')).toHaveLength(1)
  })

  it('a nightly comparison: its function, its alarms and what it counts', () => {
    const { stack } = archiveOf({
      Orders: { since: '2026-11-22', keys: ['order_id'], reconcile: true, table: TABLE_KINDS.imported },
    })
    const ofType = (type: string) =>
      Object.values(wholeTemplate(stack).findResources(type)) as unknown as readonly Resource[]
    const memory = described(ofType('AWS::Lambda::Function'), 'each night')?.MemorySize
    expect(memory).toBe(DEPLOYED.reconciliation.memoryMb)
    expect(Object.keys(RECONCILE_METRICS)).toHaveLength(DEPLOYED.reconciliation.metrics)
    const { streams, archive, reconciliation } = DEPLOYED.alarmMetrics
    expect(metricsOf(ofType('AWS::CloudWatch::Alarm'))).toBe(streams + archive + reconciliation)
  })

  it('the Kinesis stream', () => {
    const [stream] = resources('kinesis', 'AWS::Kinesis::Stream')
    expect(stream?.Properties).toMatchObject({
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RetentionPeriodHours: DEPLOYED.kinesisRetentionDays * 24,
    })
  })
})
