import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PRICES } from '../../aws/prices.js'
import { billOf, type Part } from '../../cost/bill.js'
import { CAPTURES, type CaptureKind, type Flow, flowOf, type Subject } from '../../cost/flow.js'
import { firstLimits, limitsOf } from '../../cost/limits.js'
import { planOf } from '../../cost/plan.js'
import { madeUpChanges } from '../../cost/sample-changes.js'
import { type Traffic, weighTraffic } from '../../cost/traffic.js'
import { peakOf } from '../../cost/workload.js'
import { withTables } from '../../cost/write-docs.js'

const GB = 1024 ** 3

function subjectOf(writesPerSecond: number, itemBytes = 1024, peak?: number): Subject {
  const { changes, traffic } = sampleOf(itemBytes)
  const workload = {
    writesPerSecond,
    peakWritesPerSecond: peakOf(writesPerSecond, peak),
    peakGiven: peak !== undefined,
    retentionDays: 2557,
    buffer: { mb: 128, seconds: 900 },
    scanCutoffGb: 100,
  }
  return { workload, changes, traffic }
}

const samples = new Map<number, Pick<Subject, 'changes' | 'traffic'>>()

function sampleOf(itemBytes: number): Pick<Subject, 'changes' | 'traffic'> {
  const changes = madeUpChanges({ itemBytes, updates: 0.7, deletes: 0.1 })
  const sample = samples.get(itemBytes) ?? { changes, traffic: weighTraffic(changes) }
  samples.set(itemBytes, sample)
  return sample
}

describe('a bill', () => {
  const flow = (fields: Partial<Flow>): Flow => ({
    capture: 'streams',
    changes: 1_000_000,
    forwarder: { calls: 1000, gbSeconds: 500, concurrency: 1 },
    transform: { calls: 2500, gbSeconds: 600, concurrency: 1 },
    records: 0.01,
    bytes: 2500,
    billedBytes: 2560,
    objectsADay: 96,
    ...fields,
  })
  const traffic = {
    ...weighTraffic(madeUpChanges({ itemBytes: 100, updates: 1, deletes: 0 }).slice(0, 3)),
    units: 2,
    kinesisBilledBytes: 3072,
  }
  const usd = (parts: readonly Part[], name: string) => parts.find(({ part }) => part === name)?.usd

  it('of a million changes by streams comes to what paper says', () => {
    const { parts, usdAMonth, usdAMillion, firehoseUsdAMillion } = billOf(flow({}), traffic)
    // 2,560,000,000 bytes are 2.38419 GB
    expect(usd(parts, 'Firehose, taken in')).toBeCloseTo(0.069141, 6)
    expect(usd(parts, 'Firehose, conversion to Parquet')).toBeCloseTo(0.042915, 6)
    expect(usd(parts, 'Firehose, dynamic partitioning')).toBeCloseTo(0.047684, 6)
    // 96 × 365 / 12 = 2,920 objects
    expect(usd(parts, 'Firehose, partitioned objects')).toBeCloseTo(0.0146, 10)
    expect(usd(parts, 'S3, writing and locking objects')).toBeCloseTo(0.0292, 10)
    expect(usd(parts, 'queue of objects to lock')).toBeCloseTo(0.003504, 10)
    expect(usd(parts, 'forwarder, requests')).toBeCloseTo(0.0002, 10)
    expect(usd(parts, 'forwarder, running')).toBeCloseTo(0.0066667, 10)
    expect(usd(parts, 'transform, running')).toBeCloseTo(0.00800004, 10)
    expect(usd(parts, 'DynamoDB stream, read by Lambda')).toBe(0)
    // 2,920 × 0.2 s × 0.25 GB × 0.0000133334
    expect(usd(parts, 'lock, running')).toBeCloseTo(0.00194668, 8)
    // 1,000 × 1,000 B + 2,500 × 400 B + 2,920 × 400 B
    expect(usd(parts, 'logs of the functions')).toBeCloseTo(((1e6 + 1e6 + 1.168e6) / GB) * 0.5, 12)
    expect(firehoseUsdAMillion).toBeCloseTo(0.069141 + 0.042915 + 0.047684 + 0.0146, 5)
    // key 1, 34 metrics of alarms, 9 metrics, a dashboard
    expect(usdAMonth - usdAMillion).toBeCloseTo(1 + 3.4 + 2.7 + 3, 10)
  })

  it('of a million changes by kinesis adds units, hours and bytes of the stream', () => {
    const { parts, usdAMonth, usdAMillion } = billOf(flow({ capture: 'kinesis', forwarder: null }), traffic)
    expect(usd(parts, 'DynamoDB, change data capture')).toBeCloseTo(0.2, 10)
    // 3,072,000,000 bytes are 2.86102 GB
    expect(usd(parts, 'Kinesis, in')).toBeCloseTo(0.228882, 6)
    expect(usd(parts, 'Kinesis, out')).toBeCloseTo(0.114441, 6)
    // six days of 730 / 24
    expect(usd(parts, 'Kinesis, kept beyond a day')).toBeCloseTo(2.86102 * (144 / 730) * 0.1, 5)
    expect(usdAMonth - usdAMillion).toBeCloseTo(1 + 2.5 + 0.6 + 3 + 29.2, 10)
    expect(parts.map(({ part }) => part)).not.toContain('forwarder, running')
  })

  it('is the sum of its parts, each with its source', () => {
    for (const capture of CAPTURES) {
      const subject = subjectOf(50)
      const { parts, usdAMonth } = billOf(flowOf(capture, subject), subject.traffic)
      expect(parts.reduce((sum, part) => sum + part.usd, 0)).toBeCloseTo(usdAMonth, 10)
      for (const { source, date } of parts)
        expect([source, date]).toEqual([expect.any(String), expect.stringMatching(/^20\d\d/)])
    }
  })

  it('asks for Firehose four times less and more where small records are packed', () => {
    const firehose = (capture: CaptureKind, subject: Subject) =>
      billOf(flowOf(capture, subject), subject.traffic).firehoseUsdAMillion
    // items of 20 and of 190 bytes make records of about 0.5 and 1 KB
    for (const itemBytes of [20, 190]) {
      const subject = subjectOf(2000, itemBytes)
      expect(subject.traffic.streamsBytes).toBeLessThan(1100)
      expect(firehose('streams, unpacked', subject) / firehose('streams', subject)).toBeGreaterThan(4)
    }
    // a change in ten seconds comes alone, so there is nothing to pack
    const quiet = subjectOf(0.1)
    expect(firehose('streams, unpacked', quiet)).toBeCloseTo(firehose('streams', quiet), 10)
  })
})

describe('limits', () => {
  it('come in the order in which they are reached, those that no rate reaches last', () => {
    const rates = limitsOf(subjectOf(100)).map(({ writesPerSecond }) => writesPerSecond ?? Number.POSITIVE_INFINITY)
    expect(rates).toEqual(rates.toSorted((a, b) => a - b))
    expect(rates.at(-1)).toBe(Number.POSITIVE_INFINITY)
  })

  it('are where arithmetic has them', () => {
    const subject = subjectOf(100)
    const { traffic } = subject
    const at = (limit: string, capture?: string) =>
      limitsOf(subject).find(one => one.limit === limit && (capture === undefined || one.capture === capture))
    // items of one write unit
    expect(at('DynamoDB, units of a table')?.writesPerSecond).toBe(40_000)
    expect(at('DynamoDB, units of a partition')).toMatchObject({ writesPerSecond: 1000, used: 0.3, of: 'item' })
    expect(at('Kinesis on demand, a new stream')?.writesPerSecond).toBeCloseTo(
      (4 * 1024 ** 2) / traffic.kinesisBytes,
      6,
    )
    expect(at('Firehose, bytes of one partition')?.writesPerSecond).toBeCloseTo(GB / traffic.rowBytes, 6)
    // full packs are the records and a line feed between them
    const put = (5 * 1024 ** 2) / (at('Firehose, direct PUT, bytes')?.writesPerSecond ?? 0)
    expect(put).toBeGreaterThan(traffic.streamsBytes)
    expect(put).toBeLessThan(traffic.streamsBytes + 1.1)
    // the transform: 0.17 s a MiB
    expect(at('Lambda, calls at once', 'kinesis')?.writesPerSecond).toBeCloseTo(
      1000 / ((0.17 * traffic.kinesisBytes) / 1024 ** 2),
      3,
    )
  })

  it('say which is met first, of the whole table and by each capture', () => {
    const limits = limitsOf(subjectOf(100))
    expect(firstLimits(limits, 'streams')[0]?.limit).toBe('Firehose, direct PUT, bytes')
    expect(firstLimits(limits, 'kinesis')[0]?.limit).toBe('Kinesis on demand, a new stream')
  })

  it('find a forwarder that cannot follow a shard, where batches are many and small', () => {
    const shard = (itemBytes: number) =>
      limitsOf(subjectOf(100, itemBytes)).find(({ limit }) => limit.startsWith('forwarder'))
    // 1,000 changes of 1 KB are half a second's work for it
    expect(shard(1024)).toMatchObject({ writesPerSecond: null })
    expect(shard(1024)?.used).toBeLessThan(1)
    // 1,000 of 10 bytes are as many changes and less work
    expect(shard(10)?.used).toBeLessThan(shard(1024)?.used as number)
  })

  it('are over 1 where the peak is too much', () => {
    const limits = limitsOf(subjectOf(3000))
    expect(limits.find(({ limit }) => limit === 'Firehose, direct PUT, bytes')?.used).toBeGreaterThan(1)
  })
})

describe('a plan', () => {
  it('grows the archive by its rows and by what each object has besides', () => {
    const subject = subjectOf(100)
    const { storage, delivery } = planOf(subject)
    const rows = 100 * 86_400 * subject.traffic.parquetBytes
    expect(storage.bytesAtEnd).toBeCloseTo(2557 * (rows + delivery.objectsADay * 7500), -3)
    expect(storage.bytesAMonth).toBeCloseTo(storage.bytesAtEnd / 2557 / (12 / 365), -3)
  })

  it('cancels the questions that scan more than the cut-off, and charges for reading old objects', () => {
    const { questions, storage } = planOf(subjectOf(100))
    const ever = questions.find(({ days, query }) => days === 2557 && query === 'table-as-of')
    expect(ever?.cancelled).toBe(true)
    expect((ever?.bytes ?? 0) / storage.bytesAtEnd).toBeCloseTo(1, 12)
    // scanning is $5 a TB; nearly all of it is read from Glacier Instant Retrieval at $0.03 a GB
    expect(ever?.usd).toBeGreaterThan((storage.bytesAtEnd / GB) * 0.03 * 0.8)
    expect(questions.find(({ days }) => days === 1)).toMatchObject({ cancelled: false })
    const small = planOf(subjectOf(0.001)).questions.find(({ days }) => days === 1)
    // 10 MB at least
    expect(small?.usd).toBeCloseTo((5 * 10) / 1024 ** 2, 12)
  })

  it('is finite and not negative from a change in a fortnight to ten million a second', () => {
    for (const rate of [1e-6, 1e7])
      for (const bytes of [3, 409_600]) {
        const numbers = numbersIn(planOf(subjectOf(rate, bytes)))
        expect(numbers.filter(value => !(value >= 0 && Number.isFinite(value)))).toEqual([])
      }
  })
})

/** Every number in a plan, however deep. */
function numbersIn(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : []
}

describe('docs/cost.md', () => {
  const document = readFileSync(new URL('../../docs/cost.md', import.meta.url), 'utf8')

  it('has the tables that npx tsx cost/write-docs.ts makes', () => {
    expect(withTables(document)).toBe(document)
    expect(document.match(/<!-- made by/g)).toHaveLength(12)
  })

  it('lists each price with its unit and source, and no other', () => {
    const rows = [...document.matchAll(/^\| (.+?) \| ([\d.]+) \| ([\d,]+) (.+?) \| (.+), (.+?) \|$/gm)]
    const listed = rows.map(([, name, usd, units, unit, source, date]) => [
      name,
      { usd: Number(usd), units: Number(units?.replaceAll(',', '')), unit, source, date },
    ])
    expect(Object.fromEntries(listed)).toEqual(PRICES)
  })

  it('has lines whose arithmetic comes to what they say', () => {
    const lines = [...document.matchAll(/^\| .+ \| ([\d,.]+) [\w-]+(?: \/ ([\d,]+))? × \$([\d.]+) \| ([\d,.]+) \|$/gm)]
    expect(lines.length).toBeGreaterThan(20)
    const value = (text: string | undefined) => Number((text ?? '1').replaceAll(',', ''))
    for (const [line, amount, units, price, usd] of lines) {
      const product = (value(amount) / value(units)) * value(price)
      // the amount has three digits that count
      expect([line, Math.abs(product - value(usd)) <= 0.006 + product * 0.005]).toEqual([line, true])
    }
  })
})

it('names what it takes for granted only where it was not told or measured', () => {
  const told = planOf(subjectOf(10, 1024, 20)).assumptions.map(({ assumption }) => assumption)
  const not = planOf(subjectOf(10)).assumptions.map(({ assumption }) => assumption)
  expect(not.filter(one => !told.includes(one))).toEqual(['peak'])
})

it('takes measured Parquet for what it is', () => {
  const changes = madeUpChanges({ itemBytes: 500, updates: 0.5, deletes: 0 })
  const measured: Traffic = weighTraffic(changes, { rowBytes: 123, withoutImagesBytes: 90, narrowBytes: 45 })
  expect(measured).toMatchObject({ parquetBytes: 123, withoutImagesBytes: 90, narrowBytes: 45, parquetMeasured: true })
})
