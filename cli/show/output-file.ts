import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isWithin } from '../../journal/key-file.js'
import type { WrittenFile } from '../../queries/answers/receipt.js'
import { CommandError, EXIT, type Io, type Options } from '../io.js'
import { escapeForeign } from './terminal.js'
import { printable } from './text.js'

/** Flags of every command whose answer can go to a file. */
export const OUTPUT_OPTIONS = [
  ['--output <file>', 'writes the answer to a file, whole or not at all'],
  ['--force', 'writes over a file that is there'],
] as const

/** Throws `CommandError` for a place within the archive, which holds what was delivered, and nothing that was asked. */
export function refuseInArchive(flag: string, path: string, { archive }: Options): void {
  if (typeof archive === 'string' && isWithin(path, archive))
    throw new CommandError(
      `--${flag} ${path} is inside the archive ${JSON.stringify(archive)}, expected a place outside`,
    )
}

/**
 * The file that a flag names. Throws `CommandError` for one that is there and may not be written over, for a
 * folder, and for a place within the archive.
 */
export function checkTarget(options: Options, flag: 'output' | 'receipt'): string | undefined {
  const path = options[flag]
  if (typeof path !== 'string') return undefined
  if (path === '') throw new CommandError(`--${flag} is empty, expected a file`)
  refuseInArchive(flag, path, options)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) throw new CommandError(`--${flag} ${path} is a folder, expected a file`)
  if (found?.isFile() && options.force !== true)
    throw new CommandError(`${path} is there already`, EXIT.usage, `--force writes over it, --${flag} names another`)
  return path
}

/**
 * Runs a command with its data going where `--output` says. The file appears whole once the command has ended, and
 * not at all if it throws; without the flag nothing is different. `onWritten` is told what is in it.
 */
export async function withOutput<T>(
  options: Options,
  io: Io,
  command: (io: Io) => Promise<T>,
  onWritten: (file: Omit<WrittenFile, 'format'>) => void = () => {},
): Promise<T> {
  const path = checkTarget(options, 'output')
  if (path === undefined) return command(io)
  const file = new WholeFile(path)
  try {
    const ending = await command({
      ...io,
      out: text => file.write(escapeForeign(text)),
      outBytes: bytes => file.write(bytes),
      columns: undefined,
      outIsTerminal: false,
      colour: false,
    })
    file.publish(options.force === true)
    onWritten(file.written())
    io.err(`wrote ${printable(path)}\n`)
    return ending
  } catch (error) {
    file.discard()
    throw error
  }
}

/**
 * A file that is written beside its place and moved there in one step; what is no file, such as /dev/null, is written
 * into.
 */
class WholeFile {
  private readonly target: string
  private readonly part: string | undefined
  private readonly file: number
  private readonly sum = createHash('sha256')
  private bytes = 0

  constructor(private readonly path: string) {
    const isThere = existsSync(path)
    // where a link leads the file is written, and the link stays
    this.target = isThere ? realpathSync(path) : path
    if (!isThere || statSync(path).isFile())
      this.part = join(dirname(this.target), `.${basename(this.target)}.${process.pid}.part`)
    try {
      this.file = openSync(this.part ?? this.target, 'w')
    } catch (error) {
      // the name of the part is nobody's business
      throw Object.assign(error as Error, { path })
    }
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    this.sum.update(bytes)
    this.bytes += bytes.length
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at)
    } catch (error) {
      throw Object.assign(error as Error, { path: this.path })
    }
  }

  /** What was written, to be asked once and at the end. */
  written(): Omit<WrittenFile, 'format'> {
    return { name: basename(this.path), bytes: this.bytes, sha256: this.sum.digest('hex') }
  }

  publish(force: boolean): void {
    if (this.part !== undefined) fsyncSync(this.file)
    closeSync(this.file)
    if (this.part !== undefined && (force || !this.link(this.part))) renameSync(this.part, this.target)
  }

  /** Unlike a rename a link never takes the place of a file that came in the meantime; some file systems have none. */
  private link(part: string): boolean {
    try {
      linkSync(part, this.target)
      rmSync(part)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
      throw new CommandError(`${this.path} is there by now`, EXIT.usage, '--force writes over it')
    }
  }

  discard(): void {
    if (this.part !== undefined) rmSync(this.part, { force: true })
  }
}

/** Writes a text to a file in one step. */
export function writeWhole(path: string, text: string, force: boolean): void {
  const file = new WholeFile(path)
  try {
    file.write(text)
    file.publish(force)
  } catch (error) {
    file.discard()
    throw error
  }
}
