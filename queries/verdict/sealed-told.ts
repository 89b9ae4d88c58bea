/** What the journal says of a table, in words and as JSON. */
import { nameSome } from '../name-some.js'
import type { SealedFinding, SealedTable } from './sealed.js'

/** What a reader should know of it, for people. */
export function sealedRemarks({
  findings,
  unlisted,
  notSealed,
  problems,
  remarks,
  ...held
}: SealedTable): readonly string[] {
  const missing = findings.filter(({ kind }) => kind === 'missing').map(({ key }) => key)
  const altered = findings.filter(({ kind }) => kind === 'altered').map(({ key, message }) => `${key} ${message}`)
  return [
    ...told(missing, ['an object that was sealed is missing', 'objects that were sealed are missing']),
    ...told(altered, ['an object that was sealed is another now', 'objects that were sealed are others now']),
    ...told(unlisted, [
      'an object is not in the journal, though two sealings passed it',
      'objects are not in the journal, though two sealings passed them',
    ]),
    ...(notSealed === 0 ? [] : [`${counted(notSealed, 'is', 'are')} not sealed yet, since the seal${lastOf(held)}`]),
    ...problems.map(journalProblem),
    ...remarks,
    ...(held.size === 0 ? [] : [heldBy(held)]),
  ]
}

type Held = Pick<SealedTable, 'identical' | 'sameSize' | 'lastSeal' | 'isSigned' | 'size'>

function heldBy({ identical, sameSize, isSigned, ...held }: Held): string {
  const by = sameSize === 0 ? 'by the bytes of each object' : `by name and size alone of ${counted(sameSize)}`
  const others = sameSize === 0 || identical === 0 ? '' : `, by the bytes of ${identical}`
  const key = isSigned ? '' : ', whose signature was held against no key'
  return `held against the journal${lastOf(held)} ${by}${others}${key}`
}

function lastOf({ lastSeal }: Pick<SealedTable, 'lastSeal'>): string {
  return lastSeal === null ? '' : ` of ${lastSeal}`
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

function counted(objects: number, one = '', many = ''): string {
  return (objects === 1 ? `1 object ${one}` : `${objects} objects ${many}`).trimEnd()
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
    identical: sealed.identical,
    same_size: sealed.sameSize,
    objects: [...sealed.findings.map(({ kind, key }) => ({ kind, key })), ...sealed.unlisted.map(unlistedAt)].slice(
      0,
      LISTED,
    ),
    size: sealed.size,
    root: sealed.root,
    last_seal: sealed.lastSeal,
    signed: sealed.isSigned,
    problems: sealed.problems,
  }
}

const LISTED = 100

function unlistedAt(key: string): object {
  return { kind: 'unlisted', key }
}
