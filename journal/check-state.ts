import { z } from 'zod'
import { checkJson, count, exactly, FileError, listOf, record, sha256 } from '../config/gate.js'
import { isConflict, type ReplaceableObjects, type TaggedText } from '../store/objects.js'
import { CHECKED_PREFIX } from '../transform/layout.js'
import { type Head, NOT_BEGUN } from './head.js'
import { JournalIndex } from './journal-index.js'
import { decodeIndex, encodeIndex } from './kept-index.js'

/** How far a journal was verified, with nothing found. */
export interface VerifiedTo extends Head {
  /** Claims that led there. */
  readonly claims: number
}

export const NOTHING_VERIFIED: VerifiedTo = { ...NOT_BEGUN, claims: 0 }

/** When two turns began that take up all that was looked at before, in milliseconds since 1970; null: none did yet. */
export interface TurnsSince {
  /** Of the journal itself. */
  readonly again: number | null
  /** Of the archive's days. */
  readonly days: number | null
}

/** What the daily check keeps, so that it goes on the next day. */
export interface CheckState {
  /** As far as the journal was verified once. */
  readonly front: VerifiedTo
  /** As far as it was verified again, from its beginning, since all of it was. */
  readonly again: VerifiedTo
  /** The days before this one were held against the journal since all were; an empty text where none were. */
  readonly heldBefore: string
  /** When each of these two turns began. */
  readonly since: TurnsSince
  /** Days on which something was found: they are looked at each time. */
  readonly watched: readonly string[]
  /** Of the journal as far as it was verified. */
  readonly index: JournalIndex
}

/** What a check begins with that knows nothing. */
function newCheckState(): CheckState {
  return {
    front: NOTHING_VERIFIED,
    again: NOTHING_VERIFIED,
    heldBefore: '',
    since: { again: null, days: null },
    watched: [],
    index: new JournalIndex(),
  }
}

/** Where it lies: a line of JSON, then the index of the journal. */
const STATE_KEY = `${CHECKED_PREFIX}journal.json`

const VERSION = 'checked/v1'

const verifiedTo = record({
  size: count,
  root: sha256,
  note: z.union([z.string(), z.null()], 'a note or null'),
  claims: count,
})
const began = z.union([count, z.null()], 'milliseconds since 1970 or null')
const schema = record({
  version: exactly(VERSION),
  front: verifiedTo,
  again: verifiedTo,
  held_before: z.string('a text'),
  // not of a check before it was kept
  since: record({ again: began, days: began }).optional(),
  watched: listOf(z.string('a text')),
})

/** A state that was read, and what it has to be to be replaced. */
export interface KeptCheck {
  readonly state: CheckState
  readonly opened: TaggedText | undefined
}

/**
 * What was kept; of nothing, the state that knows nothing. One that is damaged is told, and then all is verified anew.
 */
export async function readCheckState(
  objects: Pick<ReplaceableObjects, 'openTagged'>,
  tell: (problem: string) => void,
): Promise<KeptCheck> {
  const opened = await objects.openTagged(STATE_KEY)
  if (opened === undefined) return { state: newCheckState(), opened }
  try {
    return { state: decode(opened.text), opened }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    tell(`${error.message}: the journal is verified anew`)
    return { state: newCheckState(), opened }
  }
}

function decode(text: string): CheckState {
  const end = text.indexOf('\n')
  const { front, again, held_before, watched, ...kept } = checkJson(text.slice(0, Math.max(end, 0)), schema, STATE_KEY)
  const { since = newCheckState().since } = kept
  const { index } = decodeIndex(Buffer.from(text.slice(end + 1)), STATE_KEY)
  return { front: verified(front), again: verified(again), heldBefore: held_before, since, watched, index }
}

function verified({ root, note, ...others }: z.infer<typeof verifiedTo>): VerifiedTo {
  return { ...others, root: Buffer.from(root, 'hex'), note: note ?? undefined }
}

/** Keeps a state in the place of the one that was opened, unless another check did meanwhile. */
export async function keepCheckState(
  objects: Pick<ReplaceableObjects, 'replace'>,
  { state, opened }: KeptCheck,
): Promise<void> {
  const { front, again, heldBefore, since, watched, index } = state
  const told = ({ size, claims, root, note }: VerifiedTo) => ({
    size,
    claims,
    root: root.toString('hex'),
    note: note ?? null,
  })
  const line = { version: VERSION, front: told(front), again: told(again), held_before: heldBefore, since, watched }
  try {
    const text = `${JSON.stringify(line)}\n${encodeIndex({ index, head: front })}`
    await objects.replace(STATE_KEY, text, opened)
  } catch (error) {
    if (!isConflict(error)) throw error
  }
}
