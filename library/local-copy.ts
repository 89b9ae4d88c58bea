/** An archive that lies elsewhere, copied to where DuckDB can read it. */
import { createWriteStream, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isRunning } from '../store/durable.js'
import { DiskArchive } from '../store/folder.js'
import type { Objects } from '../store/objects.js'
import {
  CONFIG_PREFIX,
  configurationPrefix,
  DATA_PREFIX,
  FACTS_PREFIX,
  factPrefix,
  tablePrefix,
} from '../transform/layout.js'
import { ArchiveError } from './archive-error.js'

/** What of an archive elsewhere is copied. */
export interface CopyOptions {
  /** DynamoDB tables. @default - all */
  readonly only?: readonly string[] | undefined
  /** Bytes of its objects at most. @default 1 GiB */
  readonly mostBytes?: number | undefined
}

const MOST_BYTES = 1024 ** 3

/** Objects that are copied at once. */
const PARALLEL = 4

const PREFIX = 'itemtrail-archive-'

/**
 * Copies rows, facts and configurations into a folder of this process alone, as they are now, which `rmSync` removes.
 * Throws an `ArchiveError` for more than `mostBytes`, before anything is copied.
 */
export async function copyLocally(archive: Objects, { only, mostBytes = MOST_BYTES }: CopyOptions): Promise<string> {
  const prefixes = only?.flatMap(table => [tablePrefix(table), configurationPrefix(table), factPrefix(table)])
  const lists = (prefixes ?? [DATA_PREFIX, CONFIG_PREFIX, FACTS_PREFIX]).map(prefix => archive.entries(prefix))
  const entries = (await Promise.all(lists)).flat()
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (bytes > mostBytes)
    throw new ArchiveError(
      `archive has ${bytes} bytes to copy, expected at most ${mostBytes}: \`only\` names the tables that are needed, \`mostBytes\` allows more, { stack } asks on AWS without a copy`,
    )
  sweep()
  const root = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
  const keys = entries.map(({ key }) => key).values()
  const copyRest = async () => {
    for (const key of keys) await copyObject(archive, key, new DiskArchive(root))
  }
  try {
    await Promise.all(Array.from({ length: PARALLEL }, copyRest))
    return root
  } catch (error) {
    rmSync(root, { recursive: true, force: true })
    throw error
  }
}

async function copyObject(archive: Objects, key: string, folder: DiskArchive): Promise<void> {
  const staged = folder.stage('.object')
  await pipeline(Readable.from(archive.stream(key)), createWriteStream(staged.path, { flags: 'wx', mode: 0o600 }))
  await folder.put(key, staged)
}

/** Removes what processes that were killed left behind. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (Number.isInteger(pid) && !isRunning(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}
