import { Annotations, Aws, CfnOutput, Duration, Lazy, Names, Token } from 'aws-cdk-lib'
import type { ITable, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { CfnDatabase } from 'aws-cdk-lib/aws-glue'
import type { Grant, IGrantable, IRole } from 'aws-cdk-lib/aws-iam'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { type Configuration, checkConfiguration, type TableDeployment } from '../config/configuration.js'
import { checkEvolution } from '../config/evolution.js'
import { ConfigurationError } from '../config/problems.js'
import { KMS_KEY, type SealFields } from '../config/schema.js'
import { FACTS_PREFIX } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { identifiersOf, type NamedTable, shortened } from '../transform/table-names.js'
import { acknowledgeArchive } from './acknowledged-findings.js'
import type { AlarmRule } from './alarm-rule.js'
import { AlarmTopic } from './alarm-topic.js'
import { ALARMS, Alarms } from './alarms.js'
import { AccessLogBucket, ArchiveBucket } from './archive-bucket.js'
import { ArchiveKey } from './archive-key.js'
import { addOutputs } from './archive-outputs.js'
import { type AuditArchiveProps, archiveFields, type CaptureProps, captureFields } from './archive-props.js'
import { CallerTrail } from './caller-trail.js'
import { CANARY_CAPTURE, Canary } from './canary.js'
import { CapturedTable, type CapturedTableProps } from './captured-table.js'
import { ConfigurationKeeper, readKeptConfigurations } from './configuration-keeper.js'
import { Dashboard } from './dashboard.js'
import { DerivedStore } from './derived-store.js'
import { ExportStore } from './export-store.js'
import { Journal } from './journal.js'
import { LockFunction } from './lock-function.js'
import { Persons } from './persons.js'
import { QueryWorkgroup } from './query-workgroup.js'
import { RefusedBucket } from './refused-bucket.js'
import { RefusedWatch } from './refused-watch.js'
import { Roles, type RolesProps } from './roles.js'
import { type SourceTable, sourceTableOf } from './source-table.js'
import { PREPARED_TABLES } from './table-queries.js'
import { TrailEvents } from './trail-events.js'

/** S3 takes bucket policies of 20 kB, of which the role of each delivery stream takes 100 bytes. */
const MAX_WRITERS = 130

/** A stack has a key store of its own: the folder is for a desk, and nobody looks at it. */
const OWN_KEYS = { erasure: { keys: 'of the stack' } }

/** How many roles of a table write into the archive, so that the bucket's policy names them. */
function writersOf(capture: TableConfiguration['capture'], isCompared: boolean): number {
  return (capture === 'kinesis' ? 2 : 1) + Number(isCompared)
}

const UNIQUE = { maxLength: 100, separator: '_' }

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
  /** Who called for the writes of the tables, where that is kept. */
  readonly callers?: CallerTrail
  /** What measures how long a write takes into the archive, where that is measured. */
  readonly canary?: Canary
  readonly workgroup: QueryWorkgroup
  /** The Glue database. */
  readonly databaseName: string
  readonly roles: Roles
  /** Told of every alarm. */
  readonly alarmTopic: ITopic
  /** The keys of persons and who may use them, where values of a table are erasable. */
  persons?: Persons
  /** Where tables are exported to that are compared with the archive each night. */
  exports?: ExportStore
  private readonly captured: CapturedTable[] = []
  /** The ways of all tables, the canary's among them. */
  private readonly ways: CapturedTable[] = []
  private readonly key: ArchiveKey
  private readonly accessLogs: AccessLogBucket
  private readonly configurations: ConfigurationKeeper
  private readonly database: CfnDatabase
  private readonly fields: Record<string, object> = {}
  /** Who adds facts: a role, where persons can be erased another, and the functions that compare tables. */
  private readonly factWriters: IRole[] = []
  private readonly parts: RolesProps
  /** Holds the tables, whose names are anybody's: one may be called as a part of the archive. */
  private readonly captures: Construct

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AuditArchiveProps,
  ) {
    super(scope, id)
    // whatever the app has set: log delivery by a bucket policy, as buckets without lists of owners need it, and
    // EventBridge into an encrypted queue for this account alone
    this.node.setContext('@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy', true)
    this.node.setContext('@aws-cdk/aws-events:eventsTargetQueueSameAccount', true)
    const { refusedDays, scanCutoffGb, compact, seal, callers, canary, notify, lock } = this.check()
    if (lock === undefined) {
      throw this.problem('lock is missing, expected { mode: "none" }, or "governance" or "compliance" with days')
    }
    const name = this.nameOf(props)
    this.databaseName = name
    this.captures = new Construct(this, 'Tables')
    const key = new ArchiveKey(this, 'Key')
    this.key = key
    // who read an object is evidence too, so it is kept as long as the object is locked
    const keep = Duration.days(Math.max(365, lock.mode === 'none' ? 0 : lock.days))
    this.accessLogs = new AccessLogBucket(this, 'AccessLogs', { keep })
    const { accessLogs } = this
    this.archive = new ArchiveBucket(this, 'Archive', { key, lock, refusedDays, accessLogs })
    this.refused = new RefusedBucket(this, 'Refused', { key, refusedDays, accessLogs })
    const { archive } = this
    const byFunction = lock.mode !== 'none' && lock.by !== 'bucket' ? lock : undefined
    this.configurations = new ConfigurationKeeper(this, 'Configurations', { archive, key, lock: byFunction })
    const locker =
      byFunction &&
      new LockFunction(this, 'Lock', { archive, lock: byFunction, key, alsoLock: [this.configurations.writer] })
    this.database = new CfnDatabase(this, 'Database', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { name, description: 'Itemtrail: every change of DynamoDB tables' },
    })
    this.workgroup = new QueryWorkgroup(this, 'Workgroup', { name, scanCutoffGb, key, accessLogs })
    const { workgroup } = this
    if (compact) this.derived = new DerivedStore(this, 'Derived', { key, accessLogs, workgroup })
    if (seal !== undefined) {
      this.checkSealKey(seal)
      this.journal = new Journal(this, 'Journal', { name, archive, key, refusedDays, seal })
    }
    if (callers !== undefined) {
      this.callers = new CallerTrail(this, 'Callers', { name, databaseName: name, ...callers, key, accessLogs })
      this.callers.node.addDependency(this.database)
    }
    this.parts = this.partsForRoles()
    this.roles = new Roles(this, 'Roles', this.parts)
    this.factWriters.push(this.roles.baseliner)
    archive.onlyWriters(FACTS_PREFIX, this.factWriters)
    this.alarmTopic = props.alarmTopic ?? new AlarmTopic(this, 'AlarmTopic', { key })
    for (const address of notify) this.alarmTopic.addSubscription(new EmailSubscription(address))
    if (this.callers !== undefined)
      new TrailEvents(this, 'CallerEvents', { callers: this.callers, topic: this.alarmTopic })
    if (canary) this.canary = this.addCanary()
    this.watchStations(refusedDays, locker)
    addOutputs(this)
    acknowledgeArchive(this)
    this.node.addValidation({
      validate: () =>
        this.tables.length === 0 ? [`${this.node.path} captures no table, expected capture(table, ...)`] : [],
    })
  }

  /** What the roles are given rights to. */
  private partsForRoles(): RolesProps {
    const { archive, refused, derived, journal, callers, workgroup, databaseName, key, props } = this
    return {
      calls: callers?.bucket,
      archive: archive.bucket,
      refused,
      derived: derived?.bucket,
      sealKeyArn: journal?.keyArn,
      workgroup,
      databaseName,
      key,
      ...(props.people !== undefined && { people: props.people }),
    }
  }

  private watchStations(refusedDays: number, locker: LockFunction | undefined): void {
    const { archive, refused, databaseName: name, key, workgroup, journal, canary } = this
    const watch = new RefusedWatch(this, 'RefusedWatch', { name, archive: archive.bucket, refused, refusedDays, key })
    this.watch(watch, watch, ALARMS.refused)
    this.watch(this, workgroup, ALARMS.queries)
    if (locker !== undefined) this.watch(locker, locker, ALARMS.locks)
    if (journal !== undefined) this.watch(journal, journal, ALARMS.journal)
    if (canary !== undefined) this.watch(canary, canary, ALARMS.canary)
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
  capture(table: ITable | Table | TableV2, props: CaptureProps): CapturedTable {
    return this.attach(...this.configured(table as ITable, props))
  }

  /** The same for a table whose configuration was read from a file and checked there. */
  attach(source: SourceTable, configuration: TableConfiguration, deployment: TableDeployment): CapturedTable {
    const { table } = configuration
    const captured = this.addWay(source, configuration, deployment, {
      derived: this.derived,
      prepared: this.preparesNext(table),
      exports: deployment.reconcile ? this.needExports() : undefined,
    })
    this.watch(captured, captured, [...ALARMS.both, ...ALARMS[configuration.capture]], table)
    const { compaction, reconciliation } = captured
    if (compaction !== undefined) this.watch(compaction, compaction, ALARMS.compaction, table)
    if (reconciliation !== undefined) {
      this.factWriters.push(reconciliation.role)
      this.watch(reconciliation, reconciliation, ALARMS.reconciliation, table)
    }
    new Dashboard(captured, 'Page', captured)
    this.captured.push(captured)
    return captured
  }

  /**
   * Its table is captured as any other. That no write arrives says more than the alarms of its stations would, and
   * nobody asks of it what a copy by item is for.
   */
  private addCanary(): Canary {
    const { databaseName: name, key, archive } = this
    const canary = new Canary(this, 'Canary', { name, archive: archive.bucket, key })
    this.addWay(...this.configured(canary.table as ITable, CANARY_CAPTURE), { derived: undefined, prepared: false })
    return canary
  }

  /** A table with all that was said of it, checked. */
  private configured(table: ITable, props: CaptureProps): [SourceTable, TableConfiguration, TableDeployment] {
    const source = sourceTableOf(this, table, props.tableName)
    const { name } = source
    this.fields[name] = captureFields(props, source.keys)
    const { tables, deployments } = this.check()
    return [source, tables.get(name) as TableConfiguration, deployments.get(name) as TableDeployment]
  }

  /** The way of a table's changes into the archive. */
  private addWay(
    source: SourceTable,
    configuration: TableConfiguration,
    { buffer }: TableDeployment,
    more: Pick<CapturedTableProps, 'derived' | 'prepared' | 'exports'>,
  ): CapturedTable {
    const { table } = configuration
    const since = this.checkCapture(source, configuration, more.exports !== undefined)
    // the file of a nested stack is called by its path, and files have short names
    const captured = new CapturedTable(this.captures, shortened(table, 100), {
      source,
      configuration,
      named: this.named(table),
      since,
      buffer,
      archive: this.archive.bucket,
      refused: this.refused,
      databaseName: this.databaseName,
      workgroup: this.workgroup,
      calls: this.callers?.tableName,
      ...more,
      key: this.key,
      keys: configuration.erasable && this.needPersons().keys,
    })
    captured.auditTable.node.addDependency(this.database)
    this.callers?.addSource(source, since)
    for (const stream of new Set([captured.delivery, captured.replay])) this.archive.addWriter(stream.writer)
    this.roles.addTable(captured)
    // a deployment that fails midway is rolled back, and the rows that it made meanwhile stay
    captured.transform.node.addDependency(this.configurations.keep(configuration))
    // no table's name has a colon, so none is called as this
    new CfnOutput(this.captures, `${shortened(table, 100)}:ReplayStream`, {
      value: captured.replay.stream.deliveryStreamName,
      description: `Firehose that refused records of ${table} are sent again by`,
    })
    this.ways.push(captured)
    return captured
  }

  /** Made for the first table with erasable values: without one an archive has no keys. */
  private needPersons(): Persons {
    if (this.persons !== undefined) return this.persons
    const persons = new Persons(this, 'Persons', { ...this.parts, topic: this.alarmTopic })
    this.factWriters.push(persons.roles.eraser)
    persons.letIn(this.roles)
    for (const statement of persons.keys.toCheck()) this.roles.operator.addToPolicy(statement)
    this.watch(persons, persons.keys, ALARMS.persons)
    this.persons = persons
    return persons
  }

  /** Made for the first table that is compared each night. */
  private needExports(): ExportStore {
    const { key, accessLogs, workgroup } = this
    this.exports ??= new ExportStore(this, 'Exports', { key, accessLogs, workgroup })
    return this.exports
  }

  /** Throws where a table cannot be captured so, or not again; the first day of its archive. */
  private checkCapture(source: SourceTable, configuration: TableConfiguration, isCompared: boolean): string {
    const { since, keys, table } = configuration
    const at = (field: string) => `tables.${table}.${field} is missing, expected`
    if (since === undefined) throw this.problem(`${at('since')} the first day of the archive as YYYY-MM-DD`)
    if (keys.length === 0) throw this.problem(`${at('keys')} the key attributes of the table, partition key first`)
    if (this.ways.some(captured => captured.configuration.table === table)) {
      throw this.problem(`table ${table} is captured twice, expected one capture a table: two give each change two ids`)
    }
    const writers = this.ways.map(way => writersOf(way.configuration.capture, way.reconciliation !== undefined))
    if (writers.reduce((sum, some) => sum + some, writersOf(configuration.capture, isCompared)) > MAX_WRITERS) {
      throw this.problem(
        `table ${table} is one too many for the policy of the archive's bucket, which has room for ${MAX_WRITERS} delivery streams, two a table with capture "kinesis" and one with "streams", and as one more each that is compared each night, expected another archive for it`,
      )
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
    return since
  }

  /** Whether the questions of one table more can be prepared; says so where they cannot. */
  private preparesNext(table: string): boolean {
    if (this.captured.length < PREPARED_TABLES) return true
    const rest = `its saved queries are there as texts, and with itemtrail; docs/limits.md`
    Annotations.of(this).addWarningV2(
      `itemtrail:prepared-${table}`,
      `table ${table} has no prepared statements, of which a workgroup has room for those of ${PREPARED_TABLES} tables: ${rest}`,
    )
    return false
  }

  /** Tells the topic when something is wrong with a station, below which its alarms are. */
  private watch<Station>(
    scope: Construct,
    station: Station,
    rules: readonly AlarmRule<Station>[],
    subject = 'archive',
  ): void {
    new Alarms(scope, 'Alarms', { rules, station, subject, topic: this.alarmTopic })
  }

  /** With the name that it has in SQL once all tables are captured: neighbours decide it. */
  private named(table: string): NamedTable {
    const names = () => this.ways.map(captured => captured.configuration.table)
    return { table, identifier: Lazy.string({ produce: () => identifiersOf(names()).get(table) }) }
  }

  /** What was said so far, checked as a whole by the rules of the configuration file, whose words the messages have. */
  private check(): Configuration {
    return checkConfiguration({ ...archiveFields(this.props), ...OWN_KEYS, tables: this.fields }, this.node.path)
  }

  /** A key file, which only a desk has, is told apart from a key that the app itself makes. */
  private checkSealKey({ key }: SealFields): void {
    if (key === undefined || Token.isUnresolved(key) || KMS_KEY.test(key)) return
    throw this.problem(`seal.key is ${JSON.stringify(key)}, expected the ARN of a KMS key to deploy`)
  }

  private nameOf({ name = Names.uniqueResourceName(this, UNIQUE).toLowerCase() }: AuditArchiveProps): string {
    if (/^[a-z][a-z0-9_]{0,99}$/.test(name)) return name
    throw this.problem(`name is "${name}", expected lower-case letters, digits and "_", a letter first, at most 100`)
  }

  private problem(...problems: string[]): ConfigurationError {
    return new ConfigurationError(this.node.path, problems)
  }
}
