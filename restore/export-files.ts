import { createHash, hash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createGzip, type Gzip } from 'node:zlib'
import {
  checksumFile,
  DATA_FILE_ENDING,
  DATA_FOLDER,
  type DataFile,
  EXPORTS_FOLDER,
  etagOf,
  FILES_MANIFEST,
  type FullSummary,
  md5Of,
  OUTPUT_FORMAT,
  STARTED_FILE,
  SUMMARY_MANIFEST,
  SUMMARY_VERSIONS,
  writeDataFiles,
  writeSummary,
} from '../capture/export-layout.js'
import { sync, writeAll, writeDurably } from '../store/durable.js'
import { holdsSealed } from './comparable.js'

/** An export is read by whoever is to import it: its files are as open as the user's others. */
const BY_UMASK = 0o666

/** Bytes of JSON that one data file holds, about: ImportTable reads files side by side. */
const FILE_BYTES = 256 * 1024 * 1024

/** What the manifests say of an export. */
export interface ExportOf {
  readonly tableArn: string
  readonly tableId: string
  /** ISO 8601 in UTC: the instant that the items are of. */
  readonly exportTime: string
  readonly startTime: string
}

/** A folder that is not free for an export. */
export class OutputError extends Error {
  override readonly name = 'OutputError'
}

/**
 * Writes items as DynamoDB exports a table: gzip JSON lines and manifests with checksums. The summary is written last,
 * so what is not whole has none.
 */
export class ExportWriter {
  private readonly id: string
  private readonly files: DataFile[] = []
  private current: DataFileWriter | undefined
  private items = 0
  private bytes = 0

  private constructor(
    private readonly root: string,
    private readonly of: ExportOf,
    private readonly fileBytes: number,
  ) {
    // as DynamoDB's are: a time in milliseconds and eight digits
    this.id = `0${Date.parse(of.startTime)}-${hash('sha256', JSON.stringify(of)).slice(0, 8)}`
  }

  /** Throws `OutputError` for a folder that has something in it. */
  static create(root: string, of: ExportOf, fileBytes = FILE_BYTES): ExportWriter {
    if (existsSync(root) && readdirSync(root).length > 0)
      throw new OutputError(`folder ${JSON.stringify(root)} is not empty, --output fills an empty one`)
    const writer = new ExportWriter(root, of, fileBytes)
    mkdirSync(join(writer.folder, DATA_FOLDER), { recursive: true })
    writeDurably(join(writer.folder, STARTED_FILE), '', 'wx', BY_UMASK)
    return writer
  }

  /** Adds an item in canonical DynamoDB JSON. Throws `OutputError` for one of which values are sealed. */
  async add(image: string): Promise<void> {
    if (holdsSealed(image))
      throw new OutputError(
        'values of the table are sealed in the archive, and an export would carry ciphertext into one',
      )
    const name = `${String(this.files.length).padStart(6, '0')}${DATA_FILE_ENDING}`
    this.current ??= new DataFileWriter(join(this.folder, DATA_FOLDER, name), `${this.prefix}/${DATA_FOLDER}/${name}`)
    const line = Buffer.from(`{"Item":${image}}\n`)
    await this.current.write(line)
    this.items++
    this.bytes += line.length
    if (this.current.bytes >= this.fileBytes) await this.endFile()
  }

  /** Ends the export. Returns where its summary lies. */
  async finish(endTime: string): Promise<string> {
    await this.endFile()
    const { tableArn, tableId, exportTime, startTime } = this.of
    const summary: FullSummary = {
      version: SUMMARY_VERSIONS.FULL_EXPORT,
      exportType: 'FULL_EXPORT',
      exportArn: `${tableArn}/export/${this.id}`,
      startTime,
      endTime,
      tableArn,
      tableId,
      exportTime,
      s3Bucket: 'itemtrail-restore',
      s3Prefix: null,
      s3SseAlgorithm: 'AES256',
      s3SseKmsKeyId: null,
      manifestFilesS3Key: `${this.prefix}/${FILES_MANIFEST}`,
      billedSizeBytes: this.bytes,
      itemCount: this.items,
      outputFormat: OUTPUT_FORMAT,
    }
    this.writeManifest(FILES_MANIFEST, writeDataFiles(this.files))
    this.writeManifest(SUMMARY_MANIFEST, writeSummary(summary))
    for (const folder of [join(this.folder, DATA_FOLDER), this.folder]) sync(folder)
    return join(this.folder, SUMMARY_MANIFEST)
  }

  private get prefix(): string {
    return `${EXPORTS_FOLDER}/${this.id}`
  }

  private get folder(): string {
    return join(this.root, EXPORTS_FOLDER, this.id)
  }

  private async endFile(): Promise<void> {
    if (this.current === undefined) return
    this.files.push(await this.current.finish())
    this.current = undefined
  }

  /** The checksum goes first: a manifest that is there can be checked. */
  private writeManifest(name: string, text: string): void {
    writeDurably(join(this.folder, checksumFile(name)), md5Of(Buffer.from(text)), 'wx', BY_UMASK)
    writeDurably(join(this.folder, name), text, 'wx', BY_UMASK)
  }
}

/** One data file as it grows. */
class DataFileWriter {
  bytes = 0
  private items = 0
  private readonly gzip: Gzip = createGzip()
  private readonly md5 = createHash('md5')
  private readonly written: Promise<void>

  constructor(
    private readonly path: string,
    private readonly key: string,
  ) {
    this.written = this.copy(openSync(path, 'wx'))
    // told by `write` or `finish`, whichever is waiting
    this.written.catch(() => {})
  }

  async write(line: Buffer): Promise<void> {
    this.bytes += line.length
    this.items++
    if (this.gzip.write(line)) return
    await Promise.race([new Promise(resolve => this.gzip.once('drain', resolve)), this.written])
  }

  async finish(): Promise<DataFile> {
    this.gzip.end()
    await this.written
    const md5Checksum = this.md5.digest('base64')
    return { itemCount: this.items, md5Checksum, etag: etagOf(md5Checksum), dataFileS3Key: this.key }
  }

  private async copy(file: number): Promise<void> {
    try {
      for await (const chunk of this.gzip as AsyncIterable<Buffer>) {
        this.md5.update(chunk)
        writeAll(file, chunk, this.path)
      }
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }
}
