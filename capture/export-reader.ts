/** Reads a DynamoDB export from a folder: what its manifests say is checked, and nothing else is believed. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, type Stats } from 'node:fs'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createGunzip } from 'node:zlib'
import {
  CHECKSUM_ENDINGS,
  checksumFile,
  type DataFile,
  dataFilePath,
  EXPORTS_FOLDER,
  ExportError,
  type ExportSummary,
  FILES_MANIFEST,
  isChecksumOf,
  readDataFiles,
  readSummary,
  SUMMARY_MANIFEST,
} from './export-layout.js'
import { readLines } from './line-reader.js'
import { BOUNDS, isOverlong } from './overlong.js'

/** An export in a folder, its manifests read and checked, its data files there. */
export interface TableExport<Summary extends ExportSummary = ExportSummary> {
  readonly summary: Summary
  readonly files: readonly LocalDataFile[]
  /** The size of all data files, packed. */
  readonly bytes: number
}

/** A data file and where it lies here. */
export interface LocalDataFile extends DataFile {
  /** As messages name it. */
  readonly name: string
  readonly path: string
  readonly bytes: number
}

/** One line of a data file, and where it stands. */
export interface ExportLine {
  readonly text: string
  /** `data/x.json.gz line 7`. */
  readonly where: string
}

/**
 * Opens the export in a folder `AWSDynamoDB/<exportId>`. Throws `ExportError` that names what is missing or altered.
 */
export async function openExport(folder: string): Promise<TableExport> {
  const summary = readSummary(await readManifest(folder, SUMMARY_MANIFEST))
  const files: LocalDataFile[] = []
  const names = new Set<string>()
  for (const file of readDataFiles(await readManifest(folder, FILES_MANIFEST))) {
    const name = dataFilePath(file.dataFileS3Key, summary)
    if (names.has(name)) throw new ExportError(`${FILES_MANIFEST} names ${name} twice`)
    names.add(name)
    const path = join(folder, ...name.split('/'))
    const stats = await lookAt(path, `${name} of the export ${folder}`)
    files.push({ ...file, name, path, bytes: stats.size })
  }
  const items = files.reduce((sum, { itemCount }) => sum + itemCount, 0)
  if (items !== summary.itemCount)
    throw new ExportError(`${FILES_MANIFEST} counts ${items} items, ${SUMMARY_MANIFEST} says ${summary.itemCount}`)
  return { summary, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }
}

/** A file of the export itself: what a link leads to may be any file, and a pipe or a device never ends. */
async function lookAt(path: string, name: string): Promise<Stats> {
  const [stats, folder] = await Promise.all([lstat(path), lstat(dirname(path))]).catch(missing(`${name} is missing`))
  if (stats.isFile() && folder.isDirectory()) return stats
  throw new ExportError(`${name} is a link or no file, expected a file of the export`)
}

async function readManifest(folder: string, name: string): Promise<string> {
  const hint = await hintFor(folder)
  const bytes = await readWhole(join(folder, name), MAX_MANIFEST, hint)
  const sums = CHECKSUM_ENDINGS.map(ending => checksumFile(name, ending))
  const there = sums.map(sum => join(folder, sum)).filter(path => existsSync(path))
  const checksums = await Promise.all(there.map(async path => (await readWhole(path, MAX_CHECKSUM)).toString()))
  if (checksums.length === 0)
    throw new ExportError(`${join(folder, name)} has no checksum beside it, expected ${sums.join(' or ')}`)
  if (!checksums.every(text => isChecksumOf(text, bytes)))
    throw new ExportError(`${join(folder, name)} is not what its checksum says: one of the two was altered`)
  return bytes.toString()
}

/** Bytes of a manifest: the longest, of 100,000 data files, has 30 MB. */
const MAX_MANIFEST = 256 * 1024 * 1024
const MAX_CHECKSUM = 4096

async function readWhole(path: string, maxBytes: number, hint?: string): Promise<Buffer> {
  const stats = await lstat(path).catch(missing(`${path} is not there`, hint))
  if (!stats.isFile()) throw new ExportError(`${path} is a link or no file, expected a file of the export`)
  if (stats.size > maxBytes) throw new ExportError(`${path} has ${stats.size} bytes, expected at most ${maxBytes}`)
  return readFile(path)
}

/** People name the bucket's copy, or its folder of exports, where one export is wanted. */
async function hintFor(folder: string): Promise<string> {
  for (const parent of [folder, join(folder, EXPORTS_FOLDER)]) {
    const names = await readdir(parent, { withFileTypes: true }).catch(() => [])
    const exports = names.filter(entry => entry.isDirectory() && /^\d+-[0-9a-f]+$/.test(entry.name))
    if (exports.length > 0) return `did you mean ${exports.map(({ name }) => join(parent, name)).join(' or ')}?`
  }
  return `expected the folder ${EXPORTS_FOLDER}/<exportId> of an export, as aws s3 cp --recursive copies it`
}

function missing(message: string, hint?: string): (error: unknown) => never {
  return error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ExportError(message, hint)
    throw error
  }
}

/** Reads every data file once and throws `ExportError` for the first that is not the one of the manifest. */
export async function checkDataFiles(source: TableExport, onBytes: (bytes: number) => void = () => {}): Promise<void> {
  let done = 0
  for (const file of source.files) {
    const md5 = createHash('md5')
    for await (const chunk of createReadStream(file.path) as AsyncIterable<Buffer>) {
      md5.update(chunk)
      done += chunk.length
      onBytes(done)
    }
    checkSum(file, md5.digest('base64'))
  }
}

function checkSum({ name, md5Checksum }: LocalDataFile, md5: string): void {
  if (md5 !== md5Checksum)
    throw new ExportError(`${name} has the MD5 ${md5}, ${FILES_MANIFEST} says ${md5Checksum}: it was altered`)
}

/**
 * Every line of every data file. Throws `ExportError` once a file turns out to hold another number of items than the
 * manifest says, or other bytes: what came out of it before is not to be believed.
 */
export async function* readExport(
  source: TableExport,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<ExportLine> {
  let before = 0
  for (const file of source.files) {
    yield* readDataFile(file, bytes => onBytes(before + bytes))
    before += file.bytes
  }
}

async function* readDataFile(file: LocalDataFile, onBytes: (bytes: number) => void): AsyncGenerator<ExportLine> {
  const { name, path, bytes, itemCount } = file
  const md5 = createHash('md5')
  let lines = 0
  let items = 0
  // a partition without items may be a file without bytes
  if (bytes > 0) {
    let done = 0
    const packed = createReadStream(path).on('data', chunk => {
      md5.update(chunk)
      done += chunk.length
      onBytes(done)
    })
    const unpacked = packed.pipe(createGunzip())
    packed.on('error', error => unpacked.destroy(error))
    try {
      for await (const line of readLines(boundLines(unpacked, name))) {
        lines++
        if (isOverlong(line))
          throw new ExportError(
            `${name} line ${lines} has ${line.bytes} bytes, expected an item of at most ${BOUNDS.most}`,
          )
        const text = decodeLine(line, `${name} line ${lines}`)
        if (text.trim() === '') continue
        // a few kilobytes of gzip unpack to as many lines as somebody likes
        if (++items > itemCount)
          throw new ExportError(`${name} holds more than ${itemCount} items, which ${FILES_MANIFEST} says`)
        yield { text, where: `${name} line ${lines}` }
      }
    } catch (error) {
      throw describeUnpacking(error, name)
    } finally {
      packed.destroy()
    }
  }
  if (items !== itemCount) throw new ExportError(`${name} holds ${items} items, ${FILES_MANIFEST} says ${itemCount}`)
  checkSum(file, md5.digest('base64'))
}

/** Bytes of a line: an item of 400 KB has less than this in JSON, whatever is in it. */
const MAX_LINE = 16 * 1024 * 1024

/** The same bytes, as long as no line of them is longer than an item can be. */
async function* boundLines(input: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  let length = 0
  for await (const chunk of input) {
    const last = chunk.lastIndexOf(0x0a)
    length = last === -1 ? length + chunk.length : chunk.length - last - 1
    if (length > MAX_LINE) throw new ExportError(`${name} has a line of more than ${MAX_LINE} bytes`)
    yield chunk
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeLine(line: Uint8Array, where: string): string {
  try {
    return utf8.decode(line)
  } catch {
    throw new ExportError(`${where} is not UTF-8`)
  }
}

function describeUnpacking(error: unknown, name: string): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException
  return code.startsWith('Z_') ? new ExportError(`${name} is not whole gzip: ${message}`) : error
}
