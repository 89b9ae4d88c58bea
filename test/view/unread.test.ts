/** What of an archive is damaged, on every screen as the command line tells it. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from '../cli/command-line.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { sealFolder } from '../journal/desk-journal.js'
import { change, STORY, STORY_TABLE } from '../queries/story.js'
import { browse, type PageClient } from './page-client.js'

const AT = '2026-11-23T00:00:00Z'
const PERIOD = ['--param', 'from=2026-11-20T00:00:00Z', '--param', 'to=2026-11-23T00:00:00Z']
const ALL_OF_IT = ['query', 'activity-by-day', 'Orders']

/** Screens, each with the command that asks the same. */
const SCREENS: Readonly<Record<string, readonly string[]>> = {
  '/index.json': ['status'],
  '/t/Orders.json': ALL_OF_IT,
  '/t/Orders/changes.json': ['sql', 'select event_id from Orders'],
  '/t/Orders/i/A.json': ['history', 'Orders', 'A'],
  [`/t/Orders/as-of/${AT}.json`]: ['as-of', 'Orders', AT],
  '/q/deletions.json?table=Orders': ['query', 'deletions', 'Orders'],
  '/q/changes-between.json?table=Orders&from=2026-11-20&to=2026-11-23': [
    'query',
    'changes-between',
    'Orders',
    ...PERIOD,
  ],
  '/proof/Orders.json': ALL_OF_IT,
  '/sample.json?table=Orders&n=2&seed=x&from=2026-11-20&to=2026-11-23': ALL_OF_IT,
}

const DAY = 'data/Orders/event_date=2026-11-20'

function objectIn(root: string): string {
  const folder = join(root, DAY)
  return join(folder, readdirSync(folder).sort()[0] as string)
}

/** The same number of bytes at the same time, and rows that can be read as before. */
function alter(root: string): void {
  const path = objectIn(root)
  const { atime, mtime } = statSync(path)
  const bytes = readFileSync(path)
  const at = bytes.lastIndexOf('DuckDB')
  expect(at).toBeGreaterThan(0)
  bytes[at] = 'd'.charCodeAt(0)
  writeFileSync(path, bytes)
  utimesSync(path, atime, new Date(mtime.getTime() + 1000))
}

const DAMAGES: Readonly<Record<string, (root: string) => void>> = {
  nothing: () => {},
  'a link in place of an object': root => {
    const [path, elsewhere] = [objectIn(root), join(temporaryFolder(), 'object.parquet')]
    renameSync(path, elsewhere)
    symlinkSync(elsewhere, path)
  },
  'a cut fact': root => {
    mkdirSync(join(root, 'facts/Orders'), { recursive: true })
    writeFileSync(join(root, 'facts/Orders/20261120T000000Z-gap.json'), '{"format":"itemtrail')
  },
  'a folder of no day': root => {
    mkdirSync(join(root, 'data/Orders/more'))
    writeFileSync(join(root, 'data/Orders/more/a.parquet'), readFileSync(objectIn(root)))
  },
  'a missing object': root => rmSync(objectIn(root)),
  'an altered object': alter,
}

const UNREAD = /^(data|facts|config|log)\/\S+ /

const opened: PageClient[] = []
afterAll(() => Promise.all(opened.map(page => page.close())))

async function damaged(damage: (root: string) => void, isSealed: boolean) {
  const root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  if (isSealed) await sealFolder(root)
  const page = await browse(root, { now: () => new Date('2026-11-22T00:00:00Z') })
  opened.push(page)
  // what is damaged while the server runs is no other damage
  await page.text('/t/Orders')
  damage(root)
  return { root, page }
}

describe.each([false, true])('an archive that is sealed: %s, with', isSealed => {
  it.each(Object.entries(DAMAGES))('%s is on each screen as on the command line', async (_, damage) => {
    const { root, page } = await damaged(damage, isSealed)
    for (const [path, argv] of Object.entries(SCREENS)) {
      const { exit, out, err } = await run([...argv, '--archive', root, '--format', 'json'])
      const said = err.split('\n').filter(line => UNREAD.test(line))
      const { unread, verdict } = await page.json(path)
      expect({ path, unread: [...unread].sort() }).toEqual({ path, unread: [...new Set(said)].sort() })
      expect([path, exit === 3]).toEqual([path, unread.length > 0])
      expect([path, exit]).not.toEqual([path, 2])
      const confidence = JSON.parse(out).verdict?.confidence
      if (confidence !== undefined) expect([path, verdict?.confidence]).toEqual([path, confidence])
      const html = await page.text(path.replace('.json', ''))
      for (const text of unread) expect(html).toContain(text.slice(0, 40))
      expect([path, html.includes('UNCHECKED')]).toEqual([path, unread.length > 0])
    }
  })
})

describe('what is not as it was sealed', () => {
  const of = async (damage: (root: string) => void) => (await damaged(damage, true)).page
  const proof = async (page: PageClient) => (await page.json('/proof/Orders.json')) as { days: { day: string }[] }

  it('is hatched on the day of an object that is altered in place while the server runs', async () => {
    const page = await of(alter)
    const { verdict, days } = await page.json('/t/Orders.json')
    expect(verdict).toMatchObject({ confidence: 'ALTERED', doubtful: true })
    expect(days[0]).toMatchObject({ day: '2026-11-20', doubt: 'altered' })
    const html = await page.text('/t/Orders')
    expect(html).toContain('2026-11-20 altered')
    expect(html).not.toContain('; there is none')
  })

  it('is on the page of proofs: the day, how many of how many, and what closes it', async () => {
    const altered = await of(alter)
    expect((await proof(altered)).days[0]).toMatchObject({ day: '2026-11-20', altered: 1 })
    const text = await altered.text('/proof/Orders')
    expect(text).toContain('1 altered')
    expect(text).toContain('it is another now')
    expect(text).not.toContain('nothing is known to be missing')
    expect(text).not.toContain('by their size')
  })

  it.each(['2026-11-20', '2026-11-21'])('is a day of which the object is gone, at either end: %s', async day => {
    const page = await of(root => rmSync(join(root, 'data/Orders', `event_date=${day}`), { recursive: true }))
    const { days, counts, gaps } = await page.json('/proof/Orders.json')
    expect(days.find((one: { day: string }) => one.day === day)).toMatchObject({ objects: 0, missing: 1 })
    expect(counts).toContain('1 missing')
    expect(gaps[0].what).toContain(`event_date=${day}`)
    const strip = await page.json('/t/Orders.json')
    expect(strip.days.find((one: { day: string }) => one.day === day).doubt).toBe('a sealed object is missing')
    expect(await (await page.get('/proof/Orders.csv')).text()).toContain(`${day},0,0,1,0,a sealed object is missing`)
  })
})

describe('the first page', () => {
  it('counts what was refused and names no table, as status does', async () => {
    const { root, page } = await damaged(() => {}, false)
    const records = join(temporaryFolder(), 'records.ndjson')
    writeFileSync(records, '{"nonsense":1}\n')
    await run(['ingest', records, '--archive', root])
    const { exit, out } = await run(['status', '--archive', root])
    expect([exit, out]).toEqual([1, expect.stringContaining('1 refused')])
    expect(await page.json('/index.json')).toMatchObject({ refused_of_no_table: 1 })
    expect(await page.text('/')).toContain('1 refused record names no table of the archive')
    expect(await page.text('/index.csv')).toMatch(/,GAP,1,,/)
  })

  it('dates the last change by the days of the archive, not by a folder of no day', async () => {
    const { root, page } = await damaged(() => {}, false)
    const before = (await page.json('/index.json')).last_change
    const later = temporaryFolder()
    await ingestRecords(later, [change('Z', '22T10:00:00', undefined, { n: { N: '1' } })])
    const [object] = readdirSync(join(later, 'data/Orders/event_date=2026-11-22'))
    mkdirSync(join(root, 'data/Orders/more'))
    writeFileSync(
      join(root, 'data/Orders/more/a.parquet'),
      readFileSync(join(later, 'data/Orders/event_date=2026-11-22', object as string)),
    )
    const { last_change: after, tables, unread } = await page.json('/index.json')
    expect([after, tables[0].last_change]).toEqual([before, before])
    expect(unread).toEqual([expect.stringContaining('is the folder of no day')])
  })
})

describe('a file of rows', () => {
  it('is none where something is not read: it would look whole', async () => {
    const { page } = await damaged(DAMAGES['a link in place of an object'] as (root: string) => void, false)
    for (const path of ['/index.csv', '/t/Orders.csv', '/t/Orders/changes.csv', '/q/deletions.csv?table=Orders']) {
      const answer = await page.get(path)
      expect([path, answer.status, await answer.text()]).toEqual([path, 409, expect.stringContaining('is a link')])
    }
  })

  it('has the verdict in its name and beside it', async () => {
    const nameOf = async (page: PageClient, path: string) => {
      const { status, headers } = await page.get(path)
      return [status, headers.get('itemtrail-verdict'), headers.get('content-disposition')]
    }
    const file = (name: string) => `attachment; filename="${name}"`
    const { page: sound } = await damaged(() => {}, true)
    expect(await nameOf(sound, '/t/Orders/changes.csv')).toEqual([200, 'UNBROKEN', file('Orders-changes.UNBROKEN.csv')])
    expect(await nameOf(sound, '/t/Orders/i/A.csv')).toEqual([200, 'UNBROKEN', file('Orders-i-A.UNBROKEN.csv')])
    expect(await nameOf(sound, '/index.csv')).toEqual([200, null, file('tables.csv')])
    const { page } = await damaged(alter, true)
    for (const path of ['/t/Orders.csv', '/t/Orders/changes.csv', '/q/deletions.csv?table=Orders'])
      expect((await nameOf(page, path)).slice(0, 2)).toEqual([200, 'ALTERED'])
  })

  it('is none of a moment before the archive begins, which the command line ends with 3', async () => {
    const { root, page } = await damaged(() => {}, false)
    const early = '2026-01-01T00:00:00Z'
    const { exit } = await run(['as-of', 'Orders', early, '--archive', root, '--format', 'csv'])
    const answer = await page.get(`/t/Orders/as-of/${early}.csv`)
    expect([exit, answer.status]).toEqual([3, 409])
    expect(await answer.text()).toContain('the archive begins later, at 2026-11-20')
    expect(((await page.get(`/t/Orders/as-of/${AT}.csv`)) as Response).status).toBe(200)
  })
})
