/** Writes exports to disk as DynamoDB does: real gzip, real MD5, real manifests. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  checksumFile,
  type DataFile,
  EXPORTS_FOLDER,
  type ExportSummary,
  etagOf,
  FILES_MANIFEST,
  type FullSummary,
  type IncrementalSummary,
  md5Of,
  OUTPUT_FORMAT,
  STARTED_FILE,
  SUMMARY_MANIFEST,
  SUMMARY_VERSIONS,
  writeDataFiles,
  writeSummary,
} from '../capture/export-layout.js'

const EXPORT_ID = '01795341600000-a1b2c3d4'
export const TABLE_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders'
export const EXPORT_ARN = `${TABLE_ARN}/export/${EXPORT_ID}`

/** When the written full exports were taken. */
export const EXPORT_TIME = '2026-11-22T09:59:30.250Z'

/** A line of an export: an object, or the very text. */
export type Line = object | string

export interface ExportContent {
  /** What was asked for as the prefix of the export's keys. @default - none */
  readonly prefix?: string
  /** The lines of each data file. */
  readonly files: readonly (readonly Line[])[]
  /** Fields of the summary manifest that differ from those of a full export of table Orders. */
  readonly summary?: Partial<FullSummary> | Partial<IncrementalSummary> | Readonly<Record<string, unknown>>
  /** Called with each data file's entry in the manifest, to make it say something else. */
  readonly alter?: (file: DataFile, i: number) => DataFile
}

/** Writes an export below `root`, which stands for the bucket, and gives the folder of the export. */
export function writeExport(root: string, content: ExportContent): string {
  const { prefix: asked, files, summary = {}, alter = file => file } = content
  const incremental = summary.exportType === 'INCREMENTAL_EXPORT'
  const exports = asked === undefined ? EXPORTS_FOLDER : `${asked}/${EXPORTS_FOLDER}`
  const prefix = `${exports}/${EXPORT_ID}`
  const dataPrefix = incremental ? `${exports}/data` : `${prefix}/data`
  const folder = join(root, prefix)
  mkdirSync(folder, { recursive: true })
  mkdirSync(join(root, dataPrefix), { recursive: true })
  const entries = files.map((lines, i) => {
    const text = lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
    const bytes = gzipSync(text)
    const dataFileS3Key = `${dataPrefix}/part${i}.json.gz`
    writeFileSync(join(root, dataFileS3Key), bytes)
    const md5Checksum = md5Of(bytes)
    return alter({ itemCount: lines.length, md5Checksum, etag: etagOf(md5Checksum), dataFileS3Key }, i)
  })
  const itemCount = files.reduce((sum, lines) => sum + lines.length, 0)
  const keys = { s3Prefix: asked ?? null, manifestFilesS3Key: `${prefix}/${FILES_MANIFEST}` }
  const told = { ...fullSummary(itemCount), ...keys, ...summary } as ExportSummary
  writeManifest(folder, SUMMARY_MANIFEST, writeSummary(told))
  writeManifest(folder, FILES_MANIFEST, writeDataFiles(entries))
  writeFileSync(join(folder, STARTED_FILE), '')
  return folder
}

/** Writes a manifest, and the checksum that goes with it. */
export function writeManifest(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, checksumFile(name)), md5Of(Buffer.from(text)))
}

function fullSummary(itemCount: number): Omit<FullSummary, 's3Prefix' | 'manifestFilesS3Key'> {
  return {
    version: SUMMARY_VERSIONS.FULL_EXPORT,
    exportArn: EXPORT_ARN,
    startTime: '2026-11-22T10:00:00.000Z',
    endTime: '2026-11-22T10:03:00.000Z',
    tableArn: TABLE_ARN,
    tableId: '12345a12-abcd-123a-ab12-1234abc12345',
    exportTime: EXPORT_TIME,
    s3Bucket: 'exports',
    s3SseAlgorithm: 'AES256',
    s3SseKmsKeyId: null,
    billedSizeBytes: 0,
    itemCount,
    outputFormat: OUTPUT_FORMAT,
    exportType: 'FULL_EXPORT',
  }
}

/** Fields of the summary manifest of an incremental export, for `writeExport`. */
export function incrementalSummary(fields: Partial<IncrementalSummary> = {}): Partial<IncrementalSummary> {
  return {
    version: SUMMARY_VERSIONS.INCREMENTAL_EXPORT,
    exportType: 'INCREMENTAL_EXPORT',
    exportFromTime: '2026-11-22T10:00:00.000Z',
    exportToTime: '2026-11-22T11:00:00.000Z',
    outputView: 'NEW_AND_OLD_IMAGES',
    ...fields,
  }
}
