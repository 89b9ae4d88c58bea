import { once } from 'node:events'
import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../index.js'
import { type AppOptions, createApp } from '../../view/app.js'
import { ArchiveInView } from '../../view/archive-in-view.js'
import { Admission } from '../../view/safety.js'
import { servePage } from '../../view/serve.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { change, STORY, STORY_TABLE } from '../queries/story.js'

const HOST = '127.0.0.1:4711'

interface Page {
  readonly app: Hono
  readonly admission: Admission
  readonly options: Omit<AppOptions, 'admission' | 'hosts'>
}

function pageOf(root: string, more: Partial<AppOptions> = {}): Page {
  const view = new ArchiveInView(signal => openArchive(root, { signal }), 0)
  const admission = new Admission()
  const options = { view, root, onAws: false, ...more }
  return { app: createApp({ ...options, admission, hosts: () => [HOST] }), admission, options }
}

/** A request as this machine's own browser sends it, once it was admitted. */
async function admitted({ app, admission }: Page) {
  const opened = await app.request(`http://${HOST}/open?token=${admission.token}`, { headers: { host: HOST } })
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  return (path: string, init: RequestInit = {}) =>
    app.request(`http://${HOST}${path}`, {
      ...init,
      headers: { host: HOST, cookie, ...(init.headers as Record<string, string>) },
    })
}

let root: string
let page: Page
let ask: Awaited<ReturnType<typeof admitted>>
beforeAll(async () => {
  root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  page = pageOf(root)
  ask = await admitted(page)
})
afterAll(() => page.options.view.close())

const REFUSED = /text\/plain/

describe('who is not admitted', () => {
  it.each([
    ['/', 401],
    ['/t/Orders', 401],
    ['/t/Orders/changes.json', 401],
    ['/style.css', 401],
    ['/page.js', 401],
    ['/open', 401],
    ['/open?token=', 401],
    ['/open?token=guess', 401],
    ['/open/?token=guess', 401],
    ['/%6fpen', 401],
    ['//open', 401],
  ])('gets nothing of %s', async (path, status) => {
    const response = await page.app.request(`http://${HOST}${path}`, { headers: { host: HOST } })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toMatch(REFUSED)
    expect(await response.text()).not.toContain('Orders')
    expect(response.headers.get('set-cookie')).toBe(null)
  })

  it('is not admitted by a token that was used', async () => {
    const used = await page.app.request(`http://${HOST}/open?token=${page.admission.token}`, {
      headers: { host: HOST },
    })
    expect([used.status, used.headers.get('set-cookie')]).toEqual([401, null])
  })

  it('spends no token by looking whether there is a page', async () => {
    const { app, admission } = pageOf(root)
    const status = async (method: string) => {
      const init = { method, headers: { host: HOST } }
      return (await app.request(`http://${HOST}/open?token=${admission.token}`, init)).status
    }
    expect([await status('HEAD'), await status('GET'), await status('GET')]).toEqual([204, 303, 401])
  })

  it('is not admitted by the token as a cookie, a cookie of another port, or a cut one', async () => {
    const { app, admission } = pageOf(root)
    const opened = await app.request(`http://${HOST}/open?token=${admission.token}`, { headers: { host: HOST } })
    const [name, value] = (opened.headers.get('set-cookie')?.split(';')[0] ?? '').split('=') as [string, string]
    const status = async (cookie: string) =>
      (await app.request(`http://${HOST}/`, { headers: { host: HOST, cookie } })).status
    expect(await status(`${name}=${value}`)).toBe(200)
    for (const cookie of [
      `${name}=${admission.token}`,
      `itemtrail-1=${value}`,
      `${name}=${value.slice(0, -1)}`,
      `${name}=`,
    ])
      expect([cookie, await status(cookie)]).toEqual([cookie, 401])
  })

  it('is told the cookie’s limits', async () => {
    const { app, admission } = pageOf(root)
    const opened = await app.request(`http://${HOST}/open?token=${admission.token}`, { headers: { host: HOST } })
    const cookie = opened.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/HttpOnly/i)
    expect(cookie).toMatch(/SameSite=Strict/i)
    expect(cookie).not.toMatch(/Domain=|Expires=|Max-Age=/i)
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/'])
  })
})

describe('another page of the same browser', () => {
  it.each(['evil.example', `evil.example:4711`, '127.0.0.1', '127.0.0.1:80', `${HOST}.evil.example`, '', '[::1]:4711'])(
    'gets nothing under the host %j',
    async host => {
      const response = await ask('/t/Orders', { headers: { host } })
      expect([response.status, await response.text()]).toEqual([421, expect.not.stringContaining('Orders')])
    },
  )

  it.each(['http://evil.example', 'null', `https://${HOST}`, `http://${HOST}.evil.example`, 'http://127.0.0.1:1'])(
    'gets nothing from the origin %j',
    async origin => {
      const response = await ask('/t/Orders.json', { headers: { origin } })
      expect([response.status, await response.text()]).toEqual([403, expect.not.stringContaining('Orders')])
    },
  )

  it('gets nothing by a request that no person made', async () => {
    for (const mode of ['no-cors', 'cors', 'same-origin']) {
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode }
      expect((await ask('/page.js', { headers })).status).toBe(403)
    }
  })

  it('cannot frame it, load it, or have it run or send anything', async () => {
    for (const path of ['/', '/t/Orders', '/t/Orders.json', '/style.css', '/page.js', '/nothing', '/t/None']) {
      const { headers } = await ask(path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("base-uri 'none'")
      expect(policy).not.toMatch(/unsafe|http|\*|data:/)
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('access-control-allow-origin')).toBe(null)
    }
  })
})

describe('what is asked', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('is not answered by %s', async method => {
    const response = await ask('/t/Orders', { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('is answered to HEAD without a body', async () => {
    const response = await ask('/t/Orders', { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it.each([
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/t/..%2f..%2fdata',
    '/t/Orders%00.json',
    '/t/Orders%00/changes',
    '/t/Orders%2fchanges',
    '/t/Orders/e/..%2f..%2f..%2fetc%2fpasswd',
    '/t/Orders/e/12345678/bytes',
    '/receipt/..%2f..%2fpackage.json',
    '/q/..%2f..%2fsql',
    '/t/%ff%fe',
    '/t/%',
    '/t/__proto__',
    '/q/__proto__?table=Orders',
    '/q/constructor?table=Orders',
    '/proof/None',
    '/sample?table=None&n=1&seed=a&from=2026-11-20&to=2026-11-21',
    '/sql?sql=select+1',
  ])('is not found at %s', async path => {
    const response = await ask(path)
    const body = await response.text()
    expect([path, response.status]).toEqual([path, expect.toSatisfy((status: number) => [400, 404].includes(status))])
    expect(body).not.toMatch(/root:x:|at .*\.(ts|js):\d+/)
  })

  it.each([
    ['from=2026-99-99', 'from'],
    ['from=2026-11-21&to=2026-11-20', 'from'],
    ['event=DROP', 'event'],
    ['kind=root', 'kind'],
    ['hour=Mon-99', 'hour'],
    ['after=../x', 'after'],
    ['after=99999999999999999999.ff', 'after'],
    ['tz=Mars/Olympus', 'tz'],
    ["tz=UTC'--", 'tz'],
    [`from=${'9'.repeat(5000)}`, 'from'],
    ['from=%00', 'from'],
  ])('says what of it is wrong: %s', async (search, name) => {
    const response = await ask(`/t/Orders/changes?${search}`)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain(`${name} is `)
  })

  it.each([
    ['quotes', "' or 1=1 --"],
    ['a statement', "'; drop table orders; --"],
    ['no character at all', '\0'],
    ['a lone surrogate', '%ED%A0%80'],
    ['markup', '<script>alert(1)</script>'],
    ['very much', 'x'.repeat(100_000)],
  ])('may have %s for a value, and finds nothing', async (_, value) => {
    for (const name of ['actor', 'attr']) {
      const response = await ask(`/t/Orders/changes.json?${new URLSearchParams({ [name]: value })}`)
      const body = (await response.json()) as { found: number; changes: unknown[] }
      expect([name, response.status, body.found, body.changes]).toEqual([name, 200, 0, []])
    }
  })

  it('never becomes markup, wherever it comes back', async () => {
    const markup = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    const place = encodeURIComponent(markup)
    for (const path of [
      `/t/${place}`,
      `/t/Orders/i/${place}`,
      `/t/Orders/e/${place}`,
      `/t/Orders/changes?actor=${place}&attr=${place}&x=${place}`,
      `/t/Orders/changes?from=${place}`,
      `/t/Orders/as-of/${place}`,
      `/t/Orders/as-of/2026-11-21?status=${place}`,
      `/q/deletions?table=Orders&from=${place}`,
      `/q/${place}?table=Orders`,
      `/sample?table=Orders&n=1&seed=${place}&from=2026-11-20&to=2026-11-22`,
      `/?tz=${place}`,
    ]) {
      const html = await (await ask(path)).text()
      expect([path, /<script>|<img/.test(html)]).toEqual([path, false])
    }
  })

  it('is answered where nothing is found, too', async () => {
    const response = await ask('/q/deletions?table=Orders&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z')
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('0 of 0')])
  })

  it('leads nowhere else', async () => {
    for (const search of [
      'table=//evil.example&key=x',
      'table=..&key=%2f%2fevil.example',
      'table=x&at=//evil.example',
    ]) {
      const location = (await ask(`/go?${search}`)).headers.get('location') ?? ''
      expect(new URL(location, `http://${HOST}`).host).toBe(HOST)
      expect(location).toMatch(/^\/t\//)
    }
  })
})

describe('an item whose key is no step of a path', () => {
  it.each(['.', '..', 'a/b', 'x.json', 'a.csv', '%2e%2e', ' ', '?', '#', '{"a":1}', '\\', 'é'])(
    'is found by its link: %j',
    async key => {
      const folder = temporaryFolder()
      await ingestRecords(folder, [change(key, '21T10:00:00', undefined, { n: { N: '1' } })])
      const view = pageOf(folder)
      const look = await admitted(view)
      const html = await (await look('/t/Orders/changes')).text()
      const link = /href="(\/t\/Orders\/i\/[^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? ''
      const found = await look(link)
      expect([found.status, await found.text()]).toEqual([200, expect.stringContaining('What happened to Orders')])
      // typed into the form it leads there, too, whatever else is called almost so
      const typed = await look(`/go?${new URLSearchParams({ table: 'Orders', key })}`)
      expect([typed.status, typed.headers.get('location')]).toEqual([303, link.split('?')[0]])
      await view.options.view.close()
    },
  )
})

describe('an archive that grows while it is looked at', () => {
  it('is shown as it is by now, to many at once', async () => {
    const growing = temporaryFolder()
    await ingestRecords(growing, STORY, { configuration: STORY_TABLE })
    const view = pageOf(growing)
    const look = await admitted(view)
    const found = async () => ((await (await look('/t/Orders/changes.json')).json()) as { found: number }).found
    const before = await found()
    for (let i = 1; i <= 3; i++) {
      const looking = Array.from({ length: 4 }, found)
      await ingestRecords(growing, [change(`G${i}`, `21T1${i}:00:00`, undefined, { n: { N: '1' } })])
      // whoever looked meanwhile saw one of the two, whole
      for (const n of await Promise.all(looking)) expect([before + i - 1, before + i]).toContain(n)
      expect(await found()).toBe(before + i)
    }
    await view.options.view.close()
  })
})

describe('the server', () => {
  it('listens on this machine alone, and takes no other name, whatever leads to it', async () => {
    const served = await servePage(pageOf(root).options, 0)
    try {
      const { port, hostname } = new URL(served.link)
      expect(hostname).toBe('127.0.0.1')
      const opened = await send(
        port,
        `GET ${served.link.slice(served.link.indexOf('/open'))} HTTP/1.1`,
        `127.0.0.1:${port}`,
      )
      const cookie = /^set-cookie: ([^;]+)/im.exec(opened)?.[1] ?? ''
      expect(cookie).not.toBe('')
      const statusOf = async (host: string, line = 'GET / HTTP/1.1') =>
        (await send(port, line, host, `cookie: ${cookie}\r\n`)).split(' ')[1]
      expect(await statusOf(`127.0.0.1:${port}`)).toBe('200')
      expect(await statusOf(`rebound.evil.example:${port}`)).toBe('421')
      // a whole address in the first line decides nothing
      expect(await statusOf('evil.example', `GET http://127.0.0.1:${port}/ HTTP/1.1`)).not.toBe('200')
      expect(await statusOf(`127.0.0.1:${port}`, 'GET /../../../etc/passwd HTTP/1.1')).toBe('404')
      expect(await statusOf(`127.0.0.1:${port}`, 'POST / HTTP/1.1')).toBe('405')
      expect(await statusOf(`127.0.0.1:${port}`, `GET /?${'x'.repeat(100_000)} HTTP/1.1`)).toBe('431')
      // the longest keys that there are make an address of 9,239 signs, each sign of which may be escaped
      for (const length of [7_000, 8_300, 9_300, 20_000, 40_000])
        expect([length, await statusOf(`127.0.0.1:${port}`, `GET /t/Orders?x=${'x'.repeat(length)} HTTP/1.1`)]).toEqual(
          [length, '200'],
        )
      expect(await statusOf(`127.0.0.1:${port}`)).toBe('200')
    } finally {
      await served.close()
    }
  })
})

/** A request by hand: what a browser would never send, too. */
async function send(port: string, line: string, host: string, more = ''): Promise<string> {
  const socket = createConnection(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`${line}\r\nhost: ${host}\r\n${more}connection: close\r\n\r\n`)
  return text(socket)
}
