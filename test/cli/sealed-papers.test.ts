/**
 * What is handed out of a sealed archive, after somebody was at it: receipts asked again, plans of a restore, comparisons.
 * `ITEMTRAIL_TAMPERINGS=30` tries each tampering so often, each time elsewhere.
 */
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readKeyFile } from '../../journal/key-file.js'
import { sealFolder } from '../journal/desk-journal.js'
import { change } from '../queries/story.js'
import { type Random, randomOf } from '../random.js'
import { parquetUnder } from '../store/altering.js'
import { writeExport } from '../table-export.js'
import { archiveOf, makeFolder, run } from './command-line.js'

const SEEDS = Number(process.env.ITEMTRAIL_TAMPERINGS ?? 2)

const v = (n: number) => ({ v: { N: String(n) } })
const DAYS = [17, 18, 19, 20, 21]
const ITEMS = ['one', 'two', 'three']

/** Every item changes on every day; a forged day tells of values that never were. */
function records(forged?: number) {
  const told = (day: number) => (day < 17 ? undefined : v(day === forged ? 666 : day))
  return DAYS.flatMap((day, d) =>
    ITEMS.map((item, i) =>
      change(item, `${day}T1${i}:00:00`, told(day - 1), told(day), {
        eventID: `event-${day}-${item}`,
        SequenceNumber: String(1000 + d * 10 + i),
      }),
    ),
  )
}

let origin: string
let older: string
let key: string
const forgeries = new Map<number, string>()
beforeAll(async () => {
  key = join(makeFolder(), 'seal.key')
  origin = await archiveOf(records())
  const seal = (...argv: readonly string[]) => run(['seal', '--key', key, '--archive', origin, ...argv])
  expect((await seal('--init', '--origin', 'orders.example/test')).exit).toBe(0)
  expect((await seal()).exit).toBe(0)
  older = join(makeFolder(), 'log')
  cpSync(join(origin, 'log'), older, { recursive: true })
  expect((await seal()).exit).toBe(0)
  for (const day of DAYS) forgeries.set(day, await archiveOf(records(day)))
})

const oneOf = <T>(random: Random, of: readonly T[]) => of[Math.floor(random() * of.length)] as T

async function beginAnew(root: string): Promise<void> {
  rmSync(join(root, 'log'), { recursive: true })
  const { signer, verifier } = readKeyFile(key)
  const identity = { origin: verifier.name, known: [verifier] }
  for (let i = 0; i < 9; i++) await sealFolder(root, { signers: [signer], identity })
}

function forge(root: string, random: Random): void {
  const day = oneOf(random, DAYS)
  const within = join('data', 'Orders', `event_date=2026-11-${day}`)
  const [to, from] = [root, forgeries.get(day) as string].map(of =>
    join(of, within, readdirSync(join(of, within))[0] as string),
  ) as [string, string]
  cpSync(from, to)
}

/** By name; whether the objects tell, or the journal alone, which a machine that never saw it cannot know. */
const TAMPERINGS: Readonly<Record<string, (root: string, random: Random) => void | Promise<void>>> = {
  'forges an object with all hashes right': forge,
  'forges it and begins the journal anew with the same key': async (root, random) => {
    forge(root, random)
    await beginAnew(root)
  },
  'removes an object': (root, random) => rmSync(oneOf(random, parquetUnder(root))),
  'removes a day': (root, random) => rmSync(dirname(oneOf(random, parquetUnder(root))), { recursive: true }),
  'swaps two objects': root => {
    const [first = '', second = ''] = parquetUnder(root)
    renameSync(first, `${first}.x`)
    renameSync(second, first)
    renameSync(`${first}.x`, second)
  },
  'cuts the journal': root => {
    rmSync(join(root, 'log'), { recursive: true })
    cpSync(older, join(root, 'log'), { recursive: true })
  },
  'removes the journal': root => rmSync(join(root, 'log'), { recursive: true }),
}

const NOW = '2026-11-22T00:00:00Z'
const truth = () =>
  writeExport(makeFolder(), {
    files: [ITEMS.map(item => ({ Item: { order_id: { S: item }, ...v(21) } }))],
  })

const receipted = async (root: string) => {
  const receipt = join(makeFolder(), 'receipt.json')
  const period = ['--param', 'from=2026-11-17T00:00:00Z', '--param', 'to=2026-11-21T12:00:00.000001Z']
  const asked = ['query', 'changes-between', 'Orders', ...period, '--archive', root, '--receipt', receipt]
  expect((await run(asked)).exit).toBe(0)
  return receipt
}

const PAPERS: Readonly<Record<string, (root: string, receipt: string) => readonly string[]>> = {
  rerun: (_, receipt) => ['rerun', receipt],
  restore: () => ['restore', 'Orders', '--as-of', NOW, '--output', join(makeFolder(), 'out')],
  reconcile: () => ['reconcile', 'Orders', '--export', truth(), '--no-fact'],
}

/** In the very place that this machine knows, so that what it remembers is of it. */
async function inPlace<T>(tamper: (root: string) => void | Promise<void>, use: () => Promise<T>): Promise<T> {
  const kept = join(makeFolder(), 'kept')
  cpSync(origin, kept, { recursive: true, preserveTimestamps: true })
  try {
    await tamper(origin)
    return await use()
  } finally {
    rmSync(origin, { recursive: true })
    cpSync(kept, origin, { recursive: true, preserveTimestamps: true })
  }
}

describe.each(Object.keys(PAPERS))('%s, of a sealed archive', name => {
  const ask = async (receipt: string) => {
    const { exit, out, err } = await run([...(PAPERS[name]?.(origin, receipt) ?? []), '--archive', origin])
    return { exit, said: out + err }
  }

  it('finds nothing where nobody was', async () => {
    expect(await ask(await receipted(origin))).toEqual({ exit: 0, said: expect.anything() })
  })

  it.each(Object.entries(TAMPERINGS))('notices whoever %s', async (_, tamper) => {
    const receipt = await receipted(origin)
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { exit, said } = await inPlace(
        root => tamper(root, randomOf(seed)),
        () => ask(receipt),
      )
      expect({ seed, said, exit: exit === 0 ? 'nothing noticed' : exit }).toEqual({
        seed,
        said: expect.stringMatching(/journal|sealed|no longer there|CHANGED/),
        exit: expect.any(Number),
      })
    }
  })
})

describe('a receipt on another machine, which never saw the journal', () => {
  it.each(['cuts the journal', 'removes the journal', 'forges it and begins the journal anew with the same key'])(
    'tells whoever %s',
    async how => {
      const receipt = await receipted(origin)
      const state = process.env.XDG_STATE_HOME
      process.env.XDG_STATE_HOME = makeFolder()
      try {
        const copy = join(makeFolder(), 'copy')
        cpSync(origin, copy, { recursive: true, preserveTimestamps: true })
        expect((await run(['rerun', receipt, '--archive', copy])).exit).toBe(0)
        await TAMPERINGS[how]?.(copy, randomOf(1))
        const { exit, out } = await run(['rerun', receipt, '--archive', copy])
        expect([exit, out]).toEqual([1, expect.stringMatching(/entries.*(begun anew|journal)/)])
      } finally {
        process.env.XDG_STATE_HOME = state
      }
    },
  )
})
