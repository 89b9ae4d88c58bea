/** The library: `import { openArchive } from 'itemtrail'`. docs/library.md shows it at work. */
export { type Configuration, readConfiguration } from './config/configuration.js'
export { ConfigurationError } from './config/problems.js'
export type { Alteration } from './queries/alteration.js'
export { Answer, type Asked } from './queries/answer.js'
export type { AnswerVerdict } from './queries/answer-verdict.js'
export type { Change, History, ItemAt, ItemDiff, TableItem } from './queries/archive-answers.js'
export { type Difference, differencesOf, type PathSegment } from './queries/difference.js'
export { DuckDbEngine } from './queries/duckdb.js'
export {
  type BoundValue,
  type EngineDescription,
  type QueryEngine,
  QueryError,
  type RunOptions,
} from './queries/engine.js'
export type { Confidence, Finding, ItemFinding } from './queries/findings.js'
export { type FileFormat, toFile } from './queries/formats.js'
export {
  ArchiveError,
  type EngineOptions,
  type FolderOptions,
  type Key,
  type Moment,
  OpenArchive,
  openArchive,
  type Parameters,
} from './queries/open-archive.js'
export { ParameterError } from './queries/parameters.js'
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
} from './queries/receipt.js'
export { type Rerun, type RerunOptions, rerun } from './queries/rerun.js'
export { type ComparedFile, compareFile, digestFile, type FileDigest } from './queries/rerun-file.js'
export type { Row, Value } from './queries/rows.js'
export type { JudgeOptions, MissingStretch, TableVerdict } from './queries/table-verdict.js'
export type { AttributeValue, Item } from './transform/attribute-value.js'
export type { TableConfiguration } from './transform/table-configuration.js'
