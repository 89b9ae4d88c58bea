import { formatCheckpoint, openCheckpoint, type SignedCheckpoint } from '../proof/checkpoint.js'
import type { Verifier } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import { type LogFile, type ReadFile, TileReader } from '../proof/tiles.js'
import { EMPTY_ROOT } from '../proof/tree.js'
import { LOG_PREFIX } from '../transform/layout.js'
import { JournalError } from './journal-error.js'
import { CHECKPOINT, claimPath, type LogStore, stagingPath } from './log-store.js'
import { decodeStaged } from './staging.js'

/** Whose journal is read: its name, and the keys that may have signed it. */
export interface JournalIdentity {
  readonly origin: string
  readonly known: readonly Verifier[]
}

/** The end of a journal: a signed checkpoint, as it stands; a size of 0 has none. */
export interface Head {
  readonly size: number
  readonly root: Buffer
  /** The signed note; undefined of a journal that has not begun. */
  readonly note: string | undefined
}

export const NOT_BEGUN: Head = { size: 0, root: EMPTY_ROOT, note: undefined }

/**
 * The end of a journal, with every sealing finished that was claimed and not written to its end. Throws a
 * `JournalError` where the chain cannot be believed, or a claimed sealing is gone.
 */
export async function finishedHead(store: LogStore, identity: JournalIdentity): Promise<Head> {
  let head = await cachedHead(store, identity)
  for (let next = await nextClaim(store, identity, head); next !== undefined; ) {
    await finish(store, next)
    head = next
    next = await nextClaim(store, identity, head)
  }
  return head
}

/** Where `log/checkpoint` says that it ends. It may be behind, never ahead. */
export async function cachedHead(store: LogStore, identity: JournalIdentity): Promise<Head> {
  const cached = await store.read(CHECKPOINT)
  return cached === undefined ? NOT_BEGUN : openHead(cached, CHECKPOINT, identity)
}

/** The one successor of a head; undefined where nobody has claimed it. */
export async function nextClaim(store: LogStore, identity: JournalIdentity, head: Head): Promise<Head | undefined> {
  const path = claimPath(head.size)
  const bytes = await store.read(path)
  if (bytes === undefined) return undefined
  const next = openHead(bytes, path, identity)
  if (next.size <= head.size)
    throw new JournalError(path, `leads to size ${next.size}, expected more than ${head.size}`)
  return next
}

/**
 * Reads the files of a journal up to a head that may be claimed and not written: what is missing then is where it was
 * staged. Throws a `FileError` where that cannot be read.
 */
export async function readerTo(store: Pick<LogStore, 'read'>, head: Head): Promise<ReadFile> {
  const files = await stagedFiles(store, head)
  const bytesOf = new Map(files.map(({ path, bytes }) => [path, bytes]))
  return async path => (await store.read(path)) ?? bytesOf.get(path)
}

/** Files that lie where a sealing staged them: none once they are written. */
async function stagedFiles(store: Pick<LogStore, 'read'>, { size, root }: Head): Promise<readonly LogFile[]> {
  const path = stagingPath(size, root)
  const staged = await store.read(path)
  return staged === undefined ? [] : decodeStaged(staged, `${LOG_PREFIX}${path}`)
}

/** Opens a checkpoint file. Throws a `JournalError` that says why it is not believed. */
export function openHead(bytes: Uint8Array, path: string, { origin, known }: JournalIdentity): Head {
  const note = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  try {
    const opened: SignedCheckpoint = openCheckpoint(note, origin, known)
    return { size: opened.size, root: opened.root, note }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    throw new JournalError(path, `is not believed: ${error.message}`, { cause: error })
  }
}

/** Writes what a claimed sealing is made of, and moves the cache on. Each step may be done already. */
export async function finish(store: LogStore, head: Head): Promise<void> {
  await writeFiles(store, await stagedFiles(store, head))
  await proveRoot(store, head)
  await moveOn(store, head)
  await store.remove(stagingPath(head.size, head.root))
}

/** Files of a log never change: one that is there already is the same, or somebody altered it. */
async function writeFiles(store: LogStore, files: readonly LogFile[]): Promise<void> {
  for (const { path, bytes } of files) {
    if (await store.add(path, bytes)) continue
    const there = await store.read(path)
    if (there === undefined || Buffer.compare(there, bytes) !== 0)
      throw new JournalError(path, 'is another than the one that was sealed')
  }
}

/** What is claimed is there, whoever wrote it: a lost staging file must not end in a checkpoint over nothing. */
async function proveRoot(store: LogStore, { size, root }: Head): Promise<void> {
  const reader = new TileReader(path => store.read(path), size)
  try {
    if ((await reader.hashOf({ from: 0, to: size })).equals(root)) return
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    throw new JournalError(claimPath(size), `follows a sealing that is not whole: ${error.message}`, { cause: error })
  }
  throw new JournalError(CHECKPOINT, `of size ${size} has another root than its tiles`)
}

/** The cache only grows; who is behind leaves it. */
async function moveOn(store: LogStore, head: Head): Promise<void> {
  const cached = await store.read(CHECKPOINT)
  if (cached !== undefined && sizeOf(cached) >= head.size) return
  await store.replace(CHECKPOINT, Buffer.from(head.note as string))
}

function sizeOf(note: Uint8Array): number {
  return Number(Buffer.from(note).toString('utf8').split('\n')[1])
}

/** The text that is signed. */
export function headText(origin: string, { size, root }: Pick<Head, 'size' | 'root'>): string {
  return formatCheckpoint({ origin, size, root })
}
