/** What is asked of a stack by its name alone, each command as the role that the documents name for it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { inRole, itemtrail } from './acting.js'
import type { Environment } from './emulator.js'
import { openWorld, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World
const asks = typeof opened === 'string' ? opened : opened.noQuestions

const TABLES = ['Carts', 'Members', 'Orders']

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
    expect(new Set(missing.map(({ line }) => line))).toEqual(new Set(['lag', 'until loss']))
    for (const { why } of missing) expect(why).toContain('Expressions not implemented')
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

  it('who says that the stack keeps no callers, and does not guess', async () => {
    const { code, out, err } = await as('operator', 'who', 'Orders', 'LIVE3')
    expect({ code, text: `${out}${err}` }).toEqual({ code: 3, text: expect.stringMatching(/callers/) })
  })
})
