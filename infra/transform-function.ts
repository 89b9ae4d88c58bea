import { Duration } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import { KEY_USE_TAG, type KeyUse, SEALING_MINUTES } from '../config/key-store.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { AuditTable } from './audit-table.js'
import { BundledFunction } from './bundled-function.js'
import type { PersonKeys } from './person-keys.js'

/** Counts the records that a transform refused, by table. Written from its log, which has a line for each. */
export const REFUSED_METRIC = 'RecordsRefused'

export interface TransformFunctionProps {
  readonly configuration: TableConfiguration
  /** The function is changed only after this table has the columns that it fills. */
  readonly auditTable: AuditTable
  readonly key: IKey
  /** The keys of persons. @default - nothing of the table is sealed */
  readonly keys?: PersonKeys | undefined
}

/** The function between Firehose's buffer and its conversion. Its table's configuration is packed beside its code. */
export class TransformFunction extends Construct {
  readonly function: IFunction

  constructor(scope: Construct, id: string, props: TransformFunctionProps) {
    super(scope, id)
    const { configuration, auditTable, key, keys } = props
    const transform = new BundledFunction(this, 'Function', {
      bundle: keys === undefined ? 'transform' : 'sealing-transform',
      description: `Itemtrail: turns stream records of ${configuration.table} into audit rows`,
      // Firehose waits five minutes at most; a batch of 1 MB takes about a second
      timeout: Duration.minutes(SEALING_MINUTES),
      memoryMb: 1024,
      key,
      files: { 'table.json': JSON.stringify(configuration) },
      ...(keys && {
        environment: { ITEMTRAIL_KEY_TABLE: keys.table.tableName },
        statements: keys.toSeal(),
        tags: { [KEY_USE_TAG]: 'seal' satisfies KeyUse },
      }),
    })
    if (keys !== undefined) transform.node.addDependency(keys.store)
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
