import { randomBytes } from 'node:crypto'
import { KEY_CACHE_MINUTES } from '../config/key-store.js'
import { SealingError } from '../transform/sealed-field.js'
import { fieldKeyOf } from './field.js'
import { claimKey, type KeptKey, readAllKeys, readKeys } from './kept-keys.js'
import type { KeyTable } from './key-table.js'
import type { Secrets } from './kms-secrets.js'
import { openStore } from './store-entry.js'
import type { KeyName, ReadingKeys, SubjectKey, SubjectKeys } from './subject-keys.js'
import { tokenUnder, unwrapKey, wrapKey } from './wrapping.js'

const CACHE_MS = KEY_CACHE_MINUTES * 60_000

/** New persons of a batch whose keys are written at once: each is a call of its own. */
const AT_ONCE = 25

/**
 * Keys in a table of DynamoDB, for who seals and for who reads: they are loaded, and then asked for without waiting. A
 * name is given once, and what was destroyed leaves its name taken: no race brings a key back.
 */
export class TableKeys implements SubjectKeys, ReadingKeys {
  private readonly currents = new Map<string, { readonly key: SubjectKey; readonly until: number }>()
  private readonly found = new Map<string, SubjectKey>()

  private constructor(
    private readonly table: KeyTable,
    private readonly secret: Uint8Array,
    private readonly wrapping: Uint8Array,
    private readonly now: () => number,
    private readonly newKey: () => Uint8Array,
  ) {}

  /** Opens the store of a table. Throws a `SealingError` where it has none, or KMS does not open it. */
  static async open(
    table: KeyTable,
    secrets: Pick<Secrets, 'open'>,
    now: () => number = Date.now,
    newKey: () => Uint8Array = () => randomBytes(32),
  ): Promise<TableKeys> {
    const { store, tokens, keys } = await openStore(table)
    const [secret, wrapping] = await Promise.all([
      secrets.open(tokens, 'tokens', store),
      secrets.open(keys, 'keys', store),
    ])
    return new TableKeys(table, secret, wrapping, now, newKey)
  }

  tokenOf(id: string): string {
    return tokenUnder(this.secret, id)
  }

  /** The key of new values, where it was loaded and may still be used. */
  loaded(token: string): SubjectKey | undefined {
    const current = this.currents.get(token)
    return current !== undefined && current.until > this.now() ? current.key : undefined
  }

  current(token: string): SubjectKey {
    const key = this.loaded(token)
    if (key === undefined) throw new SealingError(`key of ${token} was not loaded`)
    return key
  }

  find({ token, generation }: KeyName): SubjectKey | undefined {
    return this.found.get(`${token}.${generation}`)
  }

  /** Loads all that a person ever had, for `find`. */
  async loadAll(token: string): Promise<void> {
    for (const [generation, kept] of await readAllKeys(this.table, token)) this.note({ token, generation }, kept)
  }

  async fetch(names: readonly KeyName[]): Promise<void> {
    const missing = names.filter(({ token, generation }) => !this.found.has(`${token}.${generation}`))
    const kept = await readKeys(this.table, missing)
    for (const [i, name] of missing.entries()) this.note(name, kept[i])
  }

  /** Of a name alone nothing was ever sealed under, nothing is to be found. */
  private note(name: KeyName, kept: KeptKey | undefined): void {
    if (kept === undefined || kept.state === 'open' || kept.state === 'fenced') return
    const { token, generation } = name
    const key = kept.state === 'live' ? this.unwrap(kept, name) : ({ state: 'erased', generation } as const)
    this.found.set(`${token}.${generation}`, key)
  }

  /**
   * Loads the keys of new values of these persons, for `current`. Who was never seen gets one, unless whoever asks may
   * not make any: then what is sealed of him is nothing.
   */
  async load(tokens: readonly string[], mayMake = true): Promise<void> {
    const until = this.now() + CACHE_MS
    this.forget()
    let names: readonly KeyName[] = tokens.map(token => ({ token, generation: 1 }))
    while (names.length > 0) {
      const kept = await readKeys(this.table, names)
      const next: KeyName[] = []
      for (let from = 0; from < names.length; from += AT_ONCE) {
        const settling = names.slice(from, from + AT_ONCE).map(async (name, i) => {
          const settled = await this.settle(name, kept[from + i], mayMake)
          if ('state' in settled) this.currents.set(name.token, { key: settled, until })
          else next.push(settled)
        })
        // who is told that it failed is told when nothing is written any more
        await Promise.allSettled(settling)
        await Promise.all(settling)
      }
      names = next
    }
  }

  /** The key of new values of a person; or the name to look at next. */
  private async settle(name: KeyName, kept: KeptKey | undefined, mayMake: boolean): Promise<SubjectKey | KeyName> {
    const { token, generation } = name
    // nobody allowed a new life
    if (kept === undefined && generation > 1) return { state: 'erased', generation: generation - 1 }
    if (kept === undefined || kept.state === 'open') return mayMake ? this.make(name) : { state: 'erased', generation }
    if (kept.state === 'erased') return { token, generation: generation + 1 }
    return kept.state === 'live' && !kept.fenced ? this.unwrap(kept, name) : { state: 'erased', generation }
  }

  /** A key of a name that was free; where somebody was quicker, what he made is looked at. */
  private async make(name: KeyName): Promise<SubjectKey | KeyName> {
    const key = this.newKey()
    const isOurs = await claimKey(this.table, name, wrapKey(this.wrapping, key, name))
    return isOurs ? { state: 'live', generation: name.generation, fieldKey: fieldKeyOf(key) } : name
  }

  private unwrap({ wrapped }: KeptKey & { state: 'live' }, name: KeyName): SubjectKey {
    const key = unwrapKey(this.wrapping, wrapped, name)
    if (key === undefined)
      throw new SealingError(`key ${name.token}.${name.generation} is another store's, or was altered`)
    return { state: 'live', generation: name.generation, fieldKey: fieldKeyOf(key) }
  }

  /** A key that may not be used any more is not kept in memory. */
  private forget(): void {
    const now = this.now()
    for (const [token, { until }] of this.currents) if (until <= now) this.currents.delete(token)
  }
}
