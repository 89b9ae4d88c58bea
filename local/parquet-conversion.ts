import type { DuckDBConnection } from '@duckdb/node-api'
import { type Column, duckDbType } from '../transform/audit-row.js'

/** Turns row lines into Parquet, as Firehose does by the Glue table: same columns, same types. */
export class ParquetConverter {
  private constructor(private readonly connection: DuckDBConnection) {}

  static async create(): Promise<ParquetConverter> {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    // one thread and a bounded memory: the desk's other work goes on beside it
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '512MB' })
    const connection = await instance.connect()
    await connection.run("set TimeZone = 'UTC'")
    return new ParquetConverter(connection)
  }

  /**
   * Writes the rows of a file of row lines, each checked by `checkRowLine`, as one Parquet file.
   * Throws unless every one of `expected` lines became a row.
   */
  async convert(linesPath: string, parquetPath: string, columns: readonly Column[], expected: number): Promise<void> {
    const rows = await this.connection.runAndReadAll(copyStatement(linesPath, parquetPath, columns))
    const written = Number(rows.getRows()[0]?.[0])
    if (written !== expected) throw new Error(`${linesPath} has ${expected} rows, ${written} were converted to Parquet`)
  }

  close(): void {
    this.connection.closeSync()
  }
}

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
  ) to ${quoted(parquetPath)} (format parquet, compression zstd)`
}

/** A text as an SQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
