import { NestedStack } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { TableDeployment } from '../config/configuration.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { NamedTable } from '../transform/table-names.js'
import { AuditTable } from './audit-table.js'
import { ChangeStream, requireStream } from './change-stream.js'
import { DeliveryStream } from './delivery-stream.js'
import type { DerivedStore } from './derived-store.js'
import type { ExportStore } from './export-store.js'
import { ForwarderFunction } from './forwarder-function.js'
import type { PersonKeys } from './person-keys.js'
import type { QueryWorkgroup } from './query-workgroup.js'
import { requireSamePlace, type SourceTable } from './source-table.js'
import { TableCompaction } from './table-compaction.js'
import { TableQueries } from './table-queries.js'
import { TableReconciliation } from './table-reconciliation.js'
import { TransformFunction } from './transform-function.js'

export interface CapturedTableProps {
  readonly source: SourceTable
  readonly configuration: TableConfiguration
  /** The table with its name in SQL, which may be known only when all tables are. */
  readonly named: NamedTable
  readonly since: string
  readonly buffer: TableDeployment['buffer']
  readonly archive: Bucket
  readonly refused: Bucket
  /** Where what is made from it is kept. @default - nothing is made */
  readonly derived?: DerivedStore | undefined
  /** Where the table is exported to, to be compared each night. @default - it is not compared */
  readonly exports?: ExportStore | undefined
  readonly databaseName: string
  readonly workgroup: QueryWorkgroup
  /** Whether its questions are prepared statements, too. */
  readonly prepared: boolean
  /** The Glue table of the calls that wrote to it. @default - none are kept */
  readonly calls?: string | undefined
  readonly key: IKey
  /** The keys of persons, where values of the table are erasable. @default - none are */
  readonly keys?: PersonKeys | undefined
}

/**
 * The path of one table's changes, from the table to the questions that can be asked of it. A stack of its own, because
 * a stack holds 500 resources.
 */
export class CapturedTable extends NestedStack {
  readonly source: SourceTable
  readonly configuration: TableConfiguration
  readonly buffer: TableDeployment['buffer']
  readonly auditTable: AuditTable
  readonly transform: TransformFunction
  /** What the table's changes come by. */
  readonly delivery: DeliveryStream
  /** What refused records are sent again by. With capture `streams` it is the one that changes come by. */
  readonly replay: DeliveryStream
  /** With capture `streams`. */
  readonly forwarder?: ForwarderFunction
  /** With capture `kinesis`. */
  readonly changeStream?: ChangeStream
  /** Where the archive is compacted. */
  readonly compaction?: TableCompaction
  /** Where the table is compared with the archive each night. */
  readonly reconciliation?: TableReconciliation

  constructor(scope: Construct, id: string, props: CapturedTableProps) {
    super(scope, id, { description: `Itemtrail: the changes of ${props.configuration.table}` })
    const { source, configuration, named, since, buffer, archive: bucket, databaseName, key, keys } = props
    const { table } = configuration
    this.source = source
    this.configuration = configuration
    this.buffer = buffer

    requireSamePlace(this, source, configuration.capture)
    this.auditTable = new AuditTable(this, 'AuditTable', { databaseName, configuration, named, since, bucket })
    this.transform = new TransformFunction(this, 'Transform', { configuration, auditTable: this.auditTable, key, keys })
    const toArchive = { table, auditTable: this.auditTable, transform: this.transform.function, bucket, key, buffer }

    if (configuration.capture === 'kinesis') {
      this.changeStream = new ChangeStream(this, 'Changes', { source, key })
      this.delivery = new DeliveryStream(this, 'Delivery', { ...toArchive, source: this.changeStream.stream })
      // Firehose takes no records of ours where it reads a Kinesis stream
      this.replay = new DeliveryStream(this, 'Replay', toArchive)
      this.changeStream.startAfter(this.delivery)
    } else {
      const streamArn = requireStream(this, source, configuration)
      this.delivery = new DeliveryStream(this, 'Delivery', toArchive)
      this.replay = this.delivery
      const to = { deliveryStream: this.delivery.stream, refusedBucket: props.refused }
      this.forwarder = new ForwarderFunction(this, 'Forwarder', { source, streamArn, key, ...to })
    }
    this.addQueries(props)
    if (props.derived !== undefined) this.compaction = this.compact(props, props.derived)
    if (props.exports !== undefined) this.reconciliation = this.reconcile(props, props.exports)
  }

  private addQueries({ configuration, workgroup, prepared, calls }: CapturedTableProps): void {
    const { auditTable } = this
    const queries = new TableQueries(this, 'Queries', {
      configuration,
      auditTable,
      workgroup,
      prepared,
      calls,
    })
    queries.node.addDependency(auditTable)
  }

  private compact({ configuration, archive, workgroup, key }: CapturedTableProps, derived: DerivedStore) {
    const { auditTable } = this
    return new TableCompaction(this, 'Compaction', { configuration, auditTable, archive, derived, workgroup, key })
  }

  private reconcile({ source, configuration, archive, workgroup, key }: CapturedTableProps, exports: ExportStore) {
    const { auditTable } = this
    const about = { source, configuration, auditTable, archive, exports, workgroup, key }
    return new TableReconciliation(this, 'Reconciliation', about)
  }
}
