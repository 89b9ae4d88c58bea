import { existsSync, writeFileSync } from 'node:fs'
import { readDocuments } from '../../capture/document-reader.js'
import { snakeCase } from '../../config/column-names.js'
import { parseConfiguration } from '../../config/configuration.js'
import { COLUMN_NAME } from '../../config/schema.js'
import { openInput } from '../../local/input.js'
import { isObject } from '../../transform/json.js'
import { dateOf } from '../../transform/partition.js'
import { Refusal } from '../../transform/refusal.js'
import { readStreamRecord, type StreamRecord } from '../../transform/stream-record.js'
import { type Command, CommandError, EXIT } from '../io.js'
import { describeReadFailure } from '../system-errors.js'
import { printable } from '../text.js'

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
      const sample = args[0] === '-' ? 'standard input' : args[0]
      throw new CommandError(`${sample} holds no change record that names its table`, EXIT.findings)
    }
    const text = `${JSON.stringify(configurationOf(tables), null, 2)}\n`
    // two tables of a sample can be more than one archive takes, and then nothing is written
    parseConfiguration(text, output)
    writeFileSync(output, text, { flag: options.force === true ? 'w' : 'wx' })
    for (const [name, { keys, first, records }] of tables) {
      const since = first === undefined ? '' : `, since ${first}: earlier changes will be refused`
      io.err(
        `${name}: keys ${printable(keys.join(', ')) || 'not seen'} (${records} ${records === 1 ? 'record' : 'records'})${since}\n`,
      )
    }
    if (tables.size === 0) io.err('no sample was given, so it has no tables yet\n')
    io.err(`wrote ${output}\n`)
    return EXIT.done
  },
}

interface SeenTable {
  keys: readonly string[]
  capture: 'streams' | 'kinesis'
  first: string | undefined
  records: number
}

async function sampleTables(path: string, stdin: Parameters<typeof openInput>[1]): Promise<Map<string, SeenTable>> {
  const tables = new Map<string, SeenTable>()
  const input = await openInput(path, stdin)
  let documents = 0
  try {
    for await (const document of readDocuments(input.bytes)) {
      const record = tryRead(document)
      if (record !== undefined) noteTable(tables, record)
      if (++documents >= SAMPLE) break
    }
  } catch (error) {
    const reading = describeReadFailure(error, path)
    throw reading === undefined ? error : new CommandError(reading, EXIT.findings)
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
  const day = time === null ? undefined : dateOf(time.us)
  const seen = tables.get(table) ?? { keys: [], capture: 'streams', first: day, records: 0 }
  tables.set(table, seen)
  seen.records++
  if (seen.keys.length === 0) seen.keys = Object.keys((keys ?? {}) as object)
  // a baseline may come with either
  if (capture === 'kinesis') seen.capture = 'kinesis'
  if (day !== undefined && (seen.first === undefined || day < seen.first)) seen.first = day
}

/** Tables as a person would write them; `docs/configuration.md` tells what can be added. */
function configurationOf(tables: ReadonlyMap<string, SeenTable>): object {
  const entries = [...tables].map(([name, { keys, capture, first }]) => [
    name,
    {
      capture,
      ...(first !== undefined && { since: first }),
      ...(keys.length > 0 && { keys: nameKeys(keys) }),
      columns: {},
    },
  ])
  return { $schema: './node_modules/itemtrail/docs/itemtrail.schema.json', tables: Object.fromEntries(entries) }
}

/** A key whose name makes no column of its own, such as `PK#` or a second `ID`, gets one that does. */
function nameKeys(keys: readonly string[]): readonly (string | object)[] {
  const taken = new Set<string>()
  return keys.map((attribute, i) => {
    const plain = snakeCase(attribute)
    const isFree = (column: string) => COLUMN_NAME.test(column) && !taken.has(column)
    const words = plain
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^[^a-z]+|_+$/g, '')
      .slice(0, 60)
    const column = [plain, words, `key_${i + 1}`].find(isFree) as string
    taken.add(column)
    return column === plain ? attribute : { attribute, column }
  })
}
