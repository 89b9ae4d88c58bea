import { headText } from '../../../journal/head.js'
import type { Stamp } from '../../../journal/kept-stamps.js'
import { EXIT, type ExitCode, type Io } from '../../io.js'
import { grouped } from '../../show/progress.js'
import { paint } from '../../show/terminal.js'
import { printable, wrap } from '../../show/text.js'
import type { JournalCheck } from './journal.js'

/** Findings and names that a person is shown; programs get all. */
const SHOWN = 50

/** What was looked at, and what is wrong. */
export function printJournal({ origin, log, objects, findings }: JournalCheck, io: Io): void {
  for (const { kind, key, message } of findings.slice(0, SHOWN))
    io.out(`${paint(io, 'red', `✗ ${kind}`)}  ${printable(`${key} ${message}`)}\n`)
  if (findings.length > SHOWN) io.err(`and ${grouped(findings.length - SHOWN)} more; --format json has them\n`)
  io.out(`log      ${printable(origin)}, ${counted(log.claims, 'checkpoint')}, ${entries(log.entries)}\n`)
  if (objects === undefined) return
  const { sound, hashed, rows, bytes, notSealed } = objects
  io.out(
    `objects  ${grouped(sound)} as sealed, ${counted(rows, 'row')}, ${grouped(bytes)} bytes; ${grouped(hashed)} hashed now\n`,
  )
  if (notSealed.length > 0) io.out(`         ${counted(notSealed.length, 'object')} not sealed yet\n`)
}

/** What was not checked, the strongest sentence that the anchors allow, and what to keep for the next time. */
export function printEnd(
  check: JournalCheck,
  io: Io,
  others: ExitCode = EXIT.done,
  outside: readonly string[] = [],
): void {
  for (const text of [...notChecked(check), ...outside])
    io.out(`${wrap(`not checked: ${printable(text)}`, io.columns)}\n`)
  const { findings } = check
  if (findings.length > 0) {
    if (findings.some(({ kind }) => kind === 'forked')) io.out(`${wrap(KEEP_BOTH, io.columns)}\n`)
    io.out(`${paint(io, 'red', `BROKEN: ${counted(findings.length, 'finding')}`)}\n`)
    return
  }
  const end = others === EXIT.done ? paint(io, 'green', 'VERIFIED') : paint(io, 'yellow', OTHERWISE[others])
  io.out(`${wrap(`${end}: ${printable(sentenceOf(check))}`, io.columns)}\n`)
  printPin(check, io)
}

const KEEP_BOTH =
  'keep both checkpoints, the one that the archive has now (log/checkpoint) and the other: together they prove two histories'

/** What stands in the place of VERIFIED where the journal is whole, and something else is not. */
const OTHERWISE = {
  [EXIT.findings]: 'SEALED, with findings above',
  [EXIT.usage]: 'SEALED, the rest could not be checked',
  [EXIT.unchecked]: 'SEALED, the rest could not all be checked',
} as const

/** The three lines of a checkpoint, which a person can copy anywhere. */
function printPin({ origin, log: { head } }: JournalCheck, io: Io): void {
  if (head.note === undefined) return
  io.out(`${wrap('to keep where nobody who has the archive can change it, for --since:', io.columns)}\n`)
  for (const line of headText(origin, head).trimEnd().split('\n')) io.out(`${printable(line)}\n`)
}

/** What is true of the archive by what was given from outside. */
function sentenceOf({ origin, key, since, seen, log, cosigned, stamps }: JournalCheck): string {
  const last = log.seals.at(-1)?.time
  const signed =
    key === undefined
      ? 'the journal agrees with itself; whoever can write the archive could have made it'
      : key.isInside
        ? 'the journal agrees with itself; its key lies inside the archive, so whoever altered that could have made it'
        : `what was sealed${last === undefined ? '' : ` until ${last}`} is as ${origin} signed it, by the key given`
  const grown =
    since === undefined || since === 0 ? '' : `; what was sealed up to size ${since} is as the kept checkpoint says`
  const before = seen === undefined ? '' : `; it goes on from size ${seen}, where this machine saw it end`
  const stamp = stamps.findLast(({ signature }) => signature !== 'not checked')
  const stamped = stamp === undefined ? '' : `; its size ${stamp.size} existed at ${stamp.time}, says ${nameOf(stamp)}`
  const witnessed =
    cosigned === undefined ? '' : `; its size ${cosigned.size} was cosigned by ${cosigned.by.join(', ')}`
  return `${signed}${grown}${before}${witnessed}${stamped}`
}

function nameOf({ signature, authority }: Stamp): string {
  return signature === 'believed' ? `${authority}, by the certificates given` : `whoever signs as ${authority}`
}

/** What a reader could take for checked. */
function notChecked({
  key,
  since,
  objects,
  refusedDays,
  sameBy,
  log,
  stamps,
  cosigned,
}: JournalCheck): readonly string[] {
  const skipped = objects === undefined ? 0 : objects.sound - objects.hashed
  const expired = objects?.expired.length ?? 0
  return [
    ...log.remarks,
    ...(key === undefined ? ['who signed: --key takes the key that was handed over another way'] : []),
    ...(since === undefined ? ['that nobody with the key made it anew: --since takes a checkpoint that was kept'] : []),
    ...(cosigned !== undefined && cosigned.size < log.head.size
      ? [`what came after size ${cosigned.size}: no witness cosigned it`]
      : []),
    ...(stamps.some(({ signature }) => signature === 'sound')
      ? ['who the authority of the time stamps is: --tsa-ca takes the certificates of whoever is believed']
      : []),
    ...stamps.flatMap(({ size, reason }) =>
      reason === null
        ? []
        : [`the signature of the time stamp of size ${size}, ${reason}: openssl ts -verify does, with the certificate`],
    ),
    ...(objects === undefined ? ['the objects: itemtrail verify objects does'] : []),
    ...(expired > 0
      ? [
          `${counted(expired, 'refused object')} that may have expired: not there, and older than the ${refusedDays} days for which the bucket keeps them (refusedDays of the configuration)`,
        ]
      : []),
    ...(skipped > 0 ? [`${counted(skipped, 'object')} ${sameBy}: --full hashes them again`] : []),
    ...((objects?.notSealed.length ?? 0) > 0 ? ['what is not sealed yet: itemtrail seal seals it'] : []),
  ]
}

/** The same for programs. */
export function describeJournal(check: JournalCheck): object {
  const { origin, key, since, seen, log, objects, stamps, cosigned, findings } = check
  return {
    verified: findings.length === 0,
    findings,
    origin,
    key: key === undefined ? 'none' : key.isInside ? 'inside the archive' : 'given',
    size: log.head.size,
    root: log.head.root.toString('base64'),
    checkpoints: log.claims,
    entries: log.entries,
    sealed_until: log.seals.at(-1)?.time ?? null,
    since: since ?? null,
    seen: seen ?? null,
    objects: objects === undefined ? null : counts(objects),
    not_sealed: objects?.notSealed ?? null,
    expired: objects?.expired ?? null,
    time_stamps: stamps,
    cosigned: cosigned ?? null,
    proves: findings.length === 0 ? sentenceOf(check) : null,
    not_checked: notChecked(check),
  }
}

function counts({ sound, hashed, rows, bytes }: NonNullable<JournalCheck['objects']>): object {
  return { sound, hashed, rows, bytes }
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

function entries(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'entry' : 'entries'}`
}
