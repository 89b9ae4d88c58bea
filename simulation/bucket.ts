/**
 * Objects of S3. What they are like: user guide, "Add preconditions to S3 operations" (412, and 409
 * where another write of the key is under way), "Strong consistency", "Using versioning", "Locking objects with Object
 * Lock" (a lock of one version, which is made longer and not shorter).
 */
import { createHash } from 'node:crypto'
import { serviceError } from './process.js'
import type { World } from './world.js'

/** One version of an object. */
export interface StoredVersion {
  readonly versionId: string
  readonly bytes: Uint8Array
  readonly etag: string
  readonly modifiedMs: number
  /** Until when it is locked, and how; undefined of a version that is not. */
  retention: Retention | undefined
}

/** A lock as S3 keeps it. */
export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE'
  readonly untilMs: number
}

/** What must hold of a key so that it is written. */
export interface Condition {
  readonly isNew?: boolean
  readonly etag?: string | undefined
}

export class SimulatedBucket {
  /** All versions of each object, newest last. */
  readonly objects = new Map<string, StoredVersion[]>()
  private readonly sorted: string[] = []
  /** Told of each version that is complete. */
  onCreated: ((key: string, version: StoredVersion) => void) | undefined

  constructor(
    private readonly world: World,
    readonly name: string,
  ) {}

  /** Adds a version. Throws where the condition does not hold. */
  put(key: string, bytes: Uint8Array, condition: Condition = {}): void {
    const versions = this.objects.get(key)
    if (condition.isNew && versions !== undefined) throw serviceError('PreconditionFailed', 412)
    if (condition.etag !== undefined && versions?.at(-1)?.etag !== condition.etag)
      throw serviceError('PreconditionFailed', 412)
    const { dice, scheduler, metrics, story } = this.world
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`
    const modifiedMs = Math.floor(scheduler.now)
    const version: StoredVersion = { versionId: dice.hex(16), bytes, etag, modifiedMs, retention: undefined }
    if (versions === undefined) {
      this.add(key, version)
      metrics.put(`world objects ${key.split('/')[0]}`, 1)
    } else versions.push(version)
    story.tell('s3', `keeps ${this.name}/${key}, ${bytes.length} bytes`)
    this.onCreated?.(key, version)
  }

  /** Removes an object of a bucket that keeps no versions. */
  remove(key: string): void {
    if (!this.objects.delete(key)) return
    this.sorted.splice(this.placeOf(key), 1)
    this.world.story.tell('s3', `removes ${this.name}/${key}`)
  }

  /** One version of an object, the newest where none is named. Throws where there is none. */
  version(key: string, versionId: string | undefined): StoredVersion {
    if (versionId === undefined) return this.get(key)
    const version = this.objects.get(key)?.find(version => version.versionId === versionId)
    if (version === undefined) throw serviceError('NoSuchVersion', 404)
    return version
  }

  /** Locks one version. Throws where that would be shorter, or less strict, than what it has. */
  lock(key: string, versionId: string | undefined, { mode, untilMs }: Retention): void {
    const version = this.version(key, versionId)
    const { retention: known } = version
    const isWeaker = known?.mode === 'COMPLIANCE' && mode !== 'COMPLIANCE'
    if (known !== undefined && (isWeaker || untilMs < known.untilMs)) throw serviceError('AccessDenied', 403)
    if (untilMs <= this.world.scheduler.now) throw serviceError('InvalidRetention', 400)
    version.retention = { mode, untilMs }
    this.world.story.tell('s3', `locks ${this.name}/${key} version ${version.versionId} until ${day(untilMs)}`)
  }

  /** The newest version of an object. Throws for a key that has none. */
  get(key: string): StoredVersion {
    const version = this.objects.get(key)?.at(-1)
    if (version === undefined) throw serviceError('NoSuchKey', 404)
    return version
  }

  private add(key: string, version: StoredVersion): void {
    this.objects.set(key, [version])
    this.sorted.splice(this.placeOf(key), 0, key)
  }

  /** The first place in the order of keys at or after one. */
  private placeOf(key: string): number {
    let [low, high] = [0, this.sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.sorted[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The keys below a prefix, in their order, those after one alone; no more than so many. */
  keys(prefix: string, after = '', most = Number.POSITIVE_INFINITY): readonly string[] {
    const found: string[] = []
    for (let place = this.placeOf(after > prefix ? after : prefix); found.length < most; place++) {
      const key = this.sorted[place]
      if (key?.startsWith(prefix) !== true) break
      if (key !== after) found.push(key)
    }
    return found
  }

  /** The newest content of each object below a prefix, in the order of their keys. */
  contents(prefix: string): readonly (readonly [string, Uint8Array])[] {
    return this.keys(prefix).map(key => [key, this.get(key).bytes] as const)
  }
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
