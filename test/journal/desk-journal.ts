/** A sealed archive on a desk, for tests: the real stations, a key that every test knows. */
import { join } from 'node:path'
import type { SealedEntry } from '../../journal/entry.js'
import type { JournalFinding } from '../../journal/finding.js'
import { type Head, openHead } from '../../journal/head.js'
import { KeptLog } from '../../journal/kept-log.js'
import { KeptObjects } from '../../journal/kept-objects.js'
import { rowHashesAt } from '../../journal/row-hashes.js'
import { type Sealed, type Sealer, seal } from '../../journal/seal.js'
import { verifyLog } from '../../journal/verify-log.js'
import { verifyObjects } from '../../journal/verify-objects.js'
import { parseVkey, type Signer, signerOf } from '../../proof/note.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { DiskArchive } from '../../store/folder.js'
import { ORIGIN, SEED, VKEY } from '../proof/vectors.js'

export const IDENTITY = { origin: ORIGIN, known: [parseVkey(VKEY)] }

// of all files of a worker, and ends with it
const instance = openDuckDb()

export async function objectsOf(root: string): Promise<KeptObjects> {
  const duckDb = await instance
  return new KeptObjects(new DiskArchive(root), key => rowHashesAt(duckDb, join(root, key)))
}

export async function sealerOf(root: string, changed: Partial<Sealer> = {}): Promise<Sealer> {
  return {
    store: new KeptLog(new DiskArchive(root)),
    objects: await objectsOf(root),
    identity: IDENTITY,
    signers: [signerOf(ORIGIN, SEED)] as readonly Signer[],
    name: 'test',
    now: Date.now,
    ...changed,
  }
}

export async function sealFolder(root: string, changed: Partial<Sealer> = {}): Promise<Sealed> {
  return seal(await sealerOf(root, changed))
}

/** Everything that is wrong with an archive and its journal. */
export async function findingsOf(root: string, since?: Head): Promise<readonly JournalFinding[]> {
  const entries = new Map<string, SealedEntry>()
  const log = await verifyLog(new KeptLog(new DiskArchive(root)), IDENTITY, {
    since,
    onEntry: (_index, entry) => {
      if (entry.type === 'object@1') entries.set(entry.key, entry)
    },
  })
  const objects = await verifyObjects(await objectsOf(root), entries, log.seals)
  return [...log.findings, ...objects.findings]
}

/** The checkpoint that somebody keeps. */
export function keptHead(note: string): Head {
  return openHead(Buffer.from(note), 'kept', IDENTITY)
}
