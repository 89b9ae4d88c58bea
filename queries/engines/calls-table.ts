import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type CallEvent, EVENT_COLUMNS, EVENT_DAY } from '../../capture/cloudtrail-event.js'
import { CALLS_TABLE } from '../../transform/table-names.js'
import { quoted } from './literal.js'

/**
 * Makes the table of what CloudTrail keeps of calls, with the columns that it has on AWS; without events it is empty,
 * and answers say that nothing shows who called. `spill` is a folder for what is read meanwhile.
 */
export async function createCallsTable(
  connection: DuckDBConnection,
  events: AsyncIterable<CallEvent> | undefined,
  spill: string,
): Promise<void> {
  const columns = [...EVENT_COLUMNS, { name: EVENT_DAY, type: 'string' }]
  const declared = columns.map(({ name, type }) => `${name} ${duckDbTypeOf(type)}`)
  await connection.run(`create table ${CALLS_TABLE} (${declared.join(', ')})`)
  if (events === undefined) return
  const file = join(spill, 'calls.ndjson')
  await pipeline(Readable.from(linesOf(events)), createWriteStream(file, { mode: 0o600 }))
  const types = columns.map(({ name, type }) => `${quoted(name)}: ${quoted(duckDbTypeOf(type))}`)
  await connection.run(
    `insert into ${CALLS_TABLE} select ${columns.map(({ name }) => name).join(', ')}
     from read_json(${quoted(file)}, format = 'newline_delimited', maximum_object_size = ${MAX_LINE},
       columns = {${types.join(', ')}})`,
  )
  await rm(file)
}

/** What an event is read from has at most 16 MB of characters. */
const MAX_LINE = 128 * 1024 * 1024

async function* linesOf(events: AsyncIterable<CallEvent>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`
}

/** Glue's name of a type as DuckDB's: `array<struct<a:string>>` is a list of structs of texts. */
function duckDbTypeOf(type: string): string {
  const [, element] = /^array<(.*)>$/.exec(type) ?? []
  if (element !== undefined) return `${duckDbTypeOf(element)}[]`
  return type
    .replaceAll('struct<', 'struct(')
    .replaceAll('>', ')')
    .replaceAll(/(\w+):/g, '"$1" ')
    .replaceAll('string', 'varchar')
}
