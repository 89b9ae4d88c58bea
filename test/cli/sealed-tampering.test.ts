/** Objects of a sealed archive in whose place somebody put others, of the very size and with all hashes right. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readKeyFile } from '../../journal/key-file.js'
import { quoted } from '../../queries/engines/literal.js'
import { sealFolder } from '../journal/desk-journal.js'
import { change } from '../queries/story.js'
import { archiveOf, fileOf, makeFolder, run } from './command-line.js'

const v = (N: string) => ({ v: { N } })
const TABLE = 'Orders'

/** Three days: `one` changes on each, `two` on the first alone, `three` comes on the second and changes on the last. */
function records(forged: string | undefined = undefined) {
  const told = (day: string, value: string) => v(forged === day ? '666' : value)
  return [
    change('one', '20T10:00:00', undefined, told('20', '1'), { eventID: 'a', SequenceNumber: '1' }),
    change('two', '20T11:00:00', undefined, v('1'), { eventID: 'b', SequenceNumber: '2' }),
    change('one', '21T10:00:00', told('20', '1'), told('21', '2'), { eventID: 'c', SequenceNumber: '3' }),
    change('three', '21T11:00:00', undefined, v('1'), { eventID: 'd', SequenceNumber: '4' }),
    change('three', '22T09:00:00', v('1'), v('2'), { eventID: 'e', SequenceNumber: '5' }),
    change('one', '22T10:00:00', told('21', '2'), told('22', '3'), { eventID: 'f', SequenceNumber: '6' }),
  ]
}

let sealed: string
beforeAll(async () => {
  sealed = await archiveOf(records())
  await sealFolder(sealed)
})

const objectOf = (root: string, day: string): string => {
  const folder = join(root, 'data', TABLE, `event_date=2026-11-${day}`)
  return join(folder, readdirSync(folder)[0] as string)
}

/** A copy of the sealed archive in which the object of a day tells otherwise, as our own code would have written it. */
async function forgedOn(day: string): Promise<string> {
  const [root, other] = [makeFolder(), await archiveOf(records(day))]
  cpSync(sealed, root, { recursive: true, preserveTimestamps: true })
  const [path, forged] = [objectOf(root, day), `${objectOf(other, day)}.small`]
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const rows = `read_parquet(${quoted(objectOf(other, day))}, hive_partitioning = false)`
  const small = '(format parquet, compression zstd, compression_level 22)'
  await connection.run(`copy (select * from ${rows}) to ${quoted(forged)} ${small}`)
  connection.closeSync()
  instance.closeSync()
  writeFileSync(path, paddedTo(readFileSync(forged), statSync(path).size))
  return root
}

/** A Parquet file is read from its end: between rows and footer anything may stand. */
function paddedTo(file: Buffer, bytes: number): Buffer {
  const footer = file.length - 8 - file.readUInt32LE(file.length - 8)
  expect(file.length).toBeLessThanOrEqual(bytes)
  return Buffer.concat([file.subarray(0, footer), Buffer.alloc(bytes - file.length), file.subarray(footer)])
}

async function ask(root: string, ...argv: readonly string[]) {
  const { exit, out, err } = await run([...argv, '--archive', root])
  return { exit, said: out + err }
}

describe('an object of the same size, forged with all hashes right', () => {
  it('is noticed by every question that rests on it', async () => {
    const root = await forgedOn('22')
    for (const argv of [
      ['history', TABLE, 'one'],
      ['as-of', TABLE, 'one', '2026-11-23T00:00:00Z'],
      ['as-of', TABLE, '2026-11-23T00:00:00Z'],
      ['diff', TABLE, 'one', '--from', '2026-11-21T12:00:00Z', '--to', '2026-11-23T00:00:00Z'],
      ['query', 'changes-between', TABLE, '--param', 'from=2026-11-22T00:00:00Z', '--param', 'to=2026-11-23T00:00:00Z'],
      ['sql', `select * from ${TABLE}`],
    ]) {
      const { exit, said } = await ask(root, ...argv)
      expect({ argv, exit, said }).toEqual({
        argv,
        exit: 1,
        said: expect.stringMatching(/ALTERED[\s\S]*has the SHA-256/),
      })
    }
    const before = await ask(root, 'as-of', TABLE, 'one', '2026-11-21T12:00:00Z')
    expect([before.exit, before.said]).toEqual([0, expect.not.stringContaining('ALTERED')])
  })

  it('is ALTERED for whom it has rows of; what others had in it may be missing, and later changes tell that it does not matter', async () => {
    const root = await forgedOn('20')
    const confidenceOf = async (...argv: readonly string[]) =>
      JSON.parse((await run([...argv, '--archive', root, '--format', 'json'])).out).confidence
    const now = '2026-11-23T00:00:00Z'
    expect(await confidenceOf('history', TABLE, 'one')).toBe('ALTERED')
    expect(await confidenceOf('history', TABLE, 'two')).toBe('ALTERED')
    // a change and its way back may have been in it
    expect(await confidenceOf('history', TABLE, 'three')).toBe('GAP')
    expect(await confidenceOf('as-of', TABLE, 'three', now)).toBe('UNBROKEN')
  })

  it('keeps a restore from what it concerns, and from nothing else', async () => {
    const root = await forgedOn('22')
    rmSync(objectOf(root, '20'))
    cpSync(objectOf(sealed, '20'), objectOf(sealed, '20').replace(sealed, root))
    const plan = async (as: string) => {
      const argv = ['restore', TABLE, '--as-of', as, '--output', join(makeFolder(), 'items.json'), '--archive', root]
      return run([...argv, '--format', 'json'])
    }
    expect((await plan('2026-11-21T12:00:00Z')).exit).toBe(0)
    const now = await plan('2026-11-23T00:00:00Z')
    expect(now.exit).toBe(1)
    expect(now.out + now.err).toContain('ALTERED')
  })
})

/** A sealing by the command line, which remembers where the journal ended. */
async function sealedHere(more: number): Promise<{ root: string; key: string; older: string }> {
  const [root, key] = [await archiveOf(records()), join(makeFolder(), 'seal.key')]
  const seal = async (...argv: readonly string[]) =>
    expect((await run(['seal', '--key', key, '--archive', root, ...argv])).exit).toBe(0)
  await seal('--init', '--origin', 'orders.example/test')
  await seal()
  const older = join(makeFolder(), 'log')
  cpSync(join(root, 'log'), older, { recursive: true })
  for (let i = 0; i < more; i++) await seal()
  return { root, key, older }
}

describe('a journal that is less than it was', () => {
  it('is found on a machine that sealed or verified it, by every question, by verify and by seal', async () => {
    const { root, key, older } = await sealedHere(2)
    const { out } = await run(['history', TABLE, 'one', '--archive', root, '--format', 'json'])
    const id = JSON.parse(out).changes[0].event_id as string
    expect((await ask(root, 'prove', TABLE, id, '--key', `${key}.vkey`)).exit).toBe(0)
    rmSync(join(root, 'log'), { recursive: true })
    cpSync(older, join(root, 'log'), { recursive: true })
    const history = await ask(root, 'history', TABLE, 'one')
    expect([history.exit, history.said]).toEqual([
      3,
      expect.stringMatching(/the journal is cut off: it has \d entries/),
    ])
    const verify = await ask(root, 'verify', '--key', `${key}.vkey`)
    expect([verify.exit, verify.said]).toEqual([1, expect.stringContaining('✗ cut-off')])
    // what is proven is so all the same: whoever is given it does not know more than the journal that is left
    for (const argv of [[id], ['one', '--output', join(makeFolder(), 'proofs')]]) {
      const proof = await ask(root, 'prove', TABLE, ...argv, '--key', `${key}.vkey`)
      expect([proof.exit, proof.said]).toEqual([3, expect.stringMatching(/the journal is cut off: it has \d entries/)])
    }
    const seal = await ask(root, 'seal', '--key', key)
    expect([seal.exit, seal.said]).toEqual([1, expect.stringContaining('which this machine kept, is of size')])
  })

  it('is found where it is gone, and where it was begun anew with the same key', async () => {
    const { root, key } = await sealedHere(0)
    rmSync(join(root, 'log'), { recursive: true })
    const history = await ask(root, 'history', TABLE, 'one')
    expect([history.exit, history.said]).toEqual([3, expect.stringContaining('the journal is gone')])
    const verify = await ask(root, 'verify')
    expect([verify.exit, verify.said]).toEqual([1, expect.stringContaining('✗ missing  log/ is empty')])
    for (let i = 0; i < 9; i++)
      await sealFolder(root, { signers: [readKeyFile(key).signer], identity: identityOf(key) })
    const anew = await ask(root, 'verify', '--key', `${key}.vkey`)
    expect([anew.exit, anew.said]).toEqual([1, expect.stringMatching(/✗ forked[\s\S]*keep both checkpoints/)])
    expect((await ask(root, 'history', TABLE, 'one')).said).toContain('the journal is another: its first')
    expect((await ask(root, 'seal', '--key', key)).exit).toBe(1)
  })

  it('is found by a configuration that says "seal" on a machine that never saw it', async () => {
    const root = await archiveOf(records())
    const config = fileOf('itemtrail.config.json', JSON.stringify({ tables: {}, seal: true }))
    const history = await ask(root, 'history', TABLE, 'one', '--config', config)
    expect([history.exit, history.said]).toEqual([
      3,
      expect.stringContaining('log/ is empty, against the configuration, which says "seal"'),
    ])
    const verify = await ask(root, 'verify', '--config', config)
    expect([verify.exit, verify.said]).toEqual([1, expect.stringContaining('✗ missing  log/ is empty')])
    // before anything is said, there is nothing to miss
    expect((await ask(root, 'history', TABLE, 'one')).exit).toBe(0)
  })

  it('is no less for being verified again and again while it grows', async () => {
    const { root, key } = await sealedHere(0)
    for (let i = 0; i < 3; i++) {
      expect((await ask(root, 'verify', 'log', '--key', `${key}.vkey`)).exit).toBe(0)
      expect((await ask(root, 'seal', '--key', key)).exit).toBe(0)
      expect((await ask(root, 'history', TABLE, 'one')).exit).toBe(0)
    }
  })

  it('is not noticed where this machine can keep nothing, which seal and verify say', async () => {
    const { root, key } = await sealedHere(0)
    const state = process.env.XDG_STATE_HOME as string
    onTestFinished(() => {
      process.env.XDG_STATE_HOME = state
    })
    process.env.XDG_STATE_HOME = join(makeFolder(), 'no-folder')
    mkdirSync(process.env.XDG_STATE_HOME)
    // nobody can make a folder there, whoever runs the test
    symlinkSync('/proc/none/state', join(process.env.XDG_STATE_HOME, 'itemtrail'))
    for (const argv of [
      ['seal', '--key', key],
      ['verify', 'log', '--key', `${key}.vkey`],
    ]) {
      const { exit, said } = await ask(root, ...argv)
      expect([exit, said]).toEqual([
        0,
        expect.stringMatching(/no-folder\S* cannot be written, so no checkpoint is kept/),
      ])
    }
  })

  it('is not judged by a file of this machine that says something else', async () => {
    const { root } = await sealedHere(0)
    const state = join(process.env.XDG_STATE_HOME as string, 'itemtrail')
    for (const name of readdirSync(state).filter(file => file.startsWith('checkpoint-')))
      writeFileSync(join(state, name), 'nonsense')
    const { exit, said } = await ask(root, 'history', TABLE, 'one')
    expect([exit, said]).toEqual([3, expect.stringContaining('is not where this machine saw a journal end')])
  })
})

function identityOf(key: string) {
  const { verifier } = readKeyFile(key)
  return { origin: verifier.name, known: [verifier] }
}
