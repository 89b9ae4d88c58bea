/** The library: `import { openArchive } from 'itemtrail'`. docs/library.md shows it at work. */
export { type Configuration, readConfiguration } from './config/configuration.js'
export { ConfigurationError } from './config/problems.js'
export { type ItemsAsked, OpenArchive, type ValueNarrowed, type VerifiedPeriod } from './library/archive.js'
export type { Change, History, ItemAt, ItemDiff, TableItem } from './library/archive-answers.js'
export { ArchiveError } from './library/archive-error.js'
export type { ChangeInHistory, FoundValue, ItemKnown } from './library/changes.js'
export type { Key, Moment, Parameters, RowOf } from './library/given.js'
export type { CopyOptions } from './library/local-copy.js'
export { type EngineOptions, type FolderOptions, openArchive, type StackOptions } from './library/open-archive.js'
export { Answer } from './queries/answers/answer.js'
export type { AnswerVerdict, Asked } from './queries/answers/asked.js'
export { type FileFormat, toFile } from './queries/answers/file-formats.js'
export {
  checkReceipt,
  makeReceipt,
  type Receipt,
  ReceiptError,
  type ReceiptOptions,
  readReceipt,
  type WrittenFile,
  withFiles,
  writeReceipt,
} from './queries/answers/receipt.js'
export { type Rerun, type RerunOptions, rerun } from './queries/answers/rerun.js'
export { type ComparedFile, compareFile, digestFile, type FileDigest } from './queries/answers/rerun-file.js'
export type { TableStatus } from './queries/answers/table-status.js'
export { writePath } from './queries/attribute-path.js'
export { type Difference, differencesOf, type PathSegment } from './queries/difference.js'
export { DuckDbEngine } from './queries/engines/duckdb.js'
export {
  type BoundValue,
  type EngineDescription,
  type QueryEngine,
  QueryError,
  type RunOptions,
} from './queries/engines/engine.js'
export type { Row, Value } from './queries/engines/rows.js'
export { ParameterError } from './queries/parameters.js'
export type { QueryName, QueryTypes } from './queries/query-types.js'
export type { Alteration } from './queries/verdict/alteration.js'
export type { Confidence, Finding, ItemFinding } from './queries/verdict/findings.js'
export type { SealedFinding, SealedTable } from './queries/verdict/sealed.js'
export type { EventObject } from './queries/verdict/sealed-event.js'
export type { JudgeOptions, MissingStretch, TableVerdict } from './queries/verdict/table-verdict.js'
export type { ContinuityCheck, ItemVerdict } from './queries/verdict/verify-continuity.js'
export type { AlteredRow, PassedOver, RowCheck } from './queries/verdict/verify-rows.js'
export type { ReconcileFinding } from './restore/reconciliation.js'
export type { Objects } from './store/objects.js'
export type { AttributeValue, Item } from './transform/attribute-value.js'
export type { TableConfiguration } from './transform/table-configuration.js'
