import type { Readable } from 'node:stream'
import { readBounded } from '../../config/gate.js'
import { CommandError, EXIT, type Io, type Options } from '../io.js'

/** A statement of more is none that somebody wrote. */
const MOST_BYTES = 1024 * 1024

/**
 * The statement that was typed, or that of the file of `--statement`, or of standard input where it is `-`. Throws
 * `CommandError` for none, for two, and for what is no UTF-8.
 */
export async function statementText(typed: string | undefined, { statement: file }: Options, io: Io): Promise<string> {
  if (typed !== undefined && file !== undefined)
    throw new CommandError('statement is typed, and named by --statement; expected one of them')
  if (typed === '-' || file === '-') return textOf(await readInput(io.stdin), 'standard input')
  if (typeof file === 'string') return textOf(readFile(file), file)
  if (typed !== undefined) return typed
  throw new CommandError(
    'statement is missing',
    EXIT.usage,
    'type it in quotes, or --statement FILE reads it, or - takes it from standard input',
  )
}

function readFile(path: string): Uint8Array {
  const bytes = readBounded(path, path, { maxBytes: MOST_BYTES })
  if (bytes === undefined) throw new CommandError(`--statement ${path} is not there, expected a file with SQL`)
  return bytes
}

async function readInput(stdin: Readable): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of stdin) {
    const more = Buffer.from(piece as Uint8Array)
    bytes += more.length
    if (bytes > MOST_BYTES) throw new CommandError(`standard input has more than ${MOST_BYTES} bytes, expected SQL`)
    pieces.push(more)
  }
  return Buffer.concat(pieces)
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) throw new CommandError(`${name} is no UTF-8, expected SQL`)
    throw error
  }
}
