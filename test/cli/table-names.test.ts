import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, run } from './command-line.js'

const CASES = new URL('../fixtures/cases/', import.meta.url)

async function ingested(name: string): Promise<(...argv: string[]) => ReturnType<typeof run>> {
  const root = join(makeFolder(), 'archive')
  const ask = (...argv: string[]) => run([...argv, '--archive', root])
  expect(await ask('ingest', new URL(name, CASES).pathname)).toMatchObject({ exit: 0 })
  return ask
}

async function expectChanges(ask: Awaited<ReturnType<typeof ingested>>, table: string, key: string, changes: number) {
  const { exit, out } = await ask('history', table, key, '--format', 'json')
  expect({ exit, ...JSON.parse(out) }).toMatchObject({ exit: 0, confidence: 'UNBROKEN' })
  expect(JSON.parse(out).changes).toHaveLength(changes)
}

async function expectWhole(ask: Awaited<ReturnType<typeof ingested>>, tables: Readonly<Record<string, number>>) {
  const { exit, out } = await ask('status', '--format', 'json')
  const told = JSON.parse(out).tables.map((one: { table: string; changes: number }) => [one.table, one.changes])
  expect({ exit, told: Object.fromEntries(told) }).toEqual({ exit: 0, told: tables })
  expect(await ask('verify', 'continuity')).toMatchObject({ exit: 0 })
  expect(await ask('verify', 'rows')).toMatchObject({ exit: 0 })
}

describe('a table whose name', () => {
  it('begins with "_" or "." is in every answer', async () => {
    const ask = await ingested('table-name-begins-with-underscore/changes.jsonl')
    await expectChanges(ask, '_sessions', 's1', 2)
    await expectChanges(ask, '.hidden', 'h1', 1)
    await expectWhole(ask, { _sessions: 2, '.hidden': 1 })
  })

  it('is a word of SQL, or begins with a digit, can be asked', async () => {
    const ask = await ingested('table-name-needs-quotes/changes.jsonl')
    await expectChanges(ask, 'Order', 'o1', 1)
    await expectChanges(ask, '2fa-tokens', 't1', 1)
    await expectWhole(ask, { Customers: 1, Order: 1, '2fa-tokens': 1 })
    const { exit, out } = await ask('sql', 'select count(*) as n from "order"', '--format', 'ndjson')
    expect({ exit, out: out.trim() }).toEqual({ exit: 0, out: '{"n":1}' })
  })

  it('has 255 characters costs no other its changes', async () => {
    const ask = await ingested('table-name-of-255/changes.jsonl')
    const long = 'a'.repeat(255)
    const tables = JSON.parse((await ask('status', '--format', 'json')).out).tables as { table: string }[]
    const other = tables.find(({ table }) => table.length === 255)?.table ?? long
    await expectWhole(ask, { Customers: 1, [other]: 1 })
  })

  it('comes to that of another in SQL has one of its own, and both can be asked', async () => {
    const ask = await ingested('table-names-collide-on-a-desk/changes.jsonl')
    await expectChanges(ask, 'my.table', 'a', 1)
    await expectChanges(ask, 'my-table', 'b', 1)
    await expectChanges(ask, 'Customers', 'c1', 1)
    await expectWhole(ask, { 'my.table': 1, 'my-table': 1, Customers: 1 })
    const { out } = await ask('sql', 'select item_key from my_table_f2807d1e', '--format', 'ndjson')
    expect(out).toContain('\\"a\\"')
  })

  it('differs from that of another by case alone is another table', async () => {
    const ask = await ingested('table-names-collide-on-a-desk/case.jsonl')
    const { out } = await ask('status', '--format', 'json')
    expect(JSON.parse(out).tables.map(({ table }: { table: string }) => table)).toEqual(['Orders', 'orders'])
    expect(await ask('verify', 'continuity')).toMatchObject({ exit: 0 })
    expect(await ask('history', 'ORDERS', 'a')).toMatchObject({ exit: 2 })
  })
})

describe('a table that cannot be read', () => {
  it('is named by status and verify, and costs no other its answer', async () => {
    const root = join(makeFolder(), 'archive')
    const ask = (...argv: string[]) => run([...argv, '--archive', root])
    await ask('ingest', new URL('table-name-needs-quotes/changes.jsonl', CASES).pathname)
    const day = join(root, 'data', 'Order', 'event_date=2025-11-24')
    writeFileSync(join(day, 'damaged.parquet'), 'no Parquet')
    expect(await ask('history', 'Customers', 'c1')).toMatchObject({ exit: 0 })
    const { exit, out, err } = await ask('status')
    expect({ exit, out: out.includes('Customers') && out.includes('2fa-tokens') }).toEqual({ exit: 3, out: true })
    expect(err).toContain('table Order cannot be read')
    for (const what of ['continuity', 'rows']) {
      const verified = await ask('verify', what)
      expect(verified).toMatchObject({ exit: 3 })
      expect(verified.err).toContain('table Order cannot be read')
      expect(verified.out).toContain('Customers')
    }
    expect(await ask('history', 'Order', 'o1')).toMatchObject({ exit: 3 })
    const sql = await ask('sql', 'select count(*) as n from customers')
    expect(sql).toMatchObject({ exit: 0 })
  })
})
