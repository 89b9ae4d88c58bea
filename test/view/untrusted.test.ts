import { describe, expect, it } from 'vitest'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { streamsRecord } from '../factories.js'
import { STORY, STORY_TABLE } from '../queries/story.js'
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
