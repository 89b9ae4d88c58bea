import { existsSync, writeFileSync } from 'node:fs'
import { parseConfiguration } from '../../config/configuration.js'
import type { Inference } from '../../config/infer-columns.js'
import { nameSome } from '../../queries/name-some.js'
import { type Command, CommandError, EXIT, type Io } from '../io.js'
import { grouped } from '../show/progress.js'
import { pad, printable, widthOf, wrap } from '../show/text.js'
import {
  configurationOf,
  inferActor,
  inferColumns,
  SAMPLE,
  type SeenTable,
  sampleTables,
} from './init/infer-configuration.js'

/** Writes a configuration with the tables, keys and columns seen in a sample of records. */
export const init: Command = {
  usage: 'init [sample]',
  summary:
    'writes a configuration, with the tables, keys and columns seen in a sample of records (a file, or - for standard input)',
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
    const nothing = { tables: new Map<string, SeenTable>(), isCut: false }
    const { tables, isCut } = args[0] === undefined ? nothing : await sampleTables(args[0], io.stdin)
    if (args[0] !== undefined && tables.size === 0) {
      const sample = args[0] === '-' ? 'standard input' : args[0]
      throw new CommandError(`${sample} holds no change record that names its table`, EXIT.findings)
    }
    const text = `${JSON.stringify(configurationOf(tables), null, 2)}\n`
    // two tables of a sample can be more than one archive takes, and then nothing is written
    parseConfiguration(text, output)
    writeFileSync(output, text, { flag: options.force === true ? 'w' : 'wx' })
    for (const [name, table] of tables) showTable(name, table, io)
    if (isCut) io.err(`only the first ${grouped(SAMPLE)} records were looked at: set since to the first day of all\n`)
    if (tables.size === 0) io.err('no sample was given, so it has no tables yet\n')
    io.err(`wrote ${output}\n`)
    return EXIT.done
  },
}

function showTable(name: string, table: SeenTable, io: Io): void {
  const { keys, first, records } = table
  const since = first === undefined ? '' : `, since ${first}: earlier changes will be refused`
  const count = `${grouped(records)} ${records === 1 ? 'record' : 'records'}`
  io.err(`${wrap(`${name}: keys ${printable(keys.join(', ')) || 'not seen'} (${count})${since}`, io.columns)}\n`)
  for (const line of describeColumns(inferColumns(table), io)) io.err(`${line}\n`)
  const actor = inferActor(table)
  if (actor !== undefined) {
    const text = `  who made a change: ${printable(actor)}, by its name; take "actor" out where that is not so`
    io.err(`${wrap(text, io.columns)}\n`)
  }
  for (const line of describePersonal(name, table, actor)) io.err(`${wrap(`  ${line}`, io.columns)}\n`)
}

/** What looks personal, how it can be made erasable, and what stays clear all the same; nothing where nothing does. */
function describePersonal(name: string, { personal, keys }: SeenTable, actor: string | undefined): readonly string[] {
  const { paths } = personal
  const naming = personal.keysNaming(keys)
  if (paths.length + naming.length === 0) return []
  const advice = 'is stored in clear for good, unless it is erasable before the first row is written: docs/erasure.md'
  const looks = nameSome([...new Set([...paths, ...naming])].sort().map(printable), MOST_LEFT_OUT)
  const proposed = personal.proposed(keys, actor === undefined ? [] : [actor])
  const erasable = proposed.length > 0 ? proposed : [{ subject: naming[0] ?? keys[0], attributes: ['ATTRIBUTE'] }]
  const field = { erasable, ...(naming.length > 0 && { keyIsPersonal: naming }) }
  return [
    `looks personal, and ${advice}: ${looks}`,
    `for that, a guess: "erasure": {"keys": "../keys"}, in ${name} ${printable(JSON.stringify(field).slice(1, -1))}, and no columns of these but of type json`,
    `stays clear in any case: keys but for keyIsPersonal, times, names of attributes, tokens${actor === undefined ? '' : `, ${printable(actor)}`}`,
  ]
}

function showPath(path: readonly string[]): string {
  return path.join('.')
}

/** Attributes without a column that are named. */
const MOST_LEFT_OUT = 20

/** The columns in columns: name, type, how many values, how many of them would not fit, and what these are. */
function describeColumns({ columns, leftOut }: Inference, { columns: width }: Io): readonly string[] {
  const cells = columns.map(({ path, column, type, unit, values, misfits, guess }) => [
    printable(column === showPath(path) ? column : `${column} (${showPath(path)})`),
    unit === undefined ? type : `${type}, unit ${unit}`,
    `${grouped(values)} ${values === 1 ? 'value' : 'values'}`,
    [
      ...(guess === '' ? [] : [`a guess: ${guess}`]),
      ...[...misfits].map(([found, count]) => `${grouped(count)} would not fit: ${found}`),
    ].join(', '),
  ])
  const widths = [0, 1, 2].map(i => widthOf(cells.map(row => row[i] as string)))
  const shown = leftOut.slice(0, MOST_LEFT_OUT).map(({ path, why }) => `${printable(showPath(path))} (${why})`)
  const others =
    leftOut.length > MOST_LEFT_OUT ? [...shown, `and ${grouped(leftOut.length - MOST_LEFT_OUT)} more`] : shown
  return [
    ...cells.map(row => `  ${row.map((cell, i) => pad(cell, widths[i] ?? 0)).join('  ')}`.trimEnd()),
    ...(others.length === 0 ? [] : [wrap(`  no column, only in the images: ${others.join(', ')}`, width)]),
  ]
}
