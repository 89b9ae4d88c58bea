/** Queries for the Athena server that a real Trino answers, its answer in Athena's shapes. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ColumnInfo } from '@aws-sdk/client-athena'
import { misplacedParameters } from '../athena-rules.js'
import type { AthenaServer, Outcome } from '../athena-server.js'
import type { TrinoClient } from './client.js'

/** Puts a Trino behind a server of Athena's protocol, which says how a query ended when it ends. */
export function serveTrino(server: AthenaServer, trino: TrinoClient): void {
  Object.assign(server, { answer: answerByTrino(trino), states: [], holdMs: 1000 })
}

/** Runs a query as Athena does: the parameters are literals, which Trino itself reads. */
function answerByTrino(trino: TrinoClient): (sql: string, parameters: readonly string[]) => Promise<Outcome> {
  return async (sql, parameters) => {
    if (misplacedParameters(sql.replaceAll(/--[^\n]*/g, '')).length > 0) {
      return { state: 'FAILED', reason: 'Athena documents ? in WHERE only, and this statement has one elsewhere' }
    }
    const written = UNLOAD.exec(sql)
    if (written !== null) return unload(trino, written, parameters)
    const { names, types, rows, physicalInputBytes } = await trino.run(bound(sql, parameters))
    return {
      state: 'SUCCEEDED',
      columns: types.map((type, i) => columnOf(names[i] as string, type)),
      rows: rows.map(row => row.map((value, i) => (value === null ? null : textOf(value, types[i] as string)))),
      bytesScanned: physicalInputBytes,
    }
  }
}

/** A statement as Trino takes it with literals for its `?`. */
export function bound(sql: string, parameters: readonly string[]): string {
  if (parameters.length === 0) return sql
  return `execute immediate '${sql.replaceAll("'", "''")}' using ${parameters.join(', ')}`
}

const UNLOAD =
  /^unload \(\n([\s\S]*)\n\) to '([^']*)' with \(format = 'PARQUET', compression = 'ZSTD'(, partitioned_by = .*)?\)$/

/**
 * UNLOAD is Athena's own. Here a table is made whose files are then moved to where it would have written, because Trino
 * writes into no table that is not its own. Of the order within a file Trino promises nothing.
 */
async function unload(
  trino: TrinoClient,
  [, query, location = '', partitioned = '']: readonly (string | undefined)[],
  parameters: readonly string[],
): Promise<Outcome> {
  const name = `unloaded_${randomBytes(6).toString('hex')}`
  const { physicalInputBytes } = await trino.run(
    bound(`create table ${name} with (format = 'PARQUET'${partitioned}) as ${query}`, parameters),
  )
  const { rows } = await trino.run(`select distinct "$path" from ${name}`)
  const pathOf = (address: string) => address.slice('local://'.length)
  for (const [address] of rows as readonly (readonly [string])[]) {
    const place = address.split('/').slice(partitioned === '' ? -1 : -2)
    const target = join(pathOf(location), ...place)
    mkdirSync(dirname(target), { recursive: true })
    renameSync(pathOf(address), target)
  }
  await trino.run(`drop table ${name}`)
  return { state: 'SUCCEEDED', columns: [], rows: [], bytesScanned: physicalInputBytes }
}

/** A column with its type as Athena names it: without what it is made of, a decimal's digits aside. */
function columnOf(name: string, type: string): ColumnInfo {
  const [, precision, scale] = /^decimal\((\d+),\s*(\d+)\)$/.exec(type) ?? []
  const bare = type.replace(/\([^)]*\).*$/, '').toLowerCase()
  const known: Readonly<Record<string, string>> = { real: 'float' }
  if (precision === undefined) return { Name: name, Type: known[bare] ?? bare }
  return { Name: name, Type: 'decimal', Precision: Number(precision), Scale: Number(scale) }
}

/** A value as Athena writes it: an array `[a, b]`, a map or a row `{a=1, b=2}`, which cannot be read back for sure. */
function textOf(value: unknown, type: string): string {
  if (value === null) return 'null'
  const [outer, parts] = partsOf(type)
  if (outer === 'array') return `[${(value as unknown[]).map(item => textOf(item, parts[0] as string)).join(', ')}]`
  if (outer === 'map') {
    const entries = Object.entries(value as object)
    return `{${entries.map(([key, item]) => `${key}=${textOf(item, parts[1] as string)}`).join(', ')}}`
  }
  if (outer === 'row') {
    const fields = parts.map(part => part.split(' ') as [string, ...string[]])
    const texts = fields.map(
      ([name, ...of], i) => `${name.replaceAll('"', '')}=${textOf((value as unknown[])[i], of.join(' '))}`,
    )
    return `{${texts.join(', ')}}`
  }
  if (outer === 'varbinary') {
    const hex = Buffer.from(value as string, 'base64').toString('hex')
    return hex.replaceAll(/..(?!$)/g, '$& ')
  }
  if (outer !== 'double') return String(value)
  // as Java writes it
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

/** `map(varchar, array(bigint))` as `map` and its parts. */
function partsOf(type: string): readonly [outer: string, parts: readonly string[]] {
  const open = type.indexOf('(')
  if (open < 0) return [type, []]
  const parts: string[] = ['']
  let depth = 0
  for (const character of type.slice(open + 1, -1)) {
    if (character === '(') depth++
    if (character === ')') depth--
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return [type.slice(0, open), parts.map(part => part.trim())]
}
