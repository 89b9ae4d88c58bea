import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { streamsRecord } from '../factories.js'
import { STORY, STORY_TABLE } from '../queries/story.js'
import { browse, type PageClient } from './page-client.js'

let page: PageClient
beforeAll(async () => {
  const root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  page = await browse(root)
})
afterAll(() => page.close())

describe('the page lets in', () => {
  it('whoever has the token, once', async () => {
    const again = await page.get(`/open?token=${page.admission.token}`, { cookie: '' })
    expect(again.status).toBe(401)
    expect(again.headers.get('set-cookie')).toBeNull()
    expect((await page.get('/open?token=guessed', { cookie: '' })).status).toBe(401)
  })

  it('nobody without the cookie, on no path', async () => {
    for (const path of ['/', '/t/Orders', '/t/Orders/changes.json', '/page.js', '/style.css', '/receipt/deletions'])
      expect((await page.get(path, { cookie: '' })).status, path).toBe(401)
    expect((await page.get('/', { cookie: 'itemtrail-4711=forged' })).status).toBe(401)
  })

  it('no other host, whatever leads to it, and no page of another origin', async () => {
    for (const host of ['evil.example', '127.0.0.1', '127.0.0.1:80', 'localhost.evil.example:4711', ''])
      expect((await page.get('/', { host })).status, host).toBe(421)
    for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1:4711'])
      expect((await page.get('/', { origin })).status, origin).toBe(403)
    expect((await page.get('/', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status).toBe(403)
    expect((await page.get('/', { origin: 'http://127.0.0.1:4711' })).status).toBe(200)
  })

  it('GET and HEAD alone', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await page.get('/', {}, method)
      expect(answer.status, method).toBe(405)
      expect(answer.headers.get('allow')).toBe('GET, HEAD')
    }
    const head = await page.get('/', {}, 'HEAD')
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
  })

  it('no way out of the archive', async () => {
    for (const path of [
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/t/..%2f..%2fetc',
      '/page.js/../../package.json',
      '/t/Orders/i/..%2F..%2Fetc%2Fpasswd',
    ]) {
      const answer = await page.get(path)
      expect(answer.status, path).toBe(404)
      expect(await answer.text()).not.toContain('root:')
    }
  })

  it('a browser that is told to load nothing else, and to tell nobody', async () => {
    for (const path of ['/', '/nothing', '/open?token=x']) {
      const { headers } = await page.get(path)
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('content-security-policy')).not.toContain('unsafe')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
    const html = await page.text('/t/Orders/changes')
    expect(html).not.toMatch(/https?:\/\/|<[^>]*\son\w+=|<[^>]*\sstyle=|<script>(?!<)/i)
  })

  it('the browser with a cookie that no script and no other site has', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, STORY, { configuration: STORY_TABLE })
    const other = await browse(root)
    const fresh = new (await import('../../view/safety.js')).Admission()
    const app = (await import('../../view/app.js')).createApp({
      view: other.view,
      root,
      onAws: false,
      admission: fresh,
      hosts: () => ['127.0.0.1:4711'],
    })
    const answer = await app.request(`http://127.0.0.1:4711/open?token=${fresh.token}`, {
      headers: { host: '127.0.0.1:4711' },
    })
    expect(answer.headers.get('set-cookie')).toMatch(/^itemtrail-4711=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    await other.close()
  })

  it('no SQL, unless whoever started it said so, and then one query that reads', async () => {
    expect((await page.get('/sql?statement=select%201')).status).toBe(404)
    const root = temporaryFolder()
    await ingestRecords(root, STORY, { configuration: STORY_TABLE })
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
        .filter(link => !/\.(json|csv)(\?|$)/.test(link)),
    )
    for (const link of ['/', ...links]) {
      const answer = await evil.get(link)
      expect(answer.status, link).toBe(200)
      const html = await answer.text()
      const tags = html.replaceAll(/="[^"]*"/g, '=""')
      expect(tags, link).not.toMatch(/<script>|<img|<[^>]*\son\w+=/i)
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
