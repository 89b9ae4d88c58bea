/** What somebody is told who is woken: `status --stack`, against what stands in for AWS. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { DERIVED_VERSION, manifestKey } from '../../transform/derived.js'
import { type ErasureFact, factInstant, writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { processingFailedLine } from '../../transform/refused-line.js'
import { success } from '../athena-engine.js'
import type { WireAlarm } from '../cloudwatch-server.js'
import { gapFact, streamsRecord } from '../factories.js'
import { BUCKET, STACK, type StackStandIn, startStackStandIn } from '../stack-stand-in.js'
import { archiveOf, run } from './command-line.js'
import { expectContract } from './contract.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NESTED = 'arn:aws:cloudformation:us-east-1:111122223333:stack/Itemtrail-Orders/1'

let stack: StackStandIn
let root: string
const NOW = Date.now()
/** The whole hour that began so many hours ago. */
const hourAgo = (hours: number) => Math.floor(NOW / HOUR) * HOUR - hours * HOUR
const made = (NOW - 4 * MINUTE) / 1000

beforeAll(async () => {
  stack = await startStackStandIn()
  root = await archiveOf([
    streamsRecord({
      Keys: { order_id: { S: 'ORD1' } },
      NewImage: { order_id: { S: 'ORD1' } },
      ApproximateCreationDateTime: Math.floor(made),
    }),
  ])
  await stack.upload(root)
  uploaded = [...stack.s3.versions]
  answerFromRows = stack.athena.answer
})
afterAll(() => stack.stop())
let uploaded: StackStandIn['s3']['versions'] = []
let answerFromRows: StackStandIn['athena']['answer']

const metric = (MetricName: string, of: object) => ({
  Namespace: 'AWS/Lambda',
  MetricName,
  Dimensions: Object.entries(of).map(([Name, Value]) => ({ Name, Value })),
})

/** An alarm as the construct deploys it and CloudWatch tells of it. */
const alarm = (heading: string, subject: string, fields: Partial<WireAlarm> = {}): WireAlarm => ({
  AlarmName: `Itemtrail-${subject}-${heading}`,
  AlarmDescription: `[page] ${subject}: what ${heading} means. docs/runbook.md, ${heading}`,
  ActionsEnabled: true,
  AlarmActions: ['arn:aws:sns:us-east-1:111122223333:alarms'],
  StateValue: 'OK',
  StateReason: 'Threshold Crossed',
  StateTransitionedTimestamp: (NOW - 12 * MINUTE) / 1000,
  Threshold: 300_000,
  Period: 60,
  Statistic: 'Maximum',
  ...metric('IteratorAge', { FunctionName: 'forwarder' }),
  ...fields,
})

const UNREAD = [
  { Id: 'expr_1', Expression: 'IF(FILL(polled, 0) > 0, 0, FILL(written, 0))', ReturnData: true },
  ...['polled', 'written'].map(Id => ({
    Id,
    MetricStat: { Metric: metric(Id, {}), Period: 3600, Stat: 'Sum' },
    ReturnData: false,
  })),
]

/** What was measured, by id or by metric: all is well, and the last batch is a minute old. */
let measured: Record<string, readonly (readonly [number, number])[]>

beforeEach(() => {
  stack.stub()
  stack.athena.answer = success(
    ['change timestamp', 'delivered timestamp'],
    [[`${new Date(NOW).toISOString().slice(0, 10)} 00:00:00.000`, null]],
  )
  stack.s3.versions.splice(0, stack.s3.versions.length, ...uploaded)
  stack.s3.fault = () => undefined
  delete stack.outputs.AuditDerivedBucket
  stack.cloudWatch.faults.clear()
  stack.cloudWatch.requests.length = 0
  stack.cloudWatch.status = 'Complete'
  measured = {
    IteratorAge: [3, 2, 1].map(minutes => [NOW - minutes * MINUTE, 2000] as const),
    'DeliveryToS3.DataFreshness': [[NOW - MINUTE, 61]],
    polled: [[hourAgo(1), 3]],
    written: [[hourAgo(1), 5]],
  }
  stack.cloudWatch.measure = ({ Id = '', MetricStat }) =>
    measured[Id] ?? measured[MetricStat?.Metric?.MetricName ?? ''] ?? []
  deploy([
    alarm('stream-behind', 'Orders'),
    alarm('delivery-slow', 'Orders', { Threshold: 120, ...metric('DeliveryToS3.DataFreshness', {}) }),
    alarm('stream-unread', 'Orders', { Threshold: 0, MetricName: undefined, Metrics: UNREAD } as object),
    alarm('record-refused', 'Orders', { Threshold: 0, ...metric('RecordsRefused', {}) }),
    alarm('scan-cutoff', 'archive', metric('ProcessedBytes', {})),
  ])
})
afterEach(() => vi.unstubAllEnvs())

/** Alarms of a table are in a nested stack, those of the archive in the stack itself. */
function deploy(alarms: readonly WireAlarm[]): void {
  stack.cloudWatch.alarms.splice(0, stack.cloudWatch.alarms.length, ...alarms)
  const listed = alarms.map(({ AlarmName = '' }) => ({ type: 'AWS::CloudWatch::Alarm', physicalId: AlarmName }))
  const isOwn = ({ physicalId }: { physicalId: string }) => physicalId.includes('-archive-')
  const nested = { type: 'AWS::CloudFormation::Stack', physicalId: NESTED }
  stack.stacks.set(STACK, [nested, ...listed.filter(isOwn)])
  stack.stacks.set(
    NESTED,
    listed.filter(one => !isOwn(one)),
  )
}

const raise = (heading: string) => {
  const at = stack.cloudWatch.alarms.findIndex(({ AlarmName = '' }) => AlarmName.endsWith(heading))
  stack.cloudWatch.alarms[at] = { ...stack.cloudWatch.alarms[at], StateValue: 'ALARM' }
}
const keep = (fact: Parameters<typeof factKey>[0] & Parameters<typeof writeFact>[0]) =>
  stack.s3.add({ key: factKey(fact), bucket: BUCKET, body: Buffer.from(writeFact(fact)) })

const erasureFact = (fields: Partial<ErasureFact>): ErasureFact => ({
  ...{ version: 'fact/v1', kind: 'erasure', table: 'Orders', recorded: '2026-11-20T12:00:00.000000Z' },
  ...{ token: '0'.repeat(32), generation: 1, reason: 'asked', ticket: null, by: 'ann', pending: [] },
  ...{ asked: '2026-11-20T12:00:00.000000Z', destroyed: '', effective: '2026-11-20T12:00:00.000000Z' },
  ...{ objects: 1, rows: 1, values: 1 },
  ...fields,
})

const status = (...flags: readonly string[]) => run(['status', '--stack', STACK, ...flags])
const asJson = async () => {
  const { exit, out, err } = await status('--format', 'json')
  expect(out, err).not.toBe('')
  return { exit, err, ...JSON.parse(out) }
}

describe('status of a stack where all is well', () => {
  beforeEach(() => {
    stack.athena.answer = answerFromRows
  })

  it('answers what is asked at night, nine lines a table', async () => {
    const { exit, out, err } = await status()
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^Itemtrail at \d{4}-.*Z$/),
      'alarms       none up of 5',
      '',
      'Orders',
      expect.stringMatching(/^last change {2}\d{4}-.*Z, \d minutes ago; the last row arrived .*Z$/),
      expect.stringMatching(/^lag {10}stream 2 seconds, Firehose 1 minute$/),
      'until loss   24.0 hours, if nothing came through from now on',
      'refused      nothing',
      'gaps         none open',
      'compared     never with the table',
      'compacted    never: this stack keeps no copy by item',
      'alarms       none up of 4',
      '',
    ])
    expect(err).toMatch(/^athena: \d quer(y|ies), .* scanned/)
    expect(exit).toBe(0)
  })

  it('reads the newest day alone, and of a table whose newest day has only a baseline, all', async () => {
    const today = new Date(made * 1000).toISOString().slice(0, 10)
    const daysAsked = async () => {
      stack.athena.queries.length = 0
      await status()
      return [...new Set(stack.athena.queries.map(({ input }) => input.ExecutionParameters?.[0]))]
    }
    stack.s3.add({ key: 'data/Orders/event_date=2026-11-01/x.parquet', bucket: BUCKET })
    expect(await daysAsked()).toEqual([`'${today}'`])
    stack.athena.answer = success(['change timestamp', 'delivered timestamp'], [[null, `${today} 00:00:00.000`]])
    expect(await daysAsked()).toEqual([`'${today}'`, "'2026-11-01'"])
  })

  it('tells programs the same', async () => {
    const { exit, tables, alarms, not_known: notKnown } = await asJson()
    expect({ exit, notKnown, alarms }).toMatchObject({ exit: 0, notKnown: [], alarms: { watched: 5, up: [] } })
    expect(tables).toEqual([
      {
        table: 'Orders',
        last_change: expect.stringMatching(/Z$/),
        delivered: expect.stringMatching(/Z$/),
        hops: [
          { hop: 'stream', lag: 2, measured: new Date(NOW - MINUTE).toISOString(), limit: 300, behind: false },
          { hop: 'firehose', lag: 61, measured: expect.anything(), limit: 120, behind: false },
        ],
        unread_since: null,
        until_loss: 86_339,
        open_gaps: [],
        uncertified: [],
        compared: null,
        compacted: null,
        alarms_up: [],
      },
    ])
  })
})

describe('status of a stack where something is wrong exits 1, and says', () => {
  const lineOf = (out: string, name: string) => out.split('\n').filter(line => line.startsWith(name.padEnd(13)))

  it('which alarms are up and for how long', async () => {
    raise('stream-behind')
    raise('scan-cutoff')
    const { exit, out } = await status()
    expect(lineOf(out, 'alarms')).toEqual([
      'alarms       2 up of 5',
      'alarms       scan-cutoff (page) is up, for 12 minutes: what scan-cutoff means',
      'alarms       stream-behind (page) is up, for 12 minutes: what stream-behind means',
    ])
    expect(exit).toBe(1)
    const { alarms, tables } = await asJson()
    expect([alarms.up.map((one: { heading: string }) => one.heading).sort(), tables[0].alarms_up]).toEqual([
      ['scan-cutoff', 'stream-behind'],
      ['stream-behind'],
    ])
  })

  it('an alarm that tells nobody any more, because it was deleted or its actions are off', async () => {
    const [gone, silenced] = stack.cloudWatch.alarms
    stack.cloudWatch.alarms.splice(0, 2, { ...(silenced as WireAlarm), ActionsEnabled: false })
    const { exit, out } = await status()
    expect(out).toContain(`${gone?.AlarmName} was deleted: it tells nobody`)
    expect(out).toContain(`${silenced?.AlarmName} tells nobody: its actions are off`)
    expect(exit).toBe(1)
  })

  it('that the forwarder is behind, and how long the stream keeps what waits', async () => {
    measured.IteratorAge = [[NOW - 30 * MINUTE, 6 * HOUR]]
    const { exit, out } = await status()
    expect(lineOf(out, 'lag')[0]).toContain('stream BEHIND 6 hours, measured 30 minutes ago')
    expect(lineOf(out, 'until loss')[0]).toContain('17.5 hours')
    expect(exit).toBe(1)
  })

  it('that the canary is late, and 3 where nobody measured it', async () => {
    deploy([...stack.cloudWatch.alarms, alarm('canary-late', 'archive', { Threshold: 60, ...metric('CanaryLag', {}) })])
    measured.CanaryLag = [[NOW - MINUTE, 30]]
    const well = await status()
    expect([well.exit, lineOf(well.out, 'canary')[0]]).toEqual([
      0,
      expect.stringMatching(/archive: canary 30 seconds$/),
    ])
    measured.CanaryLag = [[NOW - MINUTE, 3000]]
    const late = await status()
    expect([late.exit, lineOf(late.out, 'canary')[0]]).toEqual([1, expect.stringContaining('canary BEHIND 50 minutes')])
    measured.CanaryLag = []
    const silent = await status()
    expect([silent.exit, lineOf(silent.out, 'canary')[0]]).toEqual([3, expect.stringContaining('not measured')])
  })

  it('that nobody reads the stream, which no age of a record tells', async () => {
    Object.assign(measured, {
      IteratorAge: [],
      polled: [[hourAgo(8), 3]],
      written: [8, 6, 0].map(hours => [hourAgo(hours), 5] as const),
    })
    const { exit, out } = await status()
    expect(lineOf(out, 'lag')[0]).toMatch(/NOT READ: the table was written to since .*, stream idle for 3 hours/)
    expect(Number(/until loss +([\d.]+) hours/.exec(out)?.[1])).toBeLessThanOrEqual(18)
    expect(exit).toBe(1)
  })

  it('what was refused, why and of when, and not what was sent again from here', async () => {
    const record = { data: Buffer.from('{"no":"record"}'), arrival: NOW - HOUR, attempts: 1, code: 'x', message: 'y' }
    const line = processingFailedLine({ ...record, lambdaArn: 'arn' }, NOW)
    stack.s3.add({ key: 'refused/processing-failed/Orders/a', bucket: BUCKET, body: Buffer.from(line + line) })
    stack.s3.add({ key: 'refused/oversize/Orders/b', bucket: 'refused-bucket', body: Buffer.from('not ours') })
    const { exit, out } = await status()
    expect(lineOf(out, 'refused')).toEqual([
      'refused      cannot be read: refused/oversize/Orders/b',
      expect.stringMatching(/^refused {6}2 × .*, the last \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
    ])
    expect(exit).toBe(1)
  })

  it('what was refused after it was searched for a person who was erased', async () => {
    const [destroyed, searched] = [2, 1].map(hours => factInstant((NOW - hours * HOUR) * 1000)) as [string, string]
    keep(erasureFact({ destroyed, searched }))
    const refuse = (key: string, minutes: number, bucket: string) => {
      const lastModified = new Date(NOW - minutes * MINUTE).toISOString()
      stack.s3.add({ key, bucket, body: Buffer.from('not ours'), lastModified })
    }
    refuse('refused/oversize/Orders/before', 61, 'refused-bucket')
    expect(lineOf((await status()).out, 'erased')).toEqual([])
    refuse('refused/oversize/Orders/after', 59, 'refused-bucket')
    refuse('refused/processing-failed/Orders/after', 58, BUCKET)
    const { exit, out } = await status()
    expect([exit, lineOf(out, 'erased')]).toEqual([
      1,
      [
        expect.stringMatching(
          /^erased {7}2 objects were refused after .*Z, when what is refused was last searched for 0{32}, /,
        ),
      ],
    ])
    keep(erasureFact({ destroyed, searched: factInstant(NOW * 1000), recorded: factInstant(NOW * 1000) }))
    expect(lineOf((await status()).out, 'erased')).toEqual([])
  })

  it('rows that Athena does not read, which are not none', async () => {
    stack.athena.answer = success(['change timestamp', 'delivered timestamp'], [[null, null]])
    const { exit, out } = await status()
    expect([exit, lineOf(out, 'last change')]).toEqual([
      3,
      [expect.stringMatching(/not known: Athena reads no row of 2\d{3}-\d\d-\d\d to .* objects: days before `since`/)],
    ])
  })

  it('a gap that is open, until a comparison found every item equal', async () => {
    const [from, to] = ['2026-11-20T10:00:00.000000Z', '2026-11-20T11:00:00.000000Z']
    keep(gapFact({ recorded: '2026-11-20T12:00:00.000000Z', from, to }))
    const { exit, out } = await status()
    expect(lineOf(out, 'gaps')).toEqual(['gaps         1 open: gap 2026-11-20 10:00:00Z to 2026-11-20 11:00:00Z'])
    expect(exit).toBe(1)
    const compared = (differing: readonly object[], recorded: string, more = {}) =>
      keep({
        ...{ version: 'fact/v1', kind: 'reconciliation', table: 'Orders', recorded, method: 'scan', source: 'table' },
        ...{ from: recorded, to: recorded, items: 1, differing, unsettled: [], digest: '0'.repeat(64) },
        ...more,
      } as never)
    compared([{ key: '{"order_id":{"S":"ORD1"}}', since: null }], '2026-11-21T10:00:00.000000Z')
    const differs = await status()
    expect(lineOf(differs.out, 'compared')).toEqual(['compared     compared 2026-11-21 10:00:00Z: 1 item differed'])
    expect([differs.exit, lineOf(differs.out, 'gaps')[0]]).toEqual([1, expect.stringContaining('1 open')])
    const night = { from: '2026-11-21T00:00:00.000000Z', to: '2026-11-22T00:00:00.000000Z', method: 'export' }
    compared([], '2026-11-22T02:00:00.000000Z', { ...night, unsettled: ['{"order_id":{"S":"ORD2"}}'] })
    const hidden = await status()
    expect([hidden.exit, lineOf(hidden.out, 'compared')]).toEqual([
      1,
      [
        'compared     compared 2026-11-22 00:00:00Z: nothing differed, 1 item could not be compared; 1 item differed before, and the whole table was not looked at since',
      ],
    ])
    compared([], '2026-11-22T10:00:00.000000Z')
    const equal = await status()
    expect(lineOf(equal.out, 'compared')).toEqual(['compared     compared 2026-11-22 10:00:00Z: nothing differed'])
    expect([equal.exit, lineOf(equal.out, 'gaps')[0]]).toEqual([0, 'gaps         none open'])
  })
})

it('tells programs what is documented, and nothing else', async () => {
  stack.athena.answer = answerFromRows
  stack.outputs.AuditDerivedBucket = 'derived-bucket'
  const keyed = manifestKey('Orders')
  const copy = { version: DERIVED_VERSION, table: 'Orders', generation: 1, built: '2026-11-22T12:00:00.000Z' }
  const manifest = { ...copy, runs: [], unseen: {}, checkpoints: [], answers: [], replaced: [] }
  stack.s3.add({ key: keyed, bucket: 'derived-bucket', body: Buffer.from(JSON.stringify(manifest)) })
  const canary = alarm('canary-late', 'archive', { Threshold: 60, ...metric('CanaryLag', {}) })
  deploy([...stack.cloudWatch.alarms, canary])
  measured.CanaryLag = [[NOW - MINUTE, 30]]
  const well = await asJson()
  measured.CanaryLag = []
  expect(well.tables[0].compacted).toBe(copy.built)
  for (const heading of ['stream-behind', 'scan-cutoff']) raise(heading)
  stack.cloudWatch.alarms.push({ AlarmName: 'theirs', StateValue: 'ALARM' })
  stack.stacks.set(STACK, [
    ...(stack.stacks.get(STACK) ?? []),
    { type: 'AWS::CloudWatch::Alarm', physicalId: 'theirs' },
  ])
  stack.cloudWatch.alarms[1] = { ...stack.cloudWatch.alarms[1], StateValue: 'INSUFFICIENT_DATA' }
  measured.IteratorAge = []
  Object.assign(measured, { polled: [], written: [[hourAgo(3), 5]] })
  const record = { data: Buffer.from('{}'), arrival: NOW, attempts: 1, code: 'x', message: 'y', lambdaArn: 'arn' }
  for (const folder of ['Orders', 'Gone'])
    stack.s3.add({
      key: `refused/processing-failed/${folder}/a`,
      bucket: BUCKET,
      body: Buffer.from(`${processingFailedLine(record, NOW)}x\n`),
      lastModified: new Date(NOW).toISOString(),
    })
  const [from, to] = ['2026-11-20T10:00:00.000000Z', '2026-11-20T11:00:00.000000Z']
  keep(gapFact({ recorded: '2026-11-20T12:00:00.000000Z', from, to }))
  const destroyed = factInstant((NOW - HOUR) * 1000)
  keep(erasureFact({ destroyed, searched: destroyed }))
  const moved = {
    version: 'fact/v1',
    kind: 'stream-changed',
    table: 'Orders',
    recorded: to,
    previous: 'a',
    source: 'b',
  }
  keep(moved as never)
  const compared = { method: 'scan', source: 'table', items: 1, differing: [], unsettled: [], digest: '0'.repeat(64) }
  keep({ ...moved, kind: 'reconciliation', from, to, ...compared, recorded: from } as never)
  const asked = { reason: 'asked', ticket: null, by: 'ann' }
  keep({ ...moved, kind: 'erasing', token: 'a'.repeat(32), generation: 1, ...asked } as never)
  stack.s3.add({ key: 'facts/Orders/20261122T110000.000000Z-gap.json', bucket: BUCKET, body: Buffer.from('{') })
  const ill = await asJson()
  stack.s3.fault = operation => (operation === 'GetObject' ? { status: 403, code: 'AccessDenied' } : undefined)
  stack.cloudWatch.faults.set('DescribeAlarms', { type: 'AccessDenied', message: 'not authorized' })
  stack.athena.fault = () => ({ type: 'AccessDeniedException', message: 'not authorized' })
  const blind = await asJson()
  stack.athena.fault = () => undefined
  const answers = [well, ill, blind].map(({ exit: _, err: __, ...answer }) => answer)
  expect([well, ill, blind].map(({ exit }) => exit)).toEqual([0, 1, 3])
  expectContract('status of a stack', answers)
})

describe('status of a stack that cannot be asked everything exits 3, and says what', () => {
  it('alarms and metrics, to whom CloudWatch does not answer', async () => {
    stack.cloudWatch.faults.set('DescribeAlarms', { type: 'AccessDenied', message: 'not authorized' })
    const { exit, out } = await status()
    expect(out).toContain('alarms       not known: AccessDenied: not authorized')
    expect(out).toContain('lag          not known: AccessDenied: not authorized')
    expect(out).toMatch(/last change {2}\d{4}/)
    expect(exit).toBe(3)
    expect((await asJson()).not_known).toContainEqual({
      table: 'Orders',
      line: 'lag',
      why: 'not known: AccessDenied: not authorized',
    })
  })

  it('a metric that was not measured, and alarms of a nested stack', async () => {
    stack.cloudWatch.status = 'InternalError'
    stack.stacks.delete(NESTED)
    deploy(stack.cloudWatch.alarms)
    expect((await status()).out).toContain('metric watched was not measured: InternalError')
    stack.stacks.delete(NESTED)
    const { exit, out } = await status()
    expect(out).toMatch(/alarms {7}not known: of arn:.*does not exist/)
    expect(exit).toBe(3)
  })

  it('the last change, where Athena fails, and facts that cannot be read', async () => {
    stack.athena.fault = operation =>
      operation === 'StartQueryExecution' ? { type: 'InvalidRequestException', message: 'no' } : undefined
    stack.s3.add({ key: 'facts/Orders/20261122T110000.000000Z-gap.json', bucket: BUCKET, body: Buffer.from('{') })
    const { exit, out } = await status()
    stack.athena.fault = () => undefined
    expect(out).toMatch(/last change {2}not known: /)
    expect(out).toMatch(/facts {8}not known: facts\/Orders/)
    expect(exit).toBe(3)
  })

  it('a damaged manifest of the copy, whose absence is none', async () => {
    stack.outputs.AuditDerivedBucket = 'derived-bucket'
    expect((await status()).out).toContain('compacted    not yet')
    stack.s3.add({ key: 'derived/Orders/manifest.json', bucket: 'derived-bucket', body: Buffer.from('{}') })
    const { exit, out } = await status()
    expect([exit, out]).toEqual([3, expect.stringContaining('compacted    not known: ')])
  })

  it('refuses a stack that is none of ours, or whose archives nobody can tell apart', async () => {
    expect(await run(['status', '--stack', 'Other'])).toMatchObject({ exit: 3, err: expect.stringContaining('Other') })
    stack.outputs.SecondArchiveBucket = 'second'
    const { exit, err } = await status()
    delete stack.outputs.SecondArchiveBucket
    expect([exit, err]).toEqual([2, expect.stringContaining('has 2 archives')])
  })
})
