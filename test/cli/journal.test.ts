import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { FoundObject } from '../../journal/archive-objects.js'
import { seal as sealAll } from '../../journal/seal.js'
import { readTimestamp } from '../../journal/timestamp.js'
import { cosignerOf, signatureLine } from '../../proof/note.js'
import { EMPTY_ROOT } from '../../proof/tree.js'
import { sealerOf } from '../journal/desk-journal.js'
import { StampMaker } from '../journal/stamps.js'
import { hasOpenssl, startAuthority } from '../journal/time-authority.js'
import { VKEY, WITNESS, WITNESS_SEED, WITNESS_VKEY } from '../proof/vectors.js'
import { change } from '../queries/story.js'
import { archiveOf, fileOf, linesOf, makeFolder, run } from './command-line.js'
import { expectContract } from './contract.js'

const v = (N: string) => ({ v: { N } })
const FIRST = change('one', '20T10:00:00', undefined, v('1'))
const SECOND = change('one', '20T11:00:00', v('1'), v('2'))
const ORIGIN = 'orders.audit.example/test'

/** A key that was made for the tests, and its vkey. */
async function madeKey(): Promise<{ readonly key: string; readonly vkey: string }> {
  const key = join(makeFolder(), 'seal.key')
  const { exit, out } = await run(['seal', '--init', '--key', key, '--origin', ORIGIN, '--archive', makeFolder()])
  expect(exit).toBe(0)
  return { key, vkey: out.trim() }
}

async function add(root: string, record: unknown): Promise<void> {
  expect((await run(['ingest', '-', '--archive', root], { stdin: linesOf([record]) })).exit).toBe(0)
}

describe('seal', () => {
  let key: string
  let vkey: string
  beforeAll(async () => {
    ;({ key, vkey } = await madeKey())
  })
  const seal = (root: string, ...more: readonly string[]) => run(['seal', '--archive', root, '--key', key, ...more])

  it('makes a key that nobody else may read, and its vkey beside it', () => {
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(readFileSync(`${key}.vkey`, 'utf8')).toBe(`${vkey}\n`)
    expect(vkey).toMatch(/^orders\.audit\.example\/test\+[0-9a-f]{8}\+/)
  })

  it('refuses a key inside the archive, one that is there, and one without a name', async () => {
    const root = await archiveOf([FIRST])
    const init = (path: string, ...more: readonly string[]) =>
      run(['seal', '--init', '--key', path, '--archive', root, ...more])
    const inside = await init(join(root, 'seal.key'), '--origin', ORIGIN)
    expect(inside).toMatchObject({ exit: 2, err: expect.stringContaining('is inside the archive') })
    expect(existsSync(join(root, 'seal.key'))).toBe(false)
    expect(await init(key, '--origin', ORIGIN)).toMatchObject({ exit: 3, err: expect.stringContaining('no key is') })
    expect(await init(`${key}2`)).toMatchObject({ exit: 2, err: expect.stringContaining('--origin') })
    expect(await init(`${key}2`, '--origin', 'a b')).toMatchObject({ exit: 2 })
    expect((await run(['seal', '--archive', root])).exit).toBe(2)
    writeFileSync(join(root, 'seal.key'), readFileSync(key))
    expect(await run(['seal', '--archive', root, '--key', join(root, 'seal.key')])).toMatchObject({ exit: 2 })
    expect((await seal(root, '--origin', 'other')).err).toContain('signs for orders.audit.example/test')
  })

  it('never tells of a key that it cannot read', async () => {
    const root = await archiveOf([FIRST])
    const secret = readFileSync(key, 'utf8').trim()
    const cut = fileOf('seal.key', secret.slice(0, -4))
    for (const command of ['seal', 'checkpoint']) {
      const { exit, out, err } = await run([command, '--archive', root, '--key', cut])
      expect(exit).toBeGreaterThan(1)
      expect(out + err).not.toContain(secret.slice(-44, -8))
    }
  })

  it('seals what is new, again and again', async () => {
    const root = await archiveOf([FIRST])
    const first = await seal(root, '--format', 'json')
    expect(first).toMatchObject({ exit: 0, err: '' })
    expect(JSON.parse(first.out)).toMatchObject({ origin: ORIGIN, rows: 1, vanished: [], time_stamp: null })
    expect((await seal(root)).out).toContain('sealed nothing new')
    await add(root, SECOND)
    expect((await seal(root)).out).toMatch(/sealed \d objects?, 1 row;/)
  })

  it('takes key and origin from the configuration', async () => {
    const config = fileOf('config.json', JSON.stringify({ seal: { key, origin: ORIGIN }, tables: {} }))
    const root = await archiveOf([FIRST])
    expect((await run(['seal', '--archive', root, '--config', config])).exit).toBe(0)
  })

  it('says so where another key has signed', async () => {
    const root = await archiveOf([FIRST])
    await seal(root)
    const other = await madeKey()
    const { exit, err } = await run(['seal', '--archive', root, '--key', other.key])
    expect({ exit, err }).toEqual({ exit: 1, err: expect.stringContaining('is not believed') })
  })

  it('ends in order on SIGTERM when it follows, with all that came sealed', async () => {
    const root = await archiveOf([FIRST])
    const ended = seal(root, '--follow', '--format', 'ndjson')
    while (!existsSync(join(root, 'log/checkpoint'))) await new Promise(resolve => setTimeout(resolve, 20))
    await add(root, SECOND)
    process.emit('SIGTERM', 'SIGTERM')
    const { exit, out } = await ended
    expect(exit).toBe(0)
    const rows = out
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line).rows as number)
    expect(rows.reduce((sum, n) => sum + n, 0)).toBe(2)
    expect(process.listenerCount('SIGTERM')).toBe(0)
  })

  it('ends with 1 when it follows, though what it found was found once', async () => {
    const root = await archiveOf([FIRST])
    for (let times = 0; times < 2; times++) await seal(root)
    mkdirSync(join(root, 'facts/Orders'), { recursive: true })
    writeFileSync(join(root, 'facts/Orders/late.json'), '{}')
    utimesSync(join(root, 'facts/Orders/late.json'), 0, 0)
    const size = () => readFileSync(join(root, 'log/checkpoint'), 'utf8').split('\n')[1]
    const before = size()
    const ended = seal(root, '--follow')
    while (size() === before) await new Promise(resolve => setTimeout(resolve, 20))
    process.emit('SIGTERM', 'SIGTERM')
    expect(await ended).toMatchObject({ exit: 1, err: expect.stringContaining('late.json was passed over by two') })
  })

  it('keeps its JSON contract', async () => {
    const root = await archiveOf([FIRST])
    const sealed = JSON.parse((await seal(root, '--format', 'json')).out)
    const init = ['seal', '--init', '--key', `${key}3`, '--origin', ORIGIN, '--archive', root, '--format', 'json']
    const made = JSON.parse((await run(init)).out)
    expectContract('seal', [sealed, { ...sealed, time_stamp: '2026-11-20T10:00:00Z' }, made])
  })

  describe.skipIf(!hasOpenssl)('with a time-stamp authority', () => {
    it('keeps what the authority says of the checkpoint', async () => {
      const authority = await startAuthority(makeFolder())
      onTestFinished(authority.close)
      const root = await archiveOf([FIRST])
      const { exit, out } = await seal(root, '--timestamp', authority.url, '--format', 'json')
      expect(exit).toBe(0)
      const { size, time_stamp } = JSON.parse(out)
      const answer = readFileSync(join(root, `log/timestamps/${size}.tsr`))
      const checkpoint = readFileSync(join(root, 'log/checkpoint'))
      expect(readTimestamp(answer, checkpoint).time).toBe(time_stamp)
      expect(authority.verifies(answer, checkpoint)).toBe(true)
    })

    it('says so where nobody can tell here whose signature it is', async () => {
      const maker = new StampMaker(makeFolder())
      const clock = maker.make('clock', 'clock')
      const without = (answer: Buffer) => maker.forge(maker.contentOf(answer), [clock], '-nocerts')
      const authority = await startAuthority(makeFolder(), without)
      onTestFinished(authority.close)
      const root = await archiveOf([FIRST])
      const { exit, out, err } = await seal(root, '--timestamp', authority.url)
      const why = 'the certificate that signed it is not in it'
      expect([exit, out, err]).toEqual([0, expect.stringContaining('time stamp 20'), expect.stringContaining(why)])
      const log = await run(['verify', 'log', '--key', vkey, '--archive', root])
      expect(log).toMatchObject({ exit: 0, out: expect.stringContaining(`of the time stamp of size 3, ${why}`) })
      expect(log.out).not.toContain('existed at')
    })

    it('stays sealed where the authority does not answer', async () => {
      const root = await archiveOf([FIRST])
      const { exit, err } = await seal(root, '--timestamp', 'http://127.0.0.1:9/')
      expect({ exit, err }).toEqual({ exit: 3, err: expect.stringContaining('is sealed, without a time stamp') })
      expect(existsSync(join(root, 'log/checkpoint'))).toBe(true)
    })
  })
})

describe('checkpoint', () => {
  it('prints what is signed, and ends with 3 where nothing was sealed', async () => {
    const { key, vkey } = await madeKey()
    const root = await archiveOf([FIRST])
    const print = (...more: readonly string[]) => run(['checkpoint', '--archive', root, ...more])
    expect(await print()).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('is not sealed') })
    await run(['seal', '--archive', root, '--key', key])
    const kept = readFileSync(join(root, 'log/checkpoint'), 'utf8')
    for (const more of [[], ['--key', vkey], ['--key', `${key}.vkey`], ['--key', key]])
      expect(await print(...more)).toEqual({ exit: 0, out: kept, err: '' })
    rmSync(join(root, 'log/checkpoint'))
    expect((await print()).out).toBe(kept)
    const other = await madeKey()
    expect(await print('--key', other.vkey)).toMatchObject({ exit: 1, out: '' })
    expect(await print('--key', 'not+a+key')).toMatchObject({ exit: 2 })
  })

  it('proves that the journal only grew since one that was kept, signed or in three lines', async () => {
    const { key, vkey } = await madeKey()
    const root = await archiveOf([FIRST])
    const seal = (archive: string) => run(['seal', '--archive', archive, '--key', key])
    const since = (archive: string, kept: string, ...more: readonly string[]) =>
      run(['checkpoint', '--archive', archive, '--since', kept, ...more])
    await seal(root)
    const note = readFileSync(join(root, 'log/checkpoint'), 'utf8')
    const [text = ''] = note.split('\n\n')
    const kept = fileOf('kept', note)
    const pinned = fileOf('pinned', text)
    const mailed = fileOf('mailed', `\ufeff${text.replaceAll('\n', ' \r\n')}\r\n\r\n`)
    expect(await since(root, kept)).toEqual({
      exit: 0,
      out: note,
      err: expect.stringMatching(/is of size 3 as .*kept says/),
    })
    for (let times = 0; times < 9; times++) await seal(root)
    const now = readFileSync(join(root, 'log/checkpoint'), 'utf8')
    for (const file of [kept, pinned, mailed])
      for (const more of [[], ['--key', vkey]]) {
        const { exit, out, err } = await since(root, file, ...more)
        expect({ exit, out, err }).toEqual({
          exit: 0,
          out: now,
          err: expect.stringMatching(/ grew from size 3 to 12, and begins as /),
        })
      }
    const empty = fileOf('empty', `${ORIGIN}\n0\n${EMPTY_ROOT.toString('base64')}\n`)
    expect((await since(root, empty)).err).toContain('it proves nothing')
  })

  it('gives none of a journal that is less than this machine saw', async () => {
    const { key } = await madeKey()
    const root = await archiveOf([FIRST])
    const seal = () => run(['seal', '--archive', root, '--key', key])
    const print = () => run(['checkpoint', '--archive', root])
    await seal()
    const older = join(makeFolder(), 'log')
    cpSync(join(root, 'log'), older, { recursive: true })
    await seal()
    rmSync(join(root, 'log'), { recursive: true })
    expect(await print()).toMatchObject({ exit: 1, out: '', err: expect.stringContaining('that it was up to size 4') })
    cpSync(older, join(root, 'log'), { recursive: true })
    expect(await print()).toMatchObject({
      exit: 1,
      out: '',
      err: expect.stringContaining('which this machine kept, is of size 4, the journal ends at 3; none is given'),
    })
  })

  it('tells another origin, another history and a journal that was cut from growth', async () => {
    const { key } = await madeKey()
    const [root, other] = [await archiveOf([FIRST]), await archiveOf([SECOND])]
    for (const archive of [root, root, other]) await run(['seal', '--archive', archive, '--key', key])
    const lines = readFileSync(join(root, 'log/checkpoint'), 'utf8').split('\n')
    const kept = (change: (lines: string[]) => void) => {
      const copy = lines.slice(0, 3)
      change(copy)
      return fileOf('kept', copy.join('\n'))
    }
    const since = (archive: string, file: string) => run(['checkpoint', '--archive', archive, '--since', file])
    const whole = fileOf('kept', lines.join('\n'))
    for (const [archive, file, sentence] of [
      [root, kept(line => line.splice(0, 1, 'other.example')), 'is of "other.example", the journal is "orders.audit'],
      [root, kept(line => line.splice(1, 1, '50')), 'is of size 50, the journal ends at 4'],
      [root, kept(line => line.splice(2, 1, EMPTY_ROOT.toString('base64'))), 'has another root at size 4'],
      [root, kept(line => line.splice(1, 1, '3')), 'has another root at size 3'],
      [other, whole, 'is of size 4, the journal ends at 3'],
      [await archiveOf([FIRST]), whole, 'says that it was up to size 4'],
    ] as const) {
      const { exit, out, err } = await since(archive, file)
      expect({ exit, out, err }).toEqual({ exit: 1, out: '', err: expect.stringContaining(sentence) })
    }
    expect(await since(root, fileOf('none', 'x'))).toMatchObject({ exit: 3, out: '' })
    expect(await since(root, fileOf('cut', lines.slice(0, 5).join('\n').slice(0, -9)))).toMatchObject({ exit: 3 })
    expect(await since(root, 'nowhere')).toMatchObject({ exit: 2 })
    rmSync(join(root, 'log/tile/0'), { recursive: true })
    expect(
      await since(
        root,
        kept(line => line.splice(1, 1, '3')),
      ),
    ).toMatchObject({ exit: 1 })
  })
})

describe('verify', () => {
  let key: string
  let vkey: string
  beforeAll(async () => {
    ;({ key, vkey } = await madeKey())
  })
  const seal = (root: string) => run(['seal', '--archive', root, '--key', key])
  const verify = (root: string, ...more: readonly string[]) => run(['verify', '--archive', root, ...more])
  async function sealedArchive(): Promise<string> {
    const root = await archiveOf([FIRST])
    expect((await seal(root)).exit).toBe(0)
    return root
  }
  const objectIn = (root: string) =>
    join(root, 'data', readdirSync(join(root, 'data'), { recursive: true, encoding: 'utf8' }).find(isRows) as string)
  const isRows = (path: string) => path.endsWith('.parquet')
  async function findingsOf(root: string, ...more: readonly string[]) {
    const { exit, out } = await verify(root, 'objects', '--key', vkey, '--format', 'json', ...more)
    const { findings } = JSON.parse(out) as { findings: { part: string; kind: string }[] }
    return { exit, kinds: findings.map(({ kind }) => kind) }
  }

  it('holds all against the journal, and says what it proves and what it does not', async () => {
    const root = await sealedArchive()
    const { exit, out } = await verify(root, '--key', vkey)
    expect(exit).toBe(0)
    expect(out).toContain(`log      ${ORIGIN}, 1 checkpoint,`)
    expect(out).toMatch(/^objects {2}\d as sealed, 1 row, /m)
    expect(out).toContain('UNBROKEN')
    expect(out).toContain('not checked: that nobody with the key made it anew: --since')
    expect(out).toMatch(
      /VERIFIED: what was sealed until 20.* is as orders.audit.example\/test signed it, by the key given; it goes on from size 3, where this machine saw it end\n/,
    )
    const [text] = readFileSync(join(root, 'log/checkpoint'), 'utf8').split('\n\n')
    expect(out.endsWith(`to keep where nobody who has the archive can change it, for --since:\n${text}\n`)).toBe(true)
  })

  it('without a key says that the journal agrees with itself, no more', async () => {
    const root = await sealedArchive()
    const { exit, out } = await verify(root)
    expect(exit).toBe(0)
    expect(out).toContain('not checked: who signed')
    expect(out).toContain('VERIFIED: the journal agrees with itself; whoever can write the archive could have made it')
    writeFileSync(join(root, 'own.vkey'), vkey)
    const inside = await verify(root, 'log', '--key', join(root, 'own.vkey'))
    expect(inside).toMatchObject({ exit: 0, out: expect.stringContaining('its key lies inside the archive') })
  })

  it('of an archive that is not sealed says so, and verifies the rest', async () => {
    const root = await archiveOf([FIRST])
    const { exit, out } = await verify(root)
    expect({ exit, out }).toEqual({ exit: 0, out: expect.stringContaining('not checked: nothing is sealed') })
    expect(out).toContain('UNBROKEN')
    expect(JSON.parse((await verify(root, '--format', 'json')).out)).toMatchObject({ journal: null })
    expect((await verify(root, 'log')).exit).toBe(3)
  })

  it.each([
    ['the log is gone', (root: string) => rmSync(join(root, 'log'), { recursive: true }), 'missing  log/ is empty'],
    [
      'claims and checkpoint are gone, with a day',
      (root: string) => {
        for (const path of ['log/next', 'log/checkpoint', 'data/Orders']) rmSync(join(root, path), { recursive: true })
      },
      'missing  log/next/00000000000000000000 is not there, log/tile/',
    ],
    [
      'a file of nobody is all that is left',
      (root: string) => {
        rmSync(join(root, 'log'), { recursive: true })
        mkdirSync(join(root, 'log'))
        writeFileSync(join(root, 'log/junk'), 'x')
      },
      'missing  log/next/00000000000000000000 is not there, log/junk is',
    ],
  ])('is never verified where %s, whoever is believed', async (_, damage, said) => {
    const root = await sealedArchive()
    const empty = fileOf('empty', `${ORIGIN}\n0\n${EMPTY_ROOT.toString('base64')}\n`)
    const policy = fileOf('policy', `log ${vkey}\nquorum none\n`)
    damage(root)
    // a machine that saw nothing of it
    const state = process.env.XDG_STATE_HOME as string
    onTestFinished(() => {
      process.env.XDG_STATE_HOME = state
    })
    for (const flags of [
      ['--key', vkey],
      ['--policy', policy],
      ['--since', empty],
      ['--key', vkey, '--since', empty],
    ])
      for (const part of [[], ['log'], ['objects']]) {
        process.env.XDG_STATE_HOME = makeFolder()
        const { exit, out, err } = await verify(root, ...part, ...flags)
        expect({ flags, part, exit, out, err }).toMatchObject({ exit: 1, out: expect.stringContaining(`✗ ${said}`) })
        expect(out).not.toMatch(/VERIFIED|SEALED/)
        if (part.length === 0 && !said.includes('tile/')) expect(out + err).toContain('UNBROKEN')
      }
  })

  it('tells what is missing, altered and not sealed yet apart', async () => {
    const root = await sealedArchive()
    const path = objectIn(root)
    const bytes = readFileSync(path)
    const edited = Buffer.from(bytes)
    edited[bytes.length >> 1] = (edited[bytes.length >> 1] as number) ^ 1
    writeFileSync(path, edited)
    expect(await findingsOf(root)).toEqual({ exit: 1, kinds: ['altered'] })
    // whatever else cannot be read then, it is broken
    expect(await verify(root, '--key', vkey)).toMatchObject({
      exit: 1,
      out: expect.stringContaining('BROKEN: 1 finding'),
    })
    rmSync(path)
    expect(await findingsOf(root)).toEqual({ exit: 1, kinds: ['missing'] })
    writeFileSync(path, bytes)
    expect(await findingsOf(root)).toEqual({ exit: 0, kinds: [] })
    await add(root, SECOND)
    expect((await verify(root, 'objects')).out).toMatch(/not sealed yet/)
    for (let times = 0; times < 2; times++) await seal(root)
    cpSync(path, path.replace('.parquet', '-2.parquet'))
    utimesSync(path.replace('.parquet', '-2.parquet'), 0, 0)
    expect(await findingsOf(root)).toEqual({ exit: 1, kinds: ['unlisted'] })
    // sealed, it is no finding any more: who seals it says so
    const late = await run(['seal', '--archive', root, '--key', key, '--format', 'json'])
    expect([late.exit, JSON.parse(late.out).unlisted]).toEqual([1, [expect.stringMatching(/-2\.parquet$/)]])
    expect(await findingsOf(root)).toEqual({ exit: 0, kinds: [] })
    cpSync(path, path.replace('.parquet', '-3.parquet'))
    utimesSync(path.replace('.parquet', '-3.parquet'), 0, 0)
    expect(await seal(root)).toMatchObject({
      exit: 1,
      err: expect.stringContaining('-3.parquet was passed over by two'),
    })
    expect((await seal(root)).exit).toBe(0)
  })

  it('tells what the bucket of a copied archive forgot from what is missing', async () => {
    const root = await archiveOf([FIRST])
    const key = 'refused/processing-failed/Orders/x'
    const sealedAt = async (time: string, version?: string) => {
      const { objects, ...sealer } = await sealerOf(root, { now: () => Date.parse(time) })
      const describe = async (object: FoundObject) => {
        const entry = await objects.describe(object)
        return entry && { ...entry, ...(version !== undefined && { version_id: version }) }
      }
      await sealAll({ ...sealer, objects: { list: prefix => objects.list(prefix), describe } })
    }
    await sealedAt('2024-01-01T00:00:00Z', '1')
    mkdirSync(dirname(join(root, key)), { recursive: true })
    writeFileSync(join(root, key), '{}')
    await sealedAt('2024-01-02T00:00:00Z', '2')
    rmSync(join(root, key))
    const { exit, out } = await verify(root, 'objects', '--key', VKEY, '--format', 'json')
    expect({ exit, ...JSON.parse(out) }).toMatchObject({ exit: 0, verified: true, expired: [key] })
    expect((await verify(root, 'objects', '--key', VKEY)).out).toContain('1 refused object that may have expired')
    const kept = fileOf('itemtrail.config.json', JSON.stringify({ refusedDays: 3650, tables: {} }))
    expect(await findingsOf(root, '--key', VKEY, '--config', kept)).toEqual({ exit: 1, kinds: ['missing'] })
    // rows never expire, nor does anything in a folder
    const path = objectIn(root)
    const bytes = readFileSync(path)
    rmSync(path)
    expect(await findingsOf(root, '--key', VKEY)).toEqual({ exit: 1, kinds: ['missing'] })
    writeFileSync(path, bytes)
    writeFileSync(join(root, `${key}2`), '{}')
    await sealedAt('2024-01-03T00:00:00Z')
    rmSync(join(root, `${key}2`))
    expect(await findingsOf(root, '--key', VKEY)).toEqual({ exit: 1, kinds: ['missing'] })
  })

  it('says what a period leaves out, and takes none where there is none', async () => {
    const root = await sealedArchive()
    const { exit, out } = await verify(root, '--key', vkey, '--from', '2030-01-01T00:00:00Z')
    expect([exit, out]).toEqual([
      0,
      expect.stringContaining('not checked: rows and continuity outside of the period from 2030-01-01T00:00:00Z\n'),
    ])
    expect((await verify(root, '--key', vkey)).out).not.toContain('outside of the period')
    for (const part of ['log', 'objects'])
      expect(await verify(root, part, '--to', '2030-01-01')).toMatchObject({
        exit: 2,
        err: expect.stringContaining(`--to is of rows and continuity, not of verify ${part}`),
      })
  })

  it.each([
    ['rows', '--since', 'kept'],
    ['continuity', '--policy', 'policy'],
    ['rows', '--tsa-ca', 'ca.pem'],
    ['log', '--full'],
    ['continuity', '--full'],
  ])('refuses of %s what it would not look at: %s', async (part, ...flags) => {
    const root = await sealedArchive()
    const { exit, out, err } = await verify(root, part, ...flags)
    expect({ exit, out, err }).toEqual({
      exit: 2,
      out: '',
      err: expect.stringMatching(new RegExp(`${flags[0]} is of .*, not of verify ${part}`)),
    })
  })

  it('does not hash again what is unchanged, unless it is told to', async () => {
    const root = await sealedArchive()
    const hashed = async (...more: readonly string[]) =>
      JSON.parse((await verify(root, 'objects', '--format', 'json', ...more)).out).objects.hashed as number
    const all = await hashed()
    expect(all).toBeGreaterThan(0)
    expect(await hashed()).toBe(0)
    expect(await hashed('--full')).toBe(all)
  })

  it('proves that the journal only grew since a checkpoint that was kept, and finds another history', async () => {
    const root = await sealedArchive()
    const kept = fileOf('kept.checkpoint', (await run(['checkpoint', '--archive', root])).out)
    await add(root, SECOND)
    await seal(root)
    const grown = await verify(root, '--key', vkey, '--since', kept)
    expect(grown).toMatchObject({ exit: 0, out: expect.stringContaining('as the kept checkpoint says') })
    // the same key, another history of the same size; and none at all
    const other = await archiveOf([SECOND])
    await seal(other)
    expect(await findingsOf(other, '--since', kept)).toEqual({ exit: 1, kinds: ['forked'] })
    rmSync(join(other, 'log'), { recursive: true })
    // by what was kept, and by what this machine saw
    expect(new Set((await findingsOf(other, '--since', kept)).kinds)).toEqual(new Set(['cut-off']))
    // another key, and nobody who says which is the right one but the checkpoint
    const forger = await madeKey()
    // a machine that saw the journal before seals no other
    expect((await run(['seal', '--archive', other, '--key', forger.key])).exit).toBe(1)
    const here = process.env.XDG_STATE_HOME
    process.env.XDG_STATE_HOME = makeFolder()
    expect((await run(['seal', '--archive', other, '--key', forger.key])).exit).toBe(0)
    process.env.XDG_STATE_HOME = here
    const forged = await verify(other, 'log', '--since', kept, '--format', 'ndjson')
    expect(forged).toMatchObject({ exit: 1, out: expect.stringContaining('"kind":"foreign-key"') })
    expect((await verify(other, '--key', vkey)).exit).toBe(1)
    expect((await verify(root, '--key', forger.vkey, '--since', kept)).exit).toBe(2)
    expect((await verify(root, '--since', fileOf('none', 'x'))).exit).toBe(3)
    expect((await verify(root, '--since', 'nowhere')).exit).toBe(2)
  })

  it('takes the three lines that it prints as the checkpoint that was kept', async () => {
    const root = await sealedArchive()
    const { out } = await verify(root, 'log', '--key', vkey)
    const kept = fileOf('pinned', out.split('\n').slice(-4).join('\n'))
    await seal(root)
    expect(await verify(root, 'log', '--key', vkey, '--since', kept)).toMatchObject({
      exit: 0,
      out: expect.stringContaining('up to size 3 is as the kept checkpoint says'),
    })
    const other = await archiveOf([SECOND])
    await seal(other)
    expect(await findingsOf(other, '--since', kept)).toEqual({ exit: 1, kinds: ['forked'] })
    const foreign = fileOf('foreign', readFileSync(kept, 'utf8').replace(ORIGIN, 'other.example'))
    expect(await verify(root, '--since', foreign)).toMatchObject({ exit: 1, out: '' })
  })

  it('wants what a policy asks for cosigned, on the checkpoint that is there or that was kept', async () => {
    const root = await sealedArchive()
    const path = join(root, 'log/checkpoint')
    const note = readFileSync(path, 'utf8')
    const witness = cosignerOf(WITNESS, WITNESS_SEED, () => 1_795_910_400)
    const cosigned = `${note}${await signatureLine(witness, note.slice(0, note.indexOf('\n\n') + 1))}\n`
    const policy = fileOf('policy', `log ${vkey}\nwitness w1 ${WITNESS_VKEY}\ngroup g any w1\nquorum g\n`)
    const log = (...more: readonly string[]) => verify(root, 'log', '--policy', policy, '--format', 'json', ...more)
    const lacking = await log()
    expect(lacking.exit).toBe(1)
    expect(JSON.parse(lacking.out)).toMatchObject({ cosigned: null, findings: [{ part: 'log', kind: 'quorum' }] })
    const kept = fileOf('kept', cosigned)
    expect(JSON.parse((await log('--since', kept)).out)).toMatchObject({ cosigned: { size: 3, by: [WITNESS] } })
    writeFileSync(path, cosigned)
    expect((await log()).exit).toBe(0)
    expect((await verify(root, 'log', '--policy', policy)).out).toContain(`its size 3 was cosigned by ${WITNESS}`)
    expect(JSON.parse((await log()).out).not_checked.join()).not.toContain('no witness')
    await seal(root)
    const grown = await log('--since', kept)
    expect({ exit: grown.exit, ...JSON.parse(grown.out) }).toMatchObject({
      exit: 0,
      cosigned: { size: 3 },
      not_checked: expect.arrayContaining(['what came after size 3: no witness cosigned it']),
    })
    writeFileSync(path, cosigned.replace(/.{6}==\n$/, 'AAAA==\n'))
    expect((await log()).exit).toBe(1)
    writeFileSync(path, note)
    expect((await verify(root, 'log', '--policy', fileOf('none', `log ${vkey}\nquorum none\n`))).exit).toBe(0)
    // whose log it is not; and what is no policy
    const { vkey: other } = await madeKey()
    expect((await verify(root, 'log', '--policy', fileOf('other', `log ${other}\nquorum none\n`))).exit).toBe(1)
    for (const text of [
      '',
      `log ${vkey}\n`,
      `log ${vkey}\nquorum g\n`,
      `log ${vkey}\nlog ${other}\nquorum none\n`,
      'x',
    ])
      expect((await verify(root, 'log', '--policy', fileOf('bad', text))).exit).toBe(2)
    expect((await verify(root, 'log', '--policy', policy, '--key', vkey)).exit).toBe(2)
    expect((await verify(root, 'log', '--policy', 'nowhere')).exit).toBe(2)
  })

  it('holds a proof and a bundle against a policy', async () => {
    const root = await sealedArchive()
    const { out } = await run(['sql', 'select event_id from orders', '--format', 'json', '--archive', root])
    const proof = join(makeFolder(), 'row-proof')
    const event = /[0-9a-f]{32}/.exec(out)?.[0] as string
    await run(['prove', 'Orders', event, '--key', vkey, '--archive', root, '--output', proof])
    const none = fileOf('policy', `log ${vkey}\nquorum none\n`)
    const witnessed = fileOf('policy', `log ${vkey}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n`)
    expect((await run(['verify', 'proof', proof, '--policy', none])).exit).toBe(0)
    expect(await run(['verify', 'proof', proof, '--policy', witnessed])).toMatchObject({
      exit: 1,
      out: expect.stringContaining('lacks the quorum'),
    })
    const text = readFileSync(proof, 'utf8')
    const at = text.lastIndexOf(`${ORIGIN}\n`, text.lastIndexOf('\n\n'))
    const witness = cosignerOf(WITNESS, WITNESS_SEED, () => 1_795_910_400)
    const line = await signatureLine(witness, text.slice(at, text.lastIndexOf('\n\n') + 1))
    const cosigned = fileOf('cosigned', `${text}${line}\n`)
    expect((await run(['verify', 'proof', cosigned, '--policy', witnessed])).exit).toBe(0)
    const bag = join(makeFolder(), 'bag')
    await run(['history', 'Orders', 'one', '--archive', root, '--evidence', bag, '--key', vkey])
    expect((await run(['verify', 'bundle', bag, '--policy', none])).exit).toBe(0)
    expect(await run(['verify', 'bundle', bag, '--policy', witnessed])).toMatchObject({
      exit: 1,
      out: expect.stringContaining('quorum'),
    })
    // what came with the bundle says nothing about who made it
    expect(await run(['verify', 'bundle', bag, '--policy', join(bag, 'data/log/policy')])).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^SOUND: it agrees with itself; the key came with it/m),
    })
  })

  it('prints whole JSON where a part cannot be checked, and says why', async () => {
    const root = join(makeFolder(), 'copy')
    cpSync(await sealedArchive(), root, { recursive: true })
    const path = objectIn(root)
    writeFileSync(path, readFileSync(path).subarray(0, 40))
    // nothing but its own journal says that it was another
    rmSync(join(root, 'log'), { recursive: true })
    const { exit, out, err } = await verify(root, '--format', 'json')
    const { journal, rows, continuity } = JSON.parse(out)
    expect({ exit, journal }).toEqual({ exit: 3, journal: null })
    expect([...rows, ...continuity].filter(part => part.not_checked !== undefined)).not.toEqual([])
    expect(err).not.toBe('')
    expect((await verify(root)).exit).toBe(3)
  })

  it.skipIf(!hasOpenssl)('holds time stamps against the checkpoints that they are of', async () => {
    const authority = await startAuthority(makeFolder())
    onTestFinished(authority.close)
    const root = await archiveOf([FIRST])
    await run(['seal', '--archive', root, '--key', key, '--timestamp', authority.url])
    const unbelieved = await verify(root, 'log', '--key', vkey)
    expect(unbelieved).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/its size 3 existed at 20\S*Z, says whoever signs as CN=A clock\n/),
    })
    expect(unbelieved.out).toContain('not checked: who the authority of the time stamps is: --tsa-ca')
    const believed = await verify(root, '--key', vkey, '--tsa-ca', authority.certificate)
    expect(believed).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/existed at 20\S*Z, says CN=A clock, by the certificates given\n/),
    })
    expect(believed.out).not.toContain('who the authority')
    const other = await startAuthority(makeFolder())
    other.close()
    const foreign = await verify(root, 'log', '--tsa-ca', other.certificate)
    expect(foreign).toMatchObject({ exit: 1, out: expect.stringContaining('✗ foreign-key  log/timestamps/3.tsr') })
    cpSync(authority.certificate, join(root, 'ca.pem'))
    for (const bad of [join(root, 'ca.pem'), 'nowhere', fileOf('ca.pem', 'x')])
      expect((await verify(root, 'log', '--tsa-ca', bad)).exit).toBe(2)
    const [stamp] = readdirSync(join(root, 'log/timestamps'))
    const first = join(root, 'log/timestamps', stamp as string)
    const bytes = readFileSync(first)
    writeFileSync(first, Buffer.concat([bytes.subarray(0, -9), Buffer.from('x'), bytes.subarray(-8)]))
    const broken = await verify(root, 'log', '--key', vkey)
    expect(broken).toMatchObject({ exit: 1, out: expect.stringContaining('a signature that is not that of its') })
    writeFileSync(first, bytes)
    await seal(root)
    const size = JSON.parse((await verify(root, 'log', '--format', 'json')).out).size
    cpSync(first, join(root, `log/timestamps/${size}.tsr`))
    expect((await findingsOf(root)).kinds).toEqual(['altered'])
  })

  it('keeps its JSON contract', async () => {
    const root = await sealedArchive()
    const all = JSON.parse((await verify(root, '--format', 'json')).out)
    expect(Object.keys(all)).toEqual(['journal', 'rows', 'continuity'])
    const log = JSON.parse((await verify(root, 'log', '--key', vkey, '--format', 'json')).out)
    const kept = fileOf('kept.checkpoint', (await run(['checkpoint', '--archive', root])).out)
    const since = JSON.parse((await verify(root, 'log', '--since', kept, '--format', 'json')).out)
    rmSync(objectIn(root))
    const broken = JSON.parse((await verify(root, 'objects', '--format', 'json')).out)
    const unsealed = {
      ...log,
      seen: null,
      sealed_until: null,
      time_stamps: [
        { size: 2, time: '2026-11-20T10:00:00Z', authority: 'CN=A clock', signature: 'believed', reason: null },
        { size: 3, time: '2026-11-20T10:00:00Z', authority: null, signature: 'not checked', reason: 'its digest is 1' },
      ],
    }
    const witnessed = { ...log, cosigned: { size: 3, by: [WITNESS] } }
    expectContract('verify log, verify objects', [all.journal, log, since, broken, unsealed, witnessed])
  })

  it('refuses what it cannot verify', async () => {
    const root = await sealedArchive()
    for (const part of [['chain'], ['log', 'Orders'], ['proof'], ['bundle']])
      expect((await verify(root, ...part)).exit).toBe(2)
    expect((await verify(root, 'proof', 'nowhere')).exit).toBe(2)
    expect((await verify(root, 'proof', 'nowhere', '--key', vkey)).exit).toBe(3)
    for (const path of ['nowhere', `${key}.vkey`]) expect((await verify(root, 'bundle', path)).exit).toBe(3)
  })
})
