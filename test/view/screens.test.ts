import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { clockOf } from '../../view/times.js'
import { askSql, ingestRecords, rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { randomArchive } from '../queries/random-archive.js'
import { change, STORY, STORY_TABLE } from '../queries/story.js'
import { runs } from '../transform/arbitraries.js'
import { browse, type PageClient } from './page-client.js'

let root: string
let page: PageClient
beforeAll(async () => {
  root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  page = await browse(root, { now: () => new Date('2026-11-22T00:00:00Z') })
})
afterAll(() => page.close())

describe('every screen', () => {
  it('has the question, the archive, how sure it is and what that leaves out, and a command', async () => {
    const { changes } = await page.json('/t/Orders/changes.json')
    const paths = [
      '/t/Orders',
      '/t/Orders/changes',
      '/t/Orders/i/A',
      '/t/Orders/i/A?at=2026-11-20T12:00:00Z',
      '/t/Orders/i/A?between=2026-11-20T10:00:00Z&and=2026-11-21T00:00:00Z',
      `/t/Orders/e/${changes[0].event_id}`,
      '/t/Orders/as-of/2026-11-21T00:00:00Z',
      '/q/deletions?table=Orders',
      '/sample?table=Orders&n=3&seed=x&from=2026-11-20&to=2026-11-23',
      '/proof/Orders',
    ]
    for (const path of paths) {
      const html = await page.text(path)
      expect(html.match(/<h1>/g), path).toHaveLength(1)
      expect(html, path).toContain('last change <time datetime="2026-11-21T10:00:00')
      expect(html, path).toContain('14 hours ago')
      expect(html, path).toMatch(/class="chip \w+">[A-Z-]+ /)
      expect(html, path).toContain('not shown by this: ')
      expect(html, path).toMatch(/<code>itemtrail [a-z-]+ /)
      expect(html, path).toContain('value="UTC"')
      const [before, query = ''] = path.split('?')
      const json = await page.json(`${before}.json?${query}`)
      expect(json, path).toMatchObject({ last_change: '2026-11-21T10:00:00.000000Z', verdict: { judged: true } })
      expect(json.command, path).toMatch(/^itemtrail /)
    }
  })

  it('has the hash of its receipt, which is what the receipt says', async () => {
    const { changes } = await page.json('/t/Orders/changes.json')
    const screens = {
      '/t/Orders/changes?event=MODIFY': 'sql',
      '/t/Orders/i/A': 'history',
      '/t/Orders/i/A?at=2026-11-20T12:00:00Z': 'as-of',
      '/t/Orders/i/A?between=2026-11-20T10:00:00Z&and=2026-11-20T12:00:00Z': 'diff',
      [`/t/Orders/e/${changes[0].event_id}`]: 'show',
      '/q/deletions?table=Orders': 'query',
      '/t/Orders/as-of/2026-11-21T00:00:00Z': 'as-of',
      '/sample?table=Orders&n=3&seed=x&from=2026-11-20&to=2026-11-23': 'sample',
    }
    for (const [path, command] of Object.entries(screens)) {
      const [before, query = ''] = path.split('?')
      const { receipt, command: told } = await page.json(`${before}.json?${query}`)
      const html = await page.text(path)
      const link = /<a href="([^"]+)"><code class="hash">/.exec(html)?.[1]?.replaceAll('&amp;', '&') as string
      const kept = await page.json(link)
      expect([path, kept.result.sha256]).toEqual([path, receipt])
      expect(told, path).toMatch(new RegExp(`^itemtrail ${command} `))
    }
  })

  it('names the object that a change lies in', async () => {
    const { changes } = await page.json('/t/Orders/i/A.json')
    for (const { event_id: id, event_time: time } of changes) {
      const { objects } = await page.json(`/t/Orders/e/${id}.json`)
      expect(objects.length).toBeGreaterThan(0)
      for (const key of objects) {
        expect(key).toContain(`event_date=${time.slice(0, 10)}/`)
        const found = await askSql(root, `select 1 as n from read_parquet('${join(root, key)}') where event_id = ?`, [
          id,
        ])
        expect(found.length).toBeGreaterThan(0)
      }
      expect(await page.text(`/t/Orders/e/${id}`)).toContain(objects[0])
    }
  })

  it('gives receipts that the command line finds the same', async () => {
    const { fileOf, run } = await import('../cli/command-line.js')
    for (const path of ['/t/Orders/changes/receipt?event=MODIFY', '/receipt/item-history?table=Orders&item_key=A']) {
      const receipt = fileOf('receipt.json', await page.text(path))
      const { exit, out } = await run(['rerun', receipt, '--archive', root, '--trust-sql'])
      expect([path, exit, out]).toEqual([path, 0, expect.stringContaining('same')])
    }
  })

  it('gives commands that answer the same', async () => {
    const { run } = await import('../cli/command-line.js')
    const { command, changes } = await page.json('/t/Orders/changes.json?actor=bob&event=MODIFY&attr=status')
    const sql = /^itemtrail sql "(.*)" --archive/.exec(command)?.[1] as string
    const { out } = await run(['sql', sql, '--archive', root, '--format', 'ndjson'])
    const answered = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).event_id)
    expect(answered).toEqual(changes.map((one: { event_id: string }) => one.event_id))
    expect(answered).toHaveLength(1)
  })

  it('is told in words when the address is wrong', async () => {
    const wrong = {
      '/t/Nope': [404, 'table "Nope" is not in the archive, which has Orders'],
      '/t/Orders/changes?event=SMASH': [400, 'event is "SMASH", expected one of INSERT, MODIFY, REMOVE'],
      '/t/Orders/changes?from=2026-11-21&to=2026-11-20': [
        400,
        'from is 2026-11-21, which is not before to, 2026-11-20',
      ],
      '/t/Orders/changes?after=1': [400, 'expected what a page links to'],
      '/t/Orders/changes?hour=Mon-24': [400, 'expected a weekday and an hour of UTC such as Mon-14'],
      '/t/Orders/changes?tz=Moon%2FSea': [400, 'tz is "Moon/Sea", expected UTC or a zone such as Europe/Berlin'],
      '/t/Orders/i/Z': [404, 'Orders Z was never seen'],
      '/t/Orders/e/zz': [400, 'expected at least 8 signs of its id'],
      '/t/Orders/e/00000000': [404, 'event 00000000 is not in the archive of Orders'],
      '/t/Orders/as-of/tomorrow': [400, 'instant "tomorrow" is none'],
      '/q/nothing?table=Orders': [404, 'query "nothing" is unknown'],
      '/nothing': [404, 'there is no such page'],
    } as const
    for (const [path, [status, words]] of Object.entries(wrong)) {
      const answer = await page.get(path)
      expect(answer.status, path).toBe(status)
      expect((await answer.text()).replaceAll('&quot;', '"'), path).toContain(words)
    }
  })

  it('takes a moment as the command line does', async () => {
    const itemsAt = async (instant: string) => (await page.json(`/t/Orders/as-of/${instant}.json`)).items.length
    for (const [said, meant] of [
      ['now', '2026-11-22T00:00:00Z'],
      ['2026-11-21', '2026-11-21T00:00:00Z'],
      ['yesterday', '2026-11-21T00:00:00Z'],
      ['36h', '2026-11-20T12:00:00Z'],
    ] as const)
      expect([said, await itemsAt(said)]).toEqual([said, await itemsAt(meant)])
  })

  it('looks for no attribute by a word of its own, and says what is not narrowed', async () => {
    const at = '/t/Orders/as-of/2026-11-21T00:00:00Z'
    const all = (await page.json(`${at}.json`)).items.length
    expect(all).toBeGreaterThan(0)
    const ours = 'ask=yes&tz=UTC&raw=yes&w=all'
    expect((await page.json(`${at}.json?${ours}`)).items).toHaveLength(all)
    expect((await page.json(`${at}.json?${ours}`)).remarks).toEqual([])
    const { items, remarks } = await page.json(`${at}.json?nothing=such`)
    expect([items.length, remarks]).toEqual([0, [expect.stringContaining(`are of all ${all} items`)]])
  })

  it('looks for items of a moment by a form, and takes it back', async () => {
    const { headers } = await page.get('/go?table=Orders&at=2026-11-21&attribute=status&value=PAID&tz=Asia%2FKolkata')
    const location = headers.get('location') ?? ''
    expect(location).toBe('/t/Orders/as-of/2026-11-21?status=PAID&tz=Asia%2FKolkata')
    const html = await page.text(location)
    expect(html).toContain('status being PAID')
    expect(html).toContain('href="/t/Orders/as-of/2026-11-21?tz=Asia%2FKolkata">status PAID')
    const refused = await page.get('/go?table=Orders&at=2026-11-21&attribute=after&value=1')
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('is a word of the page')])
  })

  it('asks each saved question by a form that its header makes', async () => {
    for (const { name, question, parameters } of SAVED_QUERIES.values()) {
      const html = await page.text(`/q/${name}?table=Orders&form=yes`)
      expect(html.replaceAll('&#39;', "'"), name).toContain(`<h1>${question}</h1>`)
      for (const { name: field, preset } of parameters)
        if (preset !== 'facts') expect(html, name).toContain(`name="${field}"`)
    }
  })
})

describe('an item that is narrowed', () => {
  it.each(['attr=status', 'actor=bob', 'from=2026-11-20T12:00:00Z', 'to=2026-11-21', 'attr=status&to=2026-11-21'])(
    'says by what, and its file and its command have the same: %s',
    async search => {
      const { run } = await import('../cli/command-line.js')
      const all = (await page.json('/t/Orders/i/A.json')).changes.length
      const { question, command, remarks, changes } = await page.json(`/t/Orders/i/A.json?${search}`)
      const ids = changes.map((one: { event_id: string }) => one.event_id).sort()
      expect(question).not.toBe('What happened to Orders A, newest first?')
      expect(remarks[0]).toContain(`${ids.length} of ${all} changes are listed: `)
      expect(await page.text(`/t/Orders/i/A?${search}`)).toContain(`${ids.length} of ${all} changes are listed`)
      const csv = await page.text(`/t/Orders/i/A.csv?${search}`)
      expect(csv.match(/[0-9a-f]{32}/g)?.length ?? 0).toBeGreaterThanOrEqual(ids.length)
      expect(csv.trim().split(/\r\n/)).toHaveLength(ids.length + 1)
      const flags = command.slice('itemtrail history Orders A '.length).split(' ')
      const { out } = await run(['history', 'Orders', 'A', ...flags, '--format', 'json'])
      const told = JSON.parse(out).changes.map((one: { event_id: string }) => one.event_id)
      expect(told.sort()).toEqual(ids)
    },
  )

  it('shows no other change in place of one that is not on the page, and says so', async () => {
    const { changes } = await page.json('/t/Orders/i/A.json')
    const [{ event_id: id }] = changes.filter(({ actor }: { actor: string }) => actor !== 'bob')
    for (const path of ['/t/Orders/i/A', '/t/Orders/changes']) {
      const html = await page.text(`${path}?actor=bob&row=${id}`)
      const beside = /<section class="beside".*?<\/section>/s.exec(html)?.[0]
      expect(beside).toContain(`change ${id} is not on this page`)
      expect(beside).toContain(`href="/t/Orders/e/${id}"`)
      expect(html).not.toContain('aria-current="true"')
    }
    expect((await page.get('/t/Orders/i/A?after=nothing')).status).toBe(400)
  })

  it('has in its file what it was at a moment, in one row', async () => {
    const csv = await page.text('/t/Orders/i/A.csv?at=2026-11-20T12:00:00Z')
    const [header, row, ...more] = csv.trim().split('\r\n')
    expect(header).toBe('item_key,as_of,state,confidence,item')
    expect(row).toContain('2026-11-20T12:00:00.000000Z')
    expect(more).toEqual([])
  })
})

describe('a list of changes', () => {
  it('is narrowed by each value as often as its count says', async () => {
    const { facets } = await page.json('/t/Orders/changes.json')
    const params = { actor: 'actor', kind: 'kind', event: 'event', attribute: 'attr' } as const
    for (const [facet, param] of Object.entries(params))
      for (const { value, changes } of facets[facet].filter(({ value }: { value: string | null }) => value !== null)) {
        const { found, changes: listed } = await page.json(
          `/t/Orders/changes.json?${new URLSearchParams({ [param]: value })}`,
        )
        expect([facet, value, found, listed.length]).toEqual([facet, value, changes, changes])
      }
    for (const { value, changes } of facets.hour) {
      const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][Math.floor(value / 24)]
      const hour = `${day}-${String(value % 24).padStart(2, '0')}`
      expect((await page.json(`/t/Orders/changes.json?hour=${hour}`)).found).toBe(changes)
    }
  })

  it('shows moments in another zone, with its offset', async () => {
    const html = await page.text('/t/Orders/changes?tz=Asia%2FKolkata')
    expect(html).toContain('<time datetime="2026-11-21T10:00:00.000Z">2026-11-21 15:30:00 +05:30</time>')
    expect(clockOf('America/New_York').text(Date.UTC(2026, 0, 1, 3) * 1000 + 7)).toBe(
      '2025-12-31 22:00:00.000007 -05:00',
    )
  })
})

describe('every answer', () => {
  it('is the library’s, over random archives', async () => {
    await fc.assert(
      fc.asyncProperty(randomArchive(6), async ({ rows }) => {
        const random = temporaryFolder()
        await writeRows(random, rows)
        const client = await browse(random)
        await using archive = await openArchive(random)
        const [from, to] = ['2026-11-21T00:00:00Z', '2026-11-23T00:00:00Z']
        const asked = await archive.run('changes-between', 'Orders', { from, to })
        const { changes, found, verdict } = await client.json(`/t/Orders/changes.json?from=${from}&to=${to}`)
        const ids = (list: readonly { event_id: unknown }[]) => list.map(one => String(one.event_id)).sort()
        expect(ids(changes)).toEqual(ids([...asked] as never))
        expect(found).toBe(asked.length)
        const byId = new Map([...asked].map(row => [row.event_id, row]))
        for (const one of changes) {
          const row = byId.get(one.event_id)
          expect([one.actor, one.event_name, one.changed]).toEqual([row?.actor, row?.event_name, row?.changed])
        }
        expect(verdict.confidence).toBe((await asked.verdict())?.confidence)
        for (const key of new Set(rows.map(row => row.item_key))) {
          const text = JSON.parse(key).order_id.S as string
          const history = await archive.history('Orders', text)
          const item = await client.json(`/t/Orders/i/${text}.json`)
          expect(item.confidence).toBe(history.confidence)
          expect(item.changes.map((one: { event_id: string }) => one.event_id)).toEqual(
            history.changes.map(one => one.eventId).reverse(),
          )
        }
        const at = '2026-11-22T00:00:00Z'
        for (const key of new Set(rows.map(row => row.item_key))) {
          const text = JSON.parse(key).order_id.S as string
          const was = await archive.asOf('Orders', text, at)
          const shown = await client.json(`/t/Orders/i/${text}.json?at=${at}`)
          expect([shown.item, shown.confidence]).toEqual([was.item, was.confidence])
          const later = '2026-11-24T00:00:00Z'
          const { differences = null, confidence } = await archive.diff('Orders', text, { from: at, to: later })
          const compared = await client.json(`/t/Orders/i/${text}.json?between=${at}&and=${later}`)
          expect(compared.differences).toEqual(differences)
          expect(compared.verdict.confidence).toBe(confidence)
          const [change] = (await archive.history('Orders', text)).changes
          if (change === undefined) continue
          const alone = await client.json(`/t/Orders/e/${change.eventId}.json`)
          expect([alone.change.old_image, alone.change.new_image, alone.change.actor]).toEqual([
            change.before,
            change.after,
            change.actor,
          ])
        }
        const byDay = [...(await archive.run('activity-by-day', 'Orders'))]
        const { days } = await client.json('/t/Orders.json')
        expect(days.filter((day: { changes: number }) => day.changes > 0).map(countsOfDay)).toEqual(
          byDay.map(countsOfDay),
        )
        const deleted = await archive.run('deletions', 'Orders')
        const { rows: shownRows } = await client.json('/q/deletions.json?table=Orders')
        expect(shownRows.map((row: { event_id: string }) => row.event_id)).toEqual(
          [...deleted].map(row => row.event_id),
        )
        const items = []
        for await (const one of archive.tableAsOf('Orders', at))
          items.push([one.key, one.state, one.confidence, one.item])
        const then = await client.json(`/t/Orders/as-of/${at}.json`)
        const sorted = (list: unknown[]) => list.map(one => JSON.stringify(one)).sort()
        expect(
          sorted(
            then.items.map((one: { item_key: object; state: string; confidence: string; item: object }) => [
              one.item_key,
              one.state,
              one.confidence,
              one.item,
            ]),
          ),
        ).toEqual(sorted(items))
        await client.close()
      }),
      { ...runs(4), endOnFailure: true },
    )
  }, 300_000)
})

describe('the page holds against', () => {
  it('an empty archive, and one that grows while it is looked at', async () => {
    const growing = temporaryFolder()
    mkdirSync(join(growing, 'data'), { recursive: true })
    const client = await browse(growing)
    expect(await client.text('/')).toContain('the archive has no table yet')
    await ingestRecords(growing, STORY.slice(0, 3), { configuration: STORY_TABLE })
    expect((await client.json('/t/Orders/changes.json')).found).toBe(3)
    await ingestRecords(growing, STORY.slice(3), { configuration: STORY_TABLE })
    const both = await Promise.all([client.json('/t/Orders/changes.json'), client.json('/t/Orders/i/A.json')])
    expect([both[0].found, both[1].changes.length]).toEqual([STORY.length, 6])
    await client.close()
  })

  it('a damaged object, which it names', async () => {
    const damaged = temporaryFolder()
    await ingestRecords(damaged, STORY, { configuration: STORY_TABLE })
    const folder = join(damaged, 'data/Orders/event_date=2026-11-20')
    writeFileSync(join(folder, readdirSync(folder)[0] as string), 'not Parquet at all')
    const client = await browse(damaged)
    for (const path of ['/', '/t/Orders', '/t/Orders/changes', '/t/Orders/i/A']) {
      const answer = await client.get(path)
      expect(await answer.text(), path).toMatch(/cannot be read/)
      expect(answer.status, path).toBe(path === '/' ? 200 : 500)
    }
    await client.close()
  })

  it('an item of 10,000 changes, fifty at a time, with a jump to a date', async () => {
    const busy = temporaryFolder()
    const state = (n: number) => (n < 0 ? undefined : { n: { N: String(n) } })
    const at = (n: number) => new Date(Date.UTC(2026, 10, 20, 10) + n * 1000).toISOString().slice(8, 19)
    const records = Array.from({ length: 10_000 }, (_, n) => change('A', at(n), state(n - 1), state(n)))
    await ingestRecords(busy, records, { configuration: tableConfiguration() })
    const client = await browse(busy)
    const html = await client.text('/t/Orders/i/A')
    expect(html).toContain('50 of 10,000 changes')
    expect(html.length).toBeLessThan(200_000)
    const next = linkIn(html, /rel="next" href="([^"]+)"/)
    expect(await client.text(next)).toContain('2026-11-20 12:45:49Z')
    expect(await client.text('/t/Orders/i/A?to=2026-11-20T10:00:10Z')).toContain('10 of 10 changes')
    expect(await client.text('/t/Orders/i/A?at=2026-11-20T11:00:00Z')).toContain('<span>3600</span>')
    await client.close()
  }, 120_000)

  it('200 attributes and texts of 5 MB, of which the words that differ are shown', async () => {
    const large = temporaryFolder()
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`attribute_${i}`, { S: `value ${i}` }]))
    const text = (word: string) => ({
      S: `${'one word after another, '.repeat(110_000)}${word} ${'and so on, '.repeat(220_000)}`,
    })
    const records = [
      change('W', '20T10:00:00', undefined, wide),
      change('W', '20T11:00:00', wide, { ...wide, attribute_7: { S: 'another' } }),
      change('T', '20T10:00:00', undefined, { body: text('before') }),
      change('T', '20T12:00:00', { body: text('before') }, { body: text('afterwards') }),
    ]
    // more than DynamoDB takes, and a table of another kind may hold
    await writeRows(
      large,
      records.flatMap(record => rowsOfRecord(record, tableConfiguration())),
    )
    const client = await browse(large)
    expect(await client.text('/t/Orders/i/W')).toContain('and 195 more')
    const [{ event_id: id }] = (await client.json('/t/Orders/i/T.json')).changes
    for (const path of [`/t/Orders/changes?row=${id}`, '/t/Orders/i/T']) {
      const html = await client.text(path)
      expect(html.length, path).toBeLessThan(200_000)
      expect(html, path).toContain('<del>before</del><ins>afterwards</ins>')
    }
    await client.close()
  }, 120_000)

  it('binary values, by size and hash, with a download', async () => {
    const binary = temporaryFolder()
    await ingestRecords(
      binary,
      [change('B', '20T10:00:00', undefined, { file: { B: Buffer.from('bytes').toString('base64') } })],
      { configuration: tableConfiguration() },
    )
    const client = await browse(binary)
    const [{ event_id: id }] = (await client.json('/t/Orders/changes.json')).changes
    const html = await client.text(`/t/Orders/e/${id}`)
    expect(html).toContain('5 bytes, SHA-256')
    const link = linkIn(html, /href="([^"]*\/bytes[^"]*)"/)
    const file = await client.get(link)
    expect(await file.text()).toBe('bytes')
    expect(file.headers.get('content-disposition')).toContain('attachment')
    await client.close()
  })
})

function linkIn(html: string, pattern: RegExp): string {
  return (pattern.exec(html)?.[1] ?? '').replaceAll('&amp;', '&')
}

const countsOfDay = (row: object) => {
  const { day, changes, deletes, removes = deletes } = row as Record<string, unknown>
  return [day, Number(changes), Number(removes)]
}
