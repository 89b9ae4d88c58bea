/** Restore while the table, the network and the machine misbehave. Needs Java, and `npm run build`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { PlanWriter } from '../../restore/plan-file.js'
import { openPlan, readPlan } from '../../restore/plan-reader.js'
import { progressPath } from '../../restore/progress-file.js'
import type { JsonObject } from '../../transform/json.js'
import type { Loopback } from '../loopback.js'
import { type Decide, type Fate, isWrite, refusal, startProxy } from './dynamodb-proxy.js'
import { after, CREDENTIALS, type LiveTable, missing, Place, textOf } from './table.js'

const COMMAND = join(import.meta.dirname, '../../dist/cli/itemtrail.js')
const place = new Place()
let proxy: Loopback | undefined
afterEach(async () => {
  await proxy?.stop()
  proxy = undefined
})

async function through(decide: Decide): Promise<string> {
  proxy = await startProxy(place.endpoint, decide)
  return proxy.endpoint
}

/** What the tests read of an answer in JSON. */
interface Answer {
  readonly applied: Readonly<Record<string, number>>
  readonly outcomes: readonly { readonly outcome: string; readonly reason: string; readonly lost: JsonObject | null }[]
}

let plans = 0

/** A plan to bring a table back to what it was after so many changes. */
async function planOf(table: LiveTable, changes: number, ...more: string[]): Promise<string> {
  const plan = place.path(`plan-${++plans}.jsonl`)
  const { exit, err } = await table.restore([table.name, '--as-of', after(changes), '--plan', plan, ...more])
  expect([exit, err]).toEqual([0, expect.stringContaining(plan)])
  return plan
}

async function apply(table: LiveTable, plan: string, endpoint?: string) {
  const { exit, out, err } = await table.restore(['--apply', '--plan', plan, '--format', 'json'], endpoint)
  return { exit, err, answer: (exit === 0 || err === '' ? JSON.parse(out) : undefined) as Answer | undefined, out }
}

/** A table of so many items, all of which were changed, deleted or put by mistake; and what it was before. */
async function spoiltTable(items: number) {
  const table = await place.create()
  const item = (i: number, v: string) => ({ pk: { S: `i${i}` }, v: { S: v }, n: { N: String(i) } })
  for (let i = 0; i < items; i++) await table.put(item(i, 'right'))
  const was = await table.scan()
  for (let i = 0; i < items; i++) {
    if (i % 3 === 0) await table.put(item(i, 'wrong'))
    if (i % 3 === 1) await table.delete({ pk: { S: `i${i}` } })
    if (i % 3 === 2) await table.put(item(i + 1000, 'wrong'))
  }
  await table.ingest()
  return { table, was, plan: await planOf(table, items, '--delete') }
}

const title = `restore and faults${missing === undefined ? '' : ` (${missing})`}`

describe.skipIf(missing !== undefined)(title, () => {
  describe('between reading an item and writing it', () => {
    /** Does something to the table after an item was read, just before it is written. */
    const just = (something: () => Promise<unknown>): Promise<string> => {
      let isDone = false
      return through(async (operation): Promise<Fate> => {
        if (isWrite(operation) && !isDone) {
          isDone = true
          await something()
        }
        return 'pass'
      })
    }

    it('loses no attribute that somebody adds: an update leaves it, and it is told', async () => {
      const table = await place.create()
      await table.put({ pk: { S: 'a' }, v: { S: 'right' } })
      await table.put({ pk: { S: 'a' }, v: { S: 'wrong' } })
      await table.ingest()
      const plan = await planOf(table, 1)
      const endpoint = await just(() => table.put({ pk: { S: 'a' }, v: { S: 'wrong' }, added: { S: 'now' } }))
      const { exit, out } = await apply(table, plan, endpoint)
      expect(exit).toBe(1)
      expect((JSON.parse(out) as Answer).outcomes).toMatchObject([
        { outcome: 'altered', reason: expect.stringContaining('"added"') },
      ])
      expect(await table.scan()).toEqual([textOf({ pk: { S: 'a' }, v: { S: 'right' }, added: { S: 'now' } })])
    })

    it('puts back what it deleted where somebody added an attribute', async () => {
      const table = await place.create()
      await table.put({ pk: { S: 'other' } })
      await table.put({ pk: { S: 'a' }, v: { S: 'wrong' } })
      await table.ingest()
      const plan = await planOf(table, 1, '--delete')
      const endpoint = await just(() => table.put({ pk: { S: 'a' }, v: { S: 'wrong' }, added: { S: 'now' } }))
      const { exit, out } = await apply(table, plan, endpoint)
      expect(exit).toBe(1)
      expect((JSON.parse(out) as Answer).outcomes).toMatchObject([
        { outcome: 'refused', reason: expect.stringContaining('put back') },
      ])
      expect(await table.scan()).toEqual([
        textOf({ pk: { S: 'a' }, v: { S: 'wrong' }, added: { S: 'now' } }),
        textOf({ pk: { S: 'other' } }),
      ])
    })

    it('refuses an item whose attribute somebody changes', async () => {
      const table = await place.create()
      await table.put({ pk: { S: 'a' }, v: { S: 'right' }, w: { N: '1' } })
      await table.put({ pk: { S: 'a' }, v: { S: 'wrong' }, w: { N: '1' } })
      await table.ingest()
      const plan = await planOf(table, 1)
      const endpoint = await just(() => table.put({ pk: { S: 'a' }, v: { S: 'wrong' }, w: { N: '2' } }))
      const { exit, out } = await apply(table, plan, endpoint)
      expect(exit).toBe(1)
      expect((JSON.parse(out) as Answer).outcomes).toMatchObject([
        { outcome: 'refused', reason: 'it was changed after the plan was made: "w"' },
      ])
      expect(await table.scan()).toEqual([textOf({ pk: { S: 'a' }, v: { S: 'wrong' }, w: { N: '2' } })])
    })

    it('keeps what it overwrote of an item in which more differs than a condition can hold', async () => {
      const wide = (v: string): JsonObject => ({
        pk: { S: 'wide' },
        ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`a${i}`, { S: v }])),
      })
      const table = await place.create()
      await table.put(wide('right'))
      await table.put(wide('wrong'))
      await table.ingest()
      const plan = await planOf(table, 1)
      const meanwhile = { ...wide('wrong'), a99: { S: 'somebody' } }
      const { exit, out } = await apply(table, plan, await just(() => table.put(meanwhile)))
      expect(exit).toBe(1)
      const [outcome] = (JSON.parse(out) as Answer).outcomes
      expect(outcome).toMatchObject({ outcome: 'altered', reason: expect.stringContaining('"a99"') })
      expect(textOf(outcome?.lost as JsonObject)).toBe(textOf(meanwhile))
      expect(readFileSync(progressPath(plan), 'utf8')).toContain(`"lost":${textOf(meanwhile)}`)
      expect(await table.scan()).toEqual([textOf(wide('right'))])
    })
  })

  it('waits for a table that is busy, and for answers that got lost', async () => {
    const { table, was, plan } = await spoiltTable(60)
    let requests = 0
    const endpoint = await through((operation, request) => {
      const turn = ++requests % 8
      if (operation === 'BatchGetItem' && turn < 2) {
        const { RequestItems } = request
        return { status: 200, body: { Responses: {}, UnprocessedKeys: RequestItems } }
      }
      if (!isWrite(operation)) return 'pass'
      if (turn === 0) return refusal('ProvisionedThroughputExceededException')
      if (turn === 1) return refusal('InternalServerError', 500)
      return turn === 2 ? 'lose the answer' : 'pass'
    })
    const { exit, answer } = await apply(table, plan, endpoint)
    expect(exit).toBe(0)
    expect((answer?.applied.done as number) + (answer?.applied.already as number)).toBe(60)
    expect(answer?.applied.already).toBeGreaterThan(0)
    expect(await table.scan()).toEqual(was)
  })

  it('stops at what concerns every item, and goes on when it is mended', async () => {
    const { table, was, plan } = await spoiltTable(60)
    let writes = 0
    const endpoint = await through(operation =>
      isWrite(operation) && ++writes > 20 ? refusal('AccessDeniedException') : 'pass',
    )
    const stopped = await apply(table, plan, endpoint)
    expect(stopped.exit).toBe(1)
    expect(stopped.err).toContain('restore stopped: AccessDeniedException')
    expect(stopped.err).toContain(`it goes on with: itemtrail restore --apply --plan ${plan}`)
    const { exit, answer, err } = await apply(table, plan)
    expect([exit, err]).toEqual([0, expect.stringMatching(/^goes on: \d+ were restored before/)])
    expect(answer?.applied).toMatchObject({ done: 40, already: 20, refused: 0 })
    expect(await table.scan()).toEqual(was)
  })

  it('says of one item what DynamoDB has against it, and restores the others', async () => {
    const { table, was, plan } = await spoiltTable(9)
    const endpoint = await through((operation, request) => {
      const isThird = operation === 'UpdateItem' && JSON.stringify(request.Key).includes('"i3"')
      return isThird ? refusal('ValidationException') : 'pass'
    })
    const { exit, out } = await apply(table, plan, endpoint)
    expect(exit).toBe(1)
    const { applied, outcomes } = JSON.parse(out) as Answer
    expect(applied).toMatchObject({ done: 8, failed: 1 })
    expect(outcomes.find(({ outcome }) => outcome === 'failed')?.reason).toContain('ValidationException')
    expect((await table.scan()).length).toBe(was.length)
  })

  it('looks again at what it did, and says what was changed since', async () => {
    const { table, was, plan } = await spoiltTable(9)
    expect((await apply(table, plan)).answer?.applied).toMatchObject({ done: 9 })
    expect((await apply(table, plan)).answer?.applied).toMatchObject({ done: 0, already: 9 })
    expect(await table.scan()).toEqual(was)
    await table.put({ pk: { S: 'i0' }, v: { S: 'better' } })
    const { exit, out } = await apply(table, plan)
    expect([exit, (JSON.parse(out) as Answer).outcomes.find(({ outcome }) => outcome === 'refused')?.reason]).toEqual([
      1,
      'it was restored, and changed afterwards: "n", "v"',
    ])
    expect(await table.scan()).toContain(textOf({ pk: { S: 'i0' }, v: { S: 'better' } }))
  })

  it('refuses a plan for another table of the same name', async () => {
    const { table, plan } = await spoiltTable(3)
    const { header, ...rest } = await openPlan(plan)
    const path = place.path('elsewhere.jsonl')
    const writer = PlanWriter.create(path)
    for await (const item of readPlan({ header, ...rest })) writer.add(item)
    const arn = `arn:aws:dynamodb:eu-west-1:123456789012:table/${table.name}`
    await writer.finish({ ...header, target: { table: table.name, arn, id: null } })
    const before = await table.scan()
    const { exit, err } = await apply(table, path)
    expect([exit, err]).toEqual([2, expect.stringContaining(`is for table ${arn}, found arn:aws:dynamodb:ddblocal`)])
    expect(await table.scan()).toEqual(before)
  })

  it('refuses a plan whose items have another key than the table: a condition on it would hold nothing', async () => {
    const { table, plan } = await spoiltTable(3)
    const { header } = await openPlan(plan)
    const path = place.path('other-key.jsonl')
    const writer = PlanWriter.create(path)
    writer.add({
      key: '{"alias":{"S":"x"}}',
      action: 'put',
      wanted: '{"alias":{"S":"x"},"pk":{"S":"i0"}}',
      expected: 'absent',
      confidence: 'UNBROKEN',
      reason: null,
    })
    await writer.finish({ ...header, counts: { put: 1, update: 0, delete: 0, leave: 0, skip: 0, same: 0 } })
    const before = await table.scan()
    const { exit, out, err } = await apply(table, path)
    expect([exit, out, err]).toEqual([2, '', expect.stringContaining('has items with the key ["alias"]')])
    expect(await table.scan()).toEqual(before)
  })

  describe('in a process of its own', () => {
    const start = (plan: string, endpoint: string): ChildProcess => {
      const argv = [COMMAND, 'restore', '--apply', '--plan', plan, '--format', 'json', '--endpoint', endpoint]
      return spawn(process.execPath, argv, {
        env: { ...process.env, ...CREDENTIALS },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    }

    it('keeps the plan that it performs in the working folder, and none that has nothing to do', async () => {
      const { table } = await spoiltTable(3)
      const cwd = mkdtempSync(place.path('cwd-'))
      const argv = ['restore', table.name, 'i0', '--as-of', after(3), '--apply', '--endpoint', place.endpoint]
      const restore = () =>
        spawnSync(process.execPath, [COMMAND, ...argv, '--archive', table.archive], {
          cwd,
          env: { ...process.env, ...CREDENTIALS },
          encoding: 'utf8',
        })
      const first = restore()
      expect([first.status, first.stdout]).toEqual([0, expect.stringContaining('1 restored\n')])
      const names = readdirSync(cwd).sort()
      expect(names).toEqual([
        expect.stringMatching(new RegExp(`^restore-${table.name}-20261119T030002Z-\\w+\\.jsonl$`)),
        `${names[0]}.progress`,
      ])
      const second = restore()
      expect([second.status, second.stdout]).toEqual([0, expect.stringContaining('0 restored\n')])
      expect(readdirSync(cwd).sort()).toEqual(names)
    })

    /** When to kill: at the nth write, before DynamoDB sees it or after it has done it. */
    const KILLS = [1, 6, 11, 17, 24].flatMap(write => [
      { write, done: false },
      { write, done: true },
    ])

    it('loses nothing and does nothing twice when it is killed at any write', async () => {
      const { table, was } = await spoiltTable(24)
      const spoilt = await table.scan()
      for (const { write, done } of KILLS) {
        const copy = await planOf(table, 24, '--delete')
        let writes = 0
        let child: ChildProcess | undefined
        const endpoint = await through(operation => {
          if (!isWrite(operation) || ++writes !== write) return 'pass'
          if (!done) child?.kill('SIGKILL')
          else setTimeout(() => child?.kill('SIGKILL'), 5)
          return done ? 'lose the answer' : refusal('InternalServerError', 500)
        })
        child = start(copy, endpoint)
        const [, signal] = await once(child, 'exit')
        expect([write, done, signal]).toEqual([write, done, 'SIGKILL'])
        await proxy?.stop()
        const { exit, answer } = await apply(table, copy)
        const { applied } = answer as Answer
        expect([write, done, exit, (applied.done as number) + (applied.already as number)]).toEqual([
          write,
          done,
          0,
          24,
        ])
        expect(await table.scan()).toEqual(was)
        await spoil(table, spoilt)
      }
    })

    it('does no harm beside another with the same plan', async () => {
      const { table, was, plan } = await spoiltTable(60)
      const children = [start(plan, place.endpoint), start(plan, place.endpoint)]
      const answers = await Promise.all(
        children.map(async child => {
          let out = ''
          child.stdout?.on('data', chunk => (out += chunk))
          const [code] = await once(child, 'close')
          return { code, applied: (JSON.parse(out) as Answer).applied }
        }),
      )
      expect(answers.map(({ code }) => code)).toEqual([0, 0])
      const sum = (outcome: string) => answers.reduce((total, { applied }) => total + (applied[outcome] as number), 0)
      expect([sum('done'), sum('already'), sum('refused')]).toEqual([60, 60, 0])
      expect(await table.scan()).toEqual(was)
    })
  })
})

/** Makes a table what it was, by other means. */
async function spoil(table: LiveTable, items: readonly string[]): Promise<void> {
  for (const item of await table.scan()) await table.delete({ pk: (JSON.parse(item) as { pk: object }).pk })
  for (const item of items) await table.put(item)
}
