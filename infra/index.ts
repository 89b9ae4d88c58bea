export type { Lock } from '../config/schema.js'
export { ArchiveStack, type ArchiveStackProps } from './archive-stack.js'
export { AuditArchive, type AuditArchiveProps, type CaptureProps } from './audit-archive.js'
export type { CapturedTable } from './captured-table.js'
