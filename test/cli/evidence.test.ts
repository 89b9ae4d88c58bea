import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { fileOf, makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'
import { expectContract } from './contract.js'

const ORIGIN = 'orders.audit.example/evidence'
let root: string
let vkey: string

beforeAll(async () => {
  const folder = makeFolder()
  root = join(folder, 'archive')
  const key = join(folder, 'seal.key')
  await run(['ingest', ORDERS, '--config', ORDERS_CONFIG, '--archive', root])
  vkey = (await run(['seal', '--init', '--key', key, '--origin', ORIGIN, '--archive', root])).out.trim()
  expect((await run(['seal', '--key', key, '--archive', root])).exit).toBe(0)
})

const ask = (...argv: readonly string[]) => run([...argv, '--archive', root, '--config', ORDERS_CONFIG])
const prove = (...argv: readonly string[]) => ask('prove', 'Orders', ...argv, '--key', vkey)
const verified = (part: 'proof' | 'bundle', path: string, ...more: readonly string[]) =>
  run(['verify', part, path, '--key', vkey, ...more])
const newFolder = () => join(makeFolder(), 'bag')
const PERIOD = ['--from', '2026-11-18T00:00:00Z', '--to', '2026-11-20T00:00:00Z'] as const
const DELETIONS = ['query', 'deletions', 'Orders', '--param', 'from=2026-11-18T00:00:00Z'] as const

describe('prove', () => {
  it('proves a change by the beginning of its id, to whoever has the key alone', async () => {
    const { exit, out } = await prove('a2678374')
    expect(exit).toBe(0)
    const proof = fileOf('a.row-proof', out)
    const { exit: sound, out: shown } = await verified('proof', proof)
    expect({ sound, shown }).toEqual({
      sound: 0,
      shown: expect.stringContaining('PROVEN: this row was in the archive'),
    })
    expect(shown).toMatch(/^event +a2678374/m)
    const file = join(makeFolder(), 'b.row-proof')
    expect((await prove('a2678374', '--output', file)).exit).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(out)
    expect((await prove('a2678374', '--output', file)).exit).toBe(2)
  })

  it('is refused where a byte of it is another, or another key is believed', async () => {
    const { out } = await prove('a2678374')
    const edited = fileOf('edited.row-proof', out.replace(/^row \d+$/m, 'row 1'))
    const broken = await verified('proof', edited)
    expect(broken).toMatchObject({ exit: 1, out: expect.stringContaining('NOT PROVEN') })
    const other = join(makeFolder(), 'other.key')
    await run(['seal', '--init', '--key', other, '--origin', ORIGIN, '--archive', root])
    const proof = fileOf('a.row-proof', out)
    expect((await run(['verify', 'proof', proof, '--key', `${other}.vkey`])).exit).toBe(1)
    const json = async (path: string) => JSON.parse((await verified('proof', path, '--format', 'json')).out)
    expectContract('verify proof', [await json(proof), await json(edited)])
  })

  it('of a key proves each of its changes, into a folder', async () => {
    const folder = newFolder()
    expect(await prove('ORD12345')).toMatchObject({ exit: 2, err: expect.stringContaining('--output') })
    expect((await prove('ORD12345', '--output', folder)).exit).toBe(0)
    const proofs = readdirSync(folder)
    expect(proofs).toHaveLength(11)
    for (const proof of proofs) expect((await verified('proof', join(folder, proof))).exit).toBe(0)
    expect((await prove('ORD12345', '--output', folder)).exit).toBe(2)
  })

  it('takes an id as it comes out of a CSV', async () => {
    const { out } = await prove('a2678374')
    for (const pasted of ['a2678374\r', ' a2678374\n', '"a2678374"', "'a2678374", 'a2678374,', '\ufeffA2678374\u00a0'])
      expect(await prove(pasted)).toMatchObject({ exit: 0, out })
  })

  it('says so where there is no key, and no such change', async () => {
    expect(await ask('prove', 'Orders', 'a2678374')).toMatchObject({ exit: 2, err: expect.stringContaining('no key') })
    expect((await prove('00000000')).exit).toBe(1)
  })
})

describe('--evidence', () => {
  it('hands out a bundle that verify and verify.mjs call sound, to the letter', async () => {
    const bag = newFolder()
    const { exit, err } = await ask(...DELETIONS, '--evidence', bag, '--key', vkey)
    expect({ exit, err }).toEqual({ exit: 0, err: expect.stringMatching(/bundle .*: \d+ rows proven/) })
    const ours = await verified('bundle', bag)
    expect(ours).toMatchObject({ exit: 0, out: expect.stringContaining('SOUND') })
    const theirs = spawnSync('node', ['verify/verify.mjs', '--key', vkey], { cwd: bag, encoding: 'utf8' })
    expect({ exit: theirs.status, out: theirs.stdout }).toEqual({ exit: ours.exit, out: ours.out })
    expect((await run(['verify', 'bundle', bag])).out).toContain('the key came with it')
    expect((await ask(...DELETIONS, '--evidence', bag, '--key', vkey)).exit).toBe(2)
  })

  it('is of every question', async () => {
    const questions = [
      ['history', 'Orders', 'ORD12345'],
      ['as-of', 'Orders', 'ORD12345', '2026-11-19T12:00:00Z'],
      ['diff', 'Orders', 'ORD12345', '--from', '2026-11-18T12:00:00Z', '--to', '2026-11-20T00:00:00Z'],
      ['sql', "select event_id, event_name from orders where item_key like '%ORD12345%'"],
    ]
    for (const question of questions) {
      const bag = newFolder()
      const { err } = await ask(...question, '--evidence', bag, '--key', vkey)
      expect([question[0], err]).toEqual([question[0], expect.stringContaining('proven')])
      expect((await verified('bundle', bag)).exit).toBe(0)
    }
  })

  it('leaves out what is to be left out, and says so', async () => {
    const bag = newFolder()
    const redact = ['--redact', 'updated_by', '--evidence', bag, '--key', vkey]
    const asked = await ask('history', 'Orders', 'ORD12345', ...redact)
    expect(asked).toMatchObject({ exit: 0, err: expect.stringMatching(/left out for updated_by: images of \d+ rows/) })
    const typo = ['--redact', 'updatedby', '--evidence', newFolder(), '--key', vkey]
    expect(await ask('history', 'Orders', 'ORD12345', ...typo)).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/"updatedby" is in no image of Orders[\s\S]*updated_by/),
    })
    expect(await verified('bundle', bag)).toMatchObject({
      exit: 0,
      out: expect.stringContaining('left out on purpose'),
    })
    expect(readFileSync(join(bag, 'data/rows.ndjson'), 'utf8')).not.toContain('alice@ops.example')
    expect((await ask('history', 'Orders', 'ORD12345', '--redact', 'updated_by')).exit).toBe(2)
  })

  it('writes no bundle of what cannot be proven', async () => {
    const bag = newFolder()
    const unnamed = await ask('sql', 'select 1 as one', '--evidence', bag, '--key', vkey)
    expect(unnamed).toMatchObject({ exit: 1, err: expect.stringContaining('select event_id, too') })
    expect((await ask(...DELETIONS, '--evidence', bag)).exit).toBe(2)
    expect(existsSync(bag)).toBe(false)
  })
})

describe('evidence', () => {
  it('is the bundle of a receipt whose answer is the same', async () => {
    const receipt = join(makeFolder(), 'receipt.json')
    await ask(...DELETIONS, '--receipt', receipt)
    const bag = newFolder()
    expect(await ask('evidence', receipt, '--output', bag, '--key', vkey)).toMatchObject({ exit: 0, out: '' })
    expect((await verified('bundle', bag)).exit).toBe(0)
    const edited = fileOf('edited.json', readFileSync(receipt, 'utf8').replace(/"rows": \d+/, '"rows": 1'))
    expect((await ask('evidence', edited, '--output', newFolder(), '--key', vkey)).exit).not.toBe(0)
    expect((await ask('evidence', 'nowhere', '--output', newFolder(), '--key', vkey)).exit).toBe(2)
    expect((await ask('evidence', receipt, '--key', vkey)).exit).toBe(2)
  })
})

describe('evidence within the archive', () => {
  it('is refused, wherever it would be written', async () => {
    const receipt = join(makeFolder(), 'receipt.json')
    await ask(...DELETIONS, '--receipt', receipt)
    const before = readdirSync(root, { recursive: true })
    const [file, bag] = [join(root, 'config', 'x.row-proof'), join(root, 'data', 'Orders', 'bag')]
    const link = join(makeFolder(), 'link')
    symlinkSync(root, link)
    for (const argv of [
      ['prove', 'Orders', 'a2678374', '--key', vkey, '--output', file],
      ['prove', 'Orders', 'ORD12345', '--key', vkey, '--output', bag],
      ['prove', 'Orders', 'ORD12345', '--key', vkey, '--output', join(link, 'bag')],
      [...DELETIONS, '--key', vkey, '--evidence', bag],
      [...DELETIONS, '--output', file],
      [...DELETIONS, '--receipt', file],
      ['evidence', receipt, '--key', vkey, '--output', bag],
      ['sample', 'Orders', '--n', '5', '--seed', 'Q4', ...PERIOD, '--key', vkey, '--evidence', bag],
    ])
      expect(await ask(...argv)).toMatchObject({ exit: 2, err: expect.stringContaining('is inside the archive') })
    expect(readdirSync(root, { recursive: true })).toEqual(before)
  })
})

describe('a key that signs', () => {
  it('is shown nowhere, wherever it is typed', async () => {
    const file = join(makeFolder(), 'a.key')
    await run(['seal', '--init', '--key', file, '--origin', ORIGIN, '--archive', root])
    const secret = readFileSync(file, 'utf8').trim()
    const seed = secret.split('+').slice(4).join('+')
    const proof = fileOf('a.row-proof', (await prove('a2678374')).out)
    const policy = fileOf('policy', `log ${secret} x\nquorum none\n`)
    for (const argv of [
      ['verify', 'proof', proof, '--policy', file],
      ['verify', 'proof', proof, '--policy', policy],
      ['verify', 'proof', proof, '--policy', secret],
      ['verify', 'proof', proof, '--key', secret],
      ['verify', 'proof', secret, '--key', vkey],
      ['verify', '--key', secret, '--archive', root],
      ['verify', '--since', secret, '--archive', root],
      ['seal', '--key', secret, '--archive', root],
      ['seal', '--key', file, '--origin', secret, '--archive', root],
      ['seal', '--init', '--key', join(makeFolder(), 'b.key'), '--origin', secret, '--archive', root],
      ['prove', 'Orders', secret, '--key', vkey, '--archive', root],
      [secret],
    ]) {
      const { exit, out, err } = await run(argv)
      expect({ argv, exit }).not.toEqual({ argv, exit: 0 })
      expect(out + err).not.toContain(seed)
    }
  })
})

describe('sample', () => {
  const draw = (...more: readonly string[]) => ask('sample', 'Orders', '--n', '5', '--seed', 'Q4', ...PERIOD, ...more)

  it('draws the same changes each time, and others by another seed', async () => {
    const ids = async (...more: readonly string[]) => {
      const { out } = await draw('--format', 'json', ...more)
      return (JSON.parse(out) as { rows: { event_id: string }[] }).rows.map(({ event_id: id }) => id)
    }
    const drawn = await ids()
    expect(new Set(drawn).size).toBe(5)
    expect(await ids()).toEqual(drawn)
    expect(await ids('--seed', 'Q5')).not.toEqual(drawn)
    expect(await draw('--seed', '')).toMatchObject({ exit: 2, err: expect.stringContaining('--seed is empty') })
    expect((await draw()).out).toMatch(/5 of \d+ changes of Orders from 2026-11-18.* drawn by the seed "Q4"/)
  })

  it('is a working paper with --evidence', async () => {
    const bag = newFolder()
    expect((await draw('--evidence', bag, '--key', vkey)).err).toContain('5 rows proven')
    expect((await verified('bundle', bag)).exit).toBe(0)
    expect(readFileSync(join(bag, 'data/report.html'), 'utf8')).toContain('drawn by the seed')
  })

  it('wants to know how many, by what seed and of when', async () => {
    expect((await ask('sample', 'Orders', '--n', '5', ...PERIOD)).err).toContain('--seed is missing')
    expect((await draw('--n', '0')).exit).toBe(2)
    expect((await draw('--to', '2026-11-01T00:00:00Z')).exit).toBe(2)
  })
})
