/** Athena's protocol over a folder: each statement is run by DuckDB, and answered as Athena words types and values. */
import { join } from 'node:path'
import type { ColumnInfo } from '@aws-sdk/client-athena'
import { DuckDBInstance, type DuckDBType } from '@duckdb/node-api'
import { changesView } from '../queries/engines/changes-view.js'
import { quoted } from '../queries/engines/literal.js'
import { namedAsInDuckDb, TRINO_MACROS } from '../queries/engines/trino-macros.js'
import { AUDIT_COLUMNS } from '../transform/audit-row.js'
import { asksForColumns } from './athena-engine.js'
import { misplacedParameters } from './athena-rules.js'
import type { AthenaServer, Outcome } from './athena-server.js'

/** Answers statements about the table `Orders` of an archive in a folder, which stands for a bucket's. */
export function answerFromFolder(root: string, bucket: string): AthenaServer['answer'] {
  return async (sql, parameters) => {
    if (misplacedParameters(sql.replaceAll(/--[^\n]*/g, '')).length > 0)
      return { state: 'FAILED', reason: 'a ? that is not in WHERE' }
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    try {
      await connection.run(TRINO_MACROS)
      const files = quoted(join(root, 'data/Orders/*/*.parquet'))
      const path = `${quoted(`s3://${bucket}/`)} || regexp_extract(filename, 'data/.*')`
      const rows = `read_parquet(${files}, union_by_name = true, filename = true, hive_types_autocast = false)`
      await connection.run(`create view paths as select * exclude (filename), ${path} as "$path" from ${rows}`)
      await connection.run('create view orders_deliveries as select * exclude ("$path") from paths')
      await connection.run(`create view orders as ${changesView('orders_deliveries', AUDIT_COLUMNS, undefined)}`)
      const text = sql.includes('"$path"') ? sql.replace('"orders_deliveries"', 'paths') : sql
      return outcomeOf(await connection.run(namedAsInDuckDb(text), parameters.map(fromLiteral)), asksForColumns(sql))
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  }
}

function fromLiteral(literal: string): string | number {
  return literal.startsWith("'") ? literal.slice(1, -1).replaceAll("''", "'") : Number(literal)
}

type Result = Awaited<ReturnType<Awaited<ReturnType<DuckDBInstance['connect']>>['run']>>

async function outcomeOf(result: Result, isForColumns: boolean): Promise<Outcome> {
  const types = result.columnTypes()
  const columns = result.columnNames().map((Name, i) => columnOf(Name, types[i] as DuckDBType))
  const rows = isForColumns ? [] : (await result.getRows()).map(row => row.map(textOf))
  return { state: 'SUCCEEDED', columns, rows, bytesScanned: 10 }
}

function columnOf(Name: string, type: DuckDBType): ColumnInfo {
  const text = String(type)
  if (text.endsWith('[]')) return { Name, Type: 'array' }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(text)
  if (decimal !== null) return { Name, Type: 'decimal', Precision: Number(decimal[1]), Scale: Number(decimal[2]) }
  if (text === 'HUGEINT') return { Name, Type: 'bigint' }
  return { Name, Type: text === 'JSON' ? 'varchar' : text.toLowerCase() }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  const text = String(value)
  return text === 'VARCHAR[]' ? 'array(varchar)' : text
}
