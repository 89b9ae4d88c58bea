import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { type TailCheckpoint, writeCheckpoint } from '../../capture/tail-checkpoint.js'
import { lockTail } from '../../delivery/tail-state.js'
import { streamsRecord } from '../factories.js'
import { archiveOf, run } from './command-line.js'

const HOUR = 60 * 60 * 1000
const STREAM = 'arn:aws:dynamodb:eu-central-1:111122223333:table/Orders/stream/2026-01-01T00:00:00.000'

describe('the status of a table', () => {
  let root: string
  beforeEach(async () => {
    root = await archiveOf([
      streamsRecord({ Keys: { order_id: { S: 'ORD1' } }, NewImage: { order_id: { S: 'ORD1' } } }),
    ])
  })
  const status = () => run(['status', '--archive', root])
  const tableOf = async () => {
    const { out, exit } = await run(['status', '--archive', root, '--format', 'json'])
    return { exit, ...(JSON.parse(out) as { tables: [{ tail: object | null }] }).tables[0] }
  }

  function tailed(hoursAgo: number, more: Partial<TailCheckpoint> = {}): void {
    const saved = Date.now() - hoursAgo * HOUR
    const position = { parent: null, state: 'reading', after: '1', madeAt: saved, emptyAt: null } as const
    mkdirSync(join(root, '.tail'), { recursive: true })
    const checkpoint = { table: 'Orders', stream: STREAM, finished: false, saved, shards: { s: position }, ...more }
    writeFileSync(join(root, '.tail/Orders.json'), writeCheckpoint(checkpoint))
  }

  function fact(kind: string, fields: object): void {
    const recorded = '2026-11-22T11:00:00.000000Z'
    const base = {
      version: 'fact/v1',
      kind,
      table: 'Orders',
      recorded,
      source: STREAM,
      to: '2026-11-22T10:00:00.000000Z',
    }
    mkdirSync(join(root, 'facts/Orders'), { recursive: true })
    writeFileSync(
      join(root, `facts/Orders/20261122T110000.000000Z-${kind}.json`),
      JSON.stringify({ ...base, ...fields }),
    )
  }

  it('tells when its last change was made and delivered, and that nobody ever looked', async () => {
    const { exit, out } = await status()
    expect(exit).toBe(0)
    expect(out).toMatch(
      /^Orders: last change \d+ \w+ ago, delivered \d{4}-.*Z, no gap recorded, never compared with the table$/m,
    )
    expect(await tableOf()).toMatchObject({ gaps: 0, compared: null, tail: null })
  })

  it('tells of a tail that does not run, and how long its stream keeps what is missing', async () => {
    tailed(2)
    const { exit, out } = await status()
    expect(exit).toBe(0)
    expect(out).toMatch(
      /^Orders: tail does not run, it saved .*Z, the stream keeps what is not here for another 21 hours$/m,
    )
    expect((await tableOf()).tail).toMatchObject({ running: false, finished: false, behind: false })
  })

  it('ends with 1 once less than half of what the stream keeps is left', async () => {
    tailed(13)
    const { exit, out } = await status()
    expect([exit, out]).toEqual([1, expect.stringContaining('Orders: BEHIND: tail does not run')])
    tailed(40)
    expect(await tableOf()).toMatchObject({ exit: 1, tail: { behind: true, until_loss: 0 } })
    tailed(40, { finished: true })
    expect(await tableOf()).toMatchObject({ exit: 0, tail: { behind: false, until_loss: null, finished: true } })
  })

  it('knows a tail that runs', async () => {
    tailed(0)
    const lock = lockTail(root, 'Orders')
    if (typeof lock === 'number') throw new Error(`process ${lock} tails`)
    expect((await tableOf()).tail).toMatchObject({ running: true })
    expect((await status()).out).toContain('Orders: tail runs, it saved')
    lock.release()
    expect((await tableOf()).tail).toMatchObject({ running: false })
  })

  it('does not believe a checkpoint that cannot be read, and says so', async () => {
    mkdirSync(join(root, '.tail'))
    writeFileSync(join(root, '.tail/Orders.json'), '{')
    const { exit, err } = await status()
    expect([exit, err]).toEqual([3, expect.stringContaining('how far the tail is is not known')])
  })

  it('tells of gaps that are recorded, and of the last comparison', async () => {
    fact('gap', { shard: 's', after: null, before: null, from: null, reason: 'trimmed' })
    const compared = {
      method: 'scan',
      from: '2026-11-22T09:59:00.000000Z',
      items: 1,
      unsettled: [],
      digest: '0'.repeat(64),
    }
    fact('reconciliation', { ...compared, differing: [{ key: '{"order_id":{"S":"ORD1"}}', since: null }] })
    expect((await status()).out).toMatch(/, 1 gap recorded, compared 2026-11-22 10:00:00Z: 1 item differed$/m)
    expect(await tableOf()).toMatchObject({ gaps: 1, compared: { time: '2026-11-22T10:00:00.000000Z', differing: 1 } })
  })
})
