import { isConflict, isMissing, type ReplaceableObjects } from '../store/objects.js'
import { LOG_PREFIX } from '../transform/layout.js'
import type { LogStore } from './log-store.js'

/** The journal of an archive, in a folder or a bucket. */
export class KeptLog implements LogStore {
  constructor(private readonly objects: ReplaceableObjects) {}

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await this.objects.open(LOG_PREFIX + path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async add(path: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.objects.put(LOG_PREFIX + path, bytes)
      return true
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
  }

  /** Only ever the cached checkpoint, which is text. Whoever is in the way put one that is as good. */
  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const key = LOG_PREFIX + path
    try {
      await this.objects.replace(key, Buffer.from(bytes).toString('utf8'), await this.objects.openTagged(key))
    } catch (error) {
      if (!isConflict(error)) throw error
    }
  }

  async remove(path: string): Promise<void> {
    await this.objects.remove([LOG_PREFIX + path])
  }

  async list(prefix: string): Promise<readonly string[]> {
    return (await this.objects.list(LOG_PREFIX + prefix)).map(key => key.slice(LOG_PREFIX.length))
  }
}
