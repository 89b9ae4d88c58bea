import { z } from 'zod'
import { checkJson, count, exactly, FileError, record } from '../config/gate.js'
import type { Head } from './head.js'
import { JournalIndex } from './journal-index.js'
import { decodeIndex, encodeIndex } from './kept-index.js'
import type { LogStore } from './log-store.js'

/** A list of a whole archive that is made over several runs of a sealer. */
export interface ListingTurn {
  /** The day before which all was listed. */
  readonly from: string
  /** When the newest object was written that the first of these runs listed, milliseconds since 1970; 0 for none. */
  readonly newest: number
}

/** What a sealer keeps for its next run; without it the next one reads the whole journal, and begins its turn anew. */
export interface SealMemory {
  readonly index: JournalIndex
  readonly turn: ListingTurn | undefined
}

/** Where it lies: beside what is staged, where nobody but the sealer may write and nothing is kept for long. */
export const SEALER_MEMORY = 'staging/known'

const VERSION = 'sealer/v1'

const schema = record({
  version: exactly(VERSION),
  turn: z.union([z.strictObject({ from: z.string(), newest: count }), z.null()], 'a turn or null'),
})

/** What a sealer begins with that knows nothing. */
export function noMemory(): SealMemory {
  return { index: new JournalIndex(), turn: undefined }
}

/** Nothing where there is none; one that is damaged is told, and costs the time that it had saved. */
export async function readMemory(store: Pick<LogStore, 'read'>, tell: (problem: string) => void): Promise<SealMemory> {
  const bytes = await store.read(SEALER_MEMORY)
  if (bytes === undefined) return noMemory()
  try {
    const text = Buffer.from(bytes)
    const end = text.indexOf('\n')
    const { turn } = checkJson(text.subarray(0, Math.max(end, 0)), schema, SEALER_MEMORY)
    return { index: decodeIndex(text.subarray(end + 1), SEALER_MEMORY).index, turn: turn ?? undefined }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    tell(`${error.message}: the journal was read anew`)
    return noMemory()
  }
}

/** Keeps it for the next run. */
export async function keepMemory(
  store: Pick<LogStore, 'replace'>,
  { index, turn }: SealMemory,
  head: Head,
): Promise<void> {
  const line = JSON.stringify({ version: VERSION, turn: turn ?? null })
  await store.replace(SEALER_MEMORY, Buffer.from(`${line}\n${encodeIndex({ index, head })}`))
}
