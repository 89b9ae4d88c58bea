/**
 * Where objects lie, by key: a folder on a desk, a bucket on AWS, memory in tests. The library
 * reads an archive in any place that has one of these; the command line chooses between `folder.ts` and `s3.ts`.
 */

/** An archive's objects. Each appears whole or not at all and is never rewritten. */
export interface Objects {
  /** Keys that begin with a prefix, in order. Throws a `FileError` where something else than an object has one. */
  list(prefix: string): Promise<readonly string[]>
  /** The objects that have these keys, with what a list tells of each; what is none is passed over. */
  entries(prefix: string): Promise<readonly ObjectEntry[]>
  /**
   * The same in a place that keeps versions, with the version of each; of the keys of a range alone.
   * @default - it keeps none: `entries` tells what there is
   */
  versioned?(prefix: string, range: KeyRange): Promise<readonly VersionedEntry[]>
  /** The same keys, and what lies there and is no object, which only a folder has: it is told and costs no list. */
  survey(prefix: string): Promise<Survey>
  /**
   * Prefixes one "/" further than the one given, in order. A link in a folder is one, too: whoever lists it is told.
   */
  folders(prefix: string): Promise<readonly string[]>
  /**
   * An object's bytes. Throws for a key that has none, which `isMissing` tells, and a `FileError` for one that has more
   * than `maxBytes`, of which never more is read.
   */
  open(key: string, maxBytes?: number): Promise<Uint8Array>
  /** The same piece by piece, for what may be larger than memory. */
  stream(key: string): AsyncIterable<Uint8Array>
  /** Adds an object. Throws if the key is taken, which `isConflict` tells. */
  put(key: string, content: Uint8Array): Promise<void>
}

/** Where what is made from an archive lies: texts there are replaced as a whole, and what is not in use is removed. */
export interface ReplaceableObjects extends Objects {
  /** A text with its tag; undefined where there is none yet. */
  openTagged(key: string): Promise<TaggedText | undefined>
  /** Replaces a text, or adds it. Throws where it is not what was opened, which `isConflict` tells. */
  replace(key: string, text: string, opened: TaggedText | undefined): Promise<void>
  /** Removes objects, those that are gone already among them. Throws where one could not be removed. */
  remove(keys: readonly string[]): Promise<void>
}

/** An object as a list tells of it. */
export interface ObjectEntry {
  readonly key: string
  readonly bytes: number
  /**
   * Another one whenever the object is another. In a bucket it follows from the content, in a folder also from its
   * file.
   */
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modified: number
  /** `STANDARD`, `GLACIER_IR`, ...; a folder has the first only. */
  readonly storageClass: string
}

/** Keys from behind one to before another. */
export interface KeyRange {
  readonly after: string
  readonly before: string
}

/** An object with its version, which is never another object. */
export interface VersionedEntry extends ObjectEntry {
  readonly version?: string | undefined
}

/** What lies under a prefix. */
export interface Survey {
  readonly keys: readonly string[]
  readonly odd: readonly Odd[]
}

/** Something in the place of an object or a folder of them that is none, such as a link. */
export interface Odd {
  readonly key: string
  readonly reason: string
}

/** A text that is replaced as a whole. */
export interface TaggedText {
  readonly text: string
  readonly etag: string
}

/** True of the error of an object that is not there. */
export function isMissing(error: unknown): boolean {
  const { name, code } = error as NodeJS.ErrnoException
  return name === 'NoSuchKey' || code === 'ENOENT'
}

/** True of the error of a write that came too late: somebody else added or replaced the object. */
export function isConflict(error: unknown): boolean {
  const { name } = error as Error
  return name === 'PreconditionFailed' || name === 'ConditionalRequestConflict'
}

/** The error of a write whose condition does not hold, as S3 names it. */
export class PreconditionFailed extends Error {
  override readonly name = 'PreconditionFailed'
}
