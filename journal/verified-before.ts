import { z } from 'zod'
import { checkJson, exactly, FileError, readBounded, record, sha256, text } from '../config/gate.js'
import { keepState, stateFile } from '../store/state-file.js'
import type { SealedEntry } from './entry.js'
import type { ListedForVerifying } from './verify-objects.js'

/** What was verified on this machine before, so that it is not hashed again while size and tag are the same. */

const VERSION = 'verified/v1'

/** A million objects. */
const MAX_BYTES = 256 * 1024 ** 2

const schema = record({
  version: exactly(VERSION),
  objects: z.record(text, z.tuple([text, sha256], 'a tag and a SHA-256')),
})

/** Where it lies. */
export function verifiedPath(root: string): string {
  return stateFile(root, ['verified', 'json'])
}

/** Objects that were verified, by key: the tag of the file, and the SHA-256 that it was verified to have. */
export class VerifiedBefore {
  private readonly objects: Map<string, readonly [etag: string, sha256: string]>

  private constructor(
    private readonly path: string,
    objects: Iterable<[string, readonly [string, string]]>,
  ) {
    this.objects = new Map(objects)
  }

  /** Nothing where there is none, or none that can be read: then everything is hashed. */
  static read(path: string): VerifiedBefore {
    try {
      const bytes = readBounded(path, path, { maxBytes: MAX_BYTES })
      const kept = bytes && checkJson(bytes, schema, path, { maxBytes: MAX_BYTES })
      return new VerifiedBefore(path, Object.entries(kept?.objects ?? {}) as [string, [string, string]][])
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      return new VerifiedBefore(path, [])
    }
  }

  has({ key, etag }: ListedForVerifying, entry: SealedEntry): boolean {
    const [tag, digest] = this.objects.get(key) ?? []
    return tag === etag && digest === entry.sha256
  }

  add({ key, etag }: ListedForVerifying, entry: SealedEntry): void {
    this.objects.set(key, [etag, entry.sha256])
  }

  /** Writes what is known by now. */
  write(): void {
    keepState(this.path, [JSON.stringify({ version: VERSION, objects: Object.fromEntries(this.objects) })])
  }
}
