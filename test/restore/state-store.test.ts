import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { attachStates } from '../../restore/reconcile.js'
import { StateStore } from '../../restore/state-store.js'
import { temporaryFolder } from '../delivery/desk.js'

describe('a state store', () => {
  it('keeps states of both sets on disk until it is removed', async () => {
    const store = await StateStore.open()
    const states = Array.from({ length: 25_000 }, (_, i) => ({ itemKey: `key ${i}`, hash: `${i}`, image: null }))
    for (const state of states) store.add(state)
    store.add({ itemKey: '\u{1f600}\u0001', hash: null, image: null }, 'told_before')
    store.seal()
    store.seal()
    const engine = await DuckDbEngine.open(temporaryFolder(), [], { files: true })
    expect(await attachStates(engine, store)).toBe(0)
    const sql = 'select count(*) as states, count(distinct hash) as hashes, max(image) as image from reconciled.told'
    expect([...rowsOf(await engine.run(sql))]).toEqual([{ states: 25_000n, hashes: 25_000n, image: null }])
    expect([...rowsOf(await engine.run('select item_key from reconciled.told_before'))]).toEqual([
      { item_key: '\u{1f600}\u0001' },
    ])
    engine.close()
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
