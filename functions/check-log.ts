import { type CheckState, NOTHING_VERIFIED, type VerifiedTo } from '../journal/check-state.js'
import type { JournalFinding } from '../journal/finding.js'
import type { JournalIdentity } from '../journal/head.js'
import { claimsIn, strayFiles } from '../journal/log-files.js'
import type { LogStore } from '../journal/log-store.js'
import { verifyLog } from '../journal/verify-log.js'
import { CLAIMS_PREFIX, LOG_PREFIX } from '../transform/layout.js'

/** A journal, and the paths of its files as they were before it was read. */
export interface ListedLog {
  readonly store: LogStore
  readonly identity: JournalIdentity
  readonly there: readonly string[]
}

/** The journal as a check found it. */
export interface CheckedLog {
  readonly state: Pick<CheckState, 'front' | 'again'>
  /** False where there was no time for all that is new. */
  readonly isEnd: boolean
  /** True where all of it was verified again by now, or is verified for the first time. */
  readonly isRound: boolean
  readonly findings: readonly JournalFinding[]
}

/** Claims that are verified at once, so that little is done twice where the time is over. */
const CLAIMS_AT_ONCE = 256

/**
 * Verifies what is new of a journal, and again, from its beginning, what was verified before: as much as there is time
 * for. Where something is found it goes no further, so that it is found the next time, too.
 */
export async function checkLog(
  log: ListedLog,
  kept: Pick<CheckState, 'front' | 'again'>,
  hasTime: (what: 'front' | 'again') => boolean,
): Promise<CheckedLog> {
  const front = await goOn(log, kept.front, Number.POSITIVE_INFINITY, () => hasTime('front'))
  const lost = front.isEnd && front.findings.length === 0 ? lostFiles(log.there, front.to, kept.front) : []
  // what was verified just now is verified again another day
  const isFirst = kept.front.size === 0 || !hasTime('again')
  const again = isFirst ? undefined : await goOn(log, kept.again, front.to.size, () => hasTime('again'))
  const isThrough = (again?.to.size ?? 0) >= front.to.size
  return {
    state: { front: front.to, again: isThrough ? NOTHING_VERIFIED : (again?.to ?? kept.again) },
    isEnd: front.isEnd,
    isRound: isThrough || (kept.front.size === 0 && front.isEnd),
    findings: distinct([...front.findings, ...lost, ...(again?.findings ?? [])]),
  }
}

/** Verifies on from where an earlier verification ended, until a size or the end, as long as there is time. */
async function goOn(
  { store, identity }: ListedLog,
  from: VerifiedTo,
  until: number,
  hasTime: () => boolean,
): Promise<{ readonly to: VerifiedTo; readonly isEnd: boolean; readonly findings: readonly JournalFinding[] }> {
  for (let to = from; ; ) {
    const { head, claims, isEnd, findings } = await verifyLog(store, identity, { from: to, most: CLAIMS_AT_ONCE })
    if (findings.length > 0) return { to, isEnd, findings }
    if (claims > 0) to = { ...head, claims: to.claims + claims }
    if (isEnd || to.size >= until || !hasTime()) return { to, isEnd, findings: [] }
  }
}

/** What a list of its files says of a journal that was verified to its end. */
function lostFiles(there: readonly string[], end: VerifiedTo, before: VerifiedTo): readonly JournalFinding[] {
  const claims = claimsIn(there)
  const sizes = claims.filter(size => size > 0 && size < end.size)
  const { findings } = strayFiles(there, end.size === 0 ? [] : [...sizes, end.size])
  const found = findings.map(({ kind, path, message }) => ({ kind, key: `${LOG_PREFIX}${path}`, message }))
  const count = `has ${claims.length} claims`
  if (claims.length < before.claims)
    found.push({ kind: 'cut-off', key: CLAIMS_PREFIX, message: `${count}, ${before.claims} were verified before` })
  if (claims.length > end.claims && found.length === 0)
    found.push({ kind: 'forked', key: CLAIMS_PREFIX, message: `${count}, and the chain of claims has ${end.claims}` })
  return found
}

/** Both ways lead to the newest checkpoint. */
function distinct(findings: readonly JournalFinding[]): readonly JournalFinding[] {
  return [...new Map(findings.map(finding => [JSON.stringify(finding), finding])).values()]
}
