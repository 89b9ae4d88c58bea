import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readFact } from '../config/fact-file.js'
import type { ErasingFact, ErasureFact } from '../transform/fact.js'
import { FACTS_PREFIX } from '../transform/layout.js'
import type { FieldPlace } from './field.js'

/** How far an erasure has come: its fence is up, or its certificate says that the key is gone. */
export type Fence = 'erasing' | 'erased'

/** After so long a folder that changes gets another time on every file system. */
const SETTLED_MS = 3000

/**
 * What an archive's facts say of erasures, read again when a folder of facts has changed. Throws the `FileError` of one
 * that cannot be read: it may be anybody's.
 */
export class FolderFences {
  private readonly seen = new Map<string, bigint>()
  private readonly fences = new Map<string, Fence>()

  constructor(private readonly archive: string) {}

  /** The fence of a key; undefined where nobody erases it. */
  of({ token, generation }: Pick<FieldPlace, 'token' | 'generation'>): Fence | undefined {
    this.look()
    return this.fences.get(`${token}.${generation}`)
  }

  private look(): void {
    const root = join(this.archive, FACTS_PREFIX)
    for (const table of foldersIn(root)) {
      const folder = join(root, table)
      const { mtimeNs } = statSync(folder, { bigint: true })
      if (this.seen.get(folder) === mtimeNs) continue
      for (const name of readdirSync(folder)) this.read(join(folder, name), `${FACTS_PREFIX}${table}/${name}`)
      // of one clock tick two facts have the same time: what was written just now may not be the last
      if (mtimeNs / 1_000_000n < BigInt(Date.now() - SETTLED_MS)) this.seen.set(folder, mtimeNs)
    }
  }

  private read(path: string, key: string): void {
    if (!/-(erasing|erasure)\.json$/.test(key)) return
    const { kind, token, generation } = readFact(readFileSync(path), key) as ErasingFact | ErasureFact
    const name = `${token}.${generation}`
    if (this.fences.get(name) !== 'erased') this.fences.set(name, kind === 'erasure' ? 'erased' : 'erasing')
  }
}

function foldersIn(root: string): readonly string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
