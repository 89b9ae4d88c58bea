/** Answers as files that people open: the format by the name, plain keys and values, and how sure it is in each. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { change } from '../queries/story.js'
import { sheetRows, unzip } from '../unzip.js'
import { archiveOf, fileOf, makeFolder, run, runForBytes } from './command-line.js'

const BAD = '=1+1|<b>`x`</b>\nnext'
let root: string
beforeAll(async () => {
  const at = (status: string, total: string) => ({ status: { S: status }, total: { N: total } })
  root = await archiveOf([
    change('A', '20T10:00:00', undefined, at('NEW', '12.5')),
    change('A', '20T11:00:00', at('NEW', '12.5'), at(BAD, '1234567890123456')),
    change('A', '20T12:00:00', at(BAD, '1234567890123456'), at('OLD', '7')),
  ])
})
const ask = (...argv: readonly string[]) => runForBytes([...argv, '--archive', root])
const totals = ['query', 'changes-by-attribute', 'Orders', 'total'] as const
const statuses = ['query', 'changes-by-attribute', 'Orders', 'status'] as const
const place = (name: string) => join(makeFolder(), name)

describe('the name of a file', () => {
  it.each([
    ['a.csv', /^event_time,/],
    ['a.JSON', /^\{"rows":\[/],
    ['a.ndjson', /^\{"event_time"/],
    ['a.jsonl', /^\{"event_time"/],
    ['a.md', /^# Who changed one attribute/],
    ['a.html', /^<!doctype html>/],
    ['a.xlsx', /^PK/],
    ['a.parquet', /^PAR1/],
    ['a.arrow', /^ARROW1/],
    ['a.txt', /^event_time +event_name/],
    ['a', /^event_time +event_name/],
  ])('%s says its format', async (name, beginning) => {
    const output = place(name)
    const { exit, out } = await ask(...totals, '--output', output)
    expect([exit, out]).toEqual([0, ''])
    expect(readFileSync(output).toString()).toMatch(beginning)
  })

  it('that names none, or another than --format, is refused before anything is asked', async () => {
    const output = place('a.pdf')
    const { exit, err } = await ask(...totals, '--output', output)
    expect([exit, err]).toEqual([
      2,
      `itemtrail: --output ${output} ends in none of the formats, expected .txt, .json, .ndjson, .jsonl, .csv, .xlsx, .md, .html, .htm, .parquet, .arrow\n  --format says which it is, whatever its name\n`,
    ])
    expect((await ask(...totals, '--output', output, '--format', 'csv')).exit).toBe(0)
    const other = await ask(...totals, '--output', place('a.xlsx'), '--format', 'csv')
    expect([other.exit, other.err]).toEqual([
      2,
      expect.stringContaining('is called a file of xlsx, and --format is csv'),
    ])
    expect((await ask(...totals, '--output', place('a.json'), '--format', 'ndjson')).exit).toBe(0)
  })
})

describe('how sure an answer is', () => {
  it.each(['csv', 'ndjson', 'parquet', 'arrow'])('stands beside a file of %s, by its hash', async ending => {
    const output = place(`a.${ending}`)
    const { exit, err } = await ask(...totals, '--output', output)
    const beside = readFileSync(`${output}.verdict.txt`, 'utf8')
    const sha256 = createHash('sha256').update(readFileSync(output)).digest('hex')
    expect([exit, err]).toEqual([0, expect.stringContaining(`how sure it is: ${output}.verdict.txt\n`)])
    expect(beside).toMatch(new RegExp(`^a\\.${ending}, SHA-256 ${sha256}, by itemtrail \\d`))
    expect(beside).toContain(
      '\n\nWho changed one attribute, from what to what, between two moments?\ntable: Orders\nattribute: total\n',
    )
    expect(beside).toContain('UNBROKEN: ')
  })

  it('says of a part of a history that it is one, and of SQL which', async () => {
    const output = place('a.csv')
    const { err } = await ask('history', 'Orders', 'A', '-n', '1', '--output', output)
    expect(readFileSync(output, 'utf8').match(/\r\n/g)).toHaveLength(2)
    const part = '1 of 3 shown: --last 1\nUNBROKEN since INSERT 2026-11-20 10:00:00Z'
    expect(readFileSync(`${output}.verdict.txt`, 'utf8')).toContain(part)
    expect(err).toContain(part)
    const own = place('b.csv')
    await ask('sql', 'select 1 as one from orders', '--output', own)
    expect(readFileSync(`${own}.verdict.txt`, 'utf8')).toContain('SQL over the archive\nselect 1 as one from orders\n')
  })

  it.each(['md', 'html', 'json', 'xlsx', 'txt'])('is in a file of %s', async ending => {
    const output = place(`a.${ending}`)
    expect((await ask(...totals, '--output', output)).exit).toBe(0)
    expect(readdirSync(dirname(output))).toEqual([`a.${ending}`])
    const bytes = readFileSync(output)
    const text = ending === 'xlsx' ? JSON.stringify(sheetRows(unzip(bytes), 2)) : bytes.toString()
    expect(text).toContain('UNBROKEN')
  })

  it('is never written over, and is not there where the question fails', async () => {
    const output = fileOf('a.csv.verdict.txt', 'mine').replace('.verdict.txt', '')
    const taken = await ask(...totals, '--output', output)
    expect([taken.exit, taken.err]).toEqual([2, expect.stringContaining('a.csv.verdict.txt is there already')])
    expect(existsSync(output)).toBe(false)
    expect((await ask(...totals, '--output', output, '--force')).exit).toBe(0)
    expect(readFileSync(`${output}.verdict.txt`, 'utf8')).toContain('UNBROKEN')
    const failed = place('b.csv')
    expect((await ask('history', 'Orders', 'never', '--output', failed)).exit).toBe(1)
    expect(readdirSync(dirname(failed))).toEqual([])
    expect((await ask(...totals, '--output', '/dev/null', '--format', 'csv')).exit).toBe(0)
  })

  it('is said to be unknown where nobody looked', async () => {
    const output = place('a.csv')
    await ask(...totals, '--output', output, '--no-verdict')
    expect(readFileSync(`${output}.verdict.txt`, 'utf8')).toContain('not judged')
  })
})

describe('a workbook', () => {
  const sheet = async (argv: readonly string[], n = 1) =>
    sheetRows(unzip((await ask(...argv, '--format', 'xlsx')).bytes), n)

  it('has a cell of its own type for each key, amount and time', async () => {
    const [header, ...rows] = await sheet(totals)
    expect(header?.slice(0, 5)).toEqual(['event_time', 'event_name', 'item_key', 'old_value', 'new_value'])
    const day = Date.UTC(2026, 10, 20) / 86_400_000 + 25_569
    expect(rows.map(row => row.slice(1, 5))).toEqual([
      ['INSERT', 'A', null, 12.5],
      // a spreadsheet would round it
      ['MODIFY', 'A', 12.5, '1234567890123456'],
      ['MODIFY', 'A', '1234567890123456', 7],
    ])
    expect(rows.map(([time]) => Math.round(((time as number) - day) * 24 * 3600))).toEqual([36_000, 39_600, 43_200])
    expect(rows[0]?.[7]).toBe('1795168800000000')
  })

  it('holds every text as it is, and none of them is a formula', async () => {
    const rows = await sheet(statuses)
    expect(rows[2]?.slice(3, 5)).toEqual(['NEW', BAD])
    const { bytes } = await ask(...statuses, '--format', 'xlsx')
    expect(unzip(bytes).get('xl/worksheets/sheet1.xml')?.toString()).not.toContain('<f>')
    const odd = "chr(1) || '_x0001_' || chr(13) || chr(55357) || '😀'"
    const [, [text] = []] = await sheet(['sql', `select chr(1) || '_x0001_' || chr(13) || '😀  ' as t`])
    expect(text, odd).toBe('\u0001_x0001_\r😀  ')
  })

  it('says the question, its parameters and how sure it is on a second sheet', async () => {
    const about = new Map((await sheet(totals, 2)) as [string, string][])
    expect(about.get('question')).toMatch(/^Who changed one attribute/)
    expect([about.get('how sure'), about.get('rows'), about.get('table'), about.get('attribute')]).toEqual([
      'UNBROKEN',
      '3',
      'Orders',
      'total',
    ])
    expect(about.get('made')).toMatch(/by itemtrail/)
  })

  it('cuts a text that no cell holds, and says so', async () => {
    const { bytes, err } = await ask('sql', "select repeat('x', 40000) as t", '--format', 'xlsx')
    const parts = unzip(bytes)
    expect(String(sheetRows(parts, 1)[1]?.[0])).toMatch(/^x{32766}…$/)
    expect(JSON.stringify(sheetRows(parts, 2))).toContain('1 texts are longer')
    expect(err).toContain('1 text longer than a cell can hold were cut')
  })

  it('is refused for what no sheet holds, and on a terminal', async () => {
    const { exit, err } = await ask('sql', 'select i from range(1048576) as r(i)', '--format', 'xlsx')
    expect([exit, err]).toEqual([2, expect.stringContaining('a sheet holds 1048575')])
    expect((await run([...totals, '--archive', root, '--format', 'xlsx'], { columns: 80 })).exit).toBe(2)
  })

  it('is of history, items, find, as-of, show and diff, too', async () => {
    for (const argv of [
      ['history', 'Orders', 'A'],
      ['items', 'Orders'],
      ['find', 'Orders', 'NEW'],
      ['as-of', 'Orders', 'A', 'now'],
      ['diff', 'Orders', 'A', '--from', '2026-11-20T10:30:00Z', '--to', 'now'],
    ])
      for (const n of [1, 2]) expect((await sheet(argv, n)).length, argv.join(' ')).toBeGreaterThan(1)
  })
})

describe('markdown', () => {
  it('shows every text as it is', async () => {
    const { exit, out } = await ask(...statuses, '--format', 'markdown')
    expect(exit).toBe(0)
    expect(out).toContain('=1+1\\|&lt;b>\\`x\\`&lt;/b><br>next')
    const rows = out.split('\n').filter(line => line.startsWith('|'))
    expect(rows).toHaveLength(2 + 3)
    // no text makes a column more
    for (const row of rows)
      expect(row.replaceAll('\\|', '').split('|')).toHaveLength((rows[0] as string).split('|').length)
    expect(out).toContain('**UNBROKEN**: ')
  })

  it('is as short as on a terminal, and names what it leaves out', async () => {
    const saved = (await ask('query', 'deletions', 'Orders', '--format', 'markdown')).out
    expect(saved).toContain('| event_time | item_key | deleted_by | last_writer |\n')
    expect(saved).toContain('- left out here: old_image, event_time_us, event_id; the other formats have them\n')
    expect(saved).not.toContain('```')
    const told = (await ask('history', 'Orders', 'A', '--format', 'markdown')).out
    expect(told).toMatch(/^\| 2026-11-20 12:00:00Z \| MODIFY \| .* \| [0-9a-f]{8} \|$/m)
    expect(told).not.toContain('```')
    // one's own statement is the question
    const own = (await ask('sql', 'select event_id from orders', '--format', 'markdown')).out
    expect(own).toContain('```sql\nselect event_id from orders\n```\n')
    expect(own).toMatch(/^\| [0-9a-f]{32} \|$/m)
  })
})

describe('--excel', () => {
  it('makes a CSV with its mark, plain keys and values, and nothing that runs', async () => {
    const { bytes } = await ask(...statuses, '--format', 'csv', '--excel')
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    const [, first, second] = bytes.toString().split('\r\n')
    expect(first).toMatch(/^2026-11-20T10:00:00.000Z,INSERT,A,,NEW,/)
    expect(second).toContain(`,A,NEW,"'${BAD}",`)
    const exact = (await ask(...statuses, '--format', 'csv')).out
    expect(exact).toContain('"{""order_id"":{""S"":""A""}}",,"{""S"":""NEW""}",')
  })

  it('is of csv alone', async () => {
    const { exit, err } = await ask(...totals, '--excel')
    expect([exit, err]).toEqual([2, expect.stringContaining('--excel is of csv, and the format is table')])
  })
})
