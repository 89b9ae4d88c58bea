import { hash } from 'node:crypto'
import { z } from 'zod'
import { checkJson, count, exactly, FileError, listOf, readBounded, record, sha256 } from '../config/gate.js'
import { keepState, stateFile } from '../store/state-file.js'
import { type SealEntry, sealSchema } from './entry.js'
import type { Head } from './head.js'
import { type IndexedBundle, JournalIndex } from './journal-index.js'

/**
 * What was read of a journal, kept so that the next time what is new alone is read. It is a cache, in the user's own
 * state folder: a journal is held against it (it has to go on from there), and what it says of bundles against the
 * journal.
 */
export interface KeptIndex {
  readonly index: JournalIndex
  /** Where the journal ended then. */
  readonly head: Pick<Head, 'size' | 'root'>
}

const VERSION = 'journal-index/v1'

/** Some 256 million entries. */
const MAX_BYTES = 256 * 1024 ** 2

/** Bundles up to which it takes as little time to read them all. */
const FEW_BUNDLES = 16

const schema = record({
  version: exactly(VERSION),
  size: count,
  root: sha256,
  seals: listOf(sealSchema),
  folders: listOf(z.string('a text')),
  bundles: listOf(z.tuple([sha256, z.union([count, z.null()], 'a time or null')], 'a bundle').rest(count)),
})

/** Where it lies. */
export function indexPath(root: string): string {
  return stateFile(root, ['journal', 'json'])
}

/** Reads it; undefined where there is none. Throws a `FileError` for a file that is damaged. */
export function readIndex(path: string): KeptIndex | undefined {
  const bytes = readBounded(path, path, { maxBytes: MAX_BYTES })
  return bytes && decodeIndex(bytes, path)
}

/** Keeps it for the next time, unless that would read as much as this time. */
export function keepIndex(path: string, kept: KeptIndex): void {
  if (kept.index.known.bundles.length >= FEW_BUNDLES) keepState(path, [encodeIndex(kept)])
}

/** A line of JSON, and its SHA-256: what happens to a file by chance is noticed. */
export function encodeIndex({ index, head: { size, root } }: KeptIndex): string {
  const { bundles, seals } = index.known
  const numbers = new Map<string, number>()
  const numberOf = (folder: string) => {
    const number = numbers.get(folder) ?? numbers.size
    numbers.set(folder, number)
    return number
  }
  const told = bundles.map(({ root: of, wholeBefore, folders }) => [
    of.toString('hex'),
    wholeBefore,
    ...folders.map(numberOf),
  ])
  const line = JSON.stringify({
    version: VERSION,
    size,
    root: root.toString('hex'),
    seals,
    folders: [...numbers.keys()],
    bundles: told,
  })
  return `${line}\n${hash('sha256', line)}\n`
}

/** Throws a `FileError` that names `file` for what is damaged. */
export function decodeIndex(bytes: Buffer, file: string): KeptIndex {
  const end = bytes.indexOf('\n')
  const line = bytes.subarray(0, end)
  if (end < 0 || bytes.subarray(end + 1).toString('latin1') !== `${hash('sha256', line)}\n`)
    throw new FileError(file, ['is not as it was written'])
  const { size, root, seals, folders, bundles } = checkJson(line, schema, file, { maxBytes: MAX_BYTES })
  const known = bundles.map(
    ([of, wholeBefore, ...numbers]): IndexedBundle => ({
      root: Buffer.from(of, 'hex'),
      wholeBefore,
      folders: numbers.map(number => folders[number] ?? ''),
    }),
  )
  return {
    index: new JournalIndex(known, seals as readonly SealEntry[]),
    head: { size, root: Buffer.from(root, 'hex') },
  }
}
