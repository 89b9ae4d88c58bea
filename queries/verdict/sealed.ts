/**
 * What an archive's journal says of a table's objects: held against the list of what is there, by key and size, so that
 * every answer knows what was sealed and is missing, or another by now. To hash it all is `itemtrail verify objects`.
 */
import { REFUSED_DAYS } from '../../config/schema.js'
import { type Attested, readAttested } from '../../journal/attested.js'
import type { SealedEntry } from '../../journal/entry.js'
import type { JournalFinding } from '../../journal/finding.js'
import { KeptLog } from '../../journal/kept-log.js'
import { RefusedExpiry } from '../../journal/refused-expiry.js'
import { verifyObjects } from '../../journal/verify-objects.js'
import type { ReplaceableObjects } from '../../store/objects.js'
import {
  configurationPrefix,
  factPrefix,
  parseRefusedKey,
  REFUSED_PREFIX,
  tablePrefix,
} from '../../transform/layout.js'
import type { QueryEngine } from '../engines/engine.js'
import { once } from '../engines/once.js'
import { nameSome } from '../name-some.js'
import type { Confidence } from './findings.js'

/** Something of a table that was sealed, and is missing or another. */
export interface SealedFinding extends JournalFinding {
  readonly kind: 'missing' | 'altered'
  /** The time of the changes that it held, in microseconds since 1970; null: no such end. */
  readonly sinceUs: number | null
  readonly untilUs: number | null
}

/** A table's objects beside what the journal says of them. */
export interface SealedTable {
  /** By key. */
  readonly findings: readonly SealedFinding[]
  /** Objects that no entry names, though two sealings passed them. By key. */
  readonly unlisted: readonly string[]
  /** How many objects are newer than the last seals: nothing vouches for them yet. */
  readonly notSealed: number
  /** When it was sealed last, by the sealer's clock; null where no seal can be read. */
  readonly lastSeal: string | null
  /** True where the newest checkpoint was signed by a key that is believed. */
  readonly isSigned: boolean
  /** What of the journal cannot be read, or is not what was signed, for people. */
  readonly problems: readonly string[]
}

/** What the journal says of a table's objects; null where nothing is sealed, or where nobody looks: on AWS. */
export function sealedOf(engine: QueryEngine, table: string): Promise<SealedTable | null> {
  return once(engine, `sealed of ${table}`, () => lookAtSealed(engine, table))
}

async function lookAtSealed(engine: QueryEngine, table: string): Promise<SealedTable | null> {
  const attested = await attestedOf(engine)
  return attested === undefined ? null : holdAgainstList(engine, table, attested, attested.expiry)
}

/** What a folder's journal says; undefined where nothing is sealed, or where nobody looks: on AWS. */
export async function attestedOf(
  engine: QueryEngine,
): Promise<(Attested & { readonly expiry: RefusedExpiry }) | undefined> {
  const { facts: objects } = engine
  // a bucket is too large to be listed for each answer; a folder's engine tells its objects
  if (objects === undefined || engine.objects === undefined) return undefined
  return once(engine, 'journal', async () => {
    const expiry = new RefusedExpiry(REFUSED_DAYS)
    const store = new KeptLog(objects as ReplaceableObjects)
    const journal = await readAttested(store, engine.believed, entry => expiry.add(entry))
    // some of it is kept by an object of a class
    return (
      journal && {
        entries: journal.entries,
        seals: journal.seals,
        isSigned: journal.isSigned,
        problems: journal.problems,
        expiry,
      }
    )
  })
}

async function holdAgainstList(
  { facts }: QueryEngine,
  table: string,
  { entries, seals, isSigned, problems }: Attested,
  expiry: RefusedExpiry,
): Promise<SealedTable> {
  const isOfTable = ({ key }: { readonly key: string }) => isKeyOf(table, key)
  const list = async (prefix: string) => {
    const prefixes = prefixesOf(table).filter(one => one.startsWith(prefix))
    const listed = await Promise.all(prefixes.map(one => facts?.entries(one) ?? []))
    return listed.flat().filter(isOfTable)
  }
  const own = new Map([...entries].filter(([, entry]) => isOfTable(entry)))
  const { findings, notSealed } = await verifyObjects({ list, describe: async () => undefined }, own, seals, {
    wasVerified: (listed, entry) => listed.bytes === entry.bytes,
    mayHaveExpired: entry => expiry.mayHaveExpired(entry),
  })
  return {
    findings: findings.filter(isOfSealed).map(finding => ({ ...finding, ...timeOf(own.get(finding.key)) })),
    unlisted: findings.filter(({ kind }) => kind === 'unlisted').map(({ key }) => key),
    notSealed: notSealed.length,
    lastSeal: seals.at(-1)?.time ?? null,
    isSigned,
    problems,
  }
}

function prefixesOf(table: string): readonly string[] {
  return [tablePrefix(table), factPrefix(table), configurationPrefix(table), REFUSED_PREFIX]
}

function isKeyOf(table: string, key: string): boolean {
  if (key.startsWith(REFUSED_PREFIX)) return parseRefusedKey(key)?.table === table
  return prefixesOf(table).some(prefix => key.startsWith(prefix))
}

function isOfSealed(finding: JournalFinding): finding is JournalFinding & Pick<SealedFinding, 'kind'> {
  return finding.kind === 'missing' || finding.kind === 'altered'
}

const DAY_US = 86_400_000_000

/** The whole day of an object's rows: one that is another by now may hold others. A fact may tell of any time. */
function timeOf(entry: SealedEntry | undefined): Pick<SealedFinding, 'sinceUs' | 'untilUs'> {
  if (entry?.event_date === undefined) return { sinceUs: null, untilUs: null }
  const { min_us, max_us } = entry
  const day = Date.parse(entry.event_date) * 1000
  return { sinceUs: Math.min(min_us ?? day, day), untilUs: Math.max(max_us ?? day, day + DAY_US - 1) }
}

/** What of it concerns the time after one moment, up to another. */
export function sealedWithin(sealed: SealedTable, afterUs: number, toUs: number): SealedTable {
  const concerns = ({ sinceUs, untilUs }: SealedFinding) =>
    (untilUs ?? Number.POSITIVE_INFINITY) > afterUs && (sinceUs ?? Number.NEGATIVE_INFINITY) <= toUs
  return { ...sealed, findings: sealed.findings.filter(concerns) }
}

/** The words that an answer has at best, which rests on what is missing or altered; none where nothing is. */
export function wordsOf({ findings }: SealedTable): readonly Confidence[] {
  return [...new Set(findings.map(({ kind }) => (kind === 'missing' ? 'GAP' : 'ALTERED')))]
}

/** What a reader should know of it, for people. */
export function sealedRemarks({
  findings,
  unlisted,
  notSealed,
  lastSeal,
  isSigned,
  problems,
}: SealedTable): readonly string[] {
  const missing = findings.filter(({ kind }) => kind === 'missing').map(({ key }) => key)
  const altered = findings.filter(({ kind }) => kind === 'altered').map(({ key, message }) => `${key} ${message}`)
  const last = lastSeal === null ? '' : ` of ${lastSeal}`
  return [
    ...told(missing, ['an object that was sealed is missing', 'objects that were sealed are missing']),
    ...told(altered, ['an object that was sealed is another now', 'objects that were sealed are others now']),
    ...told(unlisted, [
      'an object is not in the journal, though two sealings passed it',
      'objects are not in the journal, though two sealings passed them',
    ]),
    ...(notSealed === 0 ? [] : [`${counted(notSealed)} not sealed yet, since the seal${last}`]),
    ...problems.map(journalProblem),
    `held against the journal${last} by name and size${isSigned ? '' : ', whose signature was held against no key'}`,
  ]
}

/** What of a journal cannot be read, and what follows: nobody knows what is missing. */
export function journalProblem(problem: string): string {
  return `${problem}; what the journal tells of the archive is not known for certain`
}

const MOST_NAMED = 3

function told(named: readonly string[], [one, many]: readonly [string, string]): readonly string[] {
  if (named.length === 0) return []
  return [`${named.length === 1 ? one : `${named.length} ${many}`}: ${nameSome(named, MOST_NAMED)}`]
}

function counted(objects: number): string {
  return objects === 1 ? '1 object is' : `${objects} objects are`
}

/** The same as JSON; docs/cli-json.md describes its fields. */
export function describeSealed(sealed: SealedTable | null): object | null {
  if (sealed === null) return null
  const keys = (kind: SealedFinding['kind']) => sealed.findings.filter(found => found.kind === kind)
  return {
    missing: keys('missing').length,
    altered: keys('altered').length,
    unlisted: sealed.unlisted.length,
    not_sealed: sealed.notSealed,
    objects: [...sealed.findings.map(({ kind, key }) => ({ kind, key })), ...sealed.unlisted.map(unlistedAt)].slice(
      0,
      LISTED,
    ),
    last_seal: sealed.lastSeal,
    signed: sealed.isSigned,
    problems: sealed.problems,
  }
}

const LISTED = 100

function unlistedAt(key: string): object {
  return { kind: 'unlisted', key }
}
