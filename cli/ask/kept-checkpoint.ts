import { readBounded } from '../../config/gate.js'
import { type Head, type JournalIdentity, openHead } from '../../journal/head.js'
import { JournalError } from '../../journal/journal-error.js'
import { type Checkpoint, parseCheckpoint } from '../../proof/checkpoint.js'
import { parseNote } from '../../proof/note.js'
import { ProofError } from '../../proof/proof-error.js'
import { CommandError, EXIT, type Options } from '../io.js'

/** The flag of whoever kept a checkpoint. */
export const SINCE_OPTION = [
  '--since <file>',
  'a checkpoint that was kept, signed or its three lines alone: proves that the journal only grew since',
] as const

/** A checkpoint that somebody kept. */
export interface KeptCheckpoint extends Checkpoint {
  /** The signed note; undefined of the three lines alone, for which whoever kept them vouches. */
  readonly note: string | undefined
  /** The file, for people. */
  readonly file: string
}

/** A checkpoint and its signatures are short. */
const MAX_KEPT = 64 * 1024

/** The checkpoint that the flags name; undefined where they name none. Throws a `CommandError` for what is none. */
export function readKeptCheckpoint({ since: file }: Options): KeptCheckpoint | undefined {
  if (typeof file !== 'string') return undefined
  const bytes = readBounded(file, file, { maxBytes: MAX_KEPT })
  if (bytes === undefined) throw new CommandError(`--since ${file} is not there`)
  // as an editor or a mail program leaves it
  const text = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
  try {
    if (!/^\u2014/m.test(text)) return { ...parseCheckpoint(threeLines(text)), note: undefined, file }
    return { ...parseCheckpoint(parseNote(text).text), note: text, file }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    throw new CommandError(`--since ${file} is no checkpoint that can be read: ${error.message}`, EXIT.unchecked)
  }
}

/** Without blanks at the ends of lines, and empty lines after the last. */
function threeLines(text: string): string {
  const lines = text.trimEnd().split('\n')
  if (lines.length !== 3) throw new ProofError(`it has ${lines.length} lines without a signature, expected three`)
  return `${lines.map(line => line.trim()).join('\n')}\n`
}

/** The kept checkpoint as one of this journal. Throws a `CommandError` for that of another, or one not signed by it. */
export function keptHead(kept: KeptCheckpoint, identity: JournalIdentity): Head {
  const { origin, size, root, note, file } = kept
  if (origin !== identity.origin)
    throw new CommandError(
      `--since ${file} is of ${JSON.stringify(origin)}, the journal is ${JSON.stringify(identity.origin)}`,
      EXIT.findings,
    )
  if (note === undefined) return { size, root, note }
  try {
    return openHead(Buffer.from(note), file, identity)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    throw new CommandError(`--since ${file} ${error.problem}`)
  }
}
