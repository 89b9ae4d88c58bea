/** The daily check over many days: what it reads again, and what it finds in what it does not look at each day. */
import { hash } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkLog } from '../../functions/check-log.js'
import { checkObjects } from '../../functions/check-objects.js'
import { type CheckState, keepCheckState, readCheckState } from '../../journal/check-state.js'
import type { JournalFinding } from '../../journal/finding.js'
import { CHECKPOINT, claimPath } from '../../journal/log-store.js'
import { bundlePath, tilePath } from '../../proof/tiles.js'
import { type KeyRange, PreconditionFailed, type TaggedText, type VersionedEntry } from '../../store/objects.js'
import { Bucket, type ObjectVersion } from '../../store/s3.js'
import { dateOfKey } from '../../transform/layout.js'
import { IDENTITY } from '../journal/desk-journal.js'
import { BEGAN, DAY_MS, dayOf, keyOf, longJournal } from '../journal/long-journal.js'
import { MemoryLog } from '../journal/memory-log.js'

/** Some 3,900 entries of sixty days: fifteen bundles. */
const JOURNAL = { objectsADay: 64, days: 60 }
let made: Awaited<ReturnType<typeof longJournal>>
beforeAll(async () => {
  made = await longJournal(JOURNAL)
})

/** A bucket in memory, of versions alone: the bytes of each object are its key, as the journal says. */
class VersionsOnly extends Bucket {
  readonly versionsOf = new Map<string, string>()
  readonly listed: string[] = []
  kept: TaggedText | undefined

  constructor() {
    super({} as S3Client, 'archive')
  }

  override async folders(): Promise<readonly string[]> {
    return ['data/Orders/']
  }

  override async versioned(prefix: string, { after, before }: KeyRange): Promise<readonly VersionedEntry[]> {
    const keys = [...this.versionsOf.keys()].filter(key => key.startsWith(prefix) && key > after && key < before).sort()
    this.listed.push(...keys)
    return keys.map(key => {
      const about = { key, bytes: 6_300_000, etag: '', storageClass: 'STANDARD' }
      const day = Date.parse(dateOfKey(key) || dayOf(0))
      return { ...about, modified: day + DAY_MS / 2, version: this.versionsOf.get(key) }
    })
  }

  override async openVersion(key: string): Promise<ObjectVersion | undefined> {
    const versionId = this.versionsOf.get(key)
    const pieces = (async function* () {
      yield Buffer.from(versionId === hash('md5', key) ? key : 'other')
    })()
    return versionId === undefined ? undefined : { etag: '', versionId, retainUntil: undefined, pieces }
  }

  override async openPart(): Promise<Uint8Array> {
    return Buffer.alloc(0)
  }

  override async openTagged(): Promise<TaggedText | undefined> {
    return this.kept
  }

  override async replace(_key: string, text: string, opened: TaggedText | undefined): Promise<void> {
    if (opened?.etag !== this.kept?.etag) throw new PreconditionFailed()
    this.kept = { text, etag: hash('md5', text) }
  }
}

let bucket: VersionsOnly
let log: MemoryLog
let read: string[]
beforeEach(() => {
  bucket = new VersionsOnly()
  read = []
  log = new MemoryLog(async (call, path) => {
    if (call === 'read') read.push(path)
    return 'do'
  })
})

/** The journal and the archive as they were after so many days. */
function until(days: number, journal = made): void {
  const size = journal.heads[days - 1]?.size as number
  log.files.clear()
  for (const [path, bytes] of journal.files) log.files.set(path, bytes)
  for (const { size: later } of journal.heads.slice(days - 1)) log.files.delete(claimPath(later))
  const last = journal.heads.length
  if (days < last) for (const path of [...log.files.keys()]) if (isBeyond(path, size)) log.files.delete(path)
  log.files.set(CHECKPOINT, Buffer.from(journal.heads[days - 1]?.note as string))
  for (let day = 0; day < days; day++)
    for (let i = 0; i < JOURNAL.objectsADay; i++) bucket.versionsOf.set(keyOf(day, i), hash('md5', keyOf(day, i)))
}

function isBeyond(path: string, size: number): boolean {
  const [, level, index, width] = /^tile\/(\w+)\/(\d{3})(?:\.p\/(\d+))?$/.exec(path) ?? []
  if (level === undefined) return false
  const span = level === 'entries' ? 1 : 256 ** Number(level)
  return (Number(index) * 256 + Number(width ?? 256)) * span > size
}

/** A day's check, as the function has it; `turns` is how much of the old there is time for. */
async function check(day: number, turns = Number.POSITIVE_INFINITY) {
  read.length = 0
  bucket.listed.length = 0
  const told: string[] = []
  const kept = await readCheckState(bucket, problem => told.push(problem))
  let again = turns
  const found = await checkLog(await listed(), kept.state, what => what === 'front' || again-- > 0)
  let days = turns
  const about = { refusedDays: 365, now: () => BEGAN + day * DAY_MS, hasTime: () => days-- > 0 }
  const state = { ...kept.state, ...found.state }
  const objects = await checkObjects(bucket, state, { ...about, read: path => log.read(path) })
  const next: CheckState = { ...state, ...objects.state }
  await keepCheckState(bucket, { ...kept, state: next })
  const findings: readonly JournalFinding[] = [...found.findings, ...objects.findings]
  const kinds = findings.map(({ kind, key }) => `${kind} ${key}`)
  return { kinds, told, sound: objects.sound, state: next, isEnd: found.isEnd, read: read.length }
}

const ALL = JOURNAL.days * JOURNAL.objectsADay

describe('the daily check', () => {
  it('goes on where it ended, and has by turns read everything again', async () => {
    until(59)
    const first = await check(59)
    expect(first).toMatchObject({ kinds: [], told: [], sound: 59 * 64, isEnd: true })
    until(60)
    const short = await check(60, 0)
    // the last seven days
    expect(short).toMatchObject({ kinds: [], sound: 7 * 64, isEnd: true })
    expect(short.state.front).toMatchObject({ size: ALL + 60, claims: 60 })
    // of 15 bundles: those of seven days, and what is new; and a few tiles
    expect(new Set(bundlesRead()).size).toBeLessThan(6)
    expect(short.read).toBeLessThan(25)
    // now all of it, and nothing less
    const whole = await check(60)
    expect(whole).toMatchObject({ kinds: [], sound: ALL })
    expect(whole.state).toMatchObject({ again: { size: 0 }, heldBefore: '' })
    expect(new Set(bundlesRead()).size).toBeGreaterThan(15)
  })

  it('says the same as one that knows nothing, of whatever is wrong in what is new', async () => {
    until(59)
    await check(59)
    const kept = bucket.kept
    const wrongs: readonly (readonly [string, () => void])[] = [
      ['nothing', () => {}],
      ['an object missing', () => bucket.versionsOf.delete(keyOf(59, 3))],
      ['an object altered', () => bucket.versionsOf.set(keyOf(58, 3), 'other')],
      ['an object unlisted', () => bucket.versionsOf.set(keyOf(57, 900), 'new')],
      ['an object in no day', () => bucket.versionsOf.set('data/Orders/x', 'new')],
      ['an object in no table', () => bucket.versionsOf.set('data/x', 'new')],
      ['an object in another table', () => bucket.versionsOf.set('facts/Orders/x', 'new')],
      ['a bundle gone', () => log.files.delete(bundlePath({ index: 14, width: 256 }))],
      ['a tile altered', () => log.files.set(tilePath({ level: 0, index: 14, width: 256 }), Buffer.alloc(8192))],
      ['no checkpoint', () => log.files.delete(CHECKPOINT)],
    ]
    for (const [what, wrong] of wrongs) {
      until(60)
      wrong()
      bucket.kept = undefined
      const anew = await check(60)
      bucket.kept = kept
      const on = await check(60)
      expect({ what, kinds: on.kinds }).toEqual({ what, kinds: anew.kinds })
      expect(anew.kinds.length, what).toBe(what === 'nothing' || what === 'no checkpoint' ? 0 : 1)
      // it is found again until it is put right
      expect((await check(61, 0)).kinds, what).toEqual(on.kinds)
      bucket.versionsOf.clear()
    }
  })

  it('finds a journal that was cut, forked, begun anew or removed since', async () => {
    until(60)
    await check(60)
    const kept = bucket.kept
    const other = await longJournal({ ...JOURNAL, salt: 'forged' })
    const wrongs: readonly (readonly [string, () => void, readonly string[]])[] = [
      ['cut', () => until(59), ['missing log/tile/']],
      ['begun anew', () => until(60, other), ['altered log/checkpoint']],
      ['begun anew and longer', () => until(60, other), ['altered log/checkpoint']],
      ['removed', () => log.files.clear(), ['missing log/tile/']],
      [
        'without its claims',
        () => {
          for (const path of claims()) log.files.delete(path)
        },
        ['cut-off log/next/'],
      ],
      ['with a claim of another', () => log.files.set(claimPath(77), Buffer.from('x')), ['forked log/next/']],
    ]
    for (const [what, wrong, expected] of wrongs) {
      until(60)
      wrong()
      for (const day of [61, 62]) {
        const { kinds } = await check(day, 0)
        expect({ what, kinds }).toEqual({ what, kinds: expect.arrayContaining([...expected]) })
      }
      bucket.kept = kept
    }
  })

  it('finds what is wrong in an old day in its turn, and names it each day from then on', async () => {
    until(60)
    await check(60)
    const wrongs: readonly (readonly [string, () => void])[] = [
      [`missing ${keyOf(10, 3)}`, () => bucket.versionsOf.delete(keyOf(10, 3))],
      [`unlisted ${keyOf(12, 900)}`, () => bucket.versionsOf.set(keyOf(12, 900), 'new')],
      [
        'unlisted data/Orders/event_date=2025-01-01/x',
        () => bucket.versionsOf.set('data/Orders/event_date=2025-01-01/x', 'x'),
      ],
    ]
    for (const [found, wrong] of wrongs) {
      until(60)
      wrong()
      expect((await check(61, 0)).kinds).toEqual([])
      expect((await check(61, 1)).kinds).toEqual([found])
      expect((await check(62, 0)).kinds).toEqual([found])
      bucket.versionsOf.clear()
      until(60)
      expect((await check(63, 0)).kinds).toEqual([])
      expect((await check(63)).kinds).toEqual([])
    }
    log.files.set(bundlePath({ index: 3, width: 256 }), log.files.get(bundlePath({ index: 4, width: 256 })) as Buffer)
    expect((await check(64, 0)).kinds).toEqual([])
    expect((await check(64, 1)).kinds).toContain('altered log/next/00000000000000000715')
  })

  it('verifies anew, and says so, where what it kept is damaged; and loses nothing where another wrote meanwhile', async () => {
    until(59)
    await check(59)
    const text = bucket.kept?.text as string
    for (const damaged of ['', '{}', text.slice(0, -9), text.replace('"held_before"', '"held_after"')]) {
      bucket.kept = { text: damaged, etag: 'damaged' }
      const { kinds, told, sound } = await check(59)
      expect({ kinds, sound }).toEqual({ kinds: [], sound: 59 * 64 })
      expect(told).toEqual([expect.stringMatching(/^checked\/journal\.json: .*: the journal is verified anew$/)])
    }
    const { state } = await readCheckState(new VersionsOnly(), () => {})
    await keepCheckState(bucket, { state, opened: { text: '', etag: 'of another' } })
    expect(bucket.kept?.text).toBe(text)
  })

  it('goes on the next day where the time was over', async () => {
    until(60)
    const kept = await readCheckState(bucket, () => {})
    const found = await checkLog(await listed(), kept.state, () => false)
    // so few claims are verified at once
    expect(found).toMatchObject({ isEnd: true, state: { again: { size: 0 } } })
    const objects = await checkObjects(
      bucket,
      { ...kept.state, ...found.state },
      { refusedDays: 1, now: () => BEGAN + 60 * DAY_MS, hasTime: () => false, read: path => log.read(path) },
    )
    expect(objects.state.heldBefore).toBe('')
    expect(bucket.listed.every(key => key > `data/Orders/event_date=${dayOf(52)}`)).toBe(true)
  })
})

function bundlesRead(): readonly string[] {
  return read.filter(path => path.startsWith('tile/entries/'))
}

const listed = async () => ({ store: log, identity: IDENTITY, there: await log.list('') })

function claims(): readonly string[] {
  return [...log.files.keys()].filter(path => path.startsWith('next/'))
}
