import { Duration } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { AuditTable } from './audit-table.js'
import { BundledFunction } from './bundled-function.js'

/** Counts the records that a transform refused, by table. Written from its log, which has a line for each. */
export const REFUSED_METRIC = 'RecordsRefused'

export interface TransformFunctionProps {
  readonly configuration: TableConfiguration
  /** The function is changed only after this table has the columns that it fills. */
  readonly auditTable: AuditTable
  readonly key: IKey
}

/** The function between Firehose's buffer and its conversion. Its table's configuration is packed beside its code. */
export class TransformFunction extends Construct {
  readonly function: IFunction

  constructor(scope: Construct, id: string, props: TransformFunctionProps) {
    super(scope, id)
    const { configuration, auditTable, key } = props
    const transform = new BundledFunction(this, 'Function', {
      bundle: 'transform',
      description: `Itemtrail: turns stream records of ${configuration.table} into audit rows`,
      // Firehose waits five minutes at most; a batch of 1 MB takes about a second
      timeout: Duration.minutes(2),
      memoryMb: 1024,
      key,
      files: { 'table.json': JSON.stringify(configuration) },
    })
    transform.node.addDependency(auditTable)
    new MetricFilter(this, 'Refused', {
      logGroup: transform.logGroup,
      metricNamespace: METRICS_NAMESPACE,
      metricName: REFUSED_METRIC,
      filterPattern: FilterPattern.stringValue('$.message', '=', 'refused'),
      dimensions: { Table: '$.table' },
    })
    this.function = transform
  }
}
