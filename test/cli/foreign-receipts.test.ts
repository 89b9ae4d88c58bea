/** Receipts that somebody edited, and answers that somebody edited: asked again, each is told from the true one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Receipt } from '../../queries/answers/receipt.js'
import { streamsRecord } from '../factories.js'
import { sealReceipt } from '../papers.js'
import { archiveOf, fileOf, linesOf, makeFolder, run } from './command-line.js'

const order = (id: string) =>
  streamsRecord({
    eventID: id,
    SequenceNumber: id.slice(1),
    Keys: { order_id: { S: id } },
    NewImage: { order_id: { S: id }, status: { S: 'PAID' } },
  })
const QUESTION = ['query', 'changes-between', 'Orders', '--param', 'from=2026-11-01T00:00:00Z'] as const

type Edit = (receipt: Record<string, Record<string, unknown>>) => unknown

let root: string
let receipt: Receipt
let csv: string
let receiptPath: string
beforeAll(async () => {
  root = await archiveOf([order('A1'), order('A2')])
  const folder = makeFolder()
  ;[csv, receiptPath] = [join(folder, 'answer.csv'), join(folder, 'receipt.json')]
  const more = ['--format', 'csv', '--output', csv, '--receipt', receiptPath]
  const { exit, err } = await run([...QUESTION, '--param', 'to=2100-01-01T00:00:00Z', '--archive', root, ...more])
  expect([exit, err]).toEqual([0, expect.stringContaining('receipt ')])
  receipt = JSON.parse(readFileSync(receiptPath, 'utf8')) as Receipt
})

const rerun = (path: string, ...more: string[]) => run(['rerun', path, '--archive', root, ...more])

/** An edited receipt, its own hash made anew. */
function edited(edit: Edit): string {
  const copy = structuredClone(receipt) as unknown as Record<string, Record<string, unknown>>
  edit(copy)
  return fileOf('edited.json', sealReceipt(copy))
}

describe('a receipt that was edited, with hashes that fit', () => {
  it.each<readonly [string, Edit, string]>([
    ['its columns', r => Object.assign(r.result as object, { columns: [] }), 'columns were []'],
    [
      'its hashes',
      r => Object.assign(r.result as object, { row_hashes: ['0'.repeat(16), '1'.repeat(16)] }),
      'row_hashes',
    ],
    [
      'its sha256',
      r => Object.assign(r.result as object, { sha256: '0'.repeat(64) }),
      'the sha256 of its result is not',
    ],
    ['its items', r => Object.assign(r.items as object, { distinct: 1 }), 'distinct items were 1, are 2'],
    ['its window', r => Object.assign(r.window as object, { first_event: null }), 'window were'],
  ])('is told by %s, and ends with 1', async (_, edit, problem) => {
    const { exit, out } = await rerun(edited(edit))
    expect([exit, out]).toEqual([1, expect.stringContaining('the receipt was edited')])
    expect(out).toContain(problem)
    expect(out).not.toContain('the same answer')
  })

  it('is another answer where only its counts of gaps are others: the archive may have changed, too', async () => {
    const { exit, out } = await rerun(
      edited(r => Object.assign((r.verdict as { tables: object[] }).tables[0] as object, { gaps: 7 })),
    )
    expect([exit, out]).toEqual([1, expect.stringContaining('another answer\n- doubts were ["')])
  })

  it('does not fit together with 9,999 rows and no hash of any', async () => {
    const path = edited(r => Object.assign(r.result as object, { rows: 9999, row_hashes: null }))
    const { exit, out } = await rerun(path)
    expect([exit, out]).toEqual([3, expect.stringContaining('not run\n- row_hashes are not one for each row')])
  })

  it('is none where a field is of another kind, in a sentence', async () => {
    const edits: readonly (readonly [Edit, string])[] = [
      [r => Object.assign(r, { tool: null }), 'tool is null, expected an object'],
      [r => Object.assign(r, { engine: null }), 'engine is null'],
      [r => Object.assign(r.question as object, { table: 7 }), "question.table is 7, expected a table's name"],
      [r => Object.assign(r.question as object, { table: [] }), 'question.table is []'],
      [r => Object.assign(r.question as object, { table: {} }), 'question.table is {}'],
      [r => Object.assign(r.question as object, { table: '../../x' }), 'question.table is "../../x"'],
      [r => Object.assign(r.question as object, { parameters: [null] }), 'question.parameters[0] is null'],
      [r => Object.assign(r.read as object, { objects: { list: [null] } }), 'read.objects.count is missing'],
      [r => Object.assign(r.result as object, { rows: null, row_hashes: null }), 'result.rows is null'],
    ]
    for (const [edit, problem] of edits) {
      const { exit, out, err } = await rerun(edited(edit))
      expect([exit, out, err]).toEqual([2, '', expect.stringMatching(/^itemtrail: receipt .*edited\.json: /)])
      expect(err).toContain(problem)
    }
    const deep = fileOf('deep.json', `{"schema":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)
    expect((await rerun(deep)).err).toContain('deep.json: schema is ')
  })

  it('is shown without what steers a terminal', async () => {
    const { out, err } = await rerun(edited(r => Object.assign(r, { began: '\u001b[2K\u001b]0;x\u0007' })))
    expect(`${out}${err}`).not.toMatch(/(?!\n)\p{Cc}/u)
  })
})

describe('a file of an answer', () => {
  it('has its SHA-256 and its size in the receipt', () => {
    const bytes = readFileSync(csv)
    expect(receipt.files).toMatchObject([{ name: 'answer.csv', format: 'csv', bytes: bytes.length }])
  })

  it('is the answer where receipt, file and archive agree', async () => {
    const { exit, out } = await rerun(receiptPath, '--file', csv)
    expect(exit).toBe(0)
    expect(out).toContain(`${csv}: the file of the receipt; what the archive answers now\n  SHA-256 `)
  })

  it('is told where somebody edited it', async () => {
    const other = fileOf('other.csv', readFileSync(csv, 'utf8').replace('A1', 'A9'))
    const { exit, out } = await rerun(receiptPath, '--file', other)
    expect([exit, out]).toEqual([1, expect.stringContaining('the same answer, to the byte\n')])
    expect(out).toContain('other.csv: NOT the file of the receipt; NOT what the archive answers now')
  })

  it('of a receipt that was edited to fit is what the archive does not answer', async () => {
    const other = fileOf('other.csv', readFileSync(csv, 'utf8').replace('A1', 'A9'))
    const path = fileOf(
      'edited.json',
      sealReceipt({ ...receipt, files: [{ ...receipt.files[0], sha256: '0'.repeat(64) }] }),
    )
    expect((await rerun(path, '--file', other)).exit).toBe(1)
    const { exit, out } = await rerun(path, '--file', csv)
    expect([exit, out]).toEqual([
      1,
      expect.stringContaining('NOT the file of the receipt; what the archive answers now'),
    ])
  })

  it('is that of the receipt, and not of the archive, once the archive has more', async () => {
    const later = await archiveOf([order('A1'), order('A2')])
    const answer = join(makeFolder(), 'answer.json')
    const more = ['--archive', later, '--param', 'to=2100-01-01T00:00:00Z', '--format', 'json', '--output', answer]
    await run([...QUESTION, ...more, '--receipt', `${answer}.receipt`])
    await run(['ingest', '-', '--archive', later], { stdin: linesOf([order('A3')]) })
    const { exit, out } = await run(['rerun', `${answer}.receipt`, '--file', answer, '--archive', later])
    expect([exit, out]).toEqual([
      1,
      expect.stringContaining('the file of the receipt; NOT what the archive answers now'),
    ])
  })

  it('cannot be told where the receipt knows no file and its format has many forms', async () => {
    const path = join(makeFolder(), 'receipt.json')
    await run([...QUESTION, '--param', 'to=2100-01-01T00:00:00Z', '--archive', root, '--receipt', path])
    const page = fileOf('page.html', '<p>nothing</p>')
    const { exit, out } = await rerun(path, '--file', page)
    expect([exit, out]).toEqual([3, expect.stringContaining('whether the archive answers so cannot be told')])
    // its rows as a CSV are the same, whoever wrote them
    expect((await rerun(path, '--file', csv)).exit).toBe(0)
    expect((await rerun(path, '--file', `${page}.none`)).exit).toBe(2)
  })
})
