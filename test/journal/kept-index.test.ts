import { hash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeEntry, encodeEntry } from '../../journal/entry.js'
import { indexPath } from '../../journal/kept-index.js'
import { CHECKPOINT, claimPath } from '../../journal/log-store.js'
import { parseVkey } from '../../proof/note.js'
import { bundlePath, decodeBundle, encodeBundle } from '../../proof/tiles.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { journalOf } from '../../queries/verdict/archive-journal.js'
import { DiskArchive } from '../../store/folder.js'
import { VKEY } from '../proof/vectors.js'
import { dayOf, keyOf, type LongJournal, longJournal, writeLog } from './long-journal.js'

/** 100,000 entries: a table with 1,000 objects a day, for a hundred days. */
const LONG: LongJournal = { objectsADay: 1000, days: 100 }
/** Some 5,000 entries, for what does not ask for more. */
const SHORT: LongJournal = { objectsADay: 100, days: 50 }

let long: Awaited<ReturnType<typeof longJournal>>
let short: Awaited<ReturnType<typeof longJournal>>
beforeAll(async () => {
  ;[long, short] = [await longJournal(LONG), await longJournal(SHORT)]
})

function archiveWith({ files }: Pick<Awaited<ReturnType<typeof longJournal>>, 'files'>): string {
  const root = mkdtempSync(join(tmpdir(), 'itemtrail-index-'))
  writeLog(root, files)
  return root
}

/** What an answer is held against, by an archive that is opened anew; with the files of the journal that it read. */
async function ask(root: string, days: readonly number[], kept: string | null = indexPath(root)) {
  const read: string[] = []
  const archive = new (class extends DiskArchive {
    override async open(key: string, maxBytes?: number) {
      read.push(key)
      return super.open(key, maxBytes)
    }
  })(root)
  const engine = {
    facts: archive,
    journal: { believed: parseVkey(VKEY), kept: kept ?? undefined },
  } as unknown as QueryEngine
  const journal = await journalOf(engine)
  const meant = new Set(days.map(day => `data/Orders/event_date=${dayOf(day)}/`))
  const entries = (await journal?.attested?.entriesIn(folder => meant.has(folder))) ?? new Map()
  const { attested, problems = () => [], remarks = [] } = journal ?? {}
  const { head, seals, isSigned } = attested ?? {}
  return { said: { entries, head, seals, isSigned, problems: problems() }, remarks, read }
}

const changeBundle = (root: string, index: number) => {
  const path = join(root, 'log', bundlePath({ index, width: 256 }))
  const [first, ...others] = decodeBundle(readFileSync(path), path)
  const entry = decodeEntry(first as Buffer, path)
  if (entry?.type !== 'object@1') throw new Error('the bundle begins with a seal')
  writeFileSync(path, encodeBundle([encodeEntry({ ...entry, sha256: hash('sha256', 'other') }), ...others]))
}

describe('what a desk keeps of a journal of 100,000 entries', () => {
  it('has the next answer read some files of it, and say the same as if it had read all', async () => {
    const root = archiveWith(long)
    const whole = await ask(root, [0, 70], null)
    const first = await ask(root, [0, 70])
    expect(first.said).toEqual(whole.said)
    expect(whole.said).toMatchObject({ problems: [], isSigned: true, head: { size: 100_100 } })
    expect([...whole.said.entries.keys()]).toEqual(
      [0, 70].flatMap(day => Array.from({ length: 1000 }, (_, i) => keyOf(day, i))),
    )
    const second = await ask(root, [0, 70])
    expect(second.said).toEqual(whole.said)
    // 391 bundles in all; those of two days are ten, beside the last one, the checkpoint and tiles of a proof
    expect(first.read.length).toBeGreaterThan(391)
    expect(second.read.length).toBeLessThan(20)
  })

  it('grows as the journal does', async () => {
    const before = long.heads[97]
    const root = archiveWith(long)
    const note = Buffer.from(before?.note as string)
    writeFileSync(join(root, 'log', CHECKPOINT), note)
    for (const at of [97, 98]) rmSync(join(root, 'log', claimPath(long.heads[at]?.size as number)))
    expect((await ask(root, [0])).said).toMatchObject({ problems: [], head: { size: before?.size } })
    writeLog(root, long.files)
    const { said, read, remarks } = await ask(root, [0, 99])
    expect(said).toEqual((await ask(root, [0, 99], null)).said)
    expect(remarks).toEqual([])
    // two days are eight bundles
    expect(read.length).toBeLessThan(40)
  })
})

describe('a journal that this machine read before', () => {
  it('is not kept where reading it takes no time', async () => {
    const root = archiveWith(await longJournal({ objectsADay: 100, days: 30 }))
    await ask(root, [1])
    expect(existsSync(indexPath(root))).toBe(false)
  })

  it('is found to be cut, forked or gone, as long as the file is there', async () => {
    const root = archiveWith(short)
    const end = short.heads[49]?.size
    expect((await ask(root, [1])).said).toMatchObject({ problems: [], head: { size: end } })
    writeFileSync(join(root, 'log', CHECKPOINT), short.heads[48]?.note as string)
    rmSync(join(root, 'log', claimPath(short.heads[48]?.size as number)))
    const where = indexPath(root)
    const cut = `the journal is cut off: it has 4949 entries, against ${where}, which is of size 5050`
    for (const _ of [1, 2]) expect((await ask(root, [1])).said.problems).toEqual([cut])
    const other = await longJournal({ ...SHORT, days: 51, salt: 'forged' })
    rmSync(join(root, 'log'), { recursive: true })
    writeLog(root, other.files)
    const another = `the journal is another: its first 5050 entries are not those of ${where}`
    for (const _ of [1, 2]) expect((await ask(root, [1])).said.problems).toEqual([another])
    rmSync(join(root, 'log'), { recursive: true })
    const gone = `the journal is gone, or nothing was sealed yet: log/ is empty, against ${where}, which is of size 5050`
    expect((await ask(root, [1])).said.problems).toEqual([gone])
    writeLog(root, short.files)
    expect(await ask(root, [1])).toMatchObject({ said: { problems: [] }, remarks: [] })
  })

  it('is what it was where it is read again: an entry that was rewritten since is found by who asks for it', async () => {
    const root = archiveWith(short)
    const sound = (await ask(root, [1, 30])).said
    changeBundle(root, 12)
    expect((await ask(root, [1])).said).toMatchObject({ problems: [] })
    const { said } = await ask(root, [30])
    expect(said.problems).toEqual(['log/checkpoint is of other entries than those that are there at 3072'])
    expect(said.entries.size).toBe(sound.entries.size / 2)
    rmSync(join(root, 'log', bundlePath({ index: 12, width: 256 })))
    expect((await ask(root, [30])).said.problems).toEqual([expect.stringContaining('tile/entries/012 is missing')])
    // a machine that reads all of it finds it by any question
    expect((await ask(root, [1], null)).said.problems).toHaveLength(1)
  })

  it('is read anew, with a remark, where the file is damaged or leads elsewhere', async () => {
    const root = archiveWith(short)
    const sound = (await ask(root, [1])).said
    const [path, kept] = [indexPath(root), readFileSync(indexPath(root), 'utf8')]
    const signed = (line: string) => `${line}\n${hash('sha256', line)}\n`
    const [line = ''] = kept.split('\n')
    const value = JSON.parse(line)
    value.bundles[3][0] = hash('sha256', 'another')
    for (const [text, remark] of [
      [kept.slice(0, 100), 'is not as it was written: the journal was read anew'],
      [kept.replace('Orders', 'Others'), 'is not as it was written: the journal was read anew'],
      ['', 'is not as it was written: the journal was read anew'],
      [signed('{}'), 'version is missing'],
      [signed(JSON.stringify(value)), "does not lead to the journal's end: the journal was read anew"],
      [signed(JSON.stringify({ ...value, bundles: [...value.bundles, ...value.bundles] })), "journal's end"],
    ] as const) {
      writeFileSync(path, text)
      const again = await ask(root, [1])
      expect(again.said).toEqual(sound)
      expect(again.remarks).toEqual([expect.stringContaining(remark)])
      expect(readFileSync(path, 'utf8')).toBe(kept)
    }
  })
})
