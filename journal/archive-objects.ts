import type { ArchivePart } from './archive-part.js'
import type { SealedEntry } from './entry.js'

/** An object as a list of the archive tells of it. */
export interface FoundObject {
  readonly key: string
  readonly bytes: number
  /** By the clock of where it lies, milliseconds since 1970. */
  readonly modified: number
}

/** The rows of an object as the journal attests them. */
export interface RowHashes {
  /** `row_hash` of each row, 32 bytes, in the order of the file. */
  readonly hashes: readonly Uint8Array[]
  /** The least and the greatest `event_time_us`; undefined where there is no row. */
  readonly minUs: number | undefined
  readonly maxUs: number | undefined
}

/** The archive's objects, as a journal looks at them. */
export interface ArchiveObjects {
  /** The objects below a prefix, in the order of their keys. */
  list(prefix: string): Promise<readonly FoundObject[]>
  /**
   * The objects of a part, where listing everything is not for every time.
   * @default - everything is listed each time
   */
  listPart?(part: ArchivePart): Promise<readonly FoundObject[]>
  /**
   * What the journal says of an object; undefined where it is not there any more. Of one whose bytes are others than
   * those that were `sealed` the rows are not read: it may be damaged in any way.
   */
  describe(object: FoundObject, sealed?: Pick<SealedEntry, 'sha256'>): Promise<SealedEntry | undefined>
}
