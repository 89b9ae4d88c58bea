import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StateStore } from '../../restore/state-store.js'

async function rowsOf(store: StateStore, sql: string): Promise<readonly unknown[]> {
  const rows: unknown[] = []
  for await (const row of store.stream(sql)) rows.push(row)
  return rows
}

describe('a state store', () => {
  it('keeps states of both sets on disk until it is removed', async () => {
    const store = await StateStore.open()
    const states = Array.from({ length: 25_000 }, (_, i) => ({ itemKey: `key ${i}`, hash: `${i}`, image: null }))
    for (const state of states) store.add(state)
    store.add({ itemKey: '\u{1f600}\u0001', hash: null, image: null }, 'told_before')
    store.seal()
    store.seal()
    expect(await store.countRepeated()).toBe(0)
    const all = 'select count(*) as states, count(distinct hash) as hashes, max(image) as image from told'
    expect(await rowsOf(store, all)).toEqual([{ states: 25_000n, hashes: 25_000n, image: null }])
    expect(await rowsOf(store, 'select item_key from told_before')).toEqual([{ item_key: '\u{1f600}\u0001' }])
    store.remove()
    expect(existsSync(store.folder)).toBe(false)
  })

  it('takes what a killed process left behind away, and nothing of one that runs', async () => {
    // no process has this number: Linux ends at 4,194,304
    const [gone, running] = [99_999_999, process.pid].map(pid => join(tmpdir(), `itemtrail-states-${pid}-test`)) as [
      string,
      string,
    ]
    for (const folder of [gone, running]) mkdirSync(folder, { recursive: true })
    const store = await StateStore.open()
    expect([existsSync(gone), existsSync(running)]).toEqual([false, true])
    store.remove()
    rmSync(running, { recursive: true })
  })
})
