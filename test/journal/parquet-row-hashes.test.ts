import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import * as zlib from 'node:zlib'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PartialFile, rowHashesOfParquet } from '../../journal/parquet-row-hashes.js'
import { rowHashesOfFile } from '../../journal/row-hashes.js'
import { rootOf } from '../../proof/tree.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'

let folder: string
let instance: DuckDBInstance
let connection: DuckDBConnection
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'itemtrail-parquet-'))
  instance = await openDuckDb()
  connection = await instance.connect()
})
afterAll(() => {
  connection.closeSync()
  instance.closeSync()
  rmSync(folder, { recursive: true, force: true })
})

/** A file of which only the parts that are asked for are read. */
function partsOf(path: string): PartialFile {
  return {
    bytes: statSync(path).size,
    async read(from: number, to: number) {
      const piece = Buffer.alloc(to - from)
      const file = openSync(path, 'r')
      readSync(file, piece, 0, piece.length, from)
      closeSync(file)
      return piece
    },
  }
}

const ROWS = `sha256(i::varchar) as row_hash, 1795910400000000 - (i * 7919) % 100003 as event_time_us, repeat('image', 9) as new_image`

async function written(name: string, rows: string, options: string): Promise<string> {
  const path = join(folder, name)
  await connection.run(`copy (${rows}) to '${path}' (format parquet, ${options})`)
  return path
}

const summary = (found: Awaited<ReturnType<typeof rowHashesOfParquet>>) =>
  found && { rows: found.hashes.length, root: rootOf(found.hashes).toString('hex'), min: found.minUs, max: found.maxUs }

/** What both readers say of a file, which is the same. */
async function saidByBoth(path: string) {
  const [ours, duckDb] = [await rowHashesOfParquet(partsOf(path)), await rowHashesOfFile(instance, path)]
  expect(summary(ours)).toEqual(summary(duckDb))
  return summary(ours)
}

describe('the rows of a Parquet file', () => {
  const range = (count: number) => `select ${ROWS} from range(${count}) t(i)`

  it.each([
    ['by Snappy, as Firehose does it', range(5000), 'compression snappy', 5000],
    ['in row groups', range(50_000), 'compression snappy, row_group_size 20000', 50_000],
    ['not at all', range(300), 'compression uncompressed', 300],
    ['by gzip', range(300), 'compression gzip', 300],
    ['by Brotli', range(300), 'compression brotli', 300],
    ['in pages of version 2', range(3000), 'compression snappy, parquet_version v2', 3000],
    [
      'with a dictionary',
      `select ${ROWS.replaceAll('i::', '(i % 3)::')} from range(4000) t(i)`,
      'compression snappy',
      4000,
    ],
    ['with no row', `${range(1)} where false`, 'compression snappy', 0],
  ])('compressed %s have one root in both readers', async (_, rows, options, count) => {
    expect(await saidByBoth(await written('compressed.parquet', rows, options))).toMatchObject({ rows: count })
  })

  it('compressed by Zstandard are read where Node can, and else refused, never taken for unreadable', async () => {
    const path = await written('zstd.parquet', range(50_000), 'compression zstd, row_group_size 20000')
    if ('zstdDecompressSync' in zlib) expect(await saidByBoth(path)).toMatchObject({ rows: 50_000 })
    else await expect(rowHashesOfParquet(partsOf(path))).rejects.toThrow('compressed by Zstandard, which Node')
  })

  it('compressed as nobody of ours does it are left out, so that the object is sealed by its bytes alone', async () => {
    const path = await written('lz4.parquet', range(300), 'compression lz4_raw')
    expect(await rowHashesOfParquet(partsOf(path))).toBeUndefined()
  })

  it.each([
    ['has another column', 'select 1 as n'],
    ['has no times', `select sha256('a') as row_hash`],
    ['has a hash that is none', `select 'abc' as row_hash, 1::bigint as event_time_us`],
    ['has a row without a hash', `select null::varchar as row_hash, 1::bigint as event_time_us`],
    ['has hashes in upper case', `select upper(sha256('a')) as row_hash, 1::bigint as event_time_us`],
  ])('are unknown to both readers where it %s', async (_, rows) => {
    expect(await saidByBoth(await written('odd.parquet', rows, 'compression snappy'))).toBeUndefined()
  })

  it('are unknown to both readers where it is no Parquet, empty or cut off', async () => {
    const whole = readFileSync(await written('whole.parquet', range(5000), 'compression snappy'))
    const path = join(folder, 'broken.parquet')
    for (const bytes of [Buffer.from('no Parquet'), Buffer.alloc(0), whole.subarray(0, 9000), whole.subarray(9000)]) {
      writeFileSync(path, bytes)
      expect(await saidByBoth(path)).toBeUndefined()
    }
  })

  it('are not taken for unreadable where a part could not be had', async () => {
    const path = await written('far.parquet', range(5000), 'compression snappy')
    const far = { bytes: statSync(path).size, read: () => Promise.reject(new Error('the network is down')) }
    await expect(rowHashesOfParquet(far)).rejects.toThrow('the network is down')
  })
})
