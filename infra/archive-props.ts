import { type Duration, type Size, SizeRoundingBehavior } from 'aws-cdk-lib'
import type { IPrincipal } from 'aws-cdk-lib/aws-iam'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { ColumnField, ErasableField, KeyField, Lock } from '../config/schema.js'

/** What an archive is like, for all of its tables. */
export interface AuditArchiveProps {
  /**
   * S3 Object Lock of the whole archive: `{ mode: 'none' }`, or `governance` or `compliance` with `days`. There is no
   * default, because it cannot be made weaker later, and compliance cannot be undone by anybody.
   */
  readonly lock: Lock
  /** How long refused records are kept, in whole days. @default - 365 days */
  readonly refusedRetention?: Duration
  /** A query in Athena that scans more, in whole gibibytes, is cancelled. @default - 100 GiB */
  readonly scanCutoff?: Size
  /**
   * Keeps a copy of each table's rows, clustered by item, and checkpoints of its items, so that questions about one
   * item or one moment read less.
   * @default - false
   */
  readonly compact?: boolean
  /**
   * Keeps a signed journal of the archive: a function seals what is new every hour, with a key that it alone may use.
   * An object says more.
   * @default - false
   */
  readonly seal?: boolean | SealOptions
  /**
   * Keeps who called for the writes of the captured tables: a trail of CloudTrail's data events, each of which is paid
   * for, for `itemtrail who` and auditors. A number of days in whole says how long events are kept, which have keys in
   * clear and name people; `true` is 365.
   * @default - false
   */
  readonly callers?: boolean | { readonly days: number }
  /**
   * Writes an item of a table of its own every five minutes, and measures how long each write takes into the archive.
   * @default - false
   */
  readonly canary?: boolean
  /**
   * Told of every alarm; its key must let CloudWatch in. With `callers` or `erasable` EventBridge tells it, too: its
   * policy and its key must let `events.amazonaws.com` in without a condition.
   * @default - a topic of its own, encrypted with the archive's key
   */
  readonly alarmTopic?: ITopic
  /** E-mail addresses that hear of alarms. @default - none, subscribe to `alarmTopic` */
  readonly notify?: readonly string[]
  /**
   * Name of the Glue database and the Athena workgroup: lower-case letters, digits and "_".
   * @default - made from the construct's path
   */
  readonly name?: string
  /**
   * Who may take on the roles for people, if their own policies allow it besides.
   * @default - everyone of the account
   */
  readonly people?: IPrincipal
  /**
   * Folder with a copy of the archive's `config/`, so that a column that changed its meaning under the same name fails
   * at synthesis.
   * @default - nothing is compared
   */
  readonly keptConfigurations?: string
}

/** How an archive is sealed, as in the configuration file; see docs/configuration.md. */
export interface SealOptions {
  /** The journal's name, under which its key signs. @default - the bucket's address, and `/log` */
  readonly origin?: string
  /** ARN of a KMS key of spec `ECC_NIST_EDWARDS25519`, such as another account's. @default - a key of its own */
  readonly key?: string
  /** E-mail addresses that are mailed the checkpoint each day. @default - none, subscribe to `journal.checkpoints` */
  readonly mail?: readonly string[]
}

/** What is archived of a table, as in the configuration file; see docs/configuration.md. */
export interface CaptureProps {
  /** First day of the archive, `YYYY-MM-DD` in UTC: changes before it are refused. */
  readonly since: string
  /** What carries the changes: `streams` or `kinesis`. @default - "streams" */
  readonly capture?: 'streams' | 'kinesis'
  /** The key attributes, partition key first. @default - the table's own, where the app makes it */
  readonly keys?: readonly KeyField[]
  /** Path of the attribute that says who made a change. @default - who is known to the stream */
  readonly actor?: string | readonly string[]
  /** Attributes with columns of their own. @default - none */
  readonly columns?: { readonly [name: string]: ColumnField }
  /** The steps that the status of an item may take. @default - none are checked */
  readonly lifecycle?: {
    readonly attribute: string | readonly string[]
    readonly allowed: readonly (readonly [string, string])[]
  }
  /**
   * Whom an item concerns, and what of it can be made unreadable for each of them; see docs/erasure.md. It has to be
   * said before the first change is captured.
   * @default - nothing is sealed
   */
  readonly erasable?: readonly ErasableField[]
  /**
   * The key attributes that name a person: rows have a token in their place, for good, and nobody can tell the key of
   * a token. It has to be said before the first change is captured, and needs `erasable`.
   * @default - rows have keys as they are
   */
  readonly keyIsPersonal?: readonly string[]
  /**
   * Compares the table with its archive each night, by an incremental export: it needs point-in-time recovery.
   * @default - false
   */
  readonly reconcile?: boolean
  /** What Firehose gathers for one object, whichever comes first. @default - the most that Firehose takes */
  readonly buffer?: { readonly size?: Size; readonly interval?: Duration }
  /** The table's name. @default - the table's own, where it is known at synthesis */
  readonly tableName?: string
}

/** What was said of an archive, as the configuration file has it. */
export function archiveFields(props: AuditArchiveProps): object {
  const { lock, refusedRetention, scanCutoff, compact, seal, callers, canary, notify } = props
  const refusedDays = refusedRetention?.toDays(EXACT_TIME)
  const scanCutoffGb = scanCutoff?.toGibibytes(EXACT_SIZE)
  return said({ lock, refusedDays, scanCutoffGb, compact, seal, callers, canary, notify })
}

/**
 * What was said of a table, as the configuration file has it; `own` are the keys of the table itself, where they are
 * known.
 */
export function captureFields({ tableName: _, buffer, ...props }: CaptureProps, own?: readonly string[]): object {
  const mb = buffer?.size?.toMebibytes(EXACT_SIZE)
  const seconds = buffer?.interval?.toSeconds(EXACT_TIME)
  return said({ ...props, keys: props.keys ?? own, buffer: buffer && said({ mb, seconds }) })
}

// what is no whole number stays none, so that the check can say what is allowed
const EXACT_SIZE = { rounding: SizeRoundingBehavior.NONE }
const EXACT_TIME = { integral: false }

/** Without the fields that nobody gave. */
function said(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
