import { hash } from 'node:crypto'
import type { SignedCheckpoint } from '../proof/checkpoint.js'
import { parseVkey, type Verifier } from '../proof/note.js'
import { openByPolicy, type Policy, parsePolicy } from '../proof/policy.js'
import { ProofError, type ProofFault } from '../proof/proof-error.js'
import { receiptHash } from '../queries/answers/receipt-hash.js'
import { canonicalJson, isObject, type JsonObject } from '../transform/json.js'
import { eventsNamedIn } from './answer-events.js'
import { DECLARATION, MANIFEST, PAYLOAD, readBagManifest, TAG_MANIFEST, tellsPayload } from './bag.js'
import {
  ANSWER_CSV,
  BAG_INFO,
  LEFT_OUT_LABEL,
  LOG_CHECKPOINT,
  OF_ANSWER,
  POLICY,
  PROGRAM,
  PROOFS,
  proofPath,
  QUESTION,
  RECEIPT,
  REQUIRED,
  ROWS,
  VERDICT,
} from './bundle-files.js'
import { alteredColumns, type EvidenceRow, mayBeLeftOut, unboundColumns } from './leaf.js'
import { parseRowLines } from './row-line.js'
import { parseRowProof, verifyRowProof } from './row-proof.js'

/** The files of a bundle, wherever they lie. */
export interface BundleFiles {
  /** Paths with "/" between folders, in order. What is no file, such as a link, is among them. */
  list(): readonly string[]
  /** Undefined of what is not there, or is no file. */
  read(path: string): Uint8Array | undefined
}

/**
 * What is wrong with a bundle: `missing` or `unlisted` a file too few or too many; `altered` a file or a row is
 * another than its hash or its proof says; `unproven` a row without a proof; `key` signed by nobody who is believed;
 * `origin` of another log; `quorum` too few witnesses; `empty-path`, `path` a proof that does not lead to its root;
 * `form` not readable.
 */
export interface BundleFinding {
  readonly kind: 'missing' | 'unlisted' | 'altered' | 'unproven' | ProofFault
  readonly path: string
  readonly message: string
}

/** What a bundle shows, as far as somebody who has nothing else can tell. */
export interface BundleVerdict {
  readonly findings: readonly BundleFinding[]
  /** Files whose hashes are those of the manifests. */
  readonly files: number
  readonly rows: number
  /** Rows that the archive held when the checkpoint was signed. */
  readonly proven: number
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string } | null
  /** Whether the key came from elsewhere, or with the bundle. */
  readonly key: 'given' | 'from the bundle'
  /** Columns of rows that were left out on purpose, with how many rows lack each. */
  readonly leftOut: Readonly<Record<string, number>>
  /** Columns that no proof speaks of. */
  readonly unbound: readonly string[]
  /** Whether its `verify.mjs` is the one that whoever verifies has; another is of another version, or forged. */
  readonly program: 'ours' | 'another'
}

/**
 * Verifies a bundle. `trusted` is the key that its journal is signed with, or a policy with witnesses, had from
 * elsewhere; without one the bundle's own is taken, which proves only that the bundle agrees with itself. `program` is
 * the `verify.mjs` that whoever verifies has. Throws `ProofError` for a vkey that is none.
 */
export function verifyBundle(
  files: BundleFiles,
  trusted: string | Verifier | Policy | undefined,
  program: Uint8Array,
): BundleVerdict {
  const given = typeof trusted === 'string' ? parseVkey(trusted) : trusted
  const check = new BundleCheck(files)
  check.bag()
  check.journal(given)
  check.rows()
  check.receipt()
  return check.verdict(given === undefined ? 'from the bundle' : 'given', program)
}

interface Digest {
  readonly length: number
  readonly sha256: string
}

class BundleCheck {
  private readonly findings: BundleFinding[] = []
  private readonly names: ReadonlySet<string>
  private readonly digests = new Map<string, Digest | undefined>()
  private readonly unbound = new Set<string>()
  private readonly leftOut: Record<string, number> = {}
  private open: ((checkpoint: string) => SignedCheckpoint) | undefined
  private checkpoint: SignedCheckpoint | undefined
  private readonly count = { files: 0, rows: 0, proven: 0 }

  constructor(private readonly files: BundleFiles) {
    this.names = new Set(files.list())
  }

  /** The files are those of a bundle, and each is in the manifest that is for it, as it is there. */
  bag(): void {
    for (const path of REQUIRED) if (!this.names.has(path)) this.find('missing', path, 'is not there')
    for (const path of this.names) {
      if (!REQUIRED.includes(path as 'bagit.txt') && !path.startsWith(PROOFS))
        this.find('unlisted', path, 'is no file of a bundle')
      // a link may lead to anything, by the time that somebody reads it to something else
      if (this.digest(path) === undefined) this.find('form', path, 'is no file')
    }
    this.tags()
    const manifests = [MANIFEST, TAG_MANIFEST].map(path => this.manifest(path))
    const [payload, tags] = manifests
    if (payload === undefined || tags === undefined) return
    for (const [path, sha256] of [...payload, ...tags]) this.file(path, sha256)
    for (const path of this.names) {
      const isListed = path === TAG_MANIFEST || (path.startsWith(PAYLOAD) ? payload : tags).has(path)
      if (!isListed) this.find('unlisted', path, 'is in no manifest')
    }
  }

  /** What a bag says of itself. */
  private tags(): void {
    const [declaration, info] = [this.text('bagit.txt'), this.text(BAG_INFO)]
    if (declaration !== undefined && declaration !== DECLARATION)
      this.find('form', 'bagit.txt', 'is not that of BagIt 1.0 in UTF-8')
    const payload = [...this.names].filter(path => path.startsWith(PAYLOAD))
    const sizes = payload.map(path => this.digest(path)?.length ?? 0)
    if (info !== undefined && !tellsPayload(info, sizes))
      this.find('altered', BAG_INFO, 'has another Payload-Oxum than the files of the bag')
  }

  private manifest(path: string): ReadonlyMap<string, string> | undefined {
    const text = this.text(path)
    const manifest = text === undefined ? undefined : readBagManifest(text)
    if (text !== undefined && manifest === undefined) this.find('form', path, 'is no manifest')
    return manifest
  }

  private file(path: string, sha256: string): void {
    const found = this.digest(path)
    if (found === undefined) {
      if (!REQUIRED.includes(path as 'bagit.txt') && !this.names.has(path))
        this.find('missing', path, 'is in a manifest and is not there')
    } else if (found.sha256 !== sha256) this.find('altered', path, 'is another than its manifest says')
    else this.count.files++
  }

  /** What a file is known by, read once; undefined of what is not there, or is no file. */
  private digest(path: string): Digest | undefined {
    if (!this.digests.has(path)) this.digests.set(path, digestOf(this.files.read(path)))
    return this.digests.get(path)
  }

  /** The checkpoint is one that the policy believes; a key that was given stands in the place of the policy's own. */
  journal(given: Verifier | Policy | undefined): void {
    const [own, note] = [this.ownPolicy(), this.text(LOG_CHECKPOINT)]
    const policy = given === undefined || 'logs' in given ? (given ?? own) : { ...NO_WITNESS, ...own, logs: [given] }
    if (policy === undefined || note === undefined) return
    const open = (text: string) => openByPolicy(text, (policy.logs[0] as Verifier).name, policy)
    this.orFinding(LOG_CHECKPOINT, () => {
      this.checkpoint = open(note)
    })
    const { checkpoint } = this
    if (checkpoint === undefined) return
    // who checks by hand, or without a key, takes it from there
    if (own?.logs.some(log => !policy.logs.some(({ id, name }) => id === log.id && name === log.name)))
      this.find('key', POLICY, 'names another key than the one given')
    this.open = text => {
      if (text === note) return checkpoint
      open(text)
      throw new ProofError(`proof is under another checkpoint than ${LOG_CHECKPOINT}`)
    }
  }

  private ownPolicy(): Policy | undefined {
    const text = this.text(POLICY)
    let policy: Policy | undefined
    if (text !== undefined)
      this.orFinding(POLICY, () => {
        policy = parsePolicy(text)
      })
    return policy
  }

  /** Each row has a proof that is its own, and each proof and each event that the answer names has its row. */
  rows(): void {
    const proofs = new Set([...this.names].filter(path => path.startsWith(PROOFS)))
    const events = new Set<string>()
    const redacts = this.text(BAG_INFO)?.includes(`${LEFT_OUT_LABEL}: `) === true
    for (const [i, row] of parseRowLines(this.text(ROWS) ?? '').entries()) {
      this.count.rows++
      const path = proofPath(String(row?.event_id))
      events.add(String(row?.event_id))
      if (row === undefined) this.find('form', ROWS, `line ${i + 1} is no row in its one form`)
      else if (this.row(row, `${ROWS}, line ${i + 1}`, path, redacts)) this.count.proven++
      if (row !== undefined && !proofs.delete(path) && this.names.has(path))
        this.find('unlisted', ROWS, `line ${i + 1} has a row that was there before`)
    }
    for (const path of proofs) this.find('missing', ROWS, `has no row for ${path}`)
    for (const event of eventsNamedIn(this.text(ANSWER_CSV) ?? ''))
      if (!events.has(event)) this.find('missing', ROWS, `has no row for event ${event}, which the answer names`)
  }

  private row(row: EvidenceRow, where: string, path: string, redacts: boolean): boolean {
    const text = this.text(path)
    if (text === undefined) {
      this.find('unproven', where, `has a row without a proof, expected ${path}`)
      return false
    }
    return this.orFinding(path, () => {
      const proof = parseRowProof(text)
      const leftOut = this.leftOutOf(row, where, redacts)
      const altered = alteredColumns(row, proof.leaf, leftOut)
      for (const name of unboundColumns(row)) this.unbound.add(name)
      if (altered.length > 0) this.find('altered', where, `is another row than its proof is of: ${altered.join(', ')}`)
      // without a checkpoint that is believed nothing is proven, which its own finding says
      if (this.open === undefined) return false
      verifyRowProof(proof, this.open)
      return altered.length === 0
    })
  }

  /** Only where the bag says that something is left out may anything be. */
  private leftOutOf(row: EvidenceRow, where: string, redacts: boolean): ReadonlySet<string> {
    const names = Array.isArray(row.left_out) ? row.left_out.map(String) : []
    const allowed = names.filter(name => redacts && mayBeLeftOut(name) && !Object.hasOwn(row, name))
    if (allowed.length < names.length) this.find('altered', where, 'leaves out columns that the bag does not speak of')
    for (const name of allowed) this.leftOut[name] = (this.leftOut[name] ?? 0) + 1
    return new Set(allowed)
  }

  /** The receipt is of this question, this verdict and these files. */
  receipt(): void {
    const receipt = this.json(RECEIPT)
    if (receipt === undefined) return
    const own = hashOf(receipt)
    if (own === undefined || own !== receipt.receipt_sha256)
      this.find('altered', RECEIPT, 'is another than its own hash says')
    const statement = isObject(receipt.statement) ? receipt.statement.sql : undefined
    const question = this.text(QUESTION)
    if (question !== undefined && (typeof statement !== 'string' || question !== `${statement}\n`))
      this.find('altered', QUESTION, 'is not that of the receipt')
    const verdict = this.json(VERDICT)
    const [told, held] = [verdict, receipt.verdict].map(canonical)
    if (verdict !== undefined && (told === undefined || told !== held))
      this.find('altered', VERDICT, 'is not that of the receipt')
    const files = Array.isArray(receipt.files) ? receipt.files : []
    for (const file of files) this.writtenFile(file)
    for (const path of OF_ANSWER)
      if (!files.some(file => isObject(file) && `${PAYLOAD}${file.name}` === path))
        this.find('altered', RECEIPT, `does not name ${path}`)
  }

  private writtenFile(file: unknown): void {
    const { name, sha256 } = isObject(file) ? file : {}
    const path = `${PAYLOAD}${name}`
    const found = this.digest(path)
    if (found === undefined) this.find('missing', path, 'is named by the receipt and is not there')
    else if (found.sha256 !== sha256) this.find('altered', path, 'is another than the receipt says')
  }

  /** True where it ended so; what the formats say is wrong becomes a finding. */
  private orFinding(path: string, step: () => unknown): boolean {
    try {
      return step() !== false
    } catch (error) {
      if (!(error instanceof ProofError)) throw error
      this.find(error.fault, path, error.message)
      return false
    }
  }

  private text(path: string): string | undefined {
    const bytes = this.files.read(path)
    if (bytes === undefined) return undefined
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      this.find('form', path, 'is not UTF-8')
      return undefined
    }
  }

  private json(path: string): JsonObject | undefined {
    const text = this.text(path)
    const value = text === undefined ? undefined : parseObject(text)
    if (text !== undefined && value === undefined) this.find('form', path, 'is no JSON object')
    else if (value !== undefined && text !== `${JSON.stringify(value, null, 2)}\n`)
      this.find('form', path, 'is not in its one form: others may read another object')
    return value
  }

  private find(kind: BundleFinding['kind'], path: string, message: string): void {
    if (!this.findings.some(found => found.path === path && found.message === message))
      this.findings.push({ kind, path, message })
  }

  verdict(key: BundleVerdict['key'], program: Uint8Array): BundleVerdict {
    const { checkpoint, findings, leftOut } = this
    return {
      findings,
      ...this.count,
      checkpoint: checkpoint === undefined ? null : describe(checkpoint),
      key,
      leftOut,
      unbound: [...this.unbound].sort(),
      program: Buffer.compare(this.files.read(PROGRAM) ?? new Uint8Array(), program) === 0 ? 'ours' : 'another',
    }
  }
}

const NO_WITNESS = { witnesses: new Map(), quorum: null } as const

function describe({ origin, size, root }: SignedCheckpoint): BundleVerdict['checkpoint'] {
  return { origin, size, root: root.toString('base64') }
}

function digestOf(bytes: Uint8Array | undefined): Digest | undefined {
  return bytes && { length: bytes.length, sha256: hash('sha256', bytes) }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** A value in its one form; undefined of one that no writer of ours makes. */
function canonical(value: unknown): string | undefined {
  try {
    return canonicalJson(value)
  } catch {
    return undefined
  }
}

/** The hash that a receipt should hold; undefined of one that no writer of ours makes. */
function hashOf(receipt: object): string | undefined {
  try {
    return receiptHash(receipt)
  } catch {
    return undefined
  }
}
