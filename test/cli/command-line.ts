/** The command line in this process: arguments in, exit code and what went to either side out. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Io } from '../../cli/io.js'
import { main } from '../../cli/main.js'

export interface Ending {
  readonly exit: number
  readonly out: string
  readonly err: string
}

/** How a command ended whose data may be no text. */
export interface BinaryEnding extends Ending {
  readonly bytes: Buffer
}

/** A terminal, or none: where `columns` is left out, output goes to a file or a pipe. */
export interface Terminal extends Pick<Io, 'lines' | 'openPager'> {
  readonly columns?: number
  readonly colour?: boolean
  readonly errIsTerminal?: boolean
  readonly stdin?: string | Uint8Array
  /** Ends a question early, as Ctrl-C does. */
  readonly signal?: AbortSignal
}

/** Runs one command and keeps what it wrote. */
export async function run(argv: readonly string[], terminal: Terminal = {}): Promise<Ending> {
  const { bytes: _, ...ending } = await runForBytes(argv, terminal)
  return ending
}

/** The same, with the data as bytes too. */
export async function runForBytes(argv: readonly string[], terminal: Terminal = {}): Promise<BinaryEnding> {
  const pieces: Uint8Array[] = []
  let err = ''
  const io: Io = {
    out: text => {
      pieces.push(Buffer.from(text))
    },
    outBytes: bytes => {
      pieces.push(bytes)
    },
    err: text => {
      err += text
    },
    stdin: Readable.from([Buffer.from(terminal.stdin ?? '')]),
    columns: terminal.columns,
    lines: terminal.lines,
    ...(terminal.openPager !== undefined && { openPager: terminal.openPager }),
    errIsTerminal: terminal.errIsTerminal ?? false,
    colour: terminal.colour ?? false,
    ...(terminal.signal !== undefined && { interruption: () => terminal.signal as AbortSignal }),
  }
  const exit = await main(argv, io)
  const bytes = Buffer.concat(pieces)
  return { exit, out: bytes.toString(), err, bytes }
}

/** A folder that is removed when the tests of the file are done. */
export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'itemtrail-cli-'))
}

/** An archive of some records in a folder of its own. */
export async function archiveOf(records: readonly unknown[], more: readonly string[] = []): Promise<string> {
  const root = join(makeFolder(), 'archive')
  const { exit, err } = await run(['ingest', '-', '--archive', root, ...more], { stdin: linesOf(records) })
  if (exit !== 0) throw new Error(`ingest ended with ${exit}: ${err}`)
  return root
}

/** Records as JSON lines; texts as they are. */
export function linesOf(records: readonly unknown[]): string {
  return records.map(record => `${typeof record === 'string' ? record : JSON.stringify(record)}\n`).join('')
}

/** A file of a name in a folder of its own, with a text in it. */
export function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(makeFolder(), name)
  writeFileSync(path, content)
  return path
}

export const ORDERS = join(import.meta.dirname, '../../examples/orders/orders.jsonl.gz')
export const ORDERS_CONFIG = join(import.meta.dirname, '../../examples/orders/itemtrail.config.json')
