import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CsvOptions, DISARMED, toCsv } from '../../../queries/answers/csv.js'
import { FILE_FORMATS, type FileFormat, toFile } from '../../../queries/answers/file-formats.js'
import { toParquet } from '../../../queries/answers/parquet-file.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { toHtml } from '../../../view/paper/html-file.js'
import { revealPage } from '../../../view/paper/reveal.js'
import { temporaryFolder } from '../../delivery/desk.js'
import { runs } from '../../transform/arbitraries.js'

let engine: DuckDbEngine
beforeAll(async () => {
  engine = await DuckDbEngine.open(temporaryFolder(), [], { files: true })
})
afterAll(() => engine.close())

/** A row of every type that an answer can have, a row of nulls, and one of what is nearly nothing. */
const EVERY_TYPE = `
  select * from (values
    (1, 'a', true, 1.5::double, 9007199254740993::bigint, '-12345678901234567890123456789012345.678'::decimal(38,3),
      date '2026-11-22', timestamp '2026-11-22 10:00:00.123456', timestamptz '2026-11-22 12:00:00.123456+02', ['a', null, 'b, c'],
      170141183460469231731687303715884::hugeint),
    (2, null, null, null, null, null, null, null, null, null, null),
    (3, '', false, -0.0, -1, 0, date '1969-12-31', timestamp '1969-12-31 23:59:59.999999', timestamptz '1600-01-01 00:00:00+00', [], 0)
  ) as t(i, text, bool, double, big, dec, day, time, zoned, list, huge) order by i`

async function csvOf(sql: string, values: readonly string[] = [], options?: CsvOptions): Promise<string> {
  return Buffer.concat([...toCsv(await engine.run(sql, values), options)]).toString()
}

async function pageOf(sql: string, values: readonly string[], context = {}): Promise<string> {
  const table = await engine.run(sql, values)
  return Buffer.concat([...toHtml(table, { question: 'Which?', ...context })]).toString()
}

/** RFC 4180 by hand, which the writer knows nothing of: null for an empty cell without quotes. */
function readCsv(text: string): readonly (readonly (string | null)[])[] {
  const rows: (string | null)[][] = [[]]
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy
  for (const [, content = '', end] of text.matchAll(cell)) {
    const value = content.startsWith('"') ? content.slice(1, -1).replaceAll('""', '"') : content === '' ? null : content
    rows.at(-1)?.push(value)
    if (end === '\r\n') rows.push([])
  }
  expect(rows.pop()).toEqual([])
  return rows
}

describe('csv', () => {
  it('has a header, CRLF, nulls that are empty and empty texts that are quoted', async () => {
    expect(await csvOf(EVERY_TYPE)).toBe(
      [
        'i,text,bool,double,big,dec,day,time,zoned,list,huge',
        '1,a,true,1.5,9007199254740993,-12345678901234567890123456789012345.678,2026-11-22,2026-11-22T10:00:00.123456,2026-11-22T10:00:00.123456Z,"[""a"",null,""b, c""]",170141183460469231731687303715884',
        '2,,,,,,,,,,',
        '3,"",false,0,-1,0.000,1969-12-31,1969-12-31T23:59:59.999999,1600-01-01T00:00:00.000Z,[],0',
        '',
      ].join('\r\n'),
    )
  })

  it('has a header where there are no rows', async () => {
    expect(await csvOf('select 1 as "a,b", 2 as c where false')).toBe('"a,b",c\r\n')
  })

  it('disarms what a spreadsheet would run, and nothing else', async () => {
    const armed = ['=1+1', '+cmd', "-2+3+cmd|' /C calc'!A0", '@SUM(1)', '\t=1', '\r=1', "'=1", '＝1', '-', '-1x']
    const plain = ['-5', '+1.5e3', '-0.00', "it's", 'a=b', ' =1', '{"S":"=1"}', '', "'"]
    let disarmed = 0
    const sql = `select * from (values ${[...armed, ...plain].map(() => '(?)').join(', ')}) as t(v)`
    const rows = readCsv(await csvOf(sql, [...armed, ...plain], { onDisarmed: () => disarmed++ }))
    expect(rows.slice(1)).toEqual([...armed.map(text => [`'${text}`]), ...plain.map(text => [text])])
    expect(disarmed).toBe(armed.length)
    const kept = readCsv(await csvOf(sql, [...armed, ...plain], { disarm: false }))
    expect(kept.slice(1).flat()).toEqual([...armed, ...plain])
    expect(await csvOf('select -5 as n, -1.5::decimal(4,2) as d')).toBe('n,d\r\n-5,-1.50\r\n')
  })

  it('is read back as it was, every text', async () => {
    const unit = fc.oneof(
      fc.constantFrom('=', '+', '-', "'", '"', ',', '\r', '\n', '\t', ' ', 'a', '1'),
      fc.string({ unit: 'binary' }),
    )
    const texts = fc.array(fc.option(fc.string({ unit }).filter(text => text.isWellFormed())), {
      minLength: 1,
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(texts, async written => {
        const table = await engine.run(
          `select v from (values ${written.map((v, i) => (v === null ? `(${i}, null)` : `(${i}, ?)`)).join(', ')}) as t(i, v) order by i`,
          written.filter(v => v !== null),
        )
        const read = readCsv(Buffer.concat([...toCsv(table)]).toString())
          .slice(1)
          .map(([v]) => v as string | null)
        expect(read.map(v => (v !== null && DISARMED.test(v) ? v.slice(1) : v))).toEqual(written)
      }),
      runs(100),
    )
  })
})

describe('parquet', () => {
  it('keeps every column in its type, read by another reader', async () => {
    const bytes = await toParquet(await engine.run(EVERY_TYPE))
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    const types = parquetSchema(parquetMetadata(file)).children.map(({ element }) => [
      element.name,
      element.logical_type?.type ?? element.converted_type ?? element.type,
    ])
    expect(types).toEqual([
      ['i', 'INT_32'],
      ['text', 'UTF8'],
      ['bool', 'BOOLEAN'],
      ['double', 'DOUBLE'],
      ['big', 'INT_64'],
      ['dec', 'DECIMAL'],
      ['day', 'DATE'],
      ['time', 'TIMESTAMP'],
      ['zoned', 'TIMESTAMP'],
      ['list', 'LIST'],
      ['huge', 'DECIMAL'],
    ])
    const rows = await parquetReadObjects({ file, compressors })
    expect(rows[0]).toMatchObject({
      i: 1,
      text: 'a',
      bool: true,
      double: 1.5,
      big: 9007199254740993n,
      list: ['a', null, 'b, c'],
    })
    expect(rows[0]?.day).toEqual(new Date('2026-11-22'))
    expect(Object.values(rows[1] ?? {}).filter(value => value !== null && value !== undefined)).toEqual([2])
    expect(rows[2]).toMatchObject({ text: '', list: [], big: -1n })
  })

  it('gives the same rows again, decimals and microseconds to the last digit', async () => {
    const { writeFileSync } = await import('node:fs')
    for (const sql of [
      EVERY_TYPE,
      `${EVERY_TYPE} limit 0`,
      'select i, cast(i as varchar) as t from range(5000) as r(i) order by i',
    ]) {
      const table = await engine.run(sql)
      const path = `${temporaryFolder()}/answer.parquet`
      writeFileSync(path, await toParquet(table))
      const again = await engine.run(`select * from '${path}'`)
      expect([...rowsOf(again)]).toEqual([...rowsOf(table)])
      expect(again.schema.fields.map(({ name, type }) => [name, String(type)])).toEqual(
        table.schema.fields.map(({ name, type }) => [name, String(type)]),
      )
    }
  })
})

describe('arrow', () => {
  it('is a file that tells types and rows as they were', async () => {
    for (const sql of [EVERY_TYPE, `${EVERY_TYPE} limit 0`, 'select i from range(5000) as r(i)']) {
      const table = await engine.run(sql)
      const pieces: Uint8Array[] = []
      for await (const piece of toFile(table, 'arrow', { question: '' })) pieces.push(piece)
      const bytes = Buffer.concat(pieces)
      expect(Buffer.from(bytes.slice(0, 6)).toString()).toBe('ARROW1')
      const again = tableFromIPC(bytes)
      expect([...rowsOf(again)]).toEqual([...rowsOf(table)])
      expect(again.schema.fields.map(String)).toEqual(table.schema.fields.map(String))
    }
  })
})

const EVIL = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</table></title></style></pre><svg/onload=alert(1)>',
  '&lt;b&gt;',
  'abc\u202efed\u0000\u001b[2J\u2028',
]

describe('html', () => {
  it('escapes everything that comes from the archive or from the question', async () => {
    for (const evil of EVIL) {
      const context = {
        question: evil,
        parameters: { [evil]: evil },
        sql: evil,
        confidence: { word: evil, text: evil },
        footer: { [evil]: evil },
        empty: evil,
      }
      const name = evil.replaceAll('"', '""').replaceAll('\0', '')
      for (const sql of [
        `select ? as "${name}", [?] as list, repeat(?, 50) as long`,
        `select ? as "${name}", ?, ? where false`,
      ]) {
        const page = await pageOf(sql, [evil, evil, evil], context)
        const tags = new Set([...page.matchAll(/<(\/?[a-z0-9!]+)/gi)].map(([, tag]) => tag?.replace('/', '')))
        for (const tag of ['script', 'img', 'svg', 'b', 'a', 'link']) expect(tags).not.toContain(tag)
        expect(page).not.toMatch(/<[^>]*\son\w+=/i)
        for (const sign of '\u202e\0\u001b\u2028') expect(page).not.toContain(sign)
        expect(page.match(/<title>/g)).toHaveLength(1)
        expect(page.match(/<\/table>/g)).toHaveLength(1)
      }
    }
    expect(revealPage('<p>👩‍🚀 é \u202e \ud800')).toBe('<p>👩‍🚀 é \\u202e \\ud800')
  })

  it('stands alone: no script, nothing to load, and a policy that says so', async () => {
    const page = await pageOf(EVERY_TYPE, [])
    expect(page).not.toMatch(/<script|<link|<img|<iframe|https?:|url\(|@import|\ssrc=|\shref=/i)
    expect(page).toMatch(/Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[\w+/=]{44}'/)
  })

  it('has a table with a caption, headers with a scope, and tells null from an empty text', async () => {
    const page = await pageOf(EVERY_TYPE, [], { question: 'What is < 3?' })
    expect(page).toContain('<caption><h1 id="question">What is &lt; 3?</h1><p>3 rows</p></caption>')
    expect(page).toContain('<th scope="col">text</th>')
    expect(page).toContain('<th scope="col" class="n">dec</th>')
    expect(page).toContain('<td class="dim">null</td>')
    expect(page).toContain('<td class="dim">&quot;&quot;</td>')
    expect(page.match(/<tr>/g)).toHaveLength(4)
    expect(await pageOf('select 1 as n where false', [], { empty: 'nothing happened' })).toContain(
      '>nothing happened</td>',
    )
  })

  it('has text that can be read in light and in dark (WCAG AA: 4.5 to 1)', async () => {
    const style = /<style>(.*?)<\/style>/s.exec(await pageOf('select 1', []))?.[1] as string
    const schemes = [...style.matchAll(/:root\{(.*?)\}/g)].map(([, text]) => {
      const colours = [...(text as string).matchAll(/--(\w+):(#\w+)/g)].map(([, name, value]) => [name, value] as const)
      return Object.fromEntries(colours) as Record<string, string>
    })
    expect(schemes).toHaveLength(2)
    for (const scheme of schemes) {
      for (const ground of ['ground', 'head'])
        for (const text of ['text', 'dim']) expect(contrast(scheme[text], scheme[ground])).toBeGreaterThan(4.5)
      for (const text of ['good', 'fair', 'bad']) expect(contrast(scheme[text], scheme.ground)).toBeGreaterThan(4.5)
      for (const part of ['focus', 'line']) expect(contrast(scheme[part], scheme.ground)).toBeGreaterThan(3)
    }
  })
})

function contrast(a: string | undefined, b: string | undefined): number {
  const [light, dark] = [luminance(a ?? ''), luminance(b ?? '')].sort((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const full = colour.length === 4 ? colour.replaceAll(/[\da-f]/gi, digit => digit + digit) : colour
  const [r, g, b] = [1, 3, 5].map(i => {
    const part = Number.parseInt(full.slice(i, i + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

it('each format gives a file, of an empty answer too', async () => {
  for (const format of Object.keys(FILE_FORMATS) as FileFormat[])
    for (const sql of [EVERY_TYPE, 'select 1 as n where false']) {
      let bytes = 0
      for await (const piece of toFile(await engine.run(sql), format, { question: 'Which?' })) bytes += piece.length
      expect(bytes).toBeGreaterThan(0)
    }
})
