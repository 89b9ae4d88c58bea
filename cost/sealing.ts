/** What a signed journal costs a month, where one is kept: the function that seals, and the daily check. */
import { costOfAmount, GB } from '../aws/prices.js'
import { JOURNAL, LOCK_SECONDS } from './assumptions.js'
import { type AddedBill, line, type Part, sum } from './bill.js'
import { MONTH_DAYS, MONTH_HOURS } from './capacity.js'
import { DEPLOYED } from './deployed.js'

/** Its files of the first month are among what it comes to. */
export interface SealingBill extends AddedBill {
  readonly month: JournalMonth
  /** What keeping the journal's own files costs a month at the end of retention. */
  readonly usdAMonthAtEnd: number
}

/** What a journal is made of in a month. */
export interface JournalMonth {
  readonly seals: number
  readonly checks: number
  readonly objects: number
  readonly entries: number
  /** Files of the log that are written, bundles and tiles. */
  readonly files: number
  readonly bytes: number
}

const MONTHS_OF_YEAR = 12

/** Entries of a whole bundle or tile (C2SP tlog-tiles). */
const WIDTH = 256

/** Versions of objects that S3 lists in one answer. */
const PAGE = 1000

/**
 * Each seal writes what it staged, its claim, the checkpoint, and the bundle and the tile that are not full, which hold
 * half of what a full one does on average; each full bundle comes with a tile and moves one above it.
 */
export function journalMonth(objectsADay: number): JournalMonth {
  const seals = MONTH_HOURS / DEPLOYED.seal.everyHours
  const objects = objectsADay * MONTH_DAYS
  const entries = objects + seals
  const { objectBytes, sealBytes, hashBytes } = JOURNAL.entry
  const bytes = (objects * objectBytes + seals * sealBytes) / entries + hashBytes
  return {
    seals,
    checks: MONTH_HOURS / DEPLOYED.check.everyHours,
    objects,
    entries,
    files: 2 * seals + (3 * entries) / WIDTH,
    bytes: ((seals * WIDTH) / 2 + entries) * bytes,
  }
}

/** The bill of an archive of one table that gets so many objects a day, of a journal that is a year old. */
export function journalBillOf(objectsADay: number, objectBytes: number, retentionDays: number): SealingBill {
  const month = journalMonth(objectsADay)
  const { seals, checks, files, bytes } = month
  const read = readingOf(month, objectBytes)
  const keptAtEnd = (bytes * retentionDays) / MONTH_DAYS
  // claims, tiles and bundles are locked as the archive's objects are
  const locked = seals + files
  const parts: readonly Part[] = [
    { ...line('KMS, key', 1, 'key'), part: 'KMS, key that signs' },
    line('KMS, asymmetric requests', seals * JOURNAL.kmsRequests + checks, 'requests'),
    { ...line('S3, put', 3 * seals + files + locked, 'requests'), part: 'S3, writing and locking the journal' },
    { ...line('S3, put', read.lists, 'requests'), part: 'S3, listing the archive' },
    { ...line('S3, get', read.gets, 'requests'), part: 'S3, reading journal and objects' },
    { ...line('S3 Standard', bytes / GB, 'GB-months'), part: 'S3, the journal of the first month' },
    { ...line('SQS, requests', 3 * locked, 'requests'), part: 'queue of files to lock' },
    ...functionParts('lock of the journal', locked, locked * LOCK_SECONDS, DEPLOYED.lock.memoryMb),
    ...functionParts('sealer', seals, read.sealerSeconds, DEPLOYED.seal.memoryMb),
    ...functionParts('daily check', checks, read.checkSeconds, DEPLOYED.check.memoryMb),
    { ...line('CloudWatch, own metric', DEPLOYED.journalMetrics, 'metrics'), part: 'metrics of the journal' },
    { ...line('CloudWatch, alarm', DEPLOYED.alarms.journal, 'alarms'), part: 'alarms of the journal' },
  ].map(part => ({ ...part, fixed: true }))
  return {
    parts,
    usdAMonth: sum(parts),
    month,
    usdAMonthAtEnd: costOfAmount('S3 Standard', keptAtEnd / GB),
  }
}

/** Requests and seconds of both functions: each seal and each check reads all entries, of a year here. */
function readingOf(month: JournalMonth, objectBytes: number) {
  const { seals, checks, objects, entries } = month
  const { gets, lists } = JOURNAL
  const bundles = (MONTHS_OF_YEAR * entries) / WIDTH
  const pages = (MONTHS_OF_YEAR * objects) / PAGE
  const { sealer, listing, check } = secondsOfCalls(month, objectBytes, MONTHS_OF_YEAR)
  return {
    gets: (seals + checks) * (bundles + gets.call) + (objects + checks * hashedOf(month)) * gets.object,
    // the sealer lists everything once a day, as the check does
    lists: seals * lists + 2 * checks * pages,
    sealerSeconds: seals * sealer + checks * listing,
    checkSeconds: checks * check,
  }
}

/** Objects that a check hashes. */
function hashedOf({ objects }: JournalMonth): number {
  return Math.min(JOURNAL.hashedADay, (7 * objects) / MONTH_DAYS)
}

/**
 * Seconds of a call of the sealer and of the daily check where the journal is so many months old: both read all of it.
 * `listing` is what the one sealing of a day takes longer that lists the whole archive.
 */
export function secondsOfCalls(
  month: JournalMonth,
  objectBytes: number,
  months: number,
): { readonly sealer: number; readonly listing: number; readonly check: number } {
  const { seconds } = JOURNAL
  const hashing = (count: number) => count * seconds.object + ((count * objectBytes) / GB) * seconds.gb
  const reading = seconds.call + ((months * month.entries) / WIDTH) * seconds.bundle
  const listing = ((months * month.objects) / PAGE) * seconds.page
  return {
    sealer: reading + hashing(month.objects / month.seals),
    listing,
    check: reading + listing + hashing(hashedOf(month)),
  }
}

function functionParts(name: string, calls: number, seconds: number, memoryMb: number): readonly Part[] {
  return [
    { ...line('Lambda, requests', calls, 'requests'), part: `${name}, requests` },
    { ...line('Lambda, arm64', (seconds * memoryMb) / 1024, 'GB-seconds'), part: `${name}, running` },
  ]
}
