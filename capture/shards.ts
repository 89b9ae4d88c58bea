/** The shards of a stream: which there are, which may be read, and how far each was read. */

/** A shard as DescribeStream lists it. */
export interface ListedShard {
  readonly id: string
  readonly parent: string | null
  /** The sequence number that it begins with. */
  readonly starting: string | null
}

/** How far a shard was read; times in milliseconds since 1970. */
export interface ShardPosition {
  readonly parent: string | null
  readonly state: 'waiting' | 'reading' | 'ended'
  /** The sequence number of the last record that was taken; null where there was none yet. */
  readonly after: string | null
  /** When the change of that record was made. */
  readonly madeAt: number | null
  /** When the shard last had nothing more. */
  readonly emptyAt: number | null
}

/** One shard while it is followed. */
export interface Shard {
  readonly id: string
  readonly parent: string | null
  readonly starting: string | null
  state: ShardPosition['state']
  after: string | null
  madeAt: number | null
  emptyAt: number | null
  /**
   * When a checkpoint was saved under which it was to be read from its oldest record on, while nothing had been read of
   * it; null of a shard that no checkpoint knew.
   */
  readonly dueSince: number | null
}

/** Up to when everything that happened in a shard was taken, as far as is known. */
export function readUntil({ madeAt, emptyAt }: Pick<ShardPosition, 'madeAt' | 'emptyAt'>): number | null {
  return madeAt === null ? emptyAt : Math.max(madeAt, emptyAt ?? madeAt)
}

/** True of a shard of which nothing is known yet, neither a record nor that it had none. */
function isUnread({ state, after, emptyAt }: Pick<ShardPosition, 'state' | 'after' | 'emptyAt'>): boolean {
  return state !== 'ended' && after === null && emptyAt === null
}

/**
 * Shards in an order in which a parent comes before its children. A parent that is no longer listed has been trimmed.
 */
export function parentsFirst<T extends Pick<ListedShard, 'id' | 'parent'>>(shards: readonly T[]): readonly T[] {
  const byId = new Map(shards.map(shard => [shard.id, shard]))
  const sorted = new Set<T>()
  for (const shard of shards) {
    // a loop, because a long-lived stream has long lines of shards
    const line = new Set<T>()
    for (let one: T | undefined = shard; one !== undefined && !sorted.has(one) && !line.has(one); ) {
      line.add(one)
      one = one.parent === null ? undefined : byId.get(one.parent)
    }
    for (const one of [...line].reverse()) sorted.add(one)
  }
  return [...sorted]
}

/** The shards of one stream by their descent: a child may be read once its parent is at its end. */
export class Lineage {
  private readonly shards = new Map<string, Shard>()
  private listed: ReadonlySet<string> = new Set()
  /** A checkpoint that knows no shard was saved before any was listed: all of them were to be read. */
  private readonly isBlank: boolean

  /** `saved` is when the positions were saved, in milliseconds since 1970; null where there are none. */
  constructor(
    positions: Readonly<Record<string, ShardPosition>> = {},
    private readonly saved: number | null = null,
  ) {
    for (const [id, position] of Object.entries(positions))
      this.shards.set(id, { id, starting: null, ...position, dueSince: isUnread(position) ? saved : null })
    this.isBlank = this.shards.size === 0
  }

  /**
   * Takes in what is listed now, all pages of it. Shards that ended, are not listed any more and have a child are
   * forgotten.
   */
  update(listed: readonly ListedShard[]): void {
    this.listed = new Set(listed.map(({ id }) => id))
    for (const { id, parent, starting } of parentsFirst(listed)) {
      const known = this.shards.get(id)
      if (known === undefined) {
        const dueSince = this.isBlank ? this.saved : null
        const begun = { state: 'waiting', after: null, madeAt: null, emptyAt: null } as const
        this.shards.set(id, { id, parent, starting, ...begun, dueSince })
      } else Object.assign(known, { parent, starting })
    }
    for (const shard of [...this.shards.values()]) {
      if (shard.state === 'ended' && !this.listed.has(shard.id) && this.childrenBegan(shard))
        this.shards.delete(shard.id)
    }
  }

  get all(): readonly Shard[] {
    return [...this.shards.values()]
  }

  /** Shards that were not begun and whose parent is at its end, or gone. */
  ready(): readonly Shard[] {
    return this.all.filter(shard => shard.state === 'waiting' && (this.parentOf(shard)?.state ?? 'ended') === 'ended')
  }

  /** The parent that was read before a shard, as long as it is remembered. */
  parentOf({ parent }: Shard): Shard | undefined {
    return parent === null ? undefined : this.shards.get(parent)
  }

  /**
   * Shards that were read to their end and are not listed any more, while no child of theirs is known: the stream
   * forgot what came after them.
   */
  withoutSuccessor(): readonly Shard[] {
    return this.all.filter(shard => shard.state === 'ended' && !this.listed.has(shard.id) && this.isLast(shard))
  }

  /** True where no child of a shard is known. */
  isLast(shard: Shard): boolean {
    return this.childrenOf(shard).length === 0
  }

  /**
   * True as long as a shard that was due under the last checkpoint has not answered: a newer one would hide since when.
   */
  get isDue(): boolean {
    return this.all.some(shard => shard.dueSince !== null && isUnread(shard) && this.parentOf(shard) === undefined)
  }

  /**
   * What comes after a shard that is gone, or after one that is not even listed, has to be whole from a moment on: the
   * stream may forget more of it before it is read.
   */
  expectWhole({ id }: Shard, fromMs: number): void {
    for (const shard of this.all)
      if (isUnread(shard) && (shard.parent === id || (shard.parent !== null && !this.shards.has(shard.parent))))
        shard.emptyAt = fromMs
  }

  forget({ id }: Shard): void {
    this.shards.delete(id)
  }

  /** How far each shard was read. */
  positions(): Readonly<Record<string, ShardPosition>> {
    return Object.fromEntries(
      this.all.map(({ id, parent, state, after, madeAt, emptyAt }) => [id, { parent, state, after, madeAt, emptyAt }]),
    )
  }

  private childrenOf({ id }: Shard): readonly Shard[] {
    return this.all.filter(({ parent }) => parent === id)
  }

  /** A child that was not begun still needs its parent, to know from when on it has to be whole. */
  private childrenBegan(shard: Shard): boolean {
    const children = this.childrenOf(shard)
    return children.length > 0 && children.every(({ state }) => state !== 'waiting')
  }
}
