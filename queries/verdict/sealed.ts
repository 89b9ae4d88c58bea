/**
 * What an archive's journal says of a table's objects: held against the list of what is there, so that every answer
 * knows what was sealed and is missing, or another by now. To hash it all is `itemtrail verify objects`.
 */
import type { Attested } from '../../journal/attested.js'
import type { SealedEntry } from '../../journal/entry.js'
import type { JournalFinding } from '../../journal/finding.js'
import { type VerifiedArchive, verifyObjects } from '../../journal/verify-objects.js'
import { weigh } from '../../store/file-hash.js'
import { isMissing, type Objects, type VersionedEntry } from '../../store/objects.js'
import {
  configurationPrefix,
  DATA_PREFIX,
  dateOfKey,
  factPrefix,
  PARTITION_COLUMN,
  parseRefusedKey,
  REFUSED_PREFIX,
  tablePrefix,
} from '../../transform/layout.js'
import { dateOf } from '../../transform/partition.js'
import type { NamedTable } from '../../transform/table-names.js'
import type { QueryEngine } from '../engines/engine.js'
import { once } from '../engines/once.js'
import { nameSome } from '../name-some.js'
import { type ArchiveJournal, journalOf } from './archive-journal.js'
import type { Confidence } from './findings.js'

/** Something of a table that was sealed, and is missing or another. */
export interface SealedFinding extends JournalFinding {
  readonly kind: 'missing' | 'altered'
  /** The time of the changes that it held when it was sealed, in microseconds since 1970; null: no such end. */
  readonly sinceUs: number | null
  readonly untilUs: number | null
  /**
   * The items that have rows in what is altered, by canonical key, with the time of the first: nobody knows what they
   * were. For any other item it is as if it were missing. Null where it may be any.
   */
  readonly items: ReadonlyMap<string, number> | null
}

/** A table's objects beside what the journal says of them. */
export interface SealedTable {
  /** By key. */
  readonly findings: readonly SealedFinding[]
  /** Objects that no entry names, though two sealings passed them. By key. */
  readonly unlisted: readonly string[]
  /** How many objects are newer than the last seals: nothing vouches for them yet. */
  readonly notSealed: number
  /** How many are those that were sealed by their bytes or version, and how many by name and size alone. */
  readonly identical: number
  readonly sameSize: number
  /** The journal's entries, and the root over them, in lower hex. */
  readonly size: number
  readonly root: string
  /** When it was sealed last, by the sealer's clock; null where no seal can be read. */
  readonly lastSeal: string | null
  /** True where the newest checkpoint was signed by a key that is believed. */
  readonly isSigned: boolean
  /** What of the journal cannot be read, or is not what was signed, for people. */
  readonly problems: readonly string[]
  /** What else is to be known of how it was read, for people. */
  readonly remarks: readonly string[]
}

/** A time, in microseconds since 1970, its beginning not included. */
export interface Span {
  readonly afterUs: number
  readonly toUs: number
}

const ALL_TIME: Span = { afterUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY }

/**
 * What the journal says of the objects of a table that a time concerns; null where nothing is sealed. `first` are days
 * of which the bytes are looked at before those of others.
 */
export async function sealedOf(
  engine: QueryEngine,
  table: NamedTable,
  span: Span = ALL_TIME,
  first: ReadonlySet<string> = new Set(),
): Promise<SealedTable | null> {
  const journal = await journalOf(engine)
  if (journal === null) return null
  const { attested, problems } = journal
  if (attested === undefined) return { ...NOTHING, problems: problems() }
  const listed = await listOf(engine, journal, table.table, daysOf(span))
  return holdAgainst(listed, { engine, table, journal, attested }, first)
}

const NOTHING: Omit<SealedTable, 'problems'> = {
  findings: [],
  unlisted: [],
  notSealed: 0,
  identical: 0,
  sameSize: 0,
  size: 0,
  root: '',
  lastSeal: null,
  isSigned: false,
  remarks: [],
}

/** Days from one to another, both included; an end that is left out is open. */
interface Days {
  readonly from: string | undefined
  readonly to: string | undefined
}

function daysOf({ afterUs, toUs }: Span): Days {
  const day = (us: number) => (Number.isFinite(us) ? dateOf(Math.max(us, 0)) : undefined)
  return { from: day(afterUs + 1), to: day(toUs) }
}

/** What there is of a table, and what of it was sealed. */
interface Listed {
  readonly objects: readonly VersionedEntry[]
  readonly entries: ReadonlyMap<string, SealedEntry>
}

/** The objects of some days, listed once, and the table's own entries. */
function listOf(engine: QueryEngine, journal: ArchiveJournal, table: string, days: Days): Promise<Listed> {
  // of a folder as of the keys in it
  const isMeant = (key: string) => isKeyOf(table, key) && isOfDays(key, days)
  return once(engine, `sealed objects of ${table} ${days.from} ${days.to}`, async () => {
    const lists = prefixesOf(table).map(prefix => listBelow(journal.archive, prefix, days))
    const objects = (await Promise.all(lists)).flat().filter(({ key }) => isMeant(key))
    return { objects, entries: (await journal.attested?.entriesIn(isMeant)) ?? new Map() }
  })
}

/** Of rows the days that are asked for, which a bucket lists alone; of all else there is little. */
async function listBelow(archive: Objects, prefix: string, { from, to }: Days): Promise<readonly VersionedEntry[]> {
  if (archive.versioned === undefined) return archive.entries(prefix)
  if (!prefix.startsWith(DATA_PREFIX)) return archive.versioned(prefix, { after: '', before: LAST })
  const day = (text: string) => `${prefix}${PARTITION_COLUMN}=${text}`
  const before = to === undefined ? LAST : `${day(to)}${LAST}`
  return archive.versioned(prefix, { after: from === undefined ? '' : day(from), before })
}

/** Behind every key that there is. */
const LAST = '\uffff'

function isOfDays(key: string, { from, to }: Days): boolean {
  if (!key.startsWith(DATA_PREFIX) || (from === undefined && to === undefined)) return true
  const day = dateOfKey(key)
  return day >= (from ?? '') && day <= (to ?? LAST)
}

function prefixesOf(table: string): readonly string[] {
  return [tablePrefix(table), factPrefix(table), configurationPrefix(table), REFUSED_PREFIX]
}

function isKeyOf(table: string, key: string): boolean {
  if (key.startsWith(REFUSED_PREFIX)) return parseRefusedKey(key)?.table === table
  return prefixesOf(table).some(prefix => key.startsWith(prefix))
}

/** What is held against what. */
interface Holding {
  readonly engine: QueryEngine
  readonly table: NamedTable
  readonly journal: ArchiveJournal
  readonly attested: Attested
}

async function holdAgainst(
  { objects, entries }: Listed,
  holding: Holding,
  first: ReadonlySet<string>,
): Promise<SealedTable> {
  const { engine, table, journal, attested } = holding
  const { seals, isSigned, head } = attested
  const versioned = new Set(objects.filter(object => isVersion(object, entries)).map(({ key }) => key))
  const open = objects.filter(object => !versioned.has(object.key) && mayBeWeighed(object, entries))
  const weighed = chooseWeighed(open, first)
  const { findings, notSealed, sound } = await verifyObjects(
    sealedArchive(holding, { objects, entries }),
    entries,
    seals,
    {
      wasVerified: ({ key, bytes }, entry) => bytes === entry.bytes && !weighed.has(key),
      mayHaveExpired: entry => journal.expiry.mayHaveExpired(entry),
    },
  )
  const found = findings.filter(isOfSealed)
  const items = await itemsOf(engine, table, found)
  const identical = [...versioned, ...weighed].filter(key => !found.some(finding => finding.key === key)).length
  return {
    findings: found.map(finding => ({ ...finding, ...timeOf(entries.get(finding.key)), items: items(finding) })),
    unlisted: findings.filter(({ kind }) => kind === 'unlisted').map(({ key }) => key),
    notSealed: notSealed.length,
    identical,
    sameSize: sound - identical,
    size: head.size,
    root: head.root.toString('hex'),
    lastSeal: seals.at(-1)?.time ?? null,
    isSigned,
    problems: [
      ...journal.problems(),
      ...otherVersions(open.filter(({ key, version }) => version && !weighed.has(key))),
    ],
    remarks: journal.remarks,
  }
}

/** A table's objects for `verifyObjects`: bytes that are those which were sealed hold the rows that were. */
function sealedArchive({ engine, journal }: Holding, { objects, entries }: Listed): VerifiedArchive {
  return {
    list: async prefix => objects.filter(({ key }) => key.startsWith(prefix)),
    describe: ({ key }) =>
      once(engine, `bytes of ${key}`, async () => {
        try {
          return { ...(entries.get(key) as SealedEntry), ...(await weigh(journal.archive.stream(key))) }
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),
  }
}

/** A version of a bucket is never another object. */
function isVersion({ key, version }: VersionedEntry, entries: ReadonlyMap<string, SealedEntry>): boolean {
  return version !== undefined && entries.get(key)?.version_id === version
}

/** In a bucket only what is another version than the one that was sealed: reading is paid for. */
function mayBeWeighed({ key, version }: VersionedEntry, entries: ReadonlyMap<string, SealedEntry>): boolean {
  const entry = entries.get(key)
  return entry !== undefined && (version === undefined || entry.version_id !== undefined)
}

function otherVersions(objects: readonly VersionedEntry[]): readonly string[] {
  if (objects.length === 0) return []
  const keys = nameSome(
    objects.map(({ key }) => key),
    MOST_NAMED,
  )
  return [`objects are other versions than were sealed, and too large to be hashed for an answer: ${keys}`]
}

const MOST_NAMED = 3

/** So many bytes are hashed for an answer, which takes about a tenth of a second. */
const WEIGHED_BYTES = 64 * 1024 ** 2

/** The objects that are hashed: those of the first days, then the newest, as far as there is time. */
function chooseWeighed(objects: readonly VersionedEntry[], first: ReadonlySet<string>): ReadonlySet<string> {
  const isFirst = ({ key }: VersionedEntry) => first.has(dateOfKey(key))
  const [own, others] = [objects.filter(isFirst), objects.filter(object => !isFirst(object))]
  const chosen = new Set<string>()
  let left = WEIGHED_BYTES
  for (const { key, bytes } of [...own, ...others.toReversed()]) {
    if (bytes > left) continue
    chosen.add(key)
    left -= bytes
  }
  return chosen
}

/** Objects of which the items are looked up; where more are altered it may be any item. */
const MOST_LOOKED_UP = 100

const NONE: ReadonlyMap<string, number> = new Map()

/** Who has rows in each altered object; of other files but what was refused, any item may be concerned. */
async function itemsOf(
  engine: QueryEngine,
  table: NamedTable,
  findings: readonly JournalFinding[],
): Promise<(finding: JournalFinding) => SealedFinding['items']> {
  const altered = findings.filter(({ kind, key }) => kind === 'altered' && key.startsWith(DATA_PREFIX))
  const items = await lookUpItems(
    engine,
    table,
    altered.map(({ key }) => key),
  )
  return ({ kind, key }) => {
    if (kind === 'missing' || key.startsWith(REFUSED_PREFIX)) return NONE
    if (!key.startsWith(DATA_PREFIX) || items === null) return null
    return items.get(key) ?? NONE
  }
}

async function lookUpItems(engine: QueryEngine, table: NamedTable, keys: readonly string[]) {
  if (keys.length === 0) return new Map<string, ReadonlyMap<string, number>>()
  if (engine.itemsIn === undefined || keys.length > MOST_LOOKED_UP) return null
  // of what cannot be read nobody knows whose rows it has
  return engine.itemsIn(table, keys).catch(() => null)
}

function isOfSealed(finding: JournalFinding): finding is JournalFinding & Pick<SealedFinding, 'kind'> {
  return finding.kind === 'missing' || finding.kind === 'altered'
}

const DAY_US = 86_400_000_000

/** The time of an object's rows; a fact may tell of any time. */
function timeOf(entry: SealedEntry | undefined): Pick<SealedFinding, 'sinceUs' | 'untilUs'> {
  if (entry?.event_date === undefined) return { sinceUs: null, untilUs: null }
  const day = Date.parse(entry.event_date) * 1000
  return { sinceUs: entry.min_us ?? day, untilUs: entry.max_us ?? day + DAY_US - 1 }
}

/** What of it concerns an item, or without one the whole table, in a time. */
export function sealedWithin(sealed: SealedTable, span: Span, itemKey?: string): SealedTable {
  return { ...sealed, findings: sealed.findings.filter(finding => wordOf(finding, span, itemKey) !== undefined) }
}

/** The words that an answer about that has at best; none where nothing of it is missing or altered. */
export function wordsOf({ findings }: SealedTable, span: Span, itemKey?: string): readonly Confidence[] {
  return [...new Set(findings.flatMap(finding => wordOf(finding, span, itemKey) ?? []))]
}

function wordOf(finding: SealedFinding, span: Span, itemKey: string | undefined): 'ALTERED' | 'GAP' | undefined {
  const { kind, items, sinceUs, untilUs } = finding
  const first = itemKey === undefined || items === null ? Number.NEGATIVE_INFINITY : items.get(itemKey)
  // of a row that is another nobody knows since when it should count
  if (kind === 'altered' && first !== undefined && first <= span.toUs) return 'ALTERED'
  const isThen =
    (untilUs ?? Number.POSITIVE_INFINITY) > span.afterUs && (sinceUs ?? Number.NEGATIVE_INFINITY) <= span.toUs
  return isThen ? 'GAP' : undefined
}
