import { Aws, CfnOutput, Duration, Lazy, Names, type Size, SizeRoundingBehavior, Stack, Token } from 'aws-cdk-lib'
import type { ITable, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { CfnDatabase } from 'aws-cdk-lib/aws-glue'
import type { Grant, IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { type Configuration, checkConfiguration, type TableDeployment } from '../config/configuration.js'
import { checkEvolution } from '../config/evolution.js'
import { ConfigurationError } from '../config/problems.js'
import { type ColumnField, type KeyField, KMS_KEY, type Lock } from '../config/schema.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { identifiersOf, type NamedTable, shortened } from '../transform/table-names.js'
import { acknowledgeArchive, acknowledgeCustomResources } from './acknowledged-findings.js'
import { AlarmTopic } from './alarm-topic.js'
import { ALARMS, Alarms } from './alarms.js'
import { AccessLogBucket, ArchiveBucket } from './archive-bucket.js'
import { ArchiveKey } from './archive-key.js'
import { CapturedTable } from './captured-table.js'
import { Dashboard } from './dashboard.js'
import { DerivedStore } from './derived-store.js'
import { Journal } from './journal.js'
import { readKeptConfigurations } from './kept-configuration.js'
import { LockFunction } from './lock-function.js'
import { QueryWorkgroup } from './query-workgroup.js'
import { RefusedBucket } from './refused-bucket.js'
import { RefusedWatch } from './refused-watch.js'
import { Roles } from './roles.js'
import { type SourceTable, sourceTableOf } from './source-table.js'

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
   * Keeps a signed journal of the archive: a function seals what is new every hour, with a key that it alone may use. `true`, or
   * what the configuration file can say of it, see docs/configuration.md.
   * @default - false
   */
  readonly seal?: boolean | SealOptions
  /**
   * Told of every alarm; its key must let CloudWatch in.
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

/** How an archive is sealed, as in the configuration file. */
export interface SealOptions {
  /** The journal's name, under which its key signs. @default - the address of the bucket, `<bucket>.s3.<region>.<suffix>/log` */
  readonly origin?: string
  /** ARN of a KMS key of spec `ECC_NIST_EDWARDS25519`, such as one of another account. @default - a key of the archive's own */
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
  /** What Firehose gathers for one object, whichever comes first. @default - 128 MiB, 15 minutes */
  readonly buffer?: { readonly size?: Size; readonly interval?: Duration }
  /** The table's name. @default - the table's own, where it is known at synthesis */
  readonly tableName?: string
}

/**
 * An audit archive: every change of the tables that it captures, kept for good, to be asked in Athena. `capture` adds a
 * table, made in the same app or imported.
 */
export class AuditArchive extends Construct {
  /** The archive itself. */
  readonly archive: ArchiveBucket
  /** What never reached Firehose. */
  readonly refused: RefusedBucket
  /** What is made from the archive, where it is compacted. */
  readonly derived?: DerivedStore
  /** The signed journal, where one is kept. */
  readonly journal?: Journal
  readonly workgroup: QueryWorkgroup
  /** The Glue database. */
  readonly databaseName: string
  readonly roles: Roles
  /** Told of every alarm. */
  readonly alarmTopic: ITopic
  private readonly captured: CapturedTable[] = []
  private readonly key: ArchiveKey
  private readonly database: CfnDatabase
  private readonly fields: Record<string, object> = {}
  /** Holds the tables, whose names are anybody's: one may be called as a part of the archive. */
  private readonly captures: Construct

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AuditArchiveProps,
  ) {
    super(scope, id)
    // whatever the app has set: log delivery by a bucket policy, as buckets without lists of owners need it
    this.node.setContext('@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy', true)
    const { refusedDays, scanCutoffGb, compact, seal, notify, lock } = this.check()
    if (lock === undefined) {
      throw this.problem('lock is missing, expected { mode: "none" }, or "governance" or "compliance" with days')
    }

    const name = props.name ?? Names.uniqueResourceName(this, { maxLength: 100, separator: '_' }).toLowerCase()
    if (!/^[a-z][a-z0-9_]{0,99}$/.test(name)) {
      throw this.problem(`name is "${name}", expected lower-case letters, digits and "_", a letter first, at most 100`)
    }
    this.databaseName = name
    this.captures = new Construct(this, 'Tables')
    this.key = new ArchiveKey(this, 'Key')
    const key = this.key
    // who read an object is evidence too, so it is kept as long as the object is locked
    const keep = Duration.days(Math.max(365, lock.mode === 'none' ? 0 : lock.days))
    const accessLogs = new AccessLogBucket(this, 'AccessLogs', { keep })
    this.archive = new ArchiveBucket(this, 'Archive', { key, lock, refusedDays, accessLogs })
    this.refused = new RefusedBucket(this, 'Refused', { key, refusedDays, accessLogs })
    const lockFunction =
      lock.mode !== 'none' && lock.by !== 'bucket'
        ? new LockFunction(this, 'Lock', { archive: this.archive, lock, key })
        : undefined
    this.database = new CfnDatabase(this, 'Database', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { name, description: 'Itemtrail: every change of DynamoDB tables' },
    })
    this.workgroup = new QueryWorkgroup(this, 'Workgroup', { name, scanCutoffGb, key, accessLogs })
    const { workgroup } = this
    if (compact) this.derived = new DerivedStore(this, 'Derived', { key, accessLogs, workgroup })
    const { archive } = this
    if (seal !== undefined) {
      const { key: sealKey } = seal
      if (sealKey !== undefined && !Token.isUnresolved(sealKey) && !KMS_KEY.test(sealKey))
        throw this.problem(`seal.key is ${JSON.stringify(sealKey)}, expected the ARN of a KMS key to deploy`)
      this.journal = new Journal(this, 'Journal', { name, archive, key, refusedDays, seal })
    }
    this.roles = new Roles(this, 'Roles', {
      archive: this.archive.bucket,
      refused: this.refused,
      derived: this.derived?.bucket,
      sealKeyArn: this.journal?.keyArn,
      workgroup,
      databaseName: name,
      key,
      ...(props.people !== undefined && { people: props.people }),
    })
    const topic: ITopic = props.alarmTopic ?? new AlarmTopic(this, 'AlarmTopic', { key })
    for (const address of notify) topic.addSubscription(new EmailSubscription(address))
    this.alarmTopic = topic
    const watch = new RefusedWatch(this, 'RefusedWatch', {
      name,
      archive: this.archive.bucket,
      refused: this.refused,
      refusedDays,
      key,
    })
    new Alarms(watch, 'Alarms', { rules: ALARMS.refused, station: watch, subject: 'archive', topic })
    new Alarms(this, 'Alarms', { rules: ALARMS.queries, station: this.workgroup, subject: 'archive', topic })
    if (lockFunction !== undefined) {
      new Alarms(lockFunction, 'Alarms', { rules: ALARMS.locks, station: lockFunction, subject: 'archive', topic })
    }
    const { journal } = this
    if (journal !== undefined) {
      new Alarms(journal, 'Alarms', { rules: ALARMS.journal, station: journal, subject: 'archive', topic })
    }
    this.addOutputs()
    acknowledgeArchive(this)
    this.node.addValidation({
      validate: () =>
        this.tables.length === 0 ? [`${this.node.path} captures no table, expected capture(table, ...)`] : [],
    })
  }

  /** The tables captured so far. */
  get tables(): readonly CapturedTable[] {
    return this.captured
  }

  /**
   * Lets somebody ask, as the role `queryUser` does: the workgroup, the catalog, `data/`, `config/`, `facts/` and what
   * is derived from them, in this account. Nothing of it writes into the archive.
   */
  grantQuery(grantee: IGrantable): Grant {
    return this.roles.grantQuery(grantee)
  }

  /**
   * Archives every change of a table from now on. Throws a `ConfigurationError` for whatever is wrong, before anything
   * is deployed.
   */
  capture(table: ITable | Table | TableV2, { tableName, buffer, ...fields }: CaptureProps): CapturedTable {
    const source = sourceTableOf(this, table as ITable, tableName)
    const keys = fields.keys ?? source.keys
    const gathered = buffer && said({ mb: buffer.size?.toMebibytes(EXACT), seconds: buffer.interval?.toSeconds() })
    this.fields[source.name] = said({ ...fields, keys, buffer: gathered })
    const { tables, deployments } = this.check()
    return this.attach(
      source,
      tables.get(source.name) as TableConfiguration,
      deployments.get(source.name) as TableDeployment,
    )
  }

  /** The same for a table whose configuration was read from a file and checked there. */
  attach(source: SourceTable, configuration: TableConfiguration, { buffer }: TableDeployment): CapturedTable {
    const { since, keys, table } = configuration
    const at = (field: string) => `tables.${table}.${field} is missing, expected`
    if (since === undefined) throw this.problem(`${at('since')} the first day of the archive as YYYY-MM-DD`)
    if (keys.length === 0) throw this.problem(`${at('keys')} the key attributes of the table, partition key first`)
    if (this.captured.some(captured => captured.configuration.table === table)) {
      throw this.problem(`table ${table} is captured twice, expected one capture a table: two give each change two ids`)
    }
    const own = source.keys
    const named = keys.map(key => key.attribute)
    if (own !== undefined && own.join('\n') !== named.join('\n')) {
      throw this.problem(
        `tables.${table}.keys is ${JSON.stringify(named)}, expected the table's own: ${JSON.stringify(own)}`,
      )
    }
    const changed = checkEvolution(readKeptConfigurations(this.props.keptConfigurations, table), configuration)
    if (changed.length > 0) throw this.problem(...changed)

    // the file of a nested stack is called by its path, and files have short names
    const captured = new CapturedTable(this.captures, shortened(table, 100), {
      source,
      configuration,
      named: this.named(table),
      since,
      buffer,
      archive: this.archive.bucket,
      refused: this.refused,
      derived: this.derived,
      databaseName: this.databaseName,
      workgroup: this.workgroup,
      key: this.key,
    })
    captured.auditTable.node.addDependency(this.database)
    for (const stream of new Set([captured.delivery, captured.replay])) this.archive.addWriter(stream.writer)
    this.roles.addReplay(captured.replay.stream)
    const rules = [...ALARMS.both, ...ALARMS[configuration.capture]]
    new Alarms(captured, 'Alarms', { rules, station: captured, subject: table, topic: this.alarmTopic })
    const { compaction } = captured
    if (compaction !== undefined) {
      new Alarms(compaction, 'Alarms', {
        rules: ALARMS.compaction,
        station: compaction,
        subject: table,
        topic: this.alarmTopic,
      })
    }
    new Dashboard(captured, 'Page', captured)
    acknowledgeCustomResources(Stack.of(this))
    this.captured.push(captured)
    return captured
  }

  /** With the name that it has in SQL once all tables are captured: neighbours decide it. */
  private named(table: string): NamedTable {
    const names = () => this.captured.map(captured => captured.configuration.table)
    return { table, identifier: Lazy.string({ produce: () => identifiersOf(names()).get(table) }) }
  }

  /** What was said so far, checked as a whole by the rules of the configuration file, whose words the messages have. */
  private check(): Configuration {
    const { lock, refusedRetention, scanCutoff, compact, seal, notify } = this.props
    const refusedDays = refusedRetention?.toDays({ integral: false })
    const scanCutoffGb = scanCutoff?.toGibibytes(EXACT)
    const file = said({ lock, refusedDays, scanCutoffGb, compact, seal, notify })
    return checkConfiguration({ ...file, tables: this.fields }, this.node.path)
  }

  private problem(...problems: string[]): ConfigurationError {
    return new ConfigurationError(this.node.path, problems)
  }

  private addOutputs(): void {
    const outputs = {
      ArchiveBucket: [this.archive.bucket.bucketName, 'the archive'],
      RefusedBucket: [this.refused.bucketName, 'what never reached Firehose'],
      ...(this.derived && { DerivedBucket: [this.derived.bucket.bucketName, 'what is made from the archive'] }),
      DatabaseName: [this.databaseName, 'Glue database'],
      WorkgroupName: [this.workgroup.name, 'Athena workgroup'],
      QueryUserRole: [this.roles.queryUser.roleArn, 'asks questions'],
      AuditorRole: [this.roles.auditor.roleArn, 'asks questions and reads the evidence'],
      OperatorRole: [this.roles.operator.roleArn, 'sends refused records again'],
      ...(this.journal && {
        JournalOrigin: [this.journal.origin, "the journal's name"],
        SealKeyArn: [this.journal.keyArn, 'signs the journal'],
        CheckpointTopicArn: [this.journal.checkpoints.topicArn, 'told the checkpoint of each day'],
      }),
      AlarmTopicArn: [this.alarmTopic.topicArn, 'told of every alarm'],
    } as const
    for (const [id, [value, description]] of Object.entries(outputs)) new CfnOutput(this, id, { value, description })
  }
}

/** What is no whole number stays none, so that the check can say what is allowed. */
const EXACT = { rounding: SizeRoundingBehavior.NONE }

/** Without the fields that nobody gave. */
function said(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
