import { existsSync, writeFileSync } from 'node:fs'
import { readDocuments } from '../../capture/document-reader.js'
import { openInput } from '../../local/input.js'
import { isObject } from '../../transform/json.js'
import { Refusal } from '../../transform/refusal.js'
import { readStreamRecord, type StreamRecord } from '../../transform/stream-record.js'
import { type Command, CommandError, EXIT } from '../io.js'

/** Records that are looked at for tables and keys. */
const SAMPLE = 10_000

/** Writes a configuration with the tables and keys seen in a sample of records. */
export const init: Command = {
  usage: 'init [sample]',
  summary:
    'writes a configuration, with the tables and keys seen in a sample of records (a file, or - for standard input)',
  options: [
    ['--output <file>', 'the file to write', 'itemtrail.config.json'],
    ['--force', 'write over a file that is there'],
  ],
  example: 'itemtrail init changes.jsonl.gz',
  run: async (args, options, io) => {
    const output = options.output as string
    if (existsSync(output) && options.force !== true) {
      throw new CommandError(`${output} is there already`, EXIT.usage, '--force writes over it, --output names another')
    }
    const tables = args[0] === undefined ? new Map<string, SeenTable>() : await sampleTables(args[0], io.stdin)
    if (args[0] !== undefined && tables.size === 0) {
      throw new CommandError(`${args[0]} holds no change record that names its table`, EXIT.findings)
    }
    writeFileSync(output, `${JSON.stringify(configurationOf(tables), null, 2)}\n`)
    for (const [name, { keys, records }] of tables)
      io.err(`${name}: keys ${keys.join(', ') || 'not seen'} (${records} records)\n`)
    io.err(`wrote ${output}\n`)
    return EXIT.done
  },
}

interface SeenTable {
  readonly keys: readonly string[]
  readonly capture: 'streams' | 'kinesis'
  first: string | undefined
  records: number
}

async function sampleTables(path: string, stdin: Parameters<typeof openInput>[1]): Promise<Map<string, SeenTable>> {
  const tables = new Map<string, SeenTable>()
  const input = await openInput(path, stdin)
  let documents = 0
  for await (const document of readDocuments(input.bytes)) {
    const record = tryRead(document)
    if (record !== undefined) noteTable(tables, record)
    if (++documents >= SAMPLE) break
  }
  return tables
}

function tryRead(document: Uint8Array): StreamRecord | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(document).toString())
    return isObject(value) ? readStreamRecord(value) : undefined
  } catch (error) {
    if (error instanceof Refusal || error instanceof SyntaxError) return undefined
    throw error
  }
}

function noteTable(tables: Map<string, SeenTable>, record: StreamRecord): void {
  const { table, keys, capture, time } = record
  const day = time === null ? undefined : new Date(Math.floor(time.us / 1000)).toISOString().slice(0, 10)
  let seen = tables.get(table)
  if (seen === undefined) {
    seen = {
      keys: Object.keys((keys ?? {}) as object),
      capture: capture === 'kinesis' ? 'kinesis' : 'streams',
      first: day,
      records: 0,
    }
    tables.set(table, seen)
  }
  seen.records++
  if (day !== undefined && (seen.first === undefined || day < seen.first)) seen.first = day
}

/** Tables as a person would write them; `docs/configuration.md` tells what can be added. */
function configurationOf(tables: ReadonlyMap<string, SeenTable>): object {
  const entries = [...tables].map(([name, { keys, capture, first }]) => [
    name,
    { capture, ...(first !== undefined && { since: first }), ...(keys.length > 0 && { keys }), columns: {} },
  ])
  return { $schema: './node_modules/itemtrail/docs/itemtrail.schema.json', tables: Object.fromEntries(entries) }
}
