import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { objectsOfEvents } from '../../evidence/event-index.js'
import { proveEvent } from '../../evidence/give-evidence.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { temporaryFolder } from '../delivery/desk.js'
import { IDENTITY, sealFolder } from '../journal/desk-journal.js'
import { alterRows, parquetUnder } from '../store/altering.js'
import { ORDERS_TABLE, ordersArchive } from './sealed-orders.js'

const state = temporaryFolder('state')
vi.stubEnv('XDG_STATE_HOME', state)
afterAll(() => vi.unstubAllEnvs())

/** The only file that is remembered. */
function indexPath(): string {
  const [name, ...more] = readdirSync(join(state, 'itemtrail'))
  expect(more).toEqual([])
  return join(state, 'itemtrail', name as string)
}

async function eventsIn(root: string): Promise<readonly string[]> {
  const instance = await openDuckDb()
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(
    `select event_id from read_parquet('${root}/data/*/*/*.parquet') order by event_id`,
  )
  const ids = reader.getRows().map(([id]) => String(id))
  connection.closeSync()
  instance.closeSync()
  return ids
}

describe('the index of events', () => {
  let root: string
  let events: readonly string[]
  let id: string
  let proof: string

  beforeAll(async () => {
    root = await ordersArchive()
    await sealFolder(root)
    events = await eventsIn(root)
    id = events[Math.floor(events.length / 2)] as string
    proof = (await prove(id))?.proof as string
  })
  beforeEach(() => rmSync(join(state, 'itemtrail'), { recursive: true, force: true }))

  const prove = (event: string, of = root) => proveEvent(of, IDENTITY, ORDERS_TABLE, event)

  it('leads every event to its object, and is made once', async () => {
    await prove(id)
    const { mtimeMs, ino, mode } = statSync(indexPath())
    for (const event of events.filter((_, i) => i % 50 === 0)) expect((await prove(event))?.eventId).toBe(event)
    expect((await prove(id))?.proof).toBe(proof)
    expect((await prove(id.slice(0, 8)))?.proof).toBe(proof)
    expect(statSync(indexPath())).toMatchObject({ mtimeMs, ino })
    expect(mode & 0o777).toBe(0o600)
  })

  it.each<[string, (bytes: Buffer) => Buffer | string]>([
    ['empty', () => ''],
    ['cut off', bytes => bytes.subarray(0, bytes.length - 1)],
    ['of a later version', bytes => bytes.toString('latin1').replace('/v1', '/v2')],
    ['no JSON', bytes => Buffer.concat([Buffer.from('{'), bytes])],
    ['of zeros', bytes => bytes.fill(0, bytes.indexOf('\n') + 1)],
    ['of other objects', bytes => bytes.toString('latin1').replaceAll('data/Orders', 'data/Others')],
    ['of too many rows', bytes => bytes.toString('latin1').replace(/,\d+\]\]/, ',999999999]]')],
  ])('costs time alone where it is %s', async (_, damage) => {
    await prove(id)
    writeFileSync(indexPath(), Buffer.from(damage(readFileSync(indexPath())) as string, 'latin1'))
    expect((await prove(id))?.proof).toBe(proof)
    expect(await prove('f'.repeat(32))).toBeUndefined()
    expect((await prove(id.slice(0, 8)))?.proof).toBe(proof)
  })

  it('takes in what has come, and leaves out what is gone', async () => {
    const copy = join(temporaryFolder(), 'copy')
    cpSync(root, copy, { recursive: true })
    const [first, second] = parquetUnder(join(copy, 'data')) as [string, string]
    const kept = readFileSync(first)
    rmSync(first)
    const [there] = (await eventsIn(copy)) as [string]
    expect((await prove(there, copy))?.eventId).toBe(there)
    writeFileSync(first, kept)
    rmSync(second)
    const left = await eventsIn(copy)
    for (const event of left.filter((_, i) => i % 100 === 0)) expect((await prove(event, copy))?.eventId).toBe(event)
    for (const event of events.filter(each => !left.includes(each)).slice(0, 3))
      expect(await prove(event, copy)).toBeUndefined()
  })

  it('does not hide that an object is another by now', async () => {
    const copy = join(temporaryFolder(), 'copy')
    cpSync(root, copy, { recursive: true })
    await prove(id, copy)
    expect(await alterRows(parquetUnder(copy), { actor: "'mallory'" }, `event_id = '${id}'`)).toBe(1)
    await expect(prove(id, copy)).rejects.toThrow('is another than its row_hash says')
  })

  it('leads to a row beside an object that cannot be read', async () => {
    const copy = join(temporaryFolder(), 'copy')
    cpSync(root, copy, { recursive: true })
    const [first] = parquetUnder(join(copy, 'data')) as [string]
    writeFileSync(first, 'no Parquet')
    expect((await prove(id, copy))?.eventId).toBe(id)
    await expect(prove('f'.repeat(32), copy)).rejects.toThrow(/too small|No magic bytes/)
  })

  it('names objects for many ids as for one', async () => {
    const starts = new Map([
      ['a', Uint32Array.of(1, 2)],
      ['b', Uint32Array.of()],
      ['c', Uint32Array.of(3, 0xffffffff)],
    ])
    const ask = (ids: readonly string[]) =>
      objectsOfEvents({ root, table: 'Other', keys: ['a', 'b', 'c', 'd'] }, ids, async () => starts)
    expect(await ask(['00000001'])).toEqual(['a'])
    expect(await ask(['ffffffff00'])).toEqual(['c'])
    expect(await ask(['0000000', 'x', ''])).toEqual([])
    const many = Array.from({ length: 40 }, (_, i) => i.toString(16).padStart(8, '0'))
    expect(await ask(many)).toEqual(['a', 'c'])
  })
})
