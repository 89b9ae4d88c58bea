/** What is asked of a stack whose archive keeps something of tables that it does not capture. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { failure } from '../athena-engine.js'
import { temporaryFolder } from '../delivery/desk.js'
import { gapFact, streamsRecord } from '../factories.js'
import { BUCKET, STACK, type StackStandIn, startStackStandIn } from '../stack-stand-in.js'
import { archiveOf, run } from './command-line.js'

let stack: StackStandIn
beforeAll(async () => {
  stack = await startStackStandIn()
  const Keys = { order_id: { S: 'ORD1' } }
  await stack.upload(await archiveOf([streamsRecord({ Keys, NewImage: Keys })]))
  const [recorded, to] = ['2026-11-20T12:00:00.000000Z', '2026-11-20T11:00:00.000000Z']
  const fact = gapFact({ table: 'Old-Orders', recorded, to })
  stack.s3.add({ key: factKey(fact), bucket: BUCKET, body: Buffer.from(writeFact(fact)) })
  // of one table nobody can read the fact, of another there are rows
  stack.s3.add({ key: 'facts/Nothing/x.json', bucket: BUCKET, body: Buffer.from('{}') })
  stack.s3.add({ key: 'data/Parcels/event_date=2026-11-01/x.parquet', bucket: BUCKET })
  const answer = stack.athena.answer
  stack.athena.answer = async (sql, parameters) => {
    const [table] = /"(nothing|old_orders|parcels)(_deliveries)?"/.exec(sql) ?? []
    const words = `TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.audit.${table}' does not exist`
    return table === undefined ? answer(sql, parameters) : failure(words)
  }
})
afterAll(() => stack.stop())
beforeEach(() => {
  stack.stub()
  stack.actions.length = 0
})
afterEach(() => {
  delete stack.outputs.AuditTablesOldOrdersReplayStream
  vi.unstubAllEnvs()
})

const GONE = ['Nothing', 'Old-Orders', 'Parcels']
const onStack = (...argv: readonly string[]) => run([...argv, '--stack', STACK])
const described = () => stack.actions.filter(action => action === 'DescribeStacks').length

describe('tables that a stack does not capture cost its own no answer', () => {
  it.each(['rows', 'continuity'])('of verify %s, which names them', async part => {
    const { exit, out, err } = await onStack('verify', part, '--format', 'json')
    for (const table of GONE) expect(err).toContain(`not checked: ${table}: the stack does not capture it`)
    const tables = JSON.parse(out) as { table: string; not_checked?: string }[]
    expect(tables.flatMap(({ table, not_checked: why }) => (why === undefined ? [] : [table]))).toEqual(GONE)
    expect(tables.map(({ table }) => table)).toContain('Orders')
    expect(exit).toBe(0)
  })

  it('of verify, which says at its end what nobody looked at, and asks the stack once', async () => {
    const { exit, out } = await onStack('verify')
    expect(exit).toBe(0)
    expect(out).toContain(
      'not checked: rows and continuity of Nothing, Old-Orders, Parcels: the stack does not capture them',
    )
    expect(described()).toBe(1)
  })

  it('of status, which says that they are not asked, and asks the stack once', async () => {
    const { exit, out } = await onStack('status', '--format', 'json')
    const { tables, uncaptured, not_known: notKnown } = JSON.parse(out)
    expect(uncaptured).toEqual(GONE)
    expect(tables.map(({ table }: { table: string }) => table)).toEqual(['Orders'])
    expect(JSON.stringify(notKnown)).not.toMatch(/Nothing|Old-Orders|Parcels/)
    expect(described()).toBe(1)
    expect(exit).not.toBe(0)
    expect((await onStack('status')).out).toMatch(/^not asked +Nothing, Old-Orders, Parcels: the stack does not/m)
  })
})

it('a change is found by its id, where tables are configured that are not deployed', async () => {
  const tables = { Orders: { since: '2026-11-01' }, 'Old-Orders': { since: '2026-11-01' } }
  const config = join(temporaryFolder('config'), 'itemtrail.config.json')
  writeFileSync(config, JSON.stringify({ environment: 'test', lock: { mode: 'none' }, tables }))
  const { out } = await onStack('history', 'Orders', 'ORD1', '--format', 'json')
  const [id] = /"[0-9a-f]{32}"/.exec(out) ?? []
  const shown = await onStack('show', `${id?.slice(1, 9)}`, '--config', config)
  expect(shown).toMatchObject({ exit: 0, out: expect.stringContaining('ORD1') })
  const unknown = await onStack('show', '00000000', '--config', config)
  expect(unknown).toMatchObject({ exit: 3, err: expect.stringContaining('TABLE_NOT_FOUND') })
})

describe('what nobody can answer is said', () => {
  it('of a table that is named', async () => {
    const { exit, err } = await onStack('verify', 'rows', 'Old-Orders')
    expect({ exit, err }).toEqual({ exit: 3, err: expect.stringContaining('TABLE_NOT_FOUND') })
  })

  it('of a table that the stack captures and Athena lacks', async () => {
    stack.outputs.AuditTablesOldOrdersReplayStream = 'replay'
    const { exit, err } = await onStack('verify', 'rows')
    expect(exit).toBe(3)
    expect(err).toContain('TABLE_NOT_FOUND')
    expect(err).not.toContain('not checked: Old-Orders')
  })

  it('where no table of the archive is captured', async () => {
    const { AuditTablesOrdersReplayStream: replay, ...others } = stack.outputs
    const answer = stack.athena.answer
    stack.athena.answer = () => failure("TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist")
    stack.outputs.AuditTablesOtherReplayStream = 'replay'
    delete stack.outputs.AuditTablesOrdersReplayStream
    const { exit, err } = await onStack('verify', 'rows')
    expect({ exit, err }).toEqual({ exit: 3, err: expect.stringContaining('the stack does not capture them') })
    stack.athena.answer = answer
    delete stack.outputs.AuditTablesOtherReplayStream
    Object.assign(stack.outputs, others, { AuditTablesOrdersReplayStream: replay })
  })
})
