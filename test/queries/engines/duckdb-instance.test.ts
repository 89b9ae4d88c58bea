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
})
