import { openCheckpoint, type SignedCheckpoint } from './checkpoint.js'
import { decodeBase64, type Verifier } from './note.js'
import { ProofError } from './proof-error.js'
import { HASH_BYTES, provesInclusion } from './tree.js'

/** A proof that a log has an entry (C2SP tlog-proof), as a file that can be handed on. */
export interface ProofFile {
  readonly index: number
  readonly path: readonly Buffer[]
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string
  /** Bytes that travel beside the proof. No signature covers them. */
  readonly extra?: Uint8Array
}

const HEADER = 'c2sp.org/tlog-proof@v1'

/** A tree of 2^63 leaves has no longer path. */
export const MAX_PATH = 63

export function formatProof({ index, path, checkpoint, extra }: ProofFile): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${Buffer.from(extra).toString('base64')}`]),
    `index ${index}`,
    ...path.map(hash => hash.toString('base64')),
    '',
  ]
  return `${lines.join('\n')}\n${checkpoint}`
}

/** Reads a proof file; nothing is verified. Throws `ProofError` for what is none. */
export function parseProof(text: string): ProofFile {
  const end = text.indexOf('\n\n')
  const [header, ...lines] = text.slice(0, Math.max(0, end)).split('\n')
  if (header !== HEADER) throw new ProofError(`proof begins with ${JSON.stringify(header)}, expected "${HEADER}"`)
  const extra = lines[0]?.startsWith('extra ') ? decodeLine(lines.shift() as string, 'extra ') : undefined
  const [, decimal] = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '') ?? []
  const index = Number(decimal)
  if (!Number.isSafeInteger(index)) throw new ProofError('proof has no index')
  if (lines.length > MAX_PATH) throw new ProofError(`proof has ${lines.length} hashes, at most ${MAX_PATH}`)
  const path = lines.map(line => decodeLine(line, ''))
  if (path.some(hash => hash.length !== HASH_BYTES)) throw new ProofError('proof has a hash that is not of 32 bytes')
  return { index, path, checkpoint: text.slice(end + 2), ...(extra && { extra }) }
}

/** The bytes of a line behind its head. Throws `ProofError` for what is no base64. */
export function decodeLine(line: string, head: string): Buffer {
  const bytes = decodeBase64(line.slice(head.length))
  if (bytes === undefined) throw new ProofError(`proof has the line ${JSON.stringify(line)}, expected base64`)
  return bytes
}

/** Throws a `ProofError` where a path does not lead from a leaf hash to a root; `what` names the leaf. */
export function checkInclusion(
  leaf: Uint8Array,
  { index, size, path }: Parameters<typeof provesInclusion>[1],
  root: Uint8Array,
  what: string,
): void {
  if (provesInclusion(leaf, { index, size, path }, root)) return
  const claim = `proof does not show that ${what} ${index} of ${size} has this content`
  if (path.length === 0 && size > 1) throw new ProofError(`${claim}: its path is empty`, { fault: 'empty-path' })
  throw new ProofError(claim, { fault: 'path' })
}

/**
 * The checkpoint under which a proof file shows that the log of this origin has an entry of this leaf hash. The leaf,
 * the origin and the keys come from elsewhere than the proof. Throws `ProofError` where it does not show that.
 */
export function verifyProof(
  proof: ProofFile,
  leaf: Uint8Array,
  origin: string,
  known: readonly Verifier[],
): SignedCheckpoint {
  const checkpoint = openCheckpoint(proof.checkpoint, origin, known)
  checkInclusion(leaf, { ...proof, size: checkpoint.size }, checkpoint.root, 'entry')
  return checkpoint
}
