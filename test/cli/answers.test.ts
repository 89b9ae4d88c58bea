/** Answers as files, receipts of answers, and asking again. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DataType, tableFromIPC } from 'apache-arrow'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Receipt } from '../../queries/answers/receipt.js'
import { streamsRecord } from '../factories.js'
import { archiveOf, fileOf, linesOf, makeFolder, run, runForBytes } from './command-line.js'

const DAY = 24 * 60 * 60
const image = (status: string) => ({ order_id: { S: 'A' }, status: { S: status } })
const RECORDS = [
  streamsRecord({
    eventID: '1',
    SequenceNumber: '1',
    Keys: { order_id: { S: 'A' } },
    NewImage: image('=NEW()'),
    OldImage: undefined,
    eventName: 'INSERT',
  }),
  streamsRecord({
    eventID: '2',
    SequenceNumber: '2',
    ApproximateCreationDateTime: 1_795_341_600 + DAY,
    Keys: { order_id: { S: 'A' } },
    OldImage: image('=NEW()'),
    NewImage: image('<b>PAID</b>'),
    eventName: 'MODIFY',
  }),
]
const CONFIG = JSON.stringify({ tables: { Orders: { keys: ['order_id'], columns: { status: 'string' } } } })

let root: string
let config: string
beforeAll(async () => {
  config = fileOf('config.json', CONFIG)
  root = await archiveOf(RECORDS, ['--config', config])
})

const ask = (...argv: string[]) => runForBytes([...argv, '--archive', root, '--config', config])
const newFile = (name = 'answer') => join(makeFolder(), name)

const QUESTIONS: readonly (readonly [command: string, ...more: string[]])[] = [
  ['history', 'Orders', 'A'],
  ['as-of', 'Orders', 'A', '2100-01-01T00:00:00Z'],
  ['as-of', 'Orders', '2100-01-01T00:00:00Z'],
  ['diff', 'Orders', 'A', '--from', '2026-11-22T12:00:00Z', '--to', '2100-01-01T00:00:00Z'],
  ['query', 'changes-between', 'Orders', '--param', 'from=2026-11-01T00:00:00Z', '--param', 'to=2100-01-01T00:00:00Z'],
  ['sql', 'select item_key, new_status, event_time, changed from orders order by event_time_us'],
]

describe.each(QUESTIONS)('an answer of %s %s', (...question) => {
  it('is a CSV, whatever it is asked of', async () => {
    const { exit, out } = await ask(...question, '--format', 'csv')
    const [header, ...rows] = out.trimEnd().split('\r\n')
    expect([exit, header]).toEqual([0, expect.stringMatching(/^\w+(,\w+)+$/)])
    expect(rows.length).toBeGreaterThan(0)
  })

  it('is a Parquet and an Arrow file with the same rows', async () => {
    const parquet = await ask(...question, '--format', 'parquet')
    const file = new Uint8Array(parquet.bytes).buffer
    const rows = await parquetReadObjects({ file, compressors })
    const arrow = tableFromIPC((await ask(...question, '--format', 'arrow')).bytes)
    expect(rows.length).toBeGreaterThan(0)
    expect(arrow.numRows).toBe(rows.length)
    expect(Object.keys(rows[0] as object)).toEqual(arrow.schema.fields.map(({ name }) => name))
    const text = arrow.schema.fields.find(({ type }) => DataType.isUtf8(type))?.name as string
    expect([...arrow].map(row => String(row[text]))).toEqual(rows.map(row => String(row[text])))
  })

  it('is a page in which nothing of an item is markup', async () => {
    const { out } = await ask(...question, '--format', 'html')
    expect(out).toMatch(/^<!doctype html>/)
    expect(out).not.toContain('<b>')
    expect(out).toContain('&lt;b&gt;PAID')
    expect(out).toMatch(/by itemtrail \d/)
    if (!/query|sql/.test(String(question[0])) && question[2] === 'A') expect(out).toContain('>UNBROKEN <')
  })

  it('carries a receipt, of which a second run says that it is the same', async () => {
    const [output, receipt] = [newFile(), newFile('receipt.json')]
    const { exit, out, err } = await ask(...question, '--format', 'csv', '--output', output, '--receipt', receipt)
    expect([exit, out]).toEqual([0, ''])
    const kept = JSON.parse(readFileSync(receipt, 'utf8')) as Receipt
    expect(err).toContain(`receipt ${receipt}: ${kept.result.rows} row`)
    expect(err).toContain(`result SHA-256 ${kept.result.sha256}\n`)
    expect(kept.asked_as).toMatch(new RegExp(`^itemtrail ${question[0]} `))
    expect(kept.result.rows).toBeGreaterThan(0)
    const again = await ask('rerun', receipt, ...(question[0] === 'sql' ? ['--trust-sql'] : []))
    expect([again.exit, again.out]).toEqual([0, expect.stringContaining('the same answer, to the byte\n')])
  })
})

describe('a file of an answer', () => {
  const question = ['query', 'deletions', 'Orders']

  it('is never written over unless that is wanted, and then in one step', async () => {
    const output = fileOf('mine.csv', 'mine')
    const kept = await ask(...question, '--format', 'csv', '--output', output)
    expect([kept.exit, kept.err, readFileSync(output, 'utf8')]).toEqual([
      2,
      `itemtrail: ${output} is there already\n  --force writes over it, --output names another\n`,
      'mine',
    ])
    expect((await ask(...question, '--format', 'csv', '--output', output, '--force')).exit).toBe(0)
    expect(readFileSync(output, 'utf8')).toMatch(/^event_time,/)
    expect(readdirSync(dirname(output))).toEqual(['mine.csv', 'mine.csv.verdict.txt'])
  })

  it('is not there at all where the question fails', async () => {
    const output = newFile()
    expect((await ask('sql', 'select nothing', '--output', output)).exit).toBe(2)
    expect((await ask('history', 'Orders', 'never', '--output', output)).exit).toBe(1)
    expect(readdirSync(dirname(output))).toEqual([])
  })

  it('is any format, the table for people too, without colours', async () => {
    const output = newFile()
    const argv = ['history', 'Orders', 'A', '--archive', root, '--output', output]
    const { out } = await run(argv, { columns: 40, colour: true })
    expect(out).toBe('')
    expect(readFileSync(output, 'utf8')).toBe((await ask('history', 'Orders', 'A')).out)
  })

  it('goes where a link leads, and into what is no file, and takes the place of neither', async () => {
    const [file, link] = [fileOf('mine', 'old'), newFile('link')]
    symlinkSync(file, link)
    expect((await ask(...question, '--format', 'csv', '--output', link)).exit).toBe(2)
    expect((await ask(...question, '--format', 'csv', '--output', link, '--force')).exit).toBe(0)
    expect([lstatSync(link).isSymbolicLink(), readFileSync(file, 'utf8').slice(0, 11)]).toEqual([true, 'event_time,'])
    for (const more of [[], ['--force']])
      expect((await ask(...question, '--output', '/dev/null', ...more)).exit).toBe(0)
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
    const full = await ask(...question, '--output', '/dev/full')
    expect([full.exit, full.err]).toEqual([
      1,
      expect.stringContaining('/dev/full could not be written: the disk is full'),
    ])
  })

  it('that cannot be written is named', async () => {
    const nowhere = join(makeFolder(), 'nowhere', 'answer.csv')
    const missing = await ask(...question, '--output', nowhere)
    expect([missing.exit, missing.err]).toEqual([1, `itemtrail: ${nowhere} is not there\n`])
    const folder = makeFolder()
    const taken = await ask(...question, '--output', folder, '--force')
    expect([taken.exit, taken.err]).toEqual([2, `itemtrail: --output ${folder} is a folder, expected a file\n`])
    expect(existsSync(folder)).toBe(true)
    if (process.getuid?.() === 0) return
    chmodSync(folder, 0o500)
    const denied = await ask(...question, '--output', join(folder, 'x'))
    expect([denied.exit, denied.err]).toEqual([1, expect.stringContaining('no permission')])
  })

  it.each(['parquet', 'arrow'])('of format %s is kept from a terminal', async format => {
    const asked = [...question, '--archive', root, '--format', format]
    const { exit, out, err } = await run(asked, { columns: 80 })
    expect([exit, out, err]).toEqual([
      2,
      '',
      `itemtrail: format ${format} is no text for a terminal\n  --output FILE writes it to a file\n`,
    ])
    expect((await run([...asked, '--output', newFile()], { columns: 80 })).exit).toBe(0)
  })

  it('steers no terminal, but a pipe gets what the archive has', async () => {
    const sql = ['sql', "select chr(27) || '[31m' as x", '--archive', root, '--format', 'csv']
    expect((await run(sql, { columns: 80 })).out).toBe('x\n\\u001b[31m\n')
    expect((await run(sql)).out).toBe('x\r\n\u001b[31m\r\n')
  })

  it('says how many texts were disarmed for a spreadsheet', async () => {
    const { out, err } = await ask('sql', "select '=1+1' as x union all select '@x' order by x", '--format', 'csv')
    expect(out).toBe("x\r\n'=1+1\r\n'@x\r\n")
    expect(err).toContain(
      '2 texts that a spreadsheet would run got an apostrophe in front; --csv-formulas keep leaves them, and the other formats have them as they are\n',
    )
  })
})

describe('a receipt', () => {
  it('is never written over unless that is wanted', async () => {
    const receipt = fileOf('receipt.json', 'mine')
    const { exit, out, err } = await ask('history', 'Orders', 'A', '--receipt', receipt)
    expect([exit, out, err]).toEqual([
      2,
      '',
      `itemtrail: ${receipt} is there already\n  --force writes over it, --receipt names another\n`,
    ])
    expect(readFileSync(receipt, 'utf8')).toBe('mine')
  })

  it('is kept of an item that was never seen, too', async () => {
    const receipt = newFile('receipt.json')
    const { exit } = await ask('history', 'Orders', 'never', '--receipt', receipt)
    expect([exit, (JSON.parse(readFileSync(receipt, 'utf8')) as Receipt).result.rows]).toEqual([1, 0])
    expect((await ask('rerun', receipt)).exit).toBe(0)
  })

  it('of a moment stays the same when later changes come, that of a history does not, and rerun says which rows', async () => {
    const archive = await archiveOf(RECORDS.slice(0, 1))
    const asked = (...argv: string[]) => run([...argv, '--archive', archive])
    const [then, history, span] = [newFile('a.json'), newFile('b.json'), newFile('c.json')]
    await asked('as-of', 'Orders', 'A', '2026-11-22T12:00:00Z', '--receipt', then)
    await asked('history', 'Orders', 'A', '--receipt', history)
    const period = ['--from', '2026-11-22T11:00:00Z', '--to', '2026-11-22T12:00:00Z']
    await asked('diff', 'Orders', 'A', ...period, '--receipt', span)
    await run(['ingest', '-', '--archive', archive], { stdin: linesOf(RECORDS.slice(1)) })
    expect((await asked('rerun', then)).exit).toBe(0)
    expect((await asked('rerun', span)).exit).toBe(0)
    const { exit, out } = await asked('rerun', history)
    expect(exit).toBe(1)
    expect(out).toMatch(/^item-history of Orders {2}asked \S+, 1 rows? then, 2 now\nanother answer\n/)
    expect(out).toContain('1 objects are new: data/Orders/event_date=2026-11-23/')
    expect(out).toMatch(/\n1 new, by their place now:\nplace {2}step .*\n2 {6}2 /)
    expect(out).not.toContain('gone')
  })

  it('that was edited, or is of SQL that nobody vouched for, is not run', async () => {
    const receipt = newFile('receipt.json')
    await ask('query', 'deletions', 'Orders', '--receipt', receipt)
    const edited = fileOf('edited.json', readFileSync(receipt, 'utf8').replace('"rows": 0', '"rows": 1'))
    const noticed = await ask('rerun', edited)
    expect([noticed.exit, noticed.out]).toEqual([
      3,
      expect.stringContaining('not run\n- receipt_sha256 is not that of the receipt: it was edited\n'),
    ])
    const ofSql = newFile('sql.json')
    await ask('sql', 'select 1 as one', '--receipt', ofSql)
    const { exit, out, err } = await ask('rerun', ofSql)
    expect([exit, out, err]).toEqual([
      3,
      expect.stringContaining('not run\n- the receipt holds SQL that this version of Itemtrail did not write'),
      expect.stringContaining('--trust-sql runs it'),
    ])
  })

  it('that is none is used wrongly', async () => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'x'))
    writeFileSync(join(folder, 'list.json'), '[1]')
    for (const [file, message] of [
      [join(folder, 'none.json'), 'none.json is not there'],
      [join(folder, 'x'), 'is no file'],
      [fileOf('text.json', 'text'), 'text.json: is no JSON'],
      [join(folder, 'list.json'), 'list.json: it is [1], expected an object'],
      [fileOf('other.json', '{"schema":"x"}'), 'schema is "x", expected "itemtrail-receipt/v1"'],
      [fileOf('half.json', '{"schema":"itemtrail-receipt/v1"}'), 'half.json: tool is missing'],
      ['/dev/zero', 'receipt /dev/zero: is no file'],
    ] as const) {
      const { exit, err } = await ask('rerun', file)
      expect([exit, err]).toEqual([2, expect.stringContaining(message)])
    }
  })

  it('never says itself which archive it is checked against', async () => {
    const receipt = newFile('receipt.json')
    await ask('query', 'deletions', 'Orders', '--receipt', receipt)
    const { exit, err } = await run(['rerun', receipt, '--archive', 'nowhere'])
    expect([exit, err]).toEqual([3, expect.stringContaining('archive "nowhere" is not there')])
  })
})
