import { statSync } from 'node:fs'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { Permits } from '../aws/permits.js'
import { COMPRESSION, openDuckDb } from '../queries/engines/duckdb-instance.js'
import { quoted } from '../queries/engines/literal.js'
import { type Column, duckDbType } from '../transform/audit-row.js'

/** What makes objects of row lines. */
export type RowConverter = Pick<ParquetConverter, 'convert' | 'close'>

/** Turns row lines into Parquet, as Firehose does by the Glue table: same columns, same types. */
export class ParquetConverter {
  private readonly idle: Engine[] = []
  private readonly permits: Permits

  private constructor(first: Engine, atOnce: number) {
    this.idle.push(first)
    this.permits = new Permits(Math.min(atOnce, MOST_ENGINES))
  }

  /** It converts so many files at once; those beyond wait. */
  static async create(atOnce = 1): Promise<ParquetConverter> {
    return new ParquetConverter(await openEngine(), atOnce)
  }

  /**
   * Writes the rows of a file of row lines, each checked by `checkRowLine`, as one Parquet file.
   * Throws unless every one of `expected` lines became a row.
   */
  async convert(linesPath: string, parquetPath: string, columns: readonly Column[], expected: number): Promise<void> {
    await this.permits.use(async () => {
      const engine = await this.engineFor(statSync(linesPath).size)
      try {
        const rows = await engine.connection.runAndReadAll(copyStatement(linesPath, parquetPath, columns))
        const written = Number(rows.getRows()[0]?.[0])
        if (written !== expected)
          throw new Error(`${linesPath} has ${expected} rows, ${written} were converted to Parquet`)
      } finally {
        this.idle.push(engine)
      }
    })
  }

  close(): void {
    for (const engine of this.idle.splice(0)) closeEngine(engine)
  }

  /** Takes another engine before the next large object: one that has made several keeps twice the memory of one. */
  private async engineFor(bytes: number): Promise<Engine> {
    let engine = this.idle.pop()
    if (engine !== undefined && engine.convertedBytes > 0 && engine.convertedBytes + bytes > ENGINE_BYTES) {
      closeEngine(engine)
      engine = undefined
    }
    engine ??= await openEngine()
    engine.convertedBytes += bytes
    return engine
  }
}

/** Each has memory of its own. */
const MOST_ENGINES = 2

/** Bytes of row lines that one engine converts, but for a single larger object. */
const ENGINE_BYTES = 64 * 1024 * 1024

interface Engine {
  readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection
  convertedBytes: number
}

async function openEngine(): Promise<Engine> {
  // one thread and a bounded memory: the desk's other work goes on beside it
  const instance = await openDuckDb(':memory:', { threads: '1', memory_limit: '512MB' })
  const connection = await instance.connect()
  await connection.run("set TimeZone = 'UTC'")
  return { instance, connection, convertedBytes: 0 }
}

function closeEngine({ instance, connection }: Engine): void {
  connection.closeSync()
  instance.closeSync()
}

/** A group is held in memory until it is whole; smaller ones would cost room, and queries read whole groups. */
const ROW_GROUP_ROWS = 20_000

function copyStatement(linesPath: string, parquetPath: string, columns: readonly Column[]): string {
  // everything is read as text and cast, so that the reader has no number or date of its own to guess; and nothing is
  // taken from the path, where a folder above the archive may be called region=us-east-1
  const texts = columns.map(
    ({ name, type }) => `${quoted(name)}: '${type === 'array<string>' ? 'VARCHAR[]' : 'VARCHAR'}'`,
  )
  const casts = columns.map(({ name, type }) => `cast("${name}" as ${duckDbType(type)}) as "${name}"`)
  return `copy (
    select ${casts.join(', ')}
    from read_json(
      ${quoted(linesPath)}, format = 'newline_delimited', hive_partitioning = false, columns = {${texts.join(', ')}}
    )
  ) to ${quoted(parquetPath)} (
    format parquet, ${COMPRESSION}, row_group_size ${ROW_GROUP_ROWS}, write_bloom_filter false
  )`
}
