import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { formatVkey, parseVkey, signerOf } from '../../proof/note.js'
import { isDoubtful } from '../../queries/verdict/findings.js'
import { sealFolder } from '../journal/desk-journal.js'
import { VKEY } from '../proof/vectors.js'
import { change } from '../queries/story.js'
import { archiveOf, linesOf, makeFolder, run } from './command-line.js'
import { DOCUMENT } from './contract.js'

const v = (N: string) => ({ v: { N } })
/** Three days; of the item `two` there is nothing after the first. */
const RECORDS = [
  change('one', '20T10:00:00', undefined, v('1')),
  change('two', '20T11:00:00', undefined, v('1')),
  change('one', '21T10:00:00', v('1'), v('2')),
  change('one', '22T10:00:00', v('2'), v('3')),
]

let table: string
let sealed: string
beforeAll(async () => {
  sealed = await archiveOf(RECORDS)
  table = readdirSync(join(sealed, 'data'))[0] as string
  for (const hours of [3, 2, 1]) await sealFolder(sealed, { now: () => Date.now() - hours * 3_600_000 })
})

/** A copy of the sealed archive, with something done to it. */
function copy(tamper: (root: string) => void = () => {}): string {
  const root = makeFolder()
  cpSync(sealed, root, { recursive: true, preserveTimestamps: true })
  tamper(root)
  return root
}

const objectOf = (root: string, day: number): string => {
  const folder = join(root, 'data', table, `event_date=2026-11-${day}`)
  return join(folder, readdirSync(folder)[0] as string)
}
const remove = (day: number) => (root: string) => rmSync(objectOf(root, day))

/** Every way of asking on the command line that rests on all days of the table. */
const QUESTIONS: Readonly<Record<string, () => readonly string[]>> = {
  history: () => ['history', table, 'one'],
  'history of one unseen': () => ['history', table, 'never'],
  'as-of': () => ['as-of', table, 'one', '2026-11-23T00:00:00Z'],
  'as-of TABLE': () => ['as-of', table, '2026-11-22T10:00:00Z'],
  diff: () => ['diff', table, 'two', '--from', '2026-11-20T12:00:00Z', '--to', '2026-11-23T00:00:00Z'],
  query: () => ['query', 'first-and-last-seen', table],
  'query item-history': () => ['query', 'item-history', table, '--param', 'item_key=one'],
  sql: () => ['sql', `select count(*) as n from ${table}`],
  status: () => ['status'],
}
const NAMES = Object.keys(QUESTIONS)

async function ask(name: string, root: string, ...more: readonly string[]) {
  const { exit, out, err } = await run([...(QUESTIONS[name]?.() ?? []), '--archive', root, ...more])
  return { exit, said: out + err }
}

describe.each(NAMES)('%s, of a sealed archive', name => {
  const isUnseen = name.includes('unseen')

  it('says when it was sealed, by whom nobody knows, and is no worse for it', async () => {
    const { exit, said } = await ask(name, copy())
    expect(said).toMatch(/held against the journal of \d{4}-/)
    expect(said).toContain('whose signature was held against no key')
    expect(exit).toBe(isUnseen ? 1 : 0)
    expect(said).not.toMatch(/\bGAP|ALTERED/)
  })

  it('finds what is missing, names it, and is GAP', async () => {
    const root = copy(remove(22))
    const { exit, said } = await ask(name, root)
    expect(exit).toBe(1)
    expect(said).toContain('an object that was sealed is missing: data/')
    expect(said).toContain(objectOf(sealed, 22).slice(sealed.length + 1))
    if (name !== 'status') expect(said).toContain('GAP')
  })

  it('finds a fact or configuration of the table that is missing', async () => {
    const root = copy(removed => rmSync(join(removed, 'config', table), { recursive: true }))
    const { exit, said } = await ask(name, root)
    expect([exit, said]).toEqual([1, expect.stringContaining('that was sealed is missing: config/')])
  })

  it('finds what is of another size, and is ALTERED', async () => {
    // a Parquet file is read from its end: the sealed object in the place of that of another day is read, too
    const root = copy(it => cpSync(objectOf(it, 20), objectOf(it, 21)))
    const { exit, said } = await ask(name, root)
    expect(exit).toBe(1)
    expect(said).toMatch(/an object that was sealed is another now: data\/\S+ has \d+ bytes, \d+ when it was sealed/)
    // of an item without rows in it, what it held may be missing
    if (name !== 'status') expect(said).toContain(isUnseen ? 'GAP' : 'ALTERED')
  })

  it('remarks what two sealings passed over', async () => {
    const root = copy(it => {
      const path = join(dirname(objectOf(it, 21)), 'other.parquet')
      cpSync(objectOf(it, 21), path)
      utimesSync(path, 1, 1)
    })
    const { exit, said } = await ask(name, root)
    expect(said).toContain('an object is not in the journal, though two sealings passed it: data/')
    expect(exit).toBe(isUnseen ? 1 : 0)
  })

  it('remarks what is not sealed yet', async () => {
    const root = copy()
    const more = linesOf([change('one', '22T12:00:00', v('3'), v('4'))])
    expect((await run(['ingest', '-', '--archive', root], { stdin: more })).exit).toBe(0)
    const { exit, said } = await ask(name, root)
    expect(said).toMatch(/1 object is not sealed yet, since the seal of \d{4}-/)
    expect(exit).toBe(isUnseen ? 1 : 0)
  })

  it('is never COMPLETE and could not check where the journal cannot be read', async () => {
    const root = copy(it => rmSync(join(it, 'log', 'tile', 'entries'), { recursive: true }))
    const { exit, said } = await ask(name, root)
    expect(exit).toBe(isUnseen ? 1 : 3)
    expect(said).toContain('what the journal tells of the archive is not known for certain')
  })

  it('says nothing of a journal where there is none', async () => {
    const { said } = await ask(
      name,
      copy(it => rmSync(join(it, 'log'), { recursive: true })),
    )
    expect(said).not.toMatch(/journal|sealed/)
  })
})

describe('what is missing', () => {
  it.each([
    ['as-of', () => ['as-of', table, 'one', '2026-11-21T12:00:00Z']],
    ['as-of TABLE', () => ['as-of', table, '2026-11-20T12:00:00Z']],
    ['diff', () => ['diff', table, 'one', '--from', '2026-11-20T12:00:00Z', '--to', '2026-11-21T12:00:00Z']],
    [
      'query',
      () => [
        'query',
        'changes-between',
        table,
        '--param',
        'from=2026-11-20T00:00:00Z',
        '--param',
        'to=2026-11-21T00:00:00Z',
      ],
    ],
  ] as const)('does not concern an answer about the days before, of %s', async (_, argv) => {
    const { exit, out, err } = await run([...argv(), '--archive', copy(remove(22))])
    expect(out + err).not.toContain('that was sealed is missing')
    expect(exit).toBe(0)
  })

  it('is of the table that it was of', async () => {
    const root = copy(remove(22))
    const other = { ...(RECORDS[0] as object), eventSourceARN: String(ARN).replace(/table\/[^/]+/, 'table/Other') }
    expect((await run(['ingest', '-', '--archive', root], { stdin: linesOf([other]) })).exit).toBe(0)
    const { exit, out } = await run(['history', 'Other', 'one', '--archive', root])
    expect(out).not.toContain('missing')
    expect(exit).toBe(0)
  })

  it('is one of many, of which a few are named', async () => {
    const root = copy(it => {
      for (const day of [20, 21, 22]) rmSync(objectOf(it, day))
      rmSync(join(it, 'config', table), { recursive: true })
      // the table still has rows
      cpSync(objectOf(sealed, 20), join(it, 'data', table, 'event_date=2026-11-20', 'other.parquet'))
    })
    const { said } = await ask('history', root)
    expect(said).toMatch(/4 objects that were sealed are missing: \S+, \S+, \S+ and 1 more/)
  })
})

const { eventSourceARN: ARN } = RECORDS[0] as unknown as { readonly eventSourceARN: string }

describe('the journal of an answer', () => {
  it('is held against the configured key, which is said; another key is not believed', async () => {
    const folder = makeFolder()
    const config = join(folder, 'itemtrail.config.json')
    const seal = (key: string) => writeFileSync(config, JSON.stringify({ tables: {}, seal: { key } }))
    seal(VKEY)
    const ours = await ask('history', copy(), '--config', config)
    expect(ours).toEqual({ exit: 0, said: expect.stringContaining('by the bytes of each object') })
    expect(ours.said).not.toContain('against no key')
    seal('itemtrail.example/other+b0d3ca2b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4')
    const { exit } = await ask('history', copy(), '--config', config)
    expect(exit).not.toBe(1)
  })

  it('is held against a key that is given with the question', async () => {
    const other = formatVkey(signerOf(parseVkey(VKEY).name, new Uint8Array(32).fill(9)))
    const argvOf = (name: string, root: string) => [...(QUESTIONS[name]?.() ?? []), '--archive', root]
    for (const name of ['history', 'as-of', 'query']) {
      const ours = await run([...argvOf(name, copy()), '--key', VKEY])
      expect({ name, exit: ours.exit, said: ours.out + ours.err }).toEqual({
        name,
        exit: 0,
        said: expect.not.stringContaining('against no key'),
      })
      const theirs = await run([...argvOf(name, copy()), '--key', other])
      expect({ name, exit: theirs.exit, said: theirs.out + theirs.err }).toEqual({
        name,
        exit: 3,
        said: expect.stringContaining('is not believed'),
      })
      expect(await run([...argvOf(name, copy()), '--key', 'a+b'])).toMatchObject({
        exit: 2,
        err: expect.stringContaining('--key cannot be read'),
      })
    }
    const { out } = await run([...argvOf('query', copy()), '--key', VKEY, '--format', 'json'])
    expect(JSON.parse(out).verdict.tables[0].journal).toMatchObject({ signed: true })
  })

  it('does not end at a checkpoint that was put back', async () => {
    const root = copy()
    const old = join(root, 'log', 'checkpoint')
    const [first] = readdirSync(join(root, 'log', 'next')).sort() as [string]
    cpSync(join(root, 'log', 'next', first), old)
    remove(22)(root)
    expect((await ask('history', root)).said).toContain('GAP')
  })

  it('is still held against what is there where its entries are not what was signed', async () => {
    const root = copy(remove(22))
    const entries = join(root, 'log', 'tile', 'entries')
    for (const name of readdirSync(entries, { recursive: true }) as string[]) {
      const path = join(entries, name)
      if (!statSync(path).isFile()) continue
      const text = readFileSync(path, 'latin1')
      writeFileSync(
        path,
        text.replace(/("sha256":")(.)/, (_, begin, digit) => begin + (digit === '0' ? '1' : '0')),
        'latin1',
      )
    }
    const { exit, said } = await ask('history', root)
    expect(exit).toBe(3)
    expect(said).toContain('is of other entries than those that are there')
    expect(said).toContain('ALTERED')
  })

  it('is in JSON as the contract says', async () => {
    const root = copy(remove(22))
    const json = async (name: string) =>
      JSON.parse((await run([...(QUESTIONS[name]?.() ?? []), '--archive', root, '--format', 'json'])).out)
    const { verdict } = await json('query')
    expect(verdict.tables[0].journal).toMatchObject({
      missing: 1,
      altered: 0,
      unlisted: 0,
      not_sealed: 0,
      signed: false,
    })
    expect(verdict.tables[0].journal.objects).toEqual([{ kind: 'missing', key: expect.stringMatching(/^data\//) }])
    const [row] = (await json('status')).tables
    const documented = [...DOCUMENT.matchAll(/^\| `tables\[\]\.journal\.(\w+)` /gm)].map(([, name]) => name)
    expect(Object.keys(row.journal).sort()).toEqual([...new Set(documented)].sort())
    expect((await json('history')).confidence).toBe('GAP')
  })

  it('leaves an empty folder with a journal alone what it is', async () => {
    const root = makeFolder()
    mkdirSync(join(root, 'data'))
    await sealFolder(root)
    expect((await run(['status', '--archive', root])).exit).toBe(0)
  })
})

describe('the library, of a sealed archive', () => {
  it('says the same word as the command line', async () => {
    const root = copy(remove(22))
    await using archive = await openArchive(root)
    const to = '2026-11-23T00:00:00Z'
    expect((await archive.history(table, 'one')).confidence).toBe('GAP')
    expect((await archive.asOf(table, 'one', to)).confidence).toBe('GAP')
    expect((await archive.asOf(table, 'one', '2026-11-21T12:00:00Z')).confidence).toBe('UNBROKEN')
    expect((await archive.diff(table, 'one', { from: '2026-11-20T12:00:00Z', to })).confidence).toBe('GAP')
    for await (const { confidence } of archive.tableAsOf(table, to)) expect(confidence).toBe('GAP')
    expect((await (await archive.sql(`select * from ${table}`)).verdict())?.confidence).toBe('GAP')
    const { sealed: found } = await archive.status(table)
    expect(found?.findings).toMatchObject([{ kind: 'missing' }])
  })

  it('believes the key that it is given', async () => {
    await using archive = await openArchive(sealed, { journalKey: VKEY })
    const { confidence, remarks } = await archive.history(table, 'one')
    expect(isDoubtful(confidence)).toBe(false)
    expect(remarks).toEqual([expect.stringMatching(/^held against the journal of \S+ by the bytes of each object$/)])
  })
})
