import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limitsOf } from '../../cost/limits.js'
import { columnsRead, everyQuestionOf } from '../../cost/questions.js'
import { scaleAt, subjectAt } from '../../cost/scale.js'
import { withTables } from '../../cost/write-docs.js'
import { openArchive } from '../../index.js'
import type { OpenArchive } from '../../library/archive.js'
import { bindQuery } from '../../queries/bind.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { listQuestions } from '../queries/list-questions.js'
import { STORY, STORY_TABLE } from '../queries/story.js'

const GIB = 1024 ** 3

describe('an archive at scale', () => {
  it('is told in docs/scale.md as it is reckoned', () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/scale.md'), 'utf8')
    expect(withTables(document)).toBe(document)
  })

  it('has as many objects as full buffers, or quarters of an hour', () => {
    const { rowBytes, parquetBytes } = subjectAt(1000).traffic
    const a = scaleAt(1000)
    expect(a.objects).toBeCloseTo((2557 * 86_400 * 1000 * rowBytes) / (128 * 1024 ** 2), 3)
    expect(a.compaction.bytesADay).toBeCloseTo(86_400_000 * parquetBytes + (a.objects / 2557) * 7500, -1)
    expect(scaleAt(10).objects).toBe(96 * 2557)
  })

  it('has a journal whose functions do each day what the formula gives', () => {
    const { journal, objects } = scaleAt(1000)
    const [aDay, seals] = [objects / 2557, 24]
    const perDay = ((aDay + seals) / 256) * 0.03 + (aDay / 1000) * 0.3
    const objectBytes = scaleAt(1000).compaction.bytesADay / aDay
    const hashing = (count: number) => count * (0.1 + (objectBytes / GIB) * 15)
    const bundles = journal.entries / 256
    // the part of a turn: 256 bundles, and what of the objects they name
    const run = (256 / bundles) * (bundles * 0.03 + (objects / 1000) * 0.3)
    expect(journal.sealerSeconds).toBeCloseTo(3 + 17 * 0.03 + 2 * perDay + hashing(aDay / 24) + run, 6)
    const files = 2557 * seals * 4 + 2 * bundles
    const news = seals * 0.15 + 2 * ((aDay + seals) / 256) * 0.03
    expect(journal.checkSeconds).toBeCloseTo(3 + (files / 1000) * 0.3 + news + 8 * perDay + hashing(64), 6)
    expect(journal.checkBytes).toBeCloseTo(1024 * 256 * 2300 + bundles * 510 + files * 200, 0)
    expect(journal.checkedDays).toBe(Math.ceil((2557 * seals * 0.15 + bundles * 0.06) / 480))
  })

  it('has the journal read in time that does not grow with its age', () => {
    const { journal } = scaleAt(1000)
    expect(journal.sealerDays).toBe(Number.POSITIVE_INFINITY)
    expect(journal.checkDays).toBeGreaterThan(20_000)
    expect(scaleAt(0.000001).journal.sealerDays).toBe(Number.POSITIVE_INFINITY)
    // an hour is more than a call hashes
    expect(scaleAt(40_000).journal.sealerDays).toBe(0)
  })

  it('meets each limit of its own at the rate at which the amount is the quota', () => {
    const own = (rate: number) => limitsOf(subjectAt(rate)).filter(({ onAverage }) => onAverage)
    const limits = own(10)
    expect(limits.map(({ limit }) => limit)).toEqual([
      'compaction, a day in one run',
      'sealer, a call',
      'daily check of the journal, a call',
      'daily check of the journal, memory',
    ])
    const [compaction, , check, memory] = limits.map(({ writesPerSecond }) => writesPerSecond as number) as [
      number,
      number,
      number,
      number,
    ]
    expect(scaleAt(compaction).compaction.bytesADay / (8 * GIB)).toBeCloseTo(1, 6)
    expect(scaleAt(memory).journal.checkBytes / (3008 * 1024 ** 2)).toBeCloseTo(1, 6)
    expect(scaleAt(check).journal.checkSeconds).toBeCloseTo(900, 3)
    // the rate at which it is met does not depend on the rate that is asked about, and what is used of it does
    expect(own(1000).map(({ writesPerSecond }) => writesPerSecond)).toEqual(
      limits.map(({ writesPerSecond }) => writesPerSecond),
    )
    expect(own(1000)[0]?.used).toBeCloseTo(1000 / compaction, 9)
  })

  it('is asked about thirty days where a question begins somewhere, else about everything', () => {
    const subject = subjectAt(10)
    const delivery = { objectsADay: 96, objectBytes: 1 }
    const asked = everyQuestionOf(SAVED_QUERIES.values(), { ...subject, delivery })
    expect(asked).toHaveLength(SAVED_QUERIES.size)
    const days = new Map(asked.map(question => [question.query, question.days]))
    expect(days.get('activity-by-day')).toBe(30)
    expect(days.get('table-as-of')).toBe(2557)
    expect(asked.find(({ query }) => query === 'activity-by-day')?.bytes).toBeCloseTo(
      30 * (864_000 * subject.traffic.narrowBytes + 96 * 7500),
      -2,
    )
  })
})

describe('the columns that a plan says a question reads', () => {
  let archive: OpenArchive
  beforeAll(async () => {
    const root = temporaryFolder()
    await ingestRecords(root, STORY, { configuration: STORY_TABLE })
    archive = await openArchive(root)
  })
  afterAll(() => archive.close())

  it.each(listQuestions('2026-11-20T00:00:00Z', '2026-11-23T00:00:00Z'))(
    'are those that DuckDB reads: %s',
    async (name, parameters) => {
      const query = SAVED_QUERIES.get(name) as NonNullable<ReturnType<typeof SAVED_QUERIES.get>>
      const { sql, values } = bindQuery(query, STORY_TABLE, {
        ...parameters,
        ...(parameters.actor !== undefined && { actor: 'bob' }),
      })
      const [plan] = rowsOf(await archive.engine.run(`explain (format json) ${sql}`, values))
      const read = new Set(projectionsOf(JSON.parse(String(Object.values(plan as object).at(-1)))))
      const reads = (...columns: string[]) => columns.some(column => read.has(column))
      expect(read.size).toBeGreaterThan(3)
      expect(columnsRead(query)).toBe(
        reads('old_image', 'new_image') ? 'images' : reads('old_hash', 'new_hash') ? 'hashes' : 'narrow',
      )
    },
  )
})

interface PlanNode {
  readonly name?: string
  readonly extra_info?: { readonly Projections?: string | readonly string[] }
  readonly children?: readonly PlanNode[]
}

/** What the scans of Parquet in a plan hand on. */
function projectionsOf(plan: readonly PlanNode[]): readonly string[] {
  return plan.flatMap(({ name = '', extra_info, children = [] }) => [
    ...(name.includes('PARQUET') ? [extra_info?.Projections ?? []].flat() : []),
    ...projectionsOf(children),
  ])
}
