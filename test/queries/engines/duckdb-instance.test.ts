import { describe, expect, it } from 'vitest'
import { openDuckDb } from '../../../queries/engines/duckdb-instance.js'

describe('a DuckDB', () => {
  it('gives back what it frees, and fetches nothing', async () => {
    const instance = await openDuckDb()
    const connection = await instance.connect()
    const answer = await connection.runAndReadAll(
      `select current_setting('allocator_background_threads'), current_setting('autoinstall_known_extensions')`,
    )
    expect(answer.getRows()).toEqual([[true, false]])
    connection.closeSync()
    instance.closeSync()
  })

  it('reads a table once where a window is over all rows of a group', async () => {
    const instance = await openDuckDb()
    const connection = await instance.connect()
    await connection.run('create table t as select i // 3 as a, i as b from range(100) as r(i)')
    const plan = await connection.runAndReadAll('explain select *, min(b) over (partition by a) from t')
    expect(JSON.stringify(plan.getRows()).match(/SEQ_SCAN/g)).toHaveLength(1)
    connection.closeSync()
    instance.closeSync()
  })
})
