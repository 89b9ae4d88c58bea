import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { dataFilePath, isChecksumOf, readDataFiles, readSummary } from '../../capture/export-layout.js'
import { ExportWriter } from '../../restore/export-files.js'
import { PlanWriter } from '../../restore/plan-file.js'
import { closePlan, openPlan, readPlan } from '../../restore/plan-reader.js'
import { PLAN_VERSION, type PlanHeader } from '../../restore/plan-schema.js'
import { ProgressFile, progressPath } from '../../restore/progress-file.js'
import type { PlannedItem } from '../../restore/restore-plan.js'
import { makeFolder } from '../cli/command-line.js'

const HEADER: PlanHeader = {
  plan: PLAN_VERSION,
  table: 'Orders',
  as_of: '2026-11-19T02:59:00.000000Z',
  key: null,
  archive: './archive',
  against: 'table',
  target: { table: 'Orders', arn: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders', id: null },
  actor_attribute: null,
  counts: { put: 2, update: 0, delete: 0, leave: 0, skip: 1, same: 7 },
  made: '2026-11-19T04:00:00.000Z',
  tool: 'itemtrail 0.1.0',
}

const item = (name: string, wanted: string | null = null): PlannedItem => ({
  key: `{"pk":{"S":${JSON.stringify(name)}}}`,
  action: wanted === null ? 'skip' : 'put',
  wanted,
  expected: 'absent',
  confidence: 'UNBROKEN',
  reason: wanted === null ? 'GAP: no' : null,
})

/** Names that JSON or a careless reader of it would reorder, lose or end a line at. */
const ODD = '{"10":{"S":"x"},"9":{"S":"\u2028\u2029"},"__proto__":{"M":{"__proto__":{"N":"1.1"}}},"pk":{"S":"}},{"}}'
const ITEMS = [item('', '{"pk":{"S":""}}'), item('}},{', ODD), item('\u2028')]

/** The counts of `HEADER` where there is no item. */
const NONE = { put: 0, update: 0, delete: 0, leave: 0, skip: 0, same: 0 }

async function writePlan(
  path: string,
  items: readonly PlannedItem[] = ITEMS,
  header: Partial<PlanHeader> = {},
): Promise<string> {
  const writer = PlanWriter.create(path)
  for (const planned of items) writer.add(planned)
  return writer.finish({ ...HEADER, ...header })
}

async function collect<T>(values: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

describe('a plan as a file', () => {
  it('comes back as it was written, byte for byte', async () => {
    const path = join(makeFolder(), 'plan.jsonl')
    const sha256 = await writePlan(path)
    const plan = await openPlan(path)
    expect([plan.header, plan.sha256]).toEqual([HEADER, sha256])
    expect(await collect(readPlan(plan))).toEqual(ITEMS)
    const [first, ...lines] = readFileSync(path, 'utf8').split('\n') as [string, ...string[]]
    const rest = lines.join('\n') + first.replace(`,"sha256":"${sha256}"`, '')
    expect(createHash('sha256').update(rest).digest('hex')).toBe(sha256)
  })

  it('is performed as it was checked, whatever becomes of its file', async () => {
    const path = join(makeFolder(), 'plan.jsonl')
    await writePlan(path)
    const plan = await openPlan(path)
    writeFileSync(path, readFileSync(path, 'utf8').replace('"pk"', '"no"'))
    expect(await collect(readPlan(plan))).toEqual(ITEMS)
    closePlan(plan)
  })

  it('may have no item', async () => {
    const path = join(makeFolder(), 'plan.jsonl')
    await writePlan(path, [], { counts: NONE })
    expect(await collect(readPlan(await openPlan(path)))).toEqual([])
  })

  it('is readable by its owner only, and leaves nothing beside it', async () => {
    const path = join(makeFolder(), 'plan.jsonl')
    await writePlan(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(path))).toEqual([basename(path)])
    const discarded = PlanWriter.create(join(dirname(path), 'other.jsonl'))
    discarded.add(item('a'))
    discarded.discard()
    expect(readdirSync(dirname(path))).toEqual([basename(path)])
  })

  it('never takes the place of another, also of one that was made meanwhile', async () => {
    const path = join(makeFolder(), 'plan.jsonl')
    const late = PlanWriter.create(path)
    await writePlan(path)
    const whole = readFileSync(path)
    expect(() => PlanWriter.create(path)).toThrow('is there already')
    await expect(late.finish(HEADER)).rejects.toThrow('is there already')
    expect(readFileSync(path)).toEqual(whole)
    expect(readdirSync(dirname(path))).toEqual([basename(path)])
  })

  it.each([
    ['a line changed', (text: string) => text.replace('"action":"put"', '"action":"skip"')],
    ['another table', (text: string) => text.replace('table/Orders', 'table/Others')],
    ['a line gone', (text: string) => text.split('\n').toSpliced(1, 1).join('\n')],
    ['a line more', (text: string) => `${text}${text.split('\n')[1]}\n`],
    ['its end gone', (text: string) => text.slice(0, -40)],
  ])('is refused with %s', async (_, change) => {
    const path = join(makeFolder(), 'plan.jsonl')
    await writePlan(path)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
    await expect(openPlan(path)).rejects.toThrow('was changed after it was made')
  })

  it.each(['', '{}', 'no JSON', '[1]'])('is refused where it is something else: %j', async text => {
    const path = join(makeFolder(), 'plan.jsonl')
    writeFileSync(path, text)
    await expect(openPlan(path)).rejects.toThrow(/is empty|is no plan/)
  })
})

describe('the progress of a plan', () => {
  const plan = (name = 'plan.jsonl') => ({ path: join(makeFolder(), name), sha256: 'a'.repeat(64) })
  const at = new Date(0)

  it('remembers what is as wanted, and nothing else', async () => {
    const one = plan()
    const first = await ProgressFile.open(one)
    const keys = ITEMS.map(({ key }) => key)
    first.add([{ key: keys[0] as string, outcome: 'done', reason: null }], at)
    first.add(
      [
        { key: keys[1] as string, outcome: 'refused', reason: 'changed' },
        { key: keys[2] as string, outcome: 'already', reason: null },
      ],
      at,
    )
    first.close()
    const second = await ProgressFile.open(one)
    expect(keys.map(key => second.isDone(key))).toEqual([true, false, true])
    // what was done and then found changed is done no longer
    second.add([{ key: keys[0] as string, outcome: 'refused', reason: 'changed' }], at)
    second.close()
    const third = await ProgressFile.open(one)
    expect(keys.map(key => third.isDone(key))).toEqual([false, false, true])
    third.close()
  })

  it('goes on after half a line', async () => {
    const one = plan()
    const first = await ProgressFile.open(one)
    first.add([{ key: '{"pk":{"S":"a"}}', outcome: 'done', reason: null }], at)
    first.close()
    appendFileSync(progressPath(one.path), '{"key":{"pk":{"S":"b"}},"outcome":"do')
    const second = await ProgressFile.open(one)
    second.add([{ key: '{"pk":{"S":"c"}}', outcome: 'done', reason: null }], at)
    second.close()
    const third = await ProgressFile.open(one)
    expect(['a', 'b', 'c'].map(name => third.isDone(`{"pk":{"S":"${name}"}}`))).toEqual([true, false, true])
    third.close()
  })

  it('says nothing about another plan of the same name', async () => {
    const one = plan()
    const first = await ProgressFile.open(one)
    first.add([{ key: '{"pk":{"S":"a"}}', outcome: 'done', reason: null }], at)
    first.close()
    const other = await ProgressFile.open({ ...one, sha256: 'b'.repeat(64) })
    expect([other.size, other.isDone('{"pk":{"S":"a"}}')]).toEqual([0, false])
    other.close()
  })

  it.each([
    ['a list', '[1]', 'line 1: it is [1], expected an object'],
    ['a key that is null', JSON.stringify({ key: null }), 'line 1: key is null'],
    ['no outcome', JSON.stringify({ key: {}, plan: 'a'.repeat(64), reason: null, at: 'x' }), 'outcome is missing'],
  ])('is refused with %s', async (_, line, problem) => {
    const one = plan()
    writeFileSync(progressPath(one.path), `${line}\n`)
    await expect(ProgressFile.open(one)).rejects.toThrow(problem)
  })

  it('is neither read nor written where a link leads', async () => {
    const one = plan()
    const elsewhere = join(makeFolder(), 'elsewhere')
    writeFileSync(elsewhere, 'mine')
    symlinkSync(elsewhere, progressPath(one.path))
    await expect(ProgressFile.open(one)).rejects.toThrow('is a link or no file')
    expect(readFileSync(elsewhere, 'utf8')).toBe('mine')
  })

  it('keeps an item that was lost, as it was', async () => {
    const one = plan()
    const progress = await ProgressFile.open(one)
    progress.add([{ key: '{"pk":{"S":"a"}}', outcome: 'altered', reason: 'overwritten', lost: ODD }], at)
    progress.close()
    expect(readFileSync(progressPath(one.path), 'utf8')).toContain(`"lost":${ODD},`)
    expect(statSync(progressPath(one.path)).mode & 0o777).toBe(0o600)
  })
})

describe('an export', () => {
  const OF = {
    tableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders',
    tableId: 'itemtrail',
    exportTime: '2026-11-19T02:59:00.000000Z',
    startTime: '2026-11-19T04:00:00.000Z',
  }

  it('is laid out as DynamoDB does it: what its manifests say is there, and its checksums are right', async () => {
    const root = join(makeFolder(), 'export')
    const writer = ExportWriter.create(root, OF, 300)
    const images = Array.from(
      { length: 25 },
      (_, i) => `{"pk":{"S":"${i}"},"v":${JSON.stringify({ S: '\u2028'.repeat(i) })}}`,
    )
    for (const image of images) await writer.add(image)
    const summaryPath = await writer.finish('2026-11-19T04:00:01.000Z')
    const folder = dirname(summaryPath)
    for (const manifest of ['manifest-summary', 'manifest-files']) {
      const bytes = readFileSync(join(folder, `${manifest}.json`))
      expect(isChecksumOf(readFileSync(join(folder, `${manifest}.md5`), 'utf8'), bytes)).toBe(true)
    }
    const summary = readSummary(readFileSync(summaryPath, 'utf8'))
    expect(summary).toMatchObject({ itemCount: 25, exportType: 'FULL_EXPORT', exportTime: OF.exportTime })
    const files = readDataFiles(readFileSync(join(folder, 'manifest-files.json'), 'utf8'))
    expect(files.length).toBeGreaterThan(2)
    const items = files.flatMap(({ dataFileS3Key, md5Checksum, itemCount }) => {
      const bytes = readFileSync(join(folder, dataFilePath(dataFileS3Key, summary)))
      expect(createHash('md5').update(bytes).digest('base64')).toBe(md5Checksum)
      const lines = gunzipSync(bytes).toString().split('\n').slice(0, -1)
      expect(lines.length).toBe(itemCount)
      return lines
    })
    expect(items).toEqual(images.map(image => `{"Item":${image}}`))
  })

  it('may have no item', async () => {
    const root = join(makeFolder(), 'export')
    const summary = await ExportWriter.create(root, OF).finish('2026-11-19T04:00:01.000Z')
    expect(readSummary(readFileSync(summary, 'utf8'))).toMatchObject({ itemCount: 0 })
  })

  it('takes an empty folder only, and has no summary before its end', async () => {
    const root = makeFolder()
    const writer = ExportWriter.create(root, OF)
    await writer.add('{"pk":{"S":"a"}}')
    expect(readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('summary'))).toEqual(
      [],
    )
    expect(() => ExportWriter.create(root, OF)).toThrow('is not empty')
    await writer.finish('2026-11-19T04:00:01.000Z')
  })
})
