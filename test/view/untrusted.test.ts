import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shellWord } from '../../view/address.js'
import { run } from '../cli/command-line.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { streamsRecord } from '../factories.js'
import { change, STORY, STORY_TABLE } from '../queries/story.js'
import { browse } from './page-client.js'

describe('SQL of one’s own', () => {
  it('is not run, unless whoever started it said so, and then one query that reads', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, STORY, { configuration: STORY_TABLE })
    const page = await browse(root)
    for (const path of ['/sql?statement=select%201', '/sql/receipt?statement=select%201'])
      expect((await page.get(path)).status).toBe(404)
    await page.close()
    const open = await browse(root, { allowsSql: true })
    expect((await open.json('/sql.json?statement=select+count(*)+as+n+from+orders')).rows[0].n).toBeGreaterThan(0)
    for (const statement of [
      "select * from read_text('/etc/passwd')",
      'install httpfs',
      "copy (select 1) to '/tmp/x'",
      'select 1; select 2',
      'create table x as select 1',
    ]) {
      const answer = await open.get(`/sql.json?${new URLSearchParams({ statement })}`)
      expect(answer.status, statement).toBeGreaterThanOrEqual(400)
    }
    await open.close()
  })

  it('gives the beginning of an answer that is too large, says that it is none, and no file or receipt of it', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, STORY, { configuration: STORY_TABLE })
    const page = await browse(root, { allowsSql: true })
    const begun = process.memoryUsage().rss
    for (const statement of [
      'select * from range(100000000)',
      "select repeat('x', 5000) as text from range(100000000)",
    ]) {
      const search = new URLSearchParams({ statement })
      const { is_whole, rows, result, receipt, remarks } = await page.json(`/sql.json?${search}`)
      expect([is_whole, result, receipt]).toEqual([false, null, null])
      expect(rows.length).toBeGreaterThan(0)
      expect(rows.length).toBeLessThanOrEqual(10_000)
      expect(remarks).toEqual([expect.stringContaining('this is not the whole answer: at most 10,000 rows and 16 MB')])
      expect(await page.text(`/sql?${search}`)).toContain('this is not the whole answer')
      expect((await page.get(`/sql.csv?${search}`)).status).toBe(400)
      expect((await page.get(`/sql/receipt?${search}`)).status).toBe(400)
    }
    expect(process.memoryUsage().rss - begun).toBeLessThan(1.5e9)
    for (const [statement, rows] of [
      ['select 1 as n', 1],
      ['select event_id from orders where 1 = 2', 0],
      ['select event_id, event_time from orders order by event_id', STORY.length],
    ] as const) {
      const search = new URLSearchParams({ statement })
      const { is_whole, result, receipt } = await page.json(`/sql.json?${search}`)
      expect([is_whole, result.rows]).toEqual([true, rows])
      expect((await page.json(`/sql/receipt?${search}`)).result.sha256).toBe(receipt)
    }
    await page.close()
  })

  it('takes a value out of an image as the command line does, on the page, in its files and in its receipt', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, STORY, { configuration: STORY_TABLE })
    const page = await browse(root, { allowsSql: true })
    const statement = "select distinct attr(new_image, 'order_id') as id from orders where new_image <> '' order by 1"
    const search = new URLSearchParams({ statement })
    const { rows, receipt, verdict } = await page.json(`/sql.json?${search}`)
    expect(rows).toEqual([{ id: 'A' }, { id: 'B' }, { id: 'C' }])
    expect(await page.text(`/sql?${search}`)).toContain('3 of 3 rows')
    expect((await page.text(`/sql.csv?${search}`)).split('\r\n')).toEqual(['id', 'A', 'B', 'C', ''])
    const made = await page.json(`/sql/receipt?${search}`)
    expect(made.result.sha256).toBe(receipt)
    expect(made.verdict).toEqual(verdict)
    const path = join(temporaryFolder(), 'receipt.json')
    const { exit } = await run(['sql', statement, '--archive', root, '--receipt', path])
    const typed = JSON.parse(readFileSync(path, 'utf8'))
    expect([exit === 0 || exit === 3, made.result, made.statement]).toEqual([true, typed.result, typed.statement])
    await page.close()
  })
})

const EVIL = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  'a\u202eb\u0007\u001b[2J\u2028',
  '</title></style></pre>',
  '..%2f',
  'x.json',
  'a/b?c#d',
]

describe('what an archive holds', () => {
  it('is text and nothing else, on every screen, in keys, names and values', async () => {
    const root = temporaryFolder()
    const records = EVIL.map((evil, i) =>
      streamsRecord({
        eventID: `${i}`.padStart(32, 'a'),
        Keys: { order_id: { S: evil } },
        NewImage: { order_id: { S: evil }, [evil]: { S: `${evil} value` }, updated_by: { S: evil } },
        SequenceNumber: `${100 + i}`,
      } as never),
    )
    await ingestRecords(root, records, { configuration: STORY_TABLE })
    const evil = await browse(root)
    const { changes } = await evil.json('/t/Orders/changes.json')
    expect(changes).toHaveLength(EVIL.length)
    const list = await evil.text('/t/Orders/changes')
    const links = new Set(
      [...list.matchAll(/href="([^"]+)"/g)]
        .map(([, link]) => (link as string).replaceAll('&amp;', '&').replaceAll('&#39;', "'"))
        .filter(link => link.startsWith('/t/') || link.startsWith('/q/'))
        .filter(link => !/(\.(json|csv)|\/receipt)(\?|$)/.test(link)),
    )
    for (const link of ['/', ...links]) {
      const answer = await evil.get(link)
      expect(answer.status, link).toBe(200)
      const html = await answer.text()
      const tags = html.replaceAll(/="[^"]*"/g, '=""')
      expect(tags, link).not.toMatch(/<script>|<img|<[^>]*\s(on\w+|style)=/i)
      expect(html.match(/<\/head>/g), link).toHaveLength(1)
      const visible = html.replaceAll(/<[^>]*>/g, '')
      for (const sign of '\u202e\u0007\u001b\u2028') expect(visible, link).not.toContain(sign)
    }
    const items = [...links].filter(link => link.startsWith('/t/Orders/i/'))
    const headings = await Promise.all(items.map(async link => /<h1>.*?<\/h1>/s.exec(await evil.text(link))?.[0]))
    expect(new Set(headings).size).toBe(EVIL.length)
    await evil.close()
  })
})

describe('a command to copy', () => {
  const words = [
    "a'b",
    'a"b$c`d\\e!f',
    '\u0003\nrm -rf /tmp/x\n',
    "\u001b[201~; ls '\\'' \u202e",
    '=ls',
    '~root',
    'tab\tand\r\n',
    '\u0081é\u20288',
  ]

  it.each(words)('has nothing in it that a terminal acts on, and means the same to a shell: %j', word => {
    const typed = shellWord(word)
    expect(typed).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(execFileSync('bash', ['-c', `printf %s ${typed}`], { encoding: 'utf8' })).toBe(word)
  })

  it('is one where actors, attributes and keys hold control characters', async () => {
    const root = temporaryFolder()
    const evil = 'a\u0003\u001b[201~b'
    await ingestRecords(
      root,
      [change(evil, '20T10:00:00', undefined, { [evil]: { S: 'x' }, updated_by: { S: evil } })],
      {
        configuration: STORY_TABLE,
      },
    )
    const page = await browse(root)
    for (const path of [
      `/t/Orders/changes.json?${new URLSearchParams({ actor: evil, attr: evil, key: JSON.stringify({ order_id: evil }) })}`,
      `/t/Orders/i/${encodeURIComponent(JSON.stringify({ order_id: evil }))}.json?${new URLSearchParams({ actor: evil, attr: evil })}`,
    ]) {
      const { command, changes } = await page.json(path)
      expect([changes.length, command]).toEqual([1, expect.stringMatching(/^[ -~\n]+$/)])
    }
    await page.close()
  })
})
