/** An export in a bucket, copied to the disk where `openExport` checks and reads it. */
import { createWriteStream, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  dataFilePath,
  EXPORTS_FOLDER,
  ExportError,
  FILES_MANIFEST,
  readDataFiles,
  readSummary,
  SUMMARY_MANIFEST,
} from '../capture/export-layout.js'
import { openExport, type TableExport } from '../capture/export-reader.js'
import type { Objects } from '../store/objects.js'

/** An export that is more than can be compared at once. */
export class LargeExportError extends ExportError {
  constructor(found: string, most: number) {
    super(`export has ${found}, expected at most ${most}: as many are compared in a function at once`)
  }
}

/** What of an export is copied at most. */
export interface ExportBounds {
  readonly items: number
  /** Packed, as it lies in the bucket. */
  readonly bytes: number
}

/** An export on the disk, and how much of its bounds it takes: 1 is all. */
export interface CopiedExport {
  readonly source: TableExport
  readonly fullness: number
}

/**
 * Copies the export below `prefix` into a folder. Throws `LargeExportError` for one that is over the bounds before its
 * data is copied, `ExportError` for one that is not what its manifests say.
 */
export async function copyExport(
  bucket: Objects,
  prefix: string,
  id: string,
  folder: string,
  bounds: ExportBounds,
): Promise<CopiedExport> {
  const from = `${prefix}/${EXPORTS_FOLDER}/${id}/`
  const to = join(folder, id)
  // in the bucket data may lie beside the manifests, or beside their folder
  for (const { key } of await bucket.entries(from))
    if (!key.slice(from.length).includes('/')) await copy(bucket, key, join(to, key.slice(from.length)))
  const summary = readSummary(await readFile(join(to, SUMMARY_MANIFEST), 'utf8'))
  const files = readDataFiles(await readFile(join(to, FILES_MANIFEST), 'utf8'))
  const keys = files.map(file => file.dataFileS3Key)
  const fullness = await checkBounds(bucket, { itemCount: summary.itemCount, keys }, bounds)
  for (const { dataFileS3Key } of files)
    await copy(bucket, dataFileS3Key, join(to, ...dataFilePath(dataFileS3Key, summary).split('/')))
  return { source: await openExport(to), fullness }
}

async function checkBounds(
  bucket: Objects,
  { itemCount, keys }: { readonly itemCount: number; readonly keys: readonly string[] },
  bounds: ExportBounds,
): Promise<number> {
  if (itemCount > bounds.items) throw new LargeExportError(`${itemCount} items`, bounds.items)
  const folders = new Set(keys.map(key => `${dirname(key)}/`))
  const sizes = new Map<string, number>()
  for (const folder of folders) for (const { key, bytes } of await bucket.entries(folder)) sizes.set(key, bytes)
  const bytes = keys.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0)
  if (bytes > bounds.bytes) throw new LargeExportError(`${bytes} bytes`, bounds.bytes)
  return Math.max(itemCount / bounds.items, bytes / bounds.bytes)
}

async function copy(bucket: Objects, key: string, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  await pipeline(bucket.stream(key), createWriteStream(path, { flags: 'wx' }))
}
