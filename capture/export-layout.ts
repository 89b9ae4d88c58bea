/**
 * How a DynamoDB export to S3 is laid out (developer guide, "DynamoDB table export output format"): its names, its
 * manifests, its checksums. Pure: readers and writers of exports share it.
 *
 *     AWSDynamoDB/<exportId>/manifest-summary.json, manifest-files.json, a checksum file of each, _started
 *     AWSDynamoDB/<exportId>/data/<name>.json.gz     of a full export
 *     AWSDynamoDB/data/<name>.json.gz                of incremental exports, which share the folder
 */

import { createHash } from 'node:crypto'
import { parseInstant } from '../transform/instant.js'
import { isObject, type JsonObject } from '../transform/json.js'
import { shown } from '../transform/refusal.js'
import { TABLE_NAME } from '../transform/table-names.js'

/** The folder that holds a bucket's exports, below the prefix that was asked for. */
export const EXPORTS_FOLDER = 'AWSDynamoDB'
export const SUMMARY_MANIFEST = 'manifest-summary.json'
export const FILES_MANIFEST = 'manifest-files.json'
export const STARTED_FILE = '_started'
export const DATA_FOLDER = 'data'
export const DATA_FILE_ENDING = '.json.gz'

/**
 * What the name of a manifest's checksum file ends in, for `.json`. The guide says the latter, the service writes the
 * former.
 */
export const CHECKSUM_ENDINGS = ['.md5', '.checksum'] as const

/** Versions of the summary manifest: of full and of incremental exports. */
export const SUMMARY_VERSIONS = { FULL_EXPORT: '2020-06-30', INCREMENTAL_EXPORT: '2023-08-01' } as const

/** The only format that is read and written; the other one is ION. */
export const OUTPUT_FORMAT = 'DYNAMODB_JSON'

interface AnySummary {
  readonly version: string
  readonly exportArn: string
  readonly startTime: string
  readonly endTime: string
  readonly tableArn: string
  readonly tableId: string
  readonly s3Bucket: string
  readonly s3Prefix: string | null
  readonly s3SseAlgorithm: string
  readonly s3SseKmsKeyId: string | null
  readonly manifestFilesS3Key: string
  readonly billedSizeBytes: number
  readonly itemCount: number
  readonly outputFormat: typeof OUTPUT_FORMAT
}

/** The summary manifest of a full export: what the table held at one instant. */
export interface FullSummary extends AnySummary {
  readonly exportType: 'FULL_EXPORT'
  readonly exportTime: string
}

/**
 * The summary manifest of an incremental export: each item that was written in a window, which begins with its first
 * instant and ends before its second, as it was before and after it.
 */
export interface IncrementalSummary extends AnySummary {
  readonly exportType: 'INCREMENTAL_EXPORT'
  readonly exportFromTime: string
  readonly exportToTime: string
  readonly outputView: 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE'
}

export type ExportSummary = FullSummary | IncrementalSummary

/** A line of the files manifest: one data file. */
export interface DataFile {
  readonly itemCount: number
  /** Base64 of the MD5 of the packed file, as it is kept. */
  readonly md5Checksum: string
  readonly etag: string
  readonly dataFileS3Key: string
}

/** What is wrong with an export, and where. */
export class ExportError extends Error {
  override readonly name = 'ExportError'
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message)
  }
}

/** An MD5 as manifests and checksum files hold it. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64')
}

/** The etag of a data file: S3's own for an upload in one part, the MD5 of the part's MD5. */
export function etagOf(md5Checksum: string): string {
  return `${createHash('md5').update(Buffer.from(md5Checksum, 'base64')).digest('hex')}-1`
}

/** The name of a manifest's checksum file. */
export function checksumFile(manifest: string, ending: (typeof CHECKSUM_ENDINGS)[number] = '.md5'): string {
  return manifest.replace(/\.json$/, ending)
}

/**
 * True where a checksum file's text is of these bytes. Base64 is what the service writes; hex with a name, what md5sum
 * does.
 */
export function isChecksumOf(text: string, bytes: Uint8Array): boolean {
  const [sum = ''] = text.trim().split(/\s/)
  const md5 = md5Of(bytes)
  return sum === md5 || sum.toLowerCase() === Buffer.from(md5, 'base64').toString('hex')
}

/** The table's name in the ARN of a table or of one of its exports; undefined in any other text. */
export function tableOfArn(arn: string): string | undefined {
  const name = /^arn:[^:]*:dynamodb:[^:]*:[^:]*:table\/([^/]+)(\/|$)/.exec(arn)?.[1]
  return name !== undefined && TABLE_NAME.test(name) ? name : undefined
}

/**
 * Where a data file lies, relative to the folder of its export. Throws `ExportError` for one that lies anywhere else.
 */
export function dataFilePath(dataFileS3Key: string, { manifestFilesS3Key }: ExportSummary): string {
  const parts = dataFileS3Key.split('/')
  const [folder, name] = [parts.slice(0, -1).join('/'), parts.at(-1) as string]
  const exportFolder = manifestFilesS3Key.split('/').slice(0, -1)
  const own = [...exportFolder, DATA_FOLDER].join('/')
  const common = [...exportFolder.slice(0, -1), DATA_FOLDER].join('/')
  // what steers a terminal or ends a name stands in no name that DynamoDB gives
  if (/^[^\\\p{Cc}]{1,200}$/u.test(name) && name !== '.' && name !== '..') {
    if (folder === own) return `${DATA_FOLDER}/${name}`
    if (folder === common) return `../${DATA_FOLDER}/${name}`
  }
  throw new ExportError(`${FILES_MANIFEST} names ${shown(dataFileS3Key)}, expected a file in ${own} or ${common}`)
}

/** Reads a summary manifest. Throws `ExportError` that names the field, for Ion too, of which nothing is read. */
export function readSummary(text: string): ExportSummary {
  const manifest = readObject(text, SUMMARY_MANIFEST)
  const fail = (field: string, expected: string) =>
    new ExportError(`${SUMMARY_MANIFEST} has ${field} ${shown(manifest[field])}, expected ${expected}`)
  if (manifest.outputFormat !== OUTPUT_FORMAT)
    throw new ExportError(
      `${SUMMARY_MANIFEST} has outputFormat ${shown(manifest.outputFormat)}, expected ${OUTPUT_FORMAT}`,
      'export the table again in DynamoDB JSON: aws dynamodb export-table-to-point-in-time --export-format DYNAMODB_JSON',
    )
  // the first exports had no type: there was only one
  const exportType = manifest.exportType ?? 'FULL_EXPORT'
  if (exportType !== 'FULL_EXPORT' && exportType !== 'INCREMENTAL_EXPORT')
    throw fail('exportType', 'FULL_EXPORT or INCREMENTAL_EXPORT')
  if (manifest.version !== SUMMARY_VERSIONS[exportType] && manifest.version !== SUMMARY_VERSIONS.INCREMENTAL_EXPORT)
    throw fail('version', Object.values(SUMMARY_VERSIONS).join(' or '))
  for (const field of ['exportArn', 'tableArn'])
    if (tableOfArn(textOf(manifest[field])) === undefined) throw fail(field, 'the ARN of a table or of its export')
  if (tableOfArn(textOf(manifest.exportArn)) !== tableOfArn(textOf(manifest.tableArn)))
    throw fail('exportArn', `an export of ${shown(manifest.tableArn)}`)
  if (typeof manifest.manifestFilesS3Key !== 'string' || !manifest.manifestFilesS3Key.endsWith(`/${FILES_MANIFEST}`))
    throw fail('manifestFilesS3Key', `a key that ends in /${FILES_MANIFEST}`)
  if (!isCount(manifest.itemCount)) throw fail('itemCount', 'a whole number')
  const instants = exportType === 'FULL_EXPORT' ? ['exportTime'] : ['exportFromTime', 'exportToTime']
  for (const field of instants)
    if (parseInstant(textOf(manifest[field])) === undefined) throw fail(field, 'ISO 8601 with a zone')
  if (exportType === 'INCREMENTAL_EXPORT' && !isView(manifest.outputView))
    throw fail('outputView', 'NEW_AND_OLD_IMAGES or NEW_IMAGE')
  return { ...manifest, exportType } as unknown as ExportSummary
}

/** Reads a files manifest. Throws `ExportError` that names the line. */
export function readDataFiles(text: string): readonly DataFile[] {
  const lines = text.split('\n')
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return []
    const where = `${FILES_MANIFEST} line ${i + 1}`
    const file = readObject(line, where)
    if (!isCount(file.itemCount))
      throw new ExportError(`${where} has itemCount ${shown(file.itemCount)}, expected a whole number`)
    if (typeof file.md5Checksum !== 'string' || Buffer.from(file.md5Checksum, 'base64').length !== 16)
      throw new ExportError(`${where} has md5Checksum ${shown(file.md5Checksum)}, expected base64 of 16 bytes`)
    if (typeof file.dataFileS3Key !== 'string')
      throw new ExportError(`${where} has dataFileS3Key ${shown(file.dataFileS3Key)}, expected a key`)
    return [file as unknown as DataFile]
  })
}

/** A summary manifest as the service writes it. */
export function writeSummary(summary: ExportSummary): string {
  return JSON.stringify(summary)
}

/** A files manifest as the service writes it: one JSON object a line. */
export function writeDataFiles(files: readonly DataFile[]): string {
  return files.map(file => `${JSON.stringify(file)}\n`).join('')
}

function readObject(text: string, name: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ExportError(`${name} is not JSON`)
  }
  if (!isObject(value)) throw new ExportError(`${name} is ${shown(value)}, expected a JSON object`)
  return value
}

/** A text of a manifest; what is none is an empty one, which is nothing that is expected. */
function textOf(value: unknown): string {
  return typeof value === 'string' && !/\p{Cc}/u.test(value) ? value : ''
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isView(value: unknown): boolean {
  return value === 'NEW_AND_OLD_IMAGES' || value === 'NEW_IMAGE'
}
