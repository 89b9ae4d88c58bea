/** What is found in an account, in our own words: judging it needs no AWS. */

import type { PolicyStatement } from './bucket-policy.js'

/** Something found, or why it could not be looked at. */
export type DeployedFact<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'unknown'; readonly why: string }

export interface Resource {
  readonly type: string
  readonly logicalId: string
  readonly physicalId: string
}

export interface StackFacts {
  /** Name or ARN. */
  readonly name: string
  readonly arn: string
  readonly status: string
  readonly isProtected: boolean
  readonly tags: ReadonlyMap<string, string>
  readonly outputs: ReadonlyMap<string, string>
  readonly resources: readonly Resource[]
}

/** A resource that is not as its template has it. */
export interface Drifted {
  readonly logicalId: string
  readonly type: string
  readonly status: string
  /** Paths of the properties that differ. */
  readonly properties: readonly string[]
}

/** How many days a log group or a queue keeps what it holds; undefined: for ever. */
export interface KeptFor {
  readonly logicalId: string
  readonly type: string
  readonly days: number | undefined
}

/** What a trail of CloudTrail logs. */
export interface TrailSettings {
  readonly isLogging: boolean
  /** The tables of which it logs every write. */
  readonly tableArns: readonly string[]
}

export interface DriftFacts {
  /** Name or ARN of the stack or nested stack. */
  readonly stack: string
  readonly status: string
  readonly drifted: readonly Drifted[]
  /** What the event source mappings of the stack read, as found. */
  readonly mappings: readonly string[]
  /** How long its logs and queues keep what they hold, as found. */
  readonly kept: readonly KeptFor[]
  /** What the trails of the stack log, as found. */
  readonly trails: readonly TrailSettings[]
}

export interface TableFacts {
  readonly status: string
  /** Partition key first. */
  readonly keys: readonly string[]
  /** Undefined where the table has no stream, or it is off. */
  readonly viewType: string | undefined
  readonly streamArn: string | undefined
}

/** A Kinesis stream that a table writes its changes into. */
export interface KinesisDestination {
  readonly streamArn: string
  readonly status: string
  readonly precision: string | undefined
}

export interface LockFacts {
  readonly isEnabled: boolean
  /** Undefined where objects are not locked by the bucket. */
  readonly retention: { readonly mode: string; readonly days: number } | undefined
}

export interface LifecycleRule {
  readonly id: string
  readonly prefix: string
  /** Storage classes of current versions, in time. */
  readonly classes: readonly string[]
  readonly expires: boolean
  readonly expiresVersions: boolean
  /** After how many days, where that is said in days. */
  readonly days: number | undefined
  /** The same of versions that were replaced or removed. */
  readonly versionDays: number | undefined
}

export interface BucketFacts {
  readonly name: string
  readonly versioning: DeployedFact<string>
  readonly lock: DeployedFact<LockFacts>
  /** The settings of the public access block that are off. */
  readonly openTo: DeployedFact<readonly string[]>
  readonly encryption: DeployedFact<string>
  readonly lifecycle: DeployedFact<readonly LifecycleRule[]>
  /** None where the bucket has no policy. */
  readonly policy: DeployedFact<readonly PolicyStatement[]>
}

/** The newest object of a prefix, and how it is locked; `undefined` where it is not. */
export interface LockedObject {
  readonly key: string
  readonly mode: string | undefined
}

/** A key of the archive. */
export interface KeyFacts {
  /** Id or ARN. */
  readonly id: string
  readonly account: string
  /** `Enabled`, `PendingDeletion`, ... */
  readonly state: string
  readonly spec: string
  readonly policy: DeployedFact<readonly PolicyStatement[]>
  /** Whom grants let sign. */
  readonly signingGrants: DeployedFact<readonly string[]>
}

/** The journal, as far as its newest checkpoint tells. */
export interface JournalFacts {
  readonly vkey: string
  /** How old the newest seal is, in milliseconds; undefined where there is none; a text says why it is not believed. */
  readonly sealedAgoMs: number | string | undefined
  /** The last use of its key, where that was no sealing. */
  readonly strangeUse: DeployedFact<string | undefined>
  /** Claims that have more than one version. */
  readonly rewritten: readonly string[]
}

/** The keys of persons: the table that has them, and the key that opens what is in it. */
export interface PersonKeyFacts {
  readonly isProtected: DeployedFact<boolean>
  /** Of how many days the table can be restored; 0 where it cannot. */
  readonly backupDays: DeployedFact<number>
  /** Backups that somebody made besides. */
  readonly backups: DeployedFact<readonly string[]>
  readonly policy: DeployedFact<readonly PolicyStatement[]>
  readonly key: DeployedFact<KeyFacts>
}

/** What was found of one configured table; a table that is not there is `undefined`. */
export interface CapturedFacts {
  readonly table: DeployedFact<TableFacts | undefined>
  readonly destinations: DeployedFact<readonly KinesisDestination[]>
  /** How old the newest comparison with the archive is, in milliseconds; undefined where none is kept. */
  readonly compared: DeployedFact<number | undefined>
}

/** How many were subscribed to a topic, by whether they confirmed it. */
export interface TopicFacts {
  readonly confirmed: number
  readonly pending: number
}

/** Everything that the checks look at. */
export interface Facts {
  readonly stack: StackFacts
  /** The stack itself first, then its nested stacks. */
  readonly drift: readonly { readonly stack: string; readonly found: DeployedFact<DriftFacts> }[]
  readonly archive: DeployedFact<BucketFacts>
  readonly refused: DeployedFact<BucketFacts>
  /** The newest object of each prefix that holds evidence, of those that were there an hour ago. */
  readonly locks: DeployedFact<readonly LockedObject[]>
  readonly archiveKey: DeployedFact<KeyFacts>
  /** Undefined where the stack keeps no journal. */
  readonly journal: { readonly key: DeployedFact<KeyFacts>; readonly found: DeployedFact<JournalFacts> } | undefined
  /** Milliseconds since something of the canary arrived, undefined where nothing did; undefined itself without one. */
  readonly canary: DeployedFact<number | undefined> | undefined
  /** Milliseconds since a digest of callers came, undefined where none did; undefined itself without a trail. */
  readonly callers: DeployedFact<number | undefined> | undefined
  /** Who hears of alarms; undefined where their topic is not the stack's own. */
  readonly alarmTopic: DeployedFact<TopicFacts> | undefined
  /** Undefined where no value of the stack is erasable. */
  readonly persons: PersonKeyFacts | undefined
  readonly tables: ReadonlyMap<string, CapturedFacts>
}
