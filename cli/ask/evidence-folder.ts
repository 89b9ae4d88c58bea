import { EvidenceError } from '../../evidence/evidence-error.js'
import { refuseTaken } from '../../evidence/write-bundle.js'
import { CommandError, EXIT, type Io, type Options } from '../io.js'
import { isOnAws } from '../show/archive-name.js'
import { refuseInArchive } from '../show/output-file.js'
import { grouped } from '../show/progress.js'
import { printable } from '../show/text.js'
import { KEY_OPTION, neededKey } from './journal-options.js'
import type { AnswerWithReceipt } from './receipt-file.js'
import type { Workspace } from './workspace.js'

export const REDACT_OPTION = [
  '--redact <path>',
  'leaves images that have a value there out of the bundle; may be given several times',
  [],
] as const

/** Flags of every question whose answer can be handed on. */
export const EVIDENCE_OPTIONS = [
  ['--evidence <folder>', 'writes a bundle of the answer and its proofs, which a stranger can check'],
  REDACT_OPTION,
  KEY_OPTION,
] as const

/** Throws a `CommandError` for flags of a bundle that cannot be, before anything is asked. */
export function checkEvidence(options: Options): void {
  const { evidence, redact } = options
  if (evidence === undefined) {
    if (Array.isArray(redact) && redact.length > 0)
      throw new CommandError('--redact is of a bundle, expected --evidence FOLDER, too')
    return
  }
  checkFolder('evidence', String(evidence), options)
  neededKey(options)
}

/** Throws a `CommandError` for a folder that no bundle can be written to. */
export function checkFolder(flag: string, folder: string, options: Options): void {
  if (folder === '') throw new CommandError(`--${flag} is empty, expected a folder`)
  refuseInArchive(flag, folder, options)
  try {
    refuseTaken(folder)
  } catch (error) {
    if (error instanceof EvidenceError) throw new CommandError(`--${flag}: ${error.message}`)
    throw error
  }
}

/** What a bundle is made in. */
export interface Bundling {
  readonly workspace: Workspace
  readonly options: Options
  readonly keepsFormulas: boolean
}

/** Writes the bundle of an answer where `--evidence` says, and tells of it. Nothing without the flag. */
export async function bundleAnswer(kept: AnswerWithReceipt | undefined, bundling: Bundling, io: Io): Promise<void> {
  const { evidence } = bundling.options
  if (kept !== undefined && typeof evidence === 'string') await giveBundle(evidence, kept, bundling, io)
}

/** Writes the bundle of an answer into a folder, and tells of it. Throws an `EvidenceError` for what is not proven. */
export async function giveBundle(
  folder: string,
  { answer, receipt, shown }: AnswerWithReceipt,
  { workspace: { archive, root }, options, keepsFormulas }: Bundling,
  io: Io,
): Promise<void> {
  if (isOnAws(root))
    throw new CommandError('evidence is of an archive in a folder', EXIT.usage, 'a copy of the bucket is one')
  const { verifier } = neededKey(options, root)
  const { giveEvidence } = await import('../../evidence/give-evidence.js')
  const { rows, leftOut } = await giveEvidence(folder, {
    archive,
    root,
    identity: { origin: verifier.name, known: [verifier] },
    answer,
    receipt,
    redact: options.redact as readonly string[] | undefined,
    disarm: !keepsFormulas,
    ...shown,
  })
  const counted = (count: number) => `${grouped(count)} ${count === 1 ? 'row' : 'rows'}`
  io.err(`bundle ${printable(folder)}: ${counted(rows)} proven\n`)
  for (const [path, of] of leftOut) io.err(`left out for ${printable(path)}: images of ${counted(of)}\n`)
}
