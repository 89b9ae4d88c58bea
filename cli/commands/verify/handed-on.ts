import { statSync } from 'node:fs'
import { readBounded } from '../../../config/gate.js'
import { readBuilt } from '../../../evidence/built-file.js'
import { bundleIn } from '../../../evidence/bundle-folder.js'
import { readLeaf } from '../../../evidence/leaf.js'
import type { ProvenRow } from '../../../evidence/row-proof.js'
import { showBundle } from '../../../evidence/show-bundle.js'
import { showProven } from '../../../evidence/show-proof.js'
import { verifyBundle } from '../../../evidence/verify-bundle.js'
import { ProofError } from '../../../proof/proof-error.js'
import { believedKey, neededKey } from '../../ask/journal-options.js'
import { CommandError, EXIT, type ExitCode, type Io, type Options } from '../../io.js'
import type { TextFormat } from '../../show/output-format.js'
import { printable } from '../../show/text.js'

/** Verifies what somebody was given, without the archive that it is of. */
type HandedOn = (path: string, options: Options, format: TextFormat, io: Io) => Promise<ExitCode>

/** A row's proof, by a key that did not come with it. */
export const verifyProof: HandedOn = async (path, options, format, io) => {
  const { verifier, policy } = neededKey(options)
  const text = readBounded(path, path, { maxBytes: MAX_PROOF })
  if (text === undefined) throw new CommandError(`proof ${path} is not there`, EXIT.unchecked)
  const { checkRowProof } = await import('../../../evidence/give-evidence.js')
  try {
    const proven = checkRowProof(text.toString('utf8'), verifier, policy)
    await format.print({ page: () => io.out(showProven(proven)), whole: () => describe(proven) }, io)
    return EXIT.done
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    const { fault: kind, message } = error
    const page = () => io.out(`NOT PROVEN: ${printable(message)}\n`)
    await format.print({ page, whole: () => ({ ...NOTHING, finding: { kind, message } }) }, io)
    return EXIT.findings
  }
}

/** Larger than any proof of a row. */
const MAX_PROOF = 256 * 1024

const NOTHING = { proven: false, event_id: null, table: null, object: null, row: null, origin: null, size: null }

function describe({ leaf, row, entry, checkpoint }: ProvenRow): object {
  return {
    proven: true,
    event_id: readLeaf(leaf)?.event_id ?? null,
    table: entry.table ?? null,
    object: entry.key,
    row,
    origin: checkpoint.origin,
    size: checkpoint.size,
    finding: null,
  }
}

/** A bundle; without a key it is held against itself. */
export const verifyBag: HandedOn = async (path, options, format, io) => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true)
    throw new CommandError(`bundle ${path} is ${found === undefined ? 'not there' : 'no folder'}`, EXIT.unchecked)
  const key = believedKey(options, path)
  // what came with the bundle vouches for it no more than the bundle's own does
  const given = key === undefined || key.isInside ? undefined : (key.policy ?? key.verifier)
  const verdict = verifyBundle(bundleIn(path), given, readBuilt('verify.mjs'))
  await format.print({ page: () => io.out(showBundle(verdict)), whole: () => verdict }, io)
  return verdict.findings.length === 0 ? EXIT.done : EXIT.findings
}
