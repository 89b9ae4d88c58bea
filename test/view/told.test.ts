/** What the page tells of items that do not hang together: no better than the command line. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditRow } from '../../transform/audit-row.js'
import { run } from '../cli/command-line.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { change } from '../queries/story.js'
import { browse, type PageClient } from './page-client.js'

const state = (n: number) => ({ n: { N: String(n) } })

let root: string
let page: PageClient
beforeAll(async () => {
  root = temporaryFolder()
  const rows = [
    change('GAP', '22T10:00:04', undefined, state(1)),
    change('GAP', '23T10:00:04', state(3), state(4)),
    change('BAD', '22T10:00:00', undefined, state(1)),
    change('BAD', '22T11:00:00', state(1), state(2)),
    change('OLD', '22T10:00:00', state(7), state(8)),
  ].flatMap(record => rowsOfRecord(record, tableConfiguration(), Date.UTC(2026, 10, 23, 10, 1)))
  await writeRows(root, rows.map(altered))
  page = await browse(root)
})
afterAll(() => page.close())

/** The last image of BAD is another than its hash says. */
function altered(row: AuditRow): AuditRow {
  return row.item_key.includes('BAD') && row.event_name === 'MODIFY'
    ? { ...row, new_image: row.new_image?.replace('"2"', '"999"') ?? null }
    : row
}

const asked = async (argv: readonly string[]) => {
  const { exit, out, err } = await run([...argv, '--archive', root, '--format', 'json'])
  return { exit, err, json: exit === 2 ? undefined : JSON.parse(out || 'null') }
}

/** Of an item: within a gap, after its end, before the archive, in the second of a change, after an altered image. */
const MOMENTS = [
  ['GAP', '2026-11-22T12:00:00Z'],
  ['GAP', '2026-11-24T00:00:00Z'],
  ['GAP', '2026-11-20T00:00:00Z'],
  ['GAP', '2026-11-22T10:00:04.5Z'],
  ['BAD', '2026-11-22T10:30:00Z'],
  ['BAD', '2026-11-23T00:00:00Z'],
  ['OLD', '2026-11-22T09:00:00Z'],
  ['OLD', '2026-11-23T00:00:00Z'],
] as const

describe('an item at a moment', () => {
  it.each(MOMENTS)('is told as as-of tells it: %s at %s', async (key, at) => {
    const { json } = await asked(['as-of', 'Orders', key, at])
    const { out } = await run(['as-of', 'Orders', key, at, '--archive', root])
    const shown = await page.json(`/t/Orders/i/${key}.json?at=${at}`)
    expect([shown.state, shown.confidence, shown.item]).toEqual([json.state, json.confidence, json.item])
    expect(json.remarks).toEqual(expect.arrayContaining(shown.remarks))
    expect(out.replaceAll(/\s+/g, ' ')).toContain(shown.told)
    const html = (await page.text(`/t/Orders/i/${key}?at=${at}`)).replaceAll('&quot;', '"')
    for (const text of [shown.told, ...shown.remarks]) expect(html).toContain(text)
    expect(html).not.toContain('nothing changed since')
  })

  it('may have been another where changes before the next are missing', async () => {
    const { told, verdict } = await page.json('/t/Orders/i/GAP.json?at=2026-11-22T12:00:00Z')
    expect(told).toContain('are missing, so the item may have been another by then')
    expect(verdict).toMatchObject({ confidence: 'GAP', doubtful: true })
    const between = await page.text('/t/Orders/i/GAP?between=2026-11-22T12:00:00Z&and=2026-11-24T00:00:00Z')
    expect(between).toContain('may have been another by then')
  })

  it.each([
    ['GAP', '2026-11-22T12:00:00Z', '2026-11-24T00:00:00Z'],
    ['BAD', '2026-11-22T10:30:00Z', '2026-11-24T00:00:00Z'],
  ])('differs as diff says: %s from %s to %s', async (key, from, to) => {
    const { json } = await asked(['diff', 'Orders', key, '--from', from, '--to', to])
    const { verdict, differences } = await page.json(`/t/Orders/i/${key}.json?between=${from}&and=${to}`)
    expect([verdict.confidence, differences.length]).toEqual([json.confidence, json.differences.length])
  })
})

describe('a change that is not what its hash says', () => {
  const WORDS = 'ALTERED: the new image is not what its hash says'

  it('says so beside the list of the table, in the list of its item, printed or not, and by itself', async () => {
    const { changes } = await page.json('/t/Orders/i/BAD.json')
    const [{ event_id: id }] = changes
    for (const path of [`/t/Orders/changes?row=${id}`, `/t/Orders/e/${id}`])
      expect(await page.text(path)).toContain(WORDS)
    const list = /<table class="wide">.*?<\/table>/s.exec(await page.text('/t/Orders/i/BAD'))?.[0]
    expect(list).toContain(WORDS)
    expect(await page.text(`/t/Orders/changes?row=${changes[1].event_id}`)).not.toContain(WORDS)
  })

  it.each(['GAP', 'BAD', 'OLD'])('gives the verdict of history: %s', async key => {
    const { json, exit } = await asked(['history', 'Orders', key])
    const { verdict } = await page.json(`/t/Orders/i/${key}.json`)
    expect([verdict.confidence, verdict.doubtful]).toEqual([json.confidence, exit !== 0])
    // what to do next, as the command line ends
    const { err } = await run(['history', 'Orders', key, '--archive', root], { columns: 500 })
    const advice = err.split('\n').filter(line => line.includes(': itemtrail '))
    const html = await page.text(`/t/Orders/i/${key}`)
    for (const line of advice) expect(html).toContain(`<p>${line}</p>`)
    expect(advice.length > 0).toBe(exit !== 0)
  })
})

describe('the command that a screen tells', () => {
  const split = (command: string) =>
    execFileSync('bash', ['-c', `set -- ${command}; printf '%s\\0' "$@"`], { encoding: 'utf8' })
      .split('\0')
      .slice(1, -1)
  const [from, to] = ['2026-11-22T10:30:00Z', '2026-11-23T00:00:00Z']

  it.each([
    '/t/Orders/i/GAP',
    '/t/Orders/i/BAD',
    `/t/Orders/i/BAD?at=${to}`,
    `/t/Orders/i/BAD?between=${from}&and=${to}`,
    `/t/Orders/i/GAP?attr=n&from=${from}`,
    '/t/Orders/e/EVENT',
    `/t/Orders/as-of/${from}`,
    '/t/Orders/changes',
    '/t/Orders',
    '/q/deletions?table=Orders',
    '/q/item-history?table=Orders&item_key=BAD',
    `/q/changes-between?table=Orders&from=${from}&to=${to}`,
  ])('gives the same verdict, and ends by it: %s', async path => {
    const [{ event_id: id }] = (await page.json('/t/Orders/i/BAD.json')).changes
    const [before, search = ''] = path.replace('EVENT', id).split('?')
    const { command, verdict } = await page.json(`${before}.json?${search}`)
    const { exit, out } = await run([...split(command), '--format', 'json'])
    const answer = JSON.parse(out)
    expect([command, verdict.confidence]).toEqual([command, answer.verdict?.confidence ?? answer.confidence])
    expect([command, verdict.doubtful]).toEqual([command, exit !== 0])
  })
})

describe('an item that was never seen', () => {
  it('is told with how sure that is, and the keys that come near', async () => {
    const { err } = await asked(['history', 'Orders', 'GAPS'])
    const { hint, error } = await page.json('/t/Orders/i/GAPS.json')
    expect(err.replaceAll(/\s+/g, ' ')).toContain(error)
    const [told, meant] = (hint as string).split('; did you mean ')
    expect(err.replaceAll(/\s+/g, ' ')).toContain(told)
    expect(meant).toMatch(/^GAP\b/)
    expect((await page.get('/t/Orders/i/GAPS')).status).toBe(404)
  })
})

describe('an answer that is doubtful though no change is known to be missing', () => {
  it.each([
    ['/t/Orders/as-of/2026-11-01T00:00:00Z', ['as-of', 'Orders', '2026-11-01T00:00:00Z']],
    [
      '/q/deletions?table=Orders&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z',
      ['query', 'deletions', 'Orders', '--param', 'from=2026-01-01T00:00:00Z', '--param', 'to=2026-01-02T00:00:00Z'],
    ],
  ] as const)('says so beside its word: %s', async (path, argv) => {
    const folder = temporaryFolder()
    await writeRows(folder, rowsOfRecord(change('A', '22T10:00:00', undefined, state(1))))
    const sound = await browse(folder)
    const { exit } = await run([...argv, '--archive', folder, '--format', 'json'])
    expect(exit).not.toBe(0)
    expect(/class="bar".*?<\/div>/s.exec(await sound.text(path))?.[0]).toContain('DOUBTFUL')
    await sound.close()
  })
})
