import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { receiptHash } from '../../queries/answers/receipt-hash.js'
import { temporaryFolder } from '../delivery/desk.js'
import { run } from './command-line.js'

const CASE = fileURLToPath(new URL('../fixtures/cases/baseline-lacks-an-item/', import.meta.url))
const [BEFORE, AFTER] = ['2025-11-20T02:00:00Z', '2025-11-21T02:00:00Z'] as const

/** Two exports and no change between: `i0` is not in the second, `i3` is another there, `i5` is new. */
describe('an archive of two complete baselines', () => {
  let place: readonly string[]
  beforeAll(async () => {
    place = ['--archive', join(temporaryFolder(), 'archive'), '--config', join(CASE, 'itemtrail.config.json')]
    for (const folder of ['first/AWSDynamoDB/01763600100000-a0000000', 'second/AWSDynamoDB/01763686500000-b0000000'])
      expect(await run(['baseline', 'Things', '--export', join(CASE, folder), ...place])).toMatchObject({ exit: 0 })
  })
  const query = (name: string, ...parameters: readonly string[]) =>
    run(['query', name, 'Things', ...parameters.flatMap(each => ['--param', each]), ...place, '--format', 'json'])

  const askedOfRows = async (name: string, ...parameters: readonly string[]) =>
    JSON.parse((await query(name, ...parameters)).out).rows as readonly Readonly<Record<string, string>>[]

  it('knows with table-as-of and diff-of-table that an item is gone, as as-of and diff do', async () => {
    const keysOf = (rows: readonly Readonly<Record<string, unknown>>[]) =>
      rows.map(({ item_key }) => (typeof item_key === 'string' ? item_key : JSON.stringify(item_key)))
    const asOf = JSON.parse((await run(['as-of', 'Things', AFTER, ...place, '--format', 'json'])).out)
    const table = await askedOfRows('table-as-of', `at=${AFTER}`)
    expect(keysOf(table)).toHaveLength(5)
    expect(keysOf(table).join()).not.toContain('i0')
    expect(keysOf(table)).toEqual(keysOf(asOf.rows))
    expect(keysOf(await askedOfRows('table-as-of', `at=${BEFORE}`)).join()).toContain('i0')
    const differences = await askedOfRows('diff-of-table', `from=${BEFORE}`, `to=${AFTER}`)
    expect(differences.map(({ item_key, difference }) => [String(item_key).match(/i\d/)?.[0], difference])).toEqual([
      ['i0', 'removed'],
      ['i3', 'changed'],
      // the second baseline found it there; when it was made nobody tells
      ['i5', 'unknown'],
    ])
  })

  it('says of an item that a later baseline lacks that what is missing came after what it was', async () => {
    const { out } = await run(['as-of', 'Things', 'i0', BEFORE, ...place])
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(/state after BASELINE .*; changes after it are missing, so/)
    expect(out).not.toContain('undefined')
  })

  it('says with first-and-last-seen that baselines know of an item that is gone', async () => {
    const { exit, err } = await query('first-and-last-seen')
    expect(exit).toBe(1)
    expect(err.replaceAll(/\s+/g, ' ')).toMatch(/complete baselines say otherwise of 1 item.*"i0"/)
  })

  it('takes no word but that of its facts for what is gone, from nobody and from no receipt', async () => {
    const given = await query('table-as-of', `at=${AFTER}`, 'gone={}')
    expect([given.exit, given.out]).toEqual([2, ''])
    expect(given.err).toContain("parameter gone is what the archive's facts say, leave it out")
    const path = join(temporaryFolder(), 'receipt.json')
    await run([
      'query',
      'table-as-of',
      'Things',
      '--param',
      `at=${AFTER}`,
      ...place,
      '--format',
      'json',
      '--receipt',
      path,
    ])
    expect(await run(['rerun', path, ...place])).toMatchObject({ out: expect.stringContaining('same') })
    // a receipt whose maker would have an item be gone
    const [{ event_time_us, item_key }] = (await askedOfRows('table-as-of', `at=${AFTER}`)) as [Record<string, string>]
    const receipt = JSON.parse(readFileSync(path, 'utf8'))
    const hide = (value: unknown) => JSON.stringify({ [`${event_time_us} ${item_key}`]: value })
    const forge = (pair: readonly [string, string]) => (pair[0] === 'gone' ? ['gone', hide(1)] : pair)
    receipt.question.parameters = receipt.question.parameters.map(forge)
    receipt.statement.values[receipt.statement.placeholders.indexOf('gone')] = hide(1)
    writeFileSync(path, JSON.stringify({ ...receipt, receipt_sha256: receiptHash(receipt) }))
    const forged = await run(['rerun', path, ...place])
    expect(`${forged.out}${forged.err}`.replaceAll(/\s+/g, ' ')).toContain('facts say otherwise by now: gone was')
  })

  it('says nothing of a moment at which no baseline contradicts', async () => {
    expect(await query('table-as-of', `at=${BEFORE}`)).toMatchObject({
      // what the second baseline does not fit was changed at an unknown time before it
      exit: 1,
      err: expect.not.stringContaining('otherwise'),
    })
  })

  it('takes no row of a baseline for a change', async () => {
    for (const name of ['activity-by-day', 'volume-by-hour', 'hot-items'])
      expect([name, JSON.parse((await query(name)).out)]).toMatchObject([name, { rows: [] }])
    const between = await query('changes-between', `from=${BEFORE}`, `to=${AFTER}`)
    expect(JSON.parse(between.out)).toMatchObject({ rows: [], verdict: { confidence: 'GAP' } })
    const { out } = await run(['status', ...place, '--format', 'json'])
    expect(JSON.parse(out)).toMatchObject({ tables: [{ table: 'Things', changes: 0, baseline_rows: 10 }] })
    const history = await run(['history', 'Things', 'i3', ...place])
    expect(history.out).toContain('0 changes, seen by 2 baselines')
    expect(history.out).not.toMatch(/^ +\+ /m)
  })

  it('refuses an attribute that no item ever had, with the nearest, and a period that runs backwards', async () => {
    const unknown = await query('changes-by-attribute', 'attribute=satus')
    expect([unknown.exit, unknown.out]).toEqual([2, ''])
    expect(unknown.err).toContain('attribute is "satus", which no item ever had, expected an attribute such as')
    const swapped = await query('diff-of-table', `from=${AFTER}`, `to=${BEFORE}`)
    expect([swapped.exit, swapped.out]).toEqual([2, ''])
    expect(swapped.err).toContain('which is after to')
  })
})
