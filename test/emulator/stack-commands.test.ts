/** What is asked of a stack by its name alone, each command as the role that the documents name for it. */

import { PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { inRole, itemtrail } from './acting.js'
import type { Environment } from './emulator.js'
import { onCall } from './on-call.js'
import { clientsOf } from './stack.js'
import { openWorld, outputOf, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World
const asks = typeof opened === 'string' ? opened : opened.noQuestions

const TABLES = ['Carts', 'Members', 'Orders']

/** What a question scanned, as it tells on standard error. */
function bytesOf(err: string): number {
  const [, number, unit] = /([\d.]+) (bytes|kB|MB) scanned/.exec(err) ?? []
  return Number(number) * { bytes: 1, kB: 2 ** 10, MB: 2 ** 20 }[unit as 'bytes' | 'kB' | 'MB']
}

interface Status {
  readonly tables: readonly { readonly table: string; readonly last_change: string | null }[]
  readonly not_known: readonly { readonly table: string | null; readonly line: string; readonly why: string }[]
}

describe.skipIf(asks !== undefined)(`asked of a stack${asks === undefined ? '' : ` (${asks})`}`, () => {
  let people: Readonly<Record<'query' | 'operator' | 'baseliner', Environment>>
  beforeAll(async () => {
    people = {
      query: await inRole(world, 'QueryUserRole'),
      operator: await inRole(world, 'OperatorRole'),
      baseliner: await inRole(world, 'BaselineRole'),
    }
  })
  const as = (who: keyof typeof people, ...argv: string[]) => itemtrail(world, [...argv, '--stack', STACK], people[who])

  it('status tells of every table to who is on call; what the emulator does not measure it says by name', async () => {
    const page = await as('operator', 'status')
    for (const table of TABLES) expect(page.out).toMatch(new RegExp(`^${table}$`, 'm'))
    expect(page.out).toMatch(/^alarms +(\d+ up|none up) of \d+$/m)
    const { tables, not_known } = JSON.parse((await as('operator', 'status', '--format', 'json')).out) as Status
    const ours = tables.filter(({ table }) => TABLES.includes(table))
    expect(ours.map(({ table, last_change }) => [table, typeof last_change])).toEqual(TABLES.map(it => [it, 'string']))
    const missing = not_known.filter(({ table }) => table === null || TABLES.includes(table))
    expect(new Set(missing.map(({ line }) => line))).toEqual(new Set(['canary', 'lag', 'until loss']))
    for (const { line, why } of missing)
      expect(why).toContain(line === 'canary' ? 'not measured for 3 hours' : 'Expressions not implemented')
  })

  it.each([
    ['continuity Orders', /^ {2}balance +each state was left as often as it was entered$/m],
    ['rows Orders', /^Orders: [\d,]+ rows are what they were/m],
    ['log', /^VERIFIED: what was sealed until /m],
    ['objects', /^objects +[\d,]+ as sealed/m],
  ] as const)('verify %s is answered to who asks questions', async (what, found) => {
    const { code, out, err } = await as('query', 'verify', ...what.split(' '))
    expect({ code, out, err }).toEqual({ code: 0, out: expect.stringMatching(found), err: expect.anything() })
  })

  it('verify continuity counts a period apart', async () => {
    const { out } = await as('query', 'verify', 'continuity', 'Orders', '--from', '2026-11-01T00:00:00Z')
    expect(out).toMatch(/^ {2}items +[\d,]+, with [\d,]+ changes$/m)
  })

  it('reconcile compares a table with the archive where it is, and says what differs', async () => {
    const { code, out } = await as('baseliner', 'reconcile', 'Carts', '--scan')
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^equal +15 items/m) })
  })

  it('history and as-of hold their answer against the item itself, for who may read it', async () => {
    const history = await as('operator', 'history', 'Orders', 'LIVE3', '--format', 'json')
    expect(JSON.parse(history.out).live).toMatchObject({ state: expect.any(String) })
    const now = await as('operator', 'as-of', 'Orders', 'LIVE3', 'now')
    expect(now.code).toBe(0)
    expect((await as('query', 'as-of', 'Orders', 'LIVE3', 'now')).err).toMatch(/AccessDenied|not authorized/)
  })

  it('history says the same from the copy by item once it was compacted, and reads less', async () => {
    const history = ['history', 'Orders', 'ORD12345', '--format', 'json']
    const before = await as('query', ...history)
    await onCall(world).call(/Orders.*CompactionFunction[^/]*$/)
    const after = await as('query', ...history)
    expect(after.out).toBe(before.out)
    expect(bytesOf(after.err)).toBeLessThan(bytesOf(before.err))
    expect((await as('operator', 'status')).out).toMatch(/^compacted +\d{4}-/m)
  })

  it('verify names what the stack does not capture, and answers for the rest', async () => {
    // other files put facts of no table there
    const Key = 'facts/Nothing/seen.json'
    const Bucket = outputOf(world, 'ArchiveBucket')
    await clientsOf(world.environment).s3.send(new PutObjectCommand({ Bucket, Key, Body: '{}' }))
    const { code, out, err } = await as('query', 'verify', 'rows')
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('not checked: Nothing: the stack does not') })
    for (const table of TABLES) expect(out).toContain(`${table}: `)
  })
})
