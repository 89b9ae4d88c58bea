import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { alterRows, parquetUnder } from '../store/altering.js'
import { makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'

const ALTERED = 'ALTERED: the image of 4b422425 (2026-11-18 16:40:03Z) is not what its hash says'
const SIXTH = "event_id like '4b422425%'"

describe('an answer holds what it shows against its own hashes', () => {
  const whole = join(makeFolder(), 'archive')
  beforeAll(async () => {
    await run(['ingest', ORDERS, '--archive', whole, '--config', ORDERS_CONFIG])
  })
  /** The demo's archive, with columns of some of ORD12345's rows set to something else. */
  const alteredArchive = async (columns: Readonly<Record<string, string>>, where = SIXTH) => {
    const root = join(makeFolder(), 'archive')
    cpSync(whole, root, { recursive: true })
    expect(await alterRows(parquetUnder(join(root, 'data/Orders/event_date=2026-11-18')), columns, where)).toBe(1)
    const ask = (...argv: readonly string[]) => run([...argv, '--archive', root, '--config', ORDERS_CONFIG])
    return { root, ask }
  }
  const cheaper = { new_image: `replace(new_image, '"total":{"N":"138.05"}', '"total":{"N":"1.00"}')` }

  it('says ALTERED of an item, in history, as-of and diff, and ends with 1', async () => {
    const { ask } = await alteredArchive(cheaper)
    const history = await ask('history', 'Orders', 'ORD12345')
    expect([history.exit, history.out, history.err]).toEqual([
      1,
      expect.stringContaining(ALTERED),
      expect.stringContaining('itemtrail verify rows Orders'),
    ])
    expect(history.out).toContain('⚠ ALTERED: the new image is not what its hash says')
    const asOf = await ask('as-of', 'Orders', 'ORD12345', '2026-11-18T17:00:00Z')
    expect([asOf.exit, asOf.out]).toEqual([1, expect.stringContaining(ALTERED)])
    const from = ['--from', '2026-11-18T17:00:00Z']
    const diff = await ask('diff', 'Orders', 'ORD12345', ...from, '--to', '2026-11-20T12:00:00Z')
    expect([diff.exit, diff.out]).toEqual([1, expect.stringContaining(ALTERED)])
    const json = JSON.parse((await ask('history', 'Orders', 'ORD12345', '--format', 'json')).out)
    expect(json).toMatchObject({ confidence: 'ALTERED' })
    expect(json.changes[5]).toMatchObject({ altered: ['new_image'] })
  })

  it('leaves answers alone in which the image has no part', async () => {
    const { ask } = await alteredArchive(cheaper)
    const later = await ask('as-of', 'Orders', 'ORD12345', '2026-11-20T12:00:00Z')
    expect([later.exit, later.out]).toEqual([0, expect.stringContaining('UNBROKEN')])
  })

  it('says ALTERED of one item of a table, and counts it', async () => {
    const { ask } = await alteredArchive(cheaper)
    const { exit, out, err } = await ask('as-of', 'Orders', '2026-11-18T17:00:00Z', '--format', 'ndjson')
    const altered = out.split('\n').filter(line => line.includes('"ALTERED"'))
    expect([exit, altered.length, err]).toEqual([
      1,
      1,
      expect.stringContaining('1 altered: itemtrail verify rows Orders'),
    ])
    expect(altered[0]).toContain('ORD12345')
  })

  it('says it under a saved query and SQL that show images with their hashes', async () => {
    const { ask } = await alteredArchive(cheaper)
    const period = ['--param', 'from=2026-11-18T16:00:00Z', '--param', 'to=2026-11-18T17:00:00Z']
    for (const question of [
      ['query', 'changes-between', ...period],
      ['query', 'table-as-of', '--param', 'at=2026-11-18T17:00:00Z'],
      ['query', 'item-as-of', '--param', 'item_key=ORD12345', '--param', 'at=2026-11-18T17:00:00Z'],
      [
        'query',
        'items-as-of',
        '--param',
        'column=status',
        '--param',
        'value=PICKED',
        '--param',
        'at=2026-11-18T17:00:00Z',
      ],
      ['query', 'item-history', '--param', 'item_key=ORD12345'],
      ['sql', `select new_image, new_hash from orders where ${SIXTH}`],
    ]) {
      const { exit, err } = await ask(...question)
      expect([question[1], exit, err]).toEqual([
        question[1],
        1,
        expect.stringMatching(/ALTERED: 1 image of the answer is/),
      ])
    }
  })

  it('restores nothing of it, whatever is accepted', async () => {
    const { ask } = await alteredArchive(cheaper)
    const accepted = ['GAP', 'CONFLICT', 'LATE', 'LOST'].flatMap(doubt => ['--accept', doubt])
    const restore = ['--as-of', '2026-11-18T17:00:00Z', '--against', 'archive', '--format', 'json', ...accepted]
    for (const key of [['ORD12345'], []]) {
      const { out } = await ask('restore', 'Orders', ...key, ...restore)
      const { items } = JSON.parse(out)
      const item = items.find((planned: object) => JSON.stringify(planned).includes('ORD12345'))
      expect(item).toMatchObject({ action: 'skip', reason: expect.stringContaining('ALTERED') })
    }
    expect(await ask('restore', 'Orders', '--as-of', '2026-11-18T17:00:00Z', '--accept', 'ALTERED')).toMatchObject({
      exit: 2,
    })
  })

  it('tells the library', async () => {
    const { root } = await alteredArchive(cheaper)
    await using archive = await openArchive(root)
    const found = await archive.history('Orders', 'ORD12345')
    expect(found.confidence).toBe('ALTERED')
    expect(found.changes[5]?.altered).toEqual([{ part: 'new_image', unreadable: null }])
    expect(await archive.asOf('Orders', 'ORD12345', '2026-11-18T17:00:00Z')).toMatchObject({ confidence: 'ALTERED' })
    const answer = await archive.run('item-history', 'Orders', { item_key: 'ORD12345' })
    expect(answer.alteredImages()).toBe(1)
  })

  it.each([
    ['is no JSON', `'{"order_id":'`],
    ['is no item', `'{"order_id":1}'`],
    ['is nested 100,000 deep', `'{"a":' || repeat('{"L":[', 100000) || '{"NULL":true}' || repeat(']}', 100000) || '}'`],
  ])('says in a sentence that an image %s', async (_, image) => {
    for (const hash of ['new_hash', `sha256(${image})`]) {
      const { ask } = await alteredArchive({ new_image: image, new_hash: hash })
      for (const [exit, ...question] of [
        [1, 'history', 'Orders', 'ORD12345'],
        [3, 'as-of', 'Orders', 'ORD12345', '2026-11-18T17:00:00Z'],
        [3, 'as-of', 'Orders', '2026-11-18T17:00:00Z'],
        [3, 'diff', 'Orders', 'ORD12345', '--from', '2026-11-18T17:00:00Z'],
      ] as const) {
        const answer = await ask(...question)
        expect([answer.exit, `${answer.out}${answer.err}`]).toEqual([
          exit,
          expect.stringMatching(/ALTERED|unknown|not known/),
        ])
        expect(answer.err).not.toMatch(/\bat .*\.[jt]s:\d+/)
      }
    }
  })

  it('says it of a row whose leaf is another', async () => {
    const { ask } = await alteredArchive({ actor: "'somebody'" })
    const { exit, out } = await ask('history', 'Orders', 'ORD12345')
    expect([exit, out]).toEqual([
      1,
      expect.stringContaining('ALTERED: change 4b422425 (2026-11-18 16:40:03Z) is not what its row_hash says'),
    ])
    // it may have been another change at another time
    expect(await ask('as-of', 'Orders', 'ORD12345', '2026-11-20T12:00:00Z')).toMatchObject({ exit: 1 })
  })

  it('says UNCHECKED of a row of a later version, which nobody here can hold against its hashes, and ends with 3', async () => {
    const later = { row_version: "'audit-row/v9'", row_hash: "repeat('9', 64)", actor: "'of another meaning'" }
    const { ask } = await alteredArchive(later)
    const unchecked = 'UNCHECKED: change 4b422425 (2026-11-18 16:40:03Z) was written by a later itemtrail'
    const [from, to] = ['2026-11-18T17:00:00Z', '2026-11-20T12:00:00Z']
    for (const question of [['history'], ['as-of', from], ['diff', '--from', from, '--to', to]]) {
      const [name = '', ...rest] = question
      const { exit, out, err } = await ask(name, 'Orders', 'ORD12345', ...rest)
      expect([name, exit, out, err]).toEqual([
        name,
        3,
        expect.stringContaining(unchecked),
        expect.stringContaining('itemtrail verify rows Orders'),
      ])
      expect(out).not.toContain('ALTERED')
    }
    const history = JSON.parse((await ask('history', 'Orders', 'ORD12345', '--format', 'json')).out)
    expect([history.confidence, history.changes[5].altered]).toEqual(['UNCHECKED', ['unknown_version']])
    const table = await ask('as-of', 'Orders', from)
    expect([table.exit, table.out, table.err]).toEqual([
      3,
      expect.stringMatching(/^UNCHECKED: .*, 1 UNCHECKED, 313 UNBROKEN/m),
      expect.stringContaining('1 unchecked: a later itemtrail wrote rows of them'),
    ])
    const rows = await ask('query', 'altered-rows', 'Orders', '--format', 'json')
    const { rows: found, verdict } = JSON.parse(rows.out)
    expect([rows.exit, found, verdict.tables[0].altered_rows, verdict.tables[0].unchecked_rows]).toEqual([
      3,
      [expect.objectContaining({ altered: 'unknown_version', expected_hash: '9'.repeat(64), found_hash: null })],
      0,
      1,
    ])
    const plan = await ask('restore', 'Orders', 'ORD12345', '--as-of', from, '--against', 'archive', '--format', 'json')
    expect(JSON.parse(plan.out).items).toMatchObject([{ action: 'skip', reason: expect.stringContaining('UNCHECKED') }])
  })

  it('says ALTERED of a row that has the hash of a version that is known, whatever it claims, and of no version', async () => {
    for (const version of ["'audit-row/v9'", "'audit-row/v0'", "''"]) {
      const { ask } = await alteredArchive({ row_version: version })
      const { exit, out } = await ask('history', 'Orders', 'ORD12345')
      expect([exit, out]).toEqual([1, expect.stringContaining('is not what its row_hash says')])
      const rows = await ask('query', 'altered-rows', 'Orders', '--format', 'json')
      expect(JSON.parse(rows.out).rows).toMatchObject([{ altered: 'row' }])
    }
  })
})
