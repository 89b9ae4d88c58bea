import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { rowHashesAt, rowHashesOfFile } from '../../journal/row-hashes.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { temporaryFolder } from '../delivery/desk.js'
import { randomOf } from '../random.js'

const instance = openDuckDb()
afterAll(async () => (await instance).closeSync())

/** How often a byte is flipped: `ITEMTRAIL_TAMPERINGS=30` for more of it. */
const FLIPS = Number(process.env.ITEMTRAIL_TAMPERINGS ?? 3) * 50

it('reads the rows of a file whose bits were flipped, or says that it cannot', async () => {
  const duckDb = await instance
  const path = join(temporaryFolder(), 'rows.parquet')
  const connection = await duckDb.connect()
  const rows = 'select sha256(i::varchar) as row_hash, 1795910400000000 + i as event_time_us from range(40) t(i)'
  await connection.run(`copy (${rows}) to '${path}' (format parquet, compression snappy)`)
  connection.closeSync()
  const whole = readFileSync(path)
  const random = randomOf(20261129)
  for (let i = 0; i < FLIPS; i++) {
    const bytes = Buffer.from(whole)
    // most of what can be wrong is in the footer
    const at = Math.floor((i % 2 === 0 ? 0.6 + 0.4 * random() : random()) * bytes.length)
    bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8))
    writeFileSync(path, bytes)
    const found = await rowHashesOfFile(duckDb, path).catch((error: Error) => ({ at, error: error.message }))
    if (found !== undefined) expect(found, JSON.stringify(found)).toHaveProperty('hashes')
    const small = await rowHashesAt(duckDb, path).catch((error: Error) => ({ at, error: error.message }))
    if (small !== undefined) expect(small, JSON.stringify(small)).toHaveProperty('hashes')
  }
})

it.each([
  ['snappy', 40],
  ['zstd', 40],
  // what the small reader cannot read
  ['lz4_raw', 40],
  // what is not small
  ['uncompressed', 4000],
  ['snappy', 0],
])('reads a file compressed by %s with %i rows as DuckDB does', async (compression, count) => {
  const duckDb = await instance
  const path = join(temporaryFolder(), 'rows.parquet')
  const connection = await duckDb.connect()
  const rows = `select sha256(i::varchar) as row_hash, 1795910400000000 - i as event_time_us from range(${count}) t(i)`
  await connection.run(`copy (${rows}) to '${path}' (format parquet, compression ${compression})`)
  connection.closeSync()
  const hex = (found: Awaited<ReturnType<typeof rowHashesAt>>) =>
    found && { ...found, hashes: found.hashes.map(one => Buffer.from(one).toString('hex')) }
  const found = hex(await rowHashesAt(duckDb, path))
  expect(found?.hashes).toHaveLength(count)
  expect(found).toEqual(hex(await rowHashesOfFile(duckDb, path)))
})
