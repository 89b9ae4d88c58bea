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
    { ...line('CloudWatch, alarm', DEPLOYED.alarmMetrics.journal, 'metrics'), part: 'alarms of the journal' },
  ].map(part => ({ ...part, fixed: true }))
  return {
    parts,
    usdAMonth: sum(parts),
    month,
    usdAMonthAtEnd: costOfAmount('S3 Standard', keptAtEnd / GB),
  }
}

/** Requests and seconds of both functions, of a journal that is a year old. */
function readingOf(month: JournalMonth, objectBytes: number) {
  const { seals, checks, objects } = month
  const { gets, lists, seconds } = JOURNAL
  const { check: deployed } = DEPLOYED
  const calls = secondsOfCalls(month, objectBytes, MONTHS_OF_YEAR)
  const again = Math.min(calls.again, deployed.againSeconds)
  const days = Math.min(calls.days, deployed.daysSeconds)
  const { bundles, pages } = wholeOf(month, MONTHS_OF_YEAR)
  const checking = (again + Math.min(bundles * seconds.bundle, days)) / seconds.bundle + CLAIM_READS * SEALS_A_DAY
  return {
    gets:
      seals * (gets.call + KNOWN_BUNDLES) +
      checks * (bundles + checking) +
      (objects + checks * hashedOf(month)) * gets.object,
    // the sealer lists everything once a day, as the check does where it has the time
    lists: seals * lists + checks * (2 * pages + filesOfLog(month, MONTHS_OF_YEAR) / PAGE),
    sealerSeconds: seals * calls.sealer + checks * calls.runs * calls.listing,
    checkSeconds: checks * (calls.check + again + days),
  }
}

/** Objects that a check hashes. */
function hashedOf({ objects }: JournalMonth): number {
  return Math.min(JOURNAL.hashedADay, (7 * objects) / MONTH_DAYS)
}

/** Reads of a claim that is verified: itself, a bundle, and the two tiles and the bundle that are not full. */
const CLAIM_READS = 5
const SEALS_A_DAY = 24 / DEPLOYED.seal.everyHours

/** Bundles that a sealer reads because they are new since it kept what it knows, and the last one. */
const KNOWN_BUNDLES = 17

/** A whole journal and a whole archive: bundles, and pages of a list. */
function wholeOf(month: JournalMonth, months: number) {
  return { bundles: (months * month.entries) / WIDTH, pages: (months * month.objects) / PAGE }
}

/** Files of a journal after so many months: its own of each sealing, and a tile with each bundle. */
function filesOfLog(month: JournalMonth, months: number): number {
  return months * month.seals * JOURNAL.filesOfSeal + 2 * wholeOf(month, months).bundles
}

/** Seconds of the calls of both functions, and what they go through by turns. */
export interface JournalCalls {
  /** Of a sealing; `listing` is what one of a turn takes longer, of which there are so many `runs`. */
  readonly sealer: number
  readonly listing: number
  readonly runs: number
  /** What a check does each day; and for a turn: to verify all of the journal again, to hold all days against it. */
  readonly check: number
  readonly again: number
  readonly days: number
}

/** Of a journal that is so many months old. */
export function secondsOfCalls(month: JournalMonth, objectBytes: number, months: number): JournalCalls {
  const { call, bundle, page, object, gb } = JOURNAL.seconds
  const { seal, check } = DEPLOYED
  const hashing = (count: number) => count * object + ((count * objectBytes) / GB) * gb
  const { bundles, pages } = wholeOf(month, months)
  const a = { bundles: month.entries / MONTH_DAYS / WIDTH, pages: month.objects / MONTH_DAYS / PAGE }
  const lookAt = (days: number) => days * (a.bundles * bundle + a.pages * page)
  const run = Math.min(seal.bundles / bundles, 1)
  const log = (filesOfLog(month, months) / PAGE) * page
  return {
    sealer: call + KNOWN_BUNDLES * bundle + lookAt(2) + hashing(month.objects / month.seals),
    listing: run * (bundles * bundle + pages * page),
    runs: Math.ceil(bundles / seal.bundles),
    check:
      call +
      log +
      SEALS_A_DAY * CLAIM_READS * bundle +
      2 * a.bundles * bundle +
      lookAt(check.days + 1) +
      hashing(hashedOf(month)),
    again: months * month.seals * CLAIM_READS * bundle + 2 * bundles * bundle,
    days: bundles * bundle + pages * page,
  }
}

/** Bytes that a check holds of a journal that is so many months old: of days that it looks at together, and of all. */
export function heldByCheck(month: JournalMonth, months: number): number {
  const { heldBytes, knownBytes, fileBytes } = JOURNAL
  const { bundles } = wholeOf(month, months)
  const recent = ((DEPLOYED.check.days + 1) * month.entries) / MONTH_DAYS
  const together = Math.min(bundles * WIDTH, Math.max(DEPLOYED.check.bundles * WIDTH, recent))
  return together * heldBytes + bundles * knownBytes + filesOfLog(month, months) * fileBytes
}

function functionParts(name: string, calls: number, seconds: number, memoryMb: number): readonly Part[] {
  return [
    { ...line('Lambda, requests', calls, 'requests'), part: `${name}, requests` },
    { ...line('Lambda, arm64', (seconds * memoryMb) / 1024, 'GB-seconds'), part: `${name}, running` },
  ]
}
