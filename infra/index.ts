/** The constructs: `import { AuditArchive } from 'itemtrail/infra'`. docs/deploy.md shows them at work. */
export {
  type Configuration,
  parseConfiguration,
  readConfiguration,
  type TableDeployment,
} from '../config/configuration.js'
export { ConfigurationError } from '../config/problems.js'
export type { ColumnField, ErasableField, KeyField, Lock } from '../config/schema.js'
export type { TableConfiguration } from '../transform/table-configuration.js'
export type { NamedTable } from '../transform/table-names.js'
// What these two show, to be named and used; none of it is to be made by itself.
export type { ArchiveBucket } from './archive-bucket.js'
export type { AuditArchiveProps, CaptureProps, SealOptions } from './archive-props.js'
export { ArchiveStack, type ArchiveStackProps } from './archive-stack.js'
export { AuditArchive } from './audit-archive.js'
export type { AuditTable } from './audit-table.js'
export type { CallerTrail } from './caller-trail.js'
export type { Canary } from './canary.js'
export type { CapturedTable } from './captured-table.js'
export type { ChangeStream } from './change-stream.js'
export type { ChangesView } from './changes-view.js'
export type { DeliveryStream } from './delivery-stream.js'
export type { DerivedStore } from './derived-store.js'
export type { ExportStore } from './export-store.js'
export type { ForwarderFunction } from './forwarder-function.js'
export type { GlueTable } from './glue-table.js'
export type { Journal } from './journal.js'
export type { PersonKeys } from './person-keys.js'
export type { PersonRoles } from './person-roles.js'
export type { Persons } from './persons.js'
export type { QueryWorkgroup } from './query-workgroup.js'
export type { RefusedBucket } from './refused-bucket.js'
export type { Roles } from './roles.js'
export { type SourceTable, sourceTableOf } from './source-table.js'
export type { TableCompaction } from './table-compaction.js'
export type { TableReconciliation } from './table-reconciliation.js'
export type { TransformFunction } from './transform-function.js'
export type { WriterRole } from './writer-role.js'
