/** Where an archive's journal is: in a folder, or in the bucket of a stack. */
import type { Authorities } from '../../../journal/authorities.js'
import type { JournalFinding } from '../../../journal/finding.js'
import { KeptLog } from '../../../journal/kept-log.js'
import type { LogStore } from '../../../journal/log-store.js'
import { VerifiedBefore, verifiedPath } from '../../../journal/verified-before.js'
import type { VerifiedArchive } from '../../../journal/verify-objects.js'
import type { StackPlace } from '../../../library/stack.js'
import { engineOf, placeOf } from '../../ask/engine-choice.js'
import {
  type BelievedKey,
  believedAuthorities,
  believedKey,
  existingArchive,
  withSealedObjects,
} from '../../ask/journal-options.js'
import { openBucket } from '../../ask/open-bucket.js'
import { loadConfiguration } from '../../ask/workspace.js'
import { CommandError, EXIT, type Options } from '../../io.js'
import { DEFAULT_ARCHIVE } from '../../show/archive-name.js'

/** A journal, and the objects that it is held against. */
export interface JournalPlace {
  /** Names the archive, for what this machine remembers of it. */
  readonly root: string
  readonly store: LogStore
  readonly key: BelievedKey | undefined
  /** Whose certificates are believed of time stamps. */
  readonly authorities: Authorities | undefined
  /** The journal's name, where a stack says that it keeps one. */
  readonly stack: { readonly origin: string } | undefined
  readonly withObjects: <T>(use: (archive: VerifiedArchive) => Promise<T>) => Promise<T>
  /** Files of the journal that are written once and were written again; only a bucket keeps what was before. */
  readonly writtenTwice: () => Promise<readonly JournalFinding[]>
  /** Objects that need no hashing, and how that is told. */
  readonly openVerified: () => Pick<VerifiedBefore, 'has' | 'add' | 'write'>
  readonly sameBy: string
}

/** Opens the journal of the archive that the flags name. Throws a `CommandError` where there is no such archive. */
export async function openJournalPlace(options: Options): Promise<JournalPlace> {
  if (engineOf(options, DEFAULT_ARCHIVE) === 'duckdb') return openInFolder(options)
  return openInBucket(await placeOf(options, loadConfiguration(options)), options)
}

function openInFolder(options: Options): JournalPlace {
  const { root, archive } = existingArchive(options)
  return {
    root,
    store: new KeptLog(archive),
    key: believedKey(options, root),
    authorities: believedAuthorities(options, root),
    stack: undefined,
    withObjects: use => withSealedObjects(archive, use),
    writtenTwice: async () => [],
    openVerified: () => VerifiedBefore.read(verifiedPath(root)),
    sameBy: 'as before by size and time',
  }
}

async function openInBucket(place: StackPlace, options: Options): Promise<JournalPlace> {
  const { bucket: name, journal, region } = place
  if (name === undefined)
    throw new CommandError(
      'the journal lies in the bucket of the archive, which nobody names',
      EXIT.usage,
      '--stack NAME does; rows and continuity are asked of a workgroup and a database, too',
    )
  const [bucket, { BucketVersions }, { logVersions }] = await Promise.all([
    openBucket(name, region),
    import('../../../journal/bucket-objects.js'),
    import('../../../journal/second-versions.js'),
  ])
  return {
    root: `s3://${name}`,
    store: new KeptLog(bucket),
    key: believedKey(options) ?? (await keyOfStack(place)),
    authorities: believedAuthorities(options),
    stack: journal,
    withObjects: use => use(new BucketVersions(bucket)),
    writtenTwice: async () => (await logVersions(bucket)).findings,
    // S3 never changes a version
    openVerified: () => ({
      has: ({ etag: version }, { version_id: sealed }) => sealed !== undefined && version === sealed,
      add: () => {},
      write: () => {},
    }),
    sameBy: 'in the version that was sealed, which S3 never changes',
  }
}

/** The key that the stack signs with; undefined where the caller may not see it: then nobody is known. */
async function keyOfStack(place: StackPlace): Promise<BelievedKey | undefined> {
  const { verifierOfStack } = await import('../../../library/stack.js')
  const verifier = await verifierOfStack(place)
  return verifier && { verifier, isInside: false }
}
