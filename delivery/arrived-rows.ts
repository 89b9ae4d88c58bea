import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { chunksOf } from '../queries/engines/duckdb-chunks.js'
import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import { quoted } from '../queries/engines/literal.js'
import type { Objects } from '../store/objects.js'
import { StatesDigest } from '../transform/fact.js'

/** What has arrived of a source: how many items, and the digest of their states. */
export interface Arrived {
  readonly items: number
  readonly digest: string
}

/** Looks at what has arrived of a source, until it is closed. */
export type Arrivals = Pick<ArrivedRows, 'look' | 'close'>

/**
 * The rows of one source that have arrived in a bucket's partition. Each object is read once, from a copy on disk that
 * is gone afterwards, so that memory does not grow with the partition.
 */
export class ArrivedRows {
  private readonly read = new Set<string>()

  private constructor(
    private readonly bucket: Pick<Objects, 'list' | 'open'>,
    private readonly prefix: string,
    private readonly source: string,
    private readonly folder: string,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
  ) {}

  /** `known` are keys of objects that need not be looked at. */
  static async open(
    bucket: Pick<Objects, 'list' | 'open'>,
    prefix: string,
    source: string,
    known: Iterable<string> = [],
  ): Promise<ArrivedRows> {
    const folder = mkdtempSync(join(tmpdir(), 'itemtrail-arrived-'))
    const instance = await openDuckDb(join(folder, 'rows.duckdb'), { threads: '1', memory_limit: '512MB' })
    const connection = await instance.connect()
    await connection.run('create table arrived (item_key varchar, new_hash varchar)')
    const rows = new ArrivedRows(bucket, prefix, source, folder, instance, connection)
    for (const key of known) rows.read.add(key)
    return rows
  }

  /** Looks at the objects that are new, and says what has arrived until now. A row that came twice counts once. */
  async look(): Promise<Arrived> {
    for (const key of await this.bucket.list(this.prefix)) {
      if (this.read.has(key)) continue
      await this.take(await this.bucket.open(key))
      this.read.add(key)
    }
    const digest = new StatesDigest()
    let items = 0
    const result = await this.connection.stream('select distinct item_key, new_hash from arrived')
    for await (const chunk of chunksOf(result)) {
      for (const [key, hash] of chunk.getRows()) digest.add(String(key), String(hash))
      items += chunk.rowCount
    }
    return { items, digest: digest.hex() }
  }

  close(): void {
    this.connection.closeSync()
    this.instance.closeSync()
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async take(object: Uint8Array): Promise<void> {
    const path = join(this.folder, 'object.parquet')
    writeFileSync(path, object)
    await this.connection.run(
      `insert into arrived select item_key, new_hash from read_parquet(${quoted(path)}) where event_name = 'BASELINE' and source = ?`,
      [this.source],
    )
    rmSync(path)
  }
}
