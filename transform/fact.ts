/**
 * What an archive knows about itself that no audit row can say: that a baseline is whole, that a stretch of the stream
 * was lost, that the stream is another one, that the table was compared. Facts are write-once objects, which
 * `config/fact-file.ts` reads.
 */
import { hash } from 'node:crypto'
import { formatInstant, parseInstant } from './instant.js'
import { canonicalJson } from './json.js'

export const FACT_VERSION = 'fact/v1'

/** All instants in facts are ISO 8601 in UTC with six digits of a second's fraction. */
interface AnyFact {
  readonly version: typeof FACT_VERSION
  readonly table: string
  /** When the fact was written. */
  readonly recorded: string
}

/**
 * Every item that the table held between `from` and `to` (equal for an export, which has one instant) is in the archive
 * as a `BASELINE` row of this `source`. Written after the last of these rows is durable: without this fact the rows are
 * only items that somebody saw. An item that a baseline lacks did not exist at `rowTime`.
 */
export interface BaselineFact extends AnyFact {
  readonly kind: 'baseline'
  readonly method: 'export' | 'scan'
  /** As in the rows' `source`: the export's ARN, or `<table ARN>/scan/<from>`. */
  readonly source: string
  readonly from: string
  readonly to: string
  /**
   * The `event_time` of its rows: just before the second of `from`, so that changes of that very second come after it.
   */
  readonly rowTime: string
  readonly items: number
  /** `StatesDigest` of what was read. */
  readonly digest: string
}

/**
 * The table (or an export's newer images) was compared with the newest states in the archive, between `from` and `to`.
 */
export interface ReconciliationFact extends AnyFact {
  readonly kind: 'reconciliation'
  readonly method: 'export' | 'scan'
  readonly source: string
  readonly from: string
  readonly to: string
  /** Items that were compared, those of the archive among them that the table no longer has. */
  readonly items: number
  /** The items that differed, in order of their keys' UTF-8; empty where everything was equal. */
  readonly differing: readonly DifferingItem[]
  /** Keys of items of which it could not be said, in the same order: they changed meanwhile, or no image tells. */
  readonly unsettled: readonly string[]
  /** How many more of both there were than are named; without it none. */
  readonly further?: { readonly differing: number; readonly unsettled: number }
  /**
   * `StatesDigest` of what the archive's rows said of all other items as of `comparedAsOf(from)`: what was judged
   * equal. Who reads the fact computes it again; where it differs, the archive is another than the one that was
   * compared.
   */
  readonly digest: string
}

/** An item that was another in the table than the archive said. */
export interface DifferingItem {
  /** Canonical DynamoDB JSON of its keys. */
  readonly key: string
  /** When the last change that the archive had of it was made; null where it had none. */
  readonly since: string | null
}

/** Records of the stream between two sequence numbers were gone before they could be read. */
export interface GapFact extends AnyFact {
  readonly kind: 'gap'
  /** The stream's ARN. */
  readonly source: string
  readonly shard: string
  /** The last sequence number that is in the archive; null where none of this shard is. */
  readonly after: string | null
  /** The first that could be read again; null where nothing was left. */
  readonly before: string | null
  /** Between these instants, as far as is known. */
  readonly from: string | null
  readonly to: string
  readonly reason: string
}

/** The table's stream is another one than before: what changed while it had none is not in any stream. */
export interface StreamChangedFact extends AnyFact {
  readonly kind: 'stream-changed'
  readonly previous: string
  readonly source: string
}

/**
 * A plan was performed on the table. Each run of it that wrote something leaves one, with all that the plan has written
 * until then.
 */
export interface RestoreFact extends AnyFact {
  readonly kind: 'restore'
  /** The SHA-256 of the plan. */
  readonly plan: string
  /** The table whose past was written, which may be another. */
  readonly pastOf: string
  /** The instant of that past; of what takes back a writer's changes, since when. */
  readonly asOf: string
  /** The change before which it was, by its event id. @default - a moment was asked for */
  readonly before?: string
  /** Whose changes were taken back, from one instant to another. @default - the whole state was written */
  readonly undone?: UndoneChanges
  /** Who restored; null where nobody said it. */
  readonly actor: string | null
  /** Between these instants, by the clock of who restored, the items were written. */
  readonly from: string
  readonly to: string
  readonly items: number
  /**
   * What was written: keys, and the hashes of images, null of a delete. Null where there are more than can be listed.
   */
  readonly written: readonly RestoredItem[] | null
}

/** Changes of one writer within a time, its beginning included. */
export interface UndoneChanges {
  readonly actor: string
  readonly from: string
  readonly to: string
}

/** An item that a restore wrote. */
export interface RestoredItem {
  readonly itemKey: string
  readonly hash: string | null
}

/** Who is erased, and why: the same in both facts of an erasure. */
interface Erasing extends AnyFact {
  /** The subject's token. */
  readonly token: string
  /** Which of the subject's keys. */
  readonly generation: number
  /** As it was given: it stays for good, so it is to name nobody. */
  readonly reason: string
  readonly ticket: string | null
  /** Who asked for it. */
  readonly by: string
}

/**
 * The fence of an erasure, written before anything is destroyed: from `recorded` on nothing new is sealed under the
 * key.
 */
export interface ErasingFact extends Erasing {
  readonly kind: 'erasing'
}

/** The certificate of an erasure: the key is gone, and with it what was sealed under it. */
export interface ErasureFact extends Erasing {
  readonly kind: 'erasure'
  /** When it was asked for, which is when the fence went up. */
  readonly asked: string
  readonly destroyed: string
  /** After this instant no process can have the key any more. */
  readonly effective: string
  /** What of this table was sealed under the key: objects with such rows, the rows, the values in their images. */
  readonly objects: number
  readonly rows: number
  readonly values: number
  /** Where the person may still be in clear, each with what has to be done; empty where nothing is left to do. */
  readonly pending: readonly string[]
  /** What was refused by this instant was searched for the person; certificates of earlier versions have none. */
  readonly searched?: string
}

export type Fact =
  | BaselineFact
  | ReconciliationFact
  | GapFact
  | StreamChangedFact
  | RestoreFact
  | ErasingFact
  | ErasureFact

/** A fact as it is kept: canonical JSON, ended by a line feed. */
export function writeFact(fact: Fact): string {
  return `${canonicalJson(fact)}\n`
}

/**
 * The time that the rows of a baseline get, in microseconds since 1970: one before the second in which it was taken. A
 * change of that very second, whose time may be cut to the second, then comes after the baseline, whether the baseline
 * saw it or not, and a linked change wins over it.
 */
export function baselineRowTime(takenUs: number): number {
  return Math.floor(takenUs / 1_000_000) * 1_000_000 - 1
}

/**
 * True of a comparison that says of every item of the table whether it was equal: an incremental export lists the items
 * of its window alone, and where more were unequal than are named nobody knows which.
 */
export function comparedWhole({ method, from, to, further }: ReconciliationFact): boolean {
  return (method === 'scan' || from === to) && further === undefined
}

/**
 * The moment whose states a comparison's digest is of, in microseconds since 1970: before the second in which it began,
 * to which the times of changes may be cut.
 */
export const comparedAsOf = baselineRowTime

/** Microseconds since 1970 of an instant of a fact; `config/fact-file.ts` has checked that it is one. */
export function factMicroseconds(instant: string): number {
  return parseInstant(instant)?.us as number
}

/** A moment as facts write it. */
export function factInstant(us: number): string {
  return formatInstant(us, 6)
}

/**
 * What two sets of item states are compared by, whatever order they come in: the sum, modulo 2^256, of the SHA-256 of
 * each `<item_key>\n<new_hash>`. It finds what was lost or altered by accident; it is no defence against a forger.
 */
export class StatesDigest {
  private sum = 0n

  add(itemKey: string, imageHash: string): void {
    this.sum = (this.sum + BigInt(`0x${hash('sha256', `${itemKey}\n${imageHash}`)}`)) % DIGEST_MODULUS
  }

  /** 64 lower hex digits. */
  hex(): string {
    return this.sum.toString(16).padStart(64, '0')
  }
}

const DIGEST_MODULUS = 2n ** 256n
