import { KEY_BACKUP_DAYS, KEY_CACHE_MINUTES, SEALING_MINUTES } from '../config/key-store.js'
import type { Hold } from './holds.js'
import { destroyKey, fenceKey, openName, readAllKeys } from './kept-keys.js'
import type { EntryName, KeyTable } from './key-table.js'
import type { Secrets } from './kms-secrets.js'
import { openStore } from './store-entry.js'
import type { KeyName, KeyState, KeyStore } from './subject-keys.js'
import { tokenUnder } from './wrapping.js'

const [MINUTE_MS, DAY_MS] = [60_000, 86_400_000]

/** A key store in a table of DynamoDB, for acts about a person. What opens keys is never asked for. */
export class TableKeyStore implements KeyStore {
  readonly lingersMs = KEY_BACKUP_DAYS * DAY_MS + (KEY_CACHE_MINUTES + SEALING_MINUTES) * MINUTE_MS

  private constructor(
    private readonly table: KeyTable,
    private readonly secret: Uint8Array,
    private readonly now: () => number,
  ) {}

  /** Opens the store of a table. Throws a `SealingError` where it has none, or KMS does not open what makes tokens. */
  static async open(
    table: KeyTable,
    secrets: Pick<Secrets, 'open'>,
    now: () => number = Date.now,
  ): Promise<TableKeyStore> {
    const { store, tokens } = await openStore(table)
    return new TableKeyStore(table, await secrets.open(tokens, 'tokens', store), now)
  }

  tokenOf(id: string): string {
    return tokenUnder(this.secret, id)
  }

  /** A name that was opened, or fenced, counts: what an erasure has to destroy is the last of them. */
  async newest(token: string): Promise<KeyState | undefined> {
    const last = [...(await readAllKeys(this.table, token))].at(-1)
    if (last === undefined) return undefined
    const [generation, { state }] = last
    return { state: state === 'erased' ? 'erased' : 'live', generation }
  }

  async fence(name: KeyName): Promise<void> {
    await fenceKey(this.table, name, this.instant())
  }

  async destroy(name: KeyName): Promise<void> {
    await destroyKey(this.table, name, this.instant())
  }

  async make(name: KeyName): Promise<void> {
    await openName(this.table, name, this.instant())
  }

  async holdsOf(token: string): Promise<readonly Hold[]> {
    const found = await this.table.query(token, PREFIX)
    return [...found]
      .filter(([, { released }]) => released === undefined)
      .map(([entry, { reason, by, since }]) => ({
        token,
        case: entry.slice(PREFIX.length),
        reason: `${reason?.S}`,
        by: `${by?.S}`,
        since: `${since?.S}`,
      }))
  }

  placeHold({ token, case: name, reason, by, since }: Hold): Promise<boolean> {
    return this.table.put(holdOf(token, name), { reason: { S: reason }, by: { S: by }, since: { S: since } })
  }

  releaseHold(token: string, name: string, by: string, at: string): Promise<boolean> {
    return this.table.update(
      holdOf(token, name),
      'set released = :at, releasedBy = :by',
      { ':at': { S: at }, ':by': { S: by } },
      'attribute_exists(since) and attribute_not_exists(released)',
    )
  }

  private instant(): string {
    return new Date(this.now()).toISOString()
  }
}

const PREFIX = 'hold/'

function holdOf(token: string, name: string): EntryName {
  return { subject: token, entry: `${PREFIX}${name}` }
}
