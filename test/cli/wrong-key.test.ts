/** Keys that did not sign: of another holder, of another journal, in the archive itself. Of every answer and every verify. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { change } from '../queries/story.js'
import { archiveOf, fileOf, makeFolder, run } from './command-line.js'

const ORIGIN = 'orders.example/test'
const v = (N: string) => ({ v: { N } })

/** A key under a name, as a file, and its vkey. */
async function makeKey(origin: string, folder = makeFolder()) {
  const key = join(folder, 'seal.key')
  const { out } = await run(['seal', '--init', '--key', key, '--origin', origin, '--archive', makeFolder()])
  return { key, vkey: out.trim() }
}

let root: string
let ours: { readonly key: string; readonly vkey: string }
/** By what is wrong with them, vkeys; and one that is right. */
let keys: Readonly<Record<string, string>>
let proof: string
let bag: string
beforeAll(async () => {
  root = await archiveOf([
    change('one', '20T10:00:00', undefined, v('1')),
    change('one', '21T10:00:00', v('1'), v('2')),
  ])
  ours = await makeKey(ORIGIN)
  expect((await run(['seal', '--key', ours.key, '--archive', root])).exit).toBe(0)
  writeFileSync(join(root, 'inside.vkey'), ours.vkey)
  keys = {
    'another holder of the same name': (await makeKey(ORIGIN)).vkey,
    'another journal': (await makeKey('other.example/test')).vkey,
  }
  ;[proof, bag] = [join(makeFolder(), 'proofs'), join(makeFolder(), 'bag')]
  expect((await run(['prove', 'Orders', 'one', '--key', ours.vkey, '--output', proof, '--archive', root])).exit).toBe(0)
  const question = ['query', 'changes-between', 'Orders', '--param', 'from=2026-11-20T00:00:00Z', '--param']
  const asked = [...question, 'to=2026-11-21T10:00:00.000001Z', '--evidence', bag, '--key', ours.vkey]
  expect((await run([...asked, '--archive', root])).exit).toBe(0)
})

const configured = (key: string) => fileOf('itemtrail.config.json', JSON.stringify({ tables: {}, seal: { key } }))

const QUESTIONS: readonly (readonly string[])[] = [
  ['history', 'Orders', 'one'],
  ['as-of', 'Orders', 'one', '2026-11-22T00:00:00Z'],
  ['as-of', 'Orders', '2026-11-21T10:00:00Z'],
  ['diff', 'Orders', 'one', '--from', '2026-11-20T12:00:00Z', '--to', '2026-11-22T00:00:00Z'],
  ['query', 'first-and-last-seen', 'Orders'],
  ['sql', 'select count(*) as n from Orders'],
  ['status'],
  ['restore', 'Orders', '--as-of', '2026-11-22T00:00:00Z', '--output', 'OUT'],
]

const filled = (argv: readonly string[]) => argv.map(one => (one === 'OUT' ? join(makeFolder(), 'out') : one))

describe.each(['another holder of the same name', 'another journal'])('a key of %s', whose => {
  it.each(QUESTIONS)('is not that of the journal: %s %s %s', async (...argv) => {
    const config = configured(keys[whose] as string)
    const { exit, out, err } = await run([...filled(argv), '--archive', root, '--config', config])
    expect({ exit, said: out + err }).toEqual({
      exit: 3,
      said: expect.stringMatching(/is signed by none|checkpoint is of/),
    })
  })

  it.each([[], ['log'], ['objects']])('is not that of the journal: verify %s', async (...part) => {
    const { exit, out, err } = await run(['verify', ...part, '--key', keys[whose] as string, '--archive', root])
    expect(out + err).not.toContain('VERIFIED')
    expect({ exit, said: out + err }).toEqual({ exit: 1, said: expect.stringMatching(/✗ (foreign-key|altered)/) })
  })

  it('is not that of what was handed out: verify proof, verify bundle', async () => {
    const { readdirSync } = await import('node:fs')
    const file = join(proof, readdirSync(proof)[0] as string)
    expect((await run(['verify', 'proof', file, '--key', ours.vkey])).exit).toBe(0)
    expect((await run(['verify', 'bundle', bag, '--key', ours.vkey])).exit).toBe(0)
    expect((await run(['verify', 'proof', file, '--key', keys[whose] as string])).exit).toBe(1)
    expect((await run(['verify', 'bundle', bag, '--key', keys[whose] as string])).exit).toBe(1)
  })

  it('hands out no evidence', async () => {
    const key = keys[whose] as string
    const made = await run([
      'prove',
      'Orders',
      'one',
      '--key',
      key,
      '--output',
      join(makeFolder(), 'p'),
      '--archive',
      root,
    ])
    expect(made.exit).not.toBe(0)
  })

  it('is not believed by the library', async () => {
    await using archive = await openArchive(root, { journalKey: keys[whose] as string })
    const { remarks } = await archive.history('Orders', 'one')
    expect(remarks.join()).toContain('what the journal tells of the archive is not known for certain')
    expect((await archive.status('Orders')).sealed?.isSigned).toBe(false)
  })
})

describe('a key inside the archive', () => {
  it.each(QUESTIONS)('vouches for nothing, which is said: %s %s %s', async (...argv) => {
    const config = configured(join(root, 'inside.vkey'))
    const { exit, out, err } = await run([...filled(argv), '--archive', root, '--config', config])
    expect({ exit, said: out + err }).toEqual({ exit: 0, said: expect.not.stringMatching(/ALTERED|GAP/) })
    // a plan that is whole tells of no journal
    if (argv[0] !== 'restore') expect(out + err).toContain('whose signature was held against no key')
  })

  it('is not believed by the library', async () => {
    await using archive = await openArchive(root, { journalKey: join(root, 'inside.vkey') })
    expect((await archive.status('Orders')).sealed?.isSigned).toBe(false)
  })

  it.each([[], ['log'], ['objects']])('vouches for nothing, which is said: verify %s', async (...part) => {
    const { out } = await run(['verify', ...part, '--key', join(root, 'inside.vkey'), '--archive', root])
    expect(out).toContain('its key lies inside the archive')
  })
})
