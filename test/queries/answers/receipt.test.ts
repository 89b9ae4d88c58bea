import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../../index.js'
import type { OpenArchive } from '../../../library/archive.js'
import type { ObjectRead, ObjectsRead } from '../../../queries/answers/objects-read.js'
import {
  makeReceipt,
  type Receipt,
  ReceiptError,
  readReceipt,
  receiptFooter,
  writeReceipt,
} from '../../../queries/answers/receipt.js'
import { receiptHash } from '../../../queries/answers/receipt-hash.js'
import { rerun } from '../../../queries/answers/rerun.js'
import { ingestRecords, temporaryFolder } from '../../delivery/desk.js'
import { askAny } from '../ask-any.js'
import { change, STORY, STORY_TABLE } from '../story.js'

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const PERIOD = { from: '2026-11-20T00:00:00Z', to: '2026-11-22T00:00:00Z' }

let root: string
let archive: OpenArchive
beforeAll(async () => {
  root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  await ingestRecords(root, STORY.slice(0, 2), { configuration: STORY_TABLE })
  archive = await openArchive(root)
})
afterAll(() => archive.close())

async function receiptOf(name = 'deletions', parameters: object = PERIOD): Promise<Receipt> {
  const receipt = await makeReceipt(await askAny(archive, name, 'Orders', parameters), archive, {
    askedAs: 'by a test',
  })
  return readReceipt(writeReceipt(receipt)).receipt
}

type Editable<T> = { -readonly [Name in keyof T]: Editable<T[Name]> }

/** An edited copy with a hash of its own that fits, as a forger makes it. */
function forged(receipt: Receipt, edit: (copy: Editable<Receipt>) => void): Receipt {
  const copy = structuredClone(receipt) as Editable<Receipt>
  edit(copy)
  return { ...copy, receipt_sha256: receiptHash(copy) } as Receipt
}

describe('a receipt', () => {
  it('says what was asked, of what, and what came of it', async () => {
    const receipt = await receiptOf()
    expect(Object.keys(receipt)).toEqual([
      'schema',
      'tool',
      'asked_as',
      'question',
      'statement',
      'engine',
      'archive',
      'read',
      'window',
      'result',
      'items',
      'verdict',
      'files',
      'began',
      'milliseconds',
      'receipt_sha256',
    ])
    expect(receipt).toMatchObject({
      schema: 'itemtrail-receipt/v1',
      tool: { version: JSON.parse(readFileSync('package.json', 'utf8')).version },
      asked_as: 'by a test',
      question: { kind: 'saved', query: 'deletions', table: 'Orders' },
      engine: { name: 'duckdb', version: expect.stringMatching(/^v\d/) },
      archive: { root },
      read: { partitions: [{ table: 'Orders', from: '2026-11-20', to: '2026-11-22' }] },
      window: {
        asked: [
          ['from', '2026-11-20T00:00:00.000000Z'],
          ['to', '2026-11-22T00:00:00.000000Z'],
        ],
      },
    })
    expect(receipt.question.query_version).toMatch(/^[0-9a-f]{16}$/)
    expect(receipt.statement.values).toHaveLength(receipt.statement.placeholders.length)
    expect(receiptFooter(receipt)).toMatchObject({ 'result SHA-256': receipt.result.sha256, rows: '2' })
  })

  it('counts the items of the answer, and what is missing from it, not in it', async () => {
    expect((await receiptOf('item-history', { item_key: 'A' })).items).toEqual({ distinct: 1 })
    expect((await receiptOf('item-history', { item_key: 'none' })).items).toMatchObject({ distinct: 0 })
    expect((await receiptOf('activity-by-day')).items).toBeNull()
    const folder = temporaryFolder()
    const n = (value: number) => ({ n: { N: String(value) } })
    await ingestRecords(folder, [change('A', '20T10:00:00', undefined, n(1)), change('A', '20T11:00:00', n(2), n(3))])
    const other = await openArchive(folder)
    const broken = await makeReceipt(await other.run('item-history', 'Orders', { item_key: 'A' }), other)
    expect(broken.verdict).toMatchObject({ judged: true, confidence: 'GAP', doubtful: true })
    const empty = await makeReceipt(await other.run('deletions', 'Orders'), other)
    expect([empty.result.rows, empty.verdict.tables]).toEqual([0, [expect.objectContaining({ gaps: 1, items: 1 })]])
    const cheap = await makeReceipt(await other.run('item-history', 'Orders', { item_key: 'A' }), other, {
      verdict: null,
    })
    expect(cheap.verdict).toMatchObject({ judged: false, confidence: null })
    await other.close()
  })

  it('lists the objects that the question could read, and no others', async () => {
    const all = (await receiptOf()).read.objects
    expect(all?.list).toHaveLength(3)
    for (const { key, bytes, sha256: digest } of all?.list ?? []) {
      const content = readFileSync(join(root, key))
      expect([content.length, sha256(content)]).toEqual([bytes, digest])
    }
    // the day after the moment, too, which tells of a baseline whether it was ahead
    const day = await receiptOf('table-as-of', { at: '2026-11-19T12:00:00Z' })
    expect(day.read.partitions).toEqual([{ table: 'Orders', from: null, to: '2026-11-20' }])
    expect(day.read.objects?.list?.every(({ key }) => key.startsWith('data/Orders/event_date=2026-11-20/'))).toBe(true)
    const own = await makeReceipt(await archive.sql('select count(*) as n from ORDERS'), archive)
    expect(own.read.partitions).toEqual([{ table: 'Orders', from: null, to: null }])
    const unread = await makeReceipt(await archive.sql('select 1'), archive)
    expect(unread.read.objects).toMatchObject({ count: 0, list: [] })
    const large = await makeReceipt(await archive.run('hot-items', 'Orders'), archive, { hashBytes: 10 })
    expect(large.read.objects?.list?.map(object => object.sha256)).toEqual([null, null, null])
  })

  it('lists no object that came after the archive was opened, because no answer is made from it', async () => {
    const folder = temporaryFolder()
    await ingestRecords(folder, STORY, { configuration: STORY_TABLE })
    await using opened = await openArchive(folder)
    const before = (await makeReceipt(await opened.run('deletions', 'Orders'), opened)).read.objects
    await ingestRecords(folder, STORY.slice(0, 2), { configuration: STORY_TABLE })
    expect((await makeReceipt(await opened.run('deletions', 'Orders'), opened)).read.objects).toEqual(before)
    await using again = await openArchive(folder)
    expect((await makeReceipt(await again.run('deletions', 'Orders'), again)).read.objects).not.toEqual(before)
  })

  it('is checked as docs/receipts.md says, by hand', async () => {
    const sql = `select * from (values (1, 'ü "x"', 2.50::decimal(4,2), 9007199254740993::bigint, ['a', null]::varchar[],
      timestamp '2026-11-12 09:30:00', 'nan'::double, true), (2, null, null, null, null, timestamp '2026-11-12 09:30:00.000001', -0.5, null))
      as t(i, text, dec, big, list, time, double, bool) order by i`
    const { result } = await makeReceipt(await archive.sql(sql), archive)
    const rows = [
      String.raw`[1,"ü \"x\"","2.50",9007199254740993,["a",null],"2026-11-12T09:30:00.000","NaN",true]`,
      '[2,null,null,null,null,"2026-11-12T09:30:00.000001",-0.5,null]',
    ]
    const columns =
      '[["i","integer"],["text","varchar"],["dec","decimal(4,2)"],["big","bigint"],["list","array(varchar)"],["time","timestamp"],["double","double"],["bool","boolean"]]'
    expect(JSON.stringify(result.columns)).toBe(columns)
    expect(result.sha256).toBe(sha256(`${[columns, ...rows].join('\n')}\n`))
    expect(result.row_hashes).toEqual(rows.map(row => sha256(row).slice(0, 16)))
  })

  it('keeps no row hashes of a large answer, and still tells whether it is the same', async () => {
    const answer = await archive.sql('select i from range(10001) as r(i) order by i')
    const receipt = await makeReceipt(answer, archive)
    expect(receipt.result).toMatchObject({ rows: 10_001, row_hashes: null })
    const again = await rerun(receipt, archive, { trustSql: true })
    expect([again.outcome, again.newRows, again.goneRows]).toEqual(['same', undefined, undefined])
  })
})

describe('a second run', () => {
  it('is the same where nothing has changed, every saved query', async () => {
    for (const [name, parameters] of [
      ['deletions', PERIOD],
      ['continuity', {}],
      ['item-history', { item_key: 'A' }],
      ['table-as-of', { at: '2026-11-20T12:30:00Z' }],
      ['items-as-of', { column: 'status', value: 'PENDING', at: '2026-11-20T12:30:00Z' }],
      ['hot-items', { limit: 2 }],
    ] as const) {
      const again = await rerun(await receiptOf(name, parameters), archive)
      expect([name, again.outcome, again.problems, again.remarks]).toEqual([name, 'same', [], []])
      expect([again.newRows, again.goneRows]).toEqual([[], []])
    }
  })

  it('tells which rows and objects are new or gone', async () => {
    const folder = temporaryFolder()
    await ingestRecords(folder, STORY, { configuration: STORY_TABLE })
    const before = await openArchive(folder)
    const receipt = await makeReceipt(await before.run('deletions', 'Orders', PERIOD), before)
    await before.close()
    await ingestRecords(folder, [change('Z', '21T09:00:00', { n: { N: '1' } }, undefined)], {
      configuration: STORY_TABLE,
    })
    const later = await openArchive(folder)
    const more = await rerun(receipt, later)
    expect(more.outcome).toBe('different')
    expect(more.goneRows).toEqual([])
    expect(more.newRows).toMatchObject([{ place: 3, row: { item_key: '{"order_id":{"S":"Z"}}' } }])
    expect(more.remarks).toContainEqual(
      expect.stringMatching(/^1 objects are new: data\/Orders\/event_date=2026-11-21\//),
    )
    await later.close()
    const gone = receipt.read.objects?.list?.find(({ key }) => key.includes('2026-11-21'))
    rmSync(join(folder, gone?.key as string))
    const last = await openArchive(folder)
    const fewer = await rerun(receipt, last)
    expect(fewer.goneRows?.map(({ place }) => place)).toEqual([1, 2])
    expect(fewer.remarks).toContainEqual(`1 objects are no longer there: ${gone?.key}`)
    await last.close()
  })

  it('tells rows in another order from other rows, and counts equal ones', async () => {
    const first = await makeReceipt(await archive.sql('select * from (values (1), (2), (2)) as t(n)'), archive)
    const again = (sql: string) =>
      rerun(
        forged(first, copy => Object.assign(copy.statement, { sql, sql_sha256: sha256(sql) })),
        archive,
        { trustSql: true },
      )
    expect((await again('select * from (values (2), (1), (2)) as t(n)')).outcome).toBe('reordered')
    const other = await again('select * from (values (2), (1), (1)) as t(n)')
    expect([other.outcome, other.newRows?.length, other.goneRows?.length]).toEqual(['different', 1, 1])
    expect((await again('select * from (values (1), (2), (2)) as t(m)')).outcome).toBe('different')
  })

  it('says that an object was rewritten', async () => {
    const receipt = await receiptOf()
    const [object] = receipt.read.objects?.list ?? []
    const edited = forged(receipt, copy => {
      const objects = copy.read.objects as Editable<ObjectsRead>
      const list = objects.list as Editable<ObjectRead[]>
      Object.assign(list[0] as object, { sha256: '0'.repeat(64) })
      objects.sha256 = sha256(list.map(o => `${o.key}\t${o.bytes}\t${o.sha256}\n`).join(''))
    })
    const { outcome, remarks } = await rerun(edited, archive)
    expect([outcome, remarks]).toEqual([
      'same',
      [`1 objects are CHANGED, although objects are never rewritten: ${object?.key}`],
    ])
  })

  it('runs no SQL that is not our own, unless somebody vouches for it', async () => {
    const target = join(temporaryFolder(), 'written')
    const evil = `copy (select 1) to '${target}'`
    const own = await makeReceipt(await archive.sql('select 1 as n'), archive)
    expect((await rerun(own, archive)).problems).toContainEqual(expect.stringContaining('did not write'))
    expect((await rerun(own, archive, { trustSql: true })).outcome).toBe('same')
    const edit = (copy: Editable<Receipt>) => Object.assign(copy.statement, { sql: evil, sql_sha256: sha256(evil) })
    const old = (copy: Editable<Receipt>) => {
      edit(copy)
      copy.question.query_version = '0'.repeat(16)
    }
    for (const receipt of [forged(own, edit), forged(await receiptOf(), edit), forged(await receiptOf(), old)])
      expect((await rerun(receipt, archive)).outcome).toBe('not run')
    expect(() => readFileSync(target)).toThrow()
  })
})

describe('an edited receipt', () => {
  /** Every value in a receipt, by its path. */
  function* leaves(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
    if (typeof value !== 'object' || value === null) yield path
    else for (const [name, inner] of Object.entries(value)) yield* leaves(inner, [...path, name])
  }
  const edited = (value: unknown) => (typeof value === 'number' ? value + 1 : value === null ? 'x' : `${value}x`)
  type Tree = { [name: string | number]: Tree }
  const change = (receipt: unknown, path: readonly (string | number)[]) => {
    const holder = path.slice(0, -1).reduce((inner, name) => inner[name] as Tree, receipt as Tree)
    const last = path.at(-1) as string
    Object.assign(holder, { [last]: edited(holder[last]) })
  }

  /** What is wrong with a receipt, that it is none among it. */
  function problemsIn(text: string): readonly string[] {
    try {
      return readReceipt(text).problems
    } catch (error) {
      if (error instanceof ReceiptError) return [error.message]
      throw error
    }
  }

  it('is noticed wherever it was edited, while its own hash is left', async () => {
    const receipt = await receiptOf('item-history', { item_key: 'A' })
    const paths = [...leaves(receipt)]
    expect(paths.length).toBeGreaterThan(80)
    for (const path of paths) {
      const copy = structuredClone(receipt)
      change(copy, path)
      expect(problemsIn(JSON.stringify(copy)), path.join('.')).not.toEqual([])
    }
  })

  it('is noticed by a second run although its own hash was made anew, but for what nothing can check', {
    timeout: 240_000,
  }, async () => {
    const receipt = await receiptOf('deletions', PERIOD)
    const unnoticed: string[] = []
    for (const path of leaves(receipt)) {
      // of a list's members one stands for all, because each costs a second run
      // and of a verdict, which is compared as a whole, one count
      if (path[0] === 'verdict' && path.length > 2 && path.at(-1) !== 'gaps') continue
      if (path[0] === 'schema' || path[0] === 'receipt_sha256' || path.some(name => Number(name) > 0)) continue
      const again = await rerun(
        forged(receipt, copy => change(copy, path)),
        archive,
      ).catch(error => error as Error)
      if (again instanceof Error) continue
      if (again.outcome === 'same' && again.problems.length === 0 && again.remarks.length === 0)
        unnoticed.push(path.join('.'))
    }
    expect(unnoticed.sort()).toEqual(['asked_as', 'began', 'milliseconds', 'verdict.not_shown'])
  })

  it('is told from what is no receipt', () => {
    for (const text of [
      '',
      'null',
      '[]',
      '{}',
      '{"schema":"itemtrail-receipt/v2"}',
      '{"schema":"itemtrail-receipt/v1"}',
    ])
      expect(() => readReceipt(text)).toThrow(ReceiptError)
    const parts = { tool: 1, engine: 1, archive: 1, window: 1, items: 1, began: 1, milliseconds: 1, receipt_sha256: 1 }
    expect(() => readReceipt(JSON.stringify({ schema: 'itemtrail-receipt/v1', ...parts, question: 7 }))).toThrow(
      'question is 7, expected an object',
    )
  })
})
