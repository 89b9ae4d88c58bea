/** `itemtrail tail` in this process: what it says and what it leaves, over a scripted stream. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readCheckpoint, writeCheckpoint } from '../../capture/tail-checkpoint.js'
import { describeStatus, TailProgress } from '../../cli/commands/tail/progress.js'
import { escaping } from '../../cli/show/terminal.js'
import { type ScriptedShard, type ScriptedStream, type StreamsServer, startStreamsServer } from '../streams-server.js'
import { type Ending, fileOf, makeFolder, run } from './command-line.js'
import { expectContract } from './contract.js'

let server: StreamsServer
let stream: ScriptedStream
let shard: ScriptedShard
let root: string
beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local')
  vi.stubEnv('AWS_REGION', 'us-east-1')
  server = await startStreamsServer()
  stream = server.addStream()
  shard = server.addShard(stream)
  root = join(makeFolder(), 'archive')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.stop()
})

const tail = (...more: readonly string[]): Promise<Ending> =>
  run(['tail', 'Orders', '--archive', root, '--endpoint', server.endpoint, '--until-caught-up', ...more])

/** A stream that is over is read to its end without waiting for more. */
function close(): void {
  shard.closed = true
  stream.status = 'DISABLED'
}

/** As if the last tail had been two days ago. */
function setBack(): void {
  const path = join(root, '.tail/Orders.json')
  const ago = Date.now() - 48 * 3_600_000
  const checkpoint = readCheckpoint(readFileSync(path), path)
  const shards = Object.entries(checkpoint.shards).map(([id, position]) => [
    id,
    { ...position, madeAt: position.madeAt && ago, emptyAt: position.emptyAt && ago },
  ])
  writeFileSync(path, writeCheckpoint({ ...checkpoint, shards: Object.fromEntries(shards) }))
}

describe('tail', () => {
  it('archives what the stream holds, as ingest does, and answers from it', async () => {
    for (let i = 0; i < 7; i++) server.write(shard, 'ORD1', Date.now() - 60_000 + i * 1000)
    const { exit, out, err } = await tail()
    expect([exit, out]).toEqual([0, 'table   records  rows  refused  objects\nOrders  7        7     0        1\n'])
    expect(err).toBe('caught up\n')
    expect((await run(['history', 'Orders', 'ORD1', '--archive', root])).out).toContain('7 changes')
    expect(readdirSync(root).sort()).toEqual(['.staging', '.tail', 'config', 'data'])
    expect(readdirSync(join(root, '.staging'))).toEqual([])
    // nothing new makes no object
    expect((await tail()).out).toContain('Orders  0        0     0        0')
  })

  it('keeps the contract of its JSON', async () => {
    const now = Date.now()
    for (const hours of [60, 50, 40]) server.write(shard, 'ORD1', now - hours * 3_600_000)
    expect((await tail('--format', 'json')).exit).toBe(0)
    setBack()
    shard.trimmed = 3
    const next = server.addStream()
    const other = server.addShard(next)
    server.write(other, 'ORD1', now)
    // a record of a time that cannot be
    server.write(other, 'ORD2', -1000)
    const found = await tail('--format', 'json')
    expect(found.exit).toBe(1)
    stream = next
    shard = other
    close()
    await tail()
    server.table = { name: 'Orders', latest: undefined }
    const nothing = await tail('--format', 'json')
    expect(nothing.exit).toBe(1)
    const answers = [found, nothing].map(({ out }) => JSON.parse(out))
    const gap = { ...answers[0].gaps[0] }
    expect(gap).toMatchObject({ stream: server.streams[0]?.arn, shard: server.streams[0]?.shards[0]?.id, before: null })
    expect(answers.map(({ ending }) => ending)).toEqual(['caught-up', 'disabled'])
    const unknown = { ...gap, after: null, before: '1', from: null }
    // what no short test can make: a shard of which nothing was ever read
    expectContract(
      'tail',
      [{ ...answers[0], gaps: [gap, unknown] }, answers[1]],
      ['misfits[].column', 'misfits[].values', 'misfits[].example'],
    )
  })

  it('writes a gap into the archive and ends with 1', async () => {
    server.write(shard, 'ORD1', Date.now())
    await tail()
    setBack()
    shard.trimmed = 1
    close()
    const { exit, err } = await tail()
    expect(exit).toBe(1)
    expect(err).toContain(`GAP in shard ${shard.id} between `)
    expect(err).toContain('1 gap is kept under facts/')
    const [name] = readdirSync(join(root, 'facts/Orders'))
    expect(name).toMatch(/-gap\.json$/)
    expect(JSON.parse(readFileSync(join(root, 'facts/Orders', name as string), 'utf8'))).toMatchObject({ kind: 'gap' })
  })

  it('keeps what it cannot understand, and ends with 1', async () => {
    server.write(shard, 'ORD1', -1000)
    close()
    const { exit, out, err } = await tail()
    expect([exit, out]).toEqual([1, expect.stringContaining('Orders  1        0     1        0')])
    expect(err).toContain('1 refused of Orders')
    expect(existsSync(join(root, 'refused/processing-failed/Orders'))).toBe(true)
  })

  it('takes the configuration of the table, and none that is of another', async () => {
    server.write(shard, 'ORD1', Date.now())
    const config = (table: object) => fileOf('itemtrail.config.json', JSON.stringify({ tables: { Orders: table } }))
    const ofOther = await tail('--config', config({ keys: ['customer'] }))
    expect([ofOther.exit, ofOther.err]).toEqual([
      2,
      'itemtrail: table "Orders" has the keys order_id, the configuration says customer\n',
    ])
    const kinesis = await tail('--config', config({ capture: 'kinesis', keys: ['order_id'] }))
    expect([kinesis.exit, kinesis.err]).toEqual([2, expect.stringContaining('capture "kinesis"')])
    close()
    await tail('--config', config({ keys: ['order_id'], columns: { value: 'bigint' } }))
    const { out } = await run(['sql', 'select key_order_id, new_value from orders', '--archive', root])
    expect(out).toMatch(/key_order_id {2}new_value\nORD1 +\d+\n/)
  })

  it('refuses to guess at a checkpoint that cannot be read', async () => {
    mkdirSync(join(root, '.tail'), { recursive: true })
    writeFileSync(join(root, '.tail/Orders.json'), '{"version":"tail-checkpoint/v1","table":"Ord')
    const { exit, err } = await tail()
    expect([exit, err]).toEqual([3, expect.stringContaining('.tail/Orders.json: is no JSON: line 1')])
    expect(err).toContain('without the file everything that the stream still holds is read again, and counts once')
  })

  it.each([
    [['--endpoint', 'localhost'], 2, 'endpoint is "localhost", expected a URL such as http://localhost:8000'],
    [['--endpoint', 'ftp://localhost'], 2, 'endpoint is "ftp://localhost", expected a URL'],
    [['--endpoint', 'http://127.0.0.1:1'], 3, 'table "Orders" cannot be read, http://127.0.0.1:1 does not answer'],
    [['--flush-interval', '0'], 2, 'flush interval is "0", expected 0.1 to 3600 seconds'],
    [['--flush-interval', 'soon'], 2, 'flush interval is "soon", expected 0.1 to 3600 seconds'],
  ])('refuses %j', async (more, code, message) => {
    const { exit, out, err } = await tail(...more)
    expect([exit, out, err]).toEqual([code, '', expect.stringContaining(`itemtrail: ${message}`)])
    expect(existsSync(root)).toBe(false)
  })

  it('says where it looked for a table that is not there', async () => {
    server.table = undefined
    const { exit, err } = await tail()
    const hint = 'DynamoDB Local keeps the tables of each access key and region apart'
    expect([exit, err]).toEqual([2, `itemtrail: table "Orders" is not there\n  ${hint}\n`])
    server.table = { name: 'Orders', latest: undefined }
    expect((await tail()).err).toContain(
      'table "Orders" has no stream\n  aws dynamodb update-table --table-name Orders',
    )
  })

  it('takes the name of a table and nothing else for one', async () => {
    const { exit, err } = await run(['tail', '../Orders', '--archive', root, '--endpoint', server.endpoint])
    expect([exit, err]).toEqual([
      2,
      expect.stringContaining('table is "../Orders", expected a name of 3 to 255 letters'),
    ])
  })

  it('says so when it is not let in, and leaves the archive as it was', async () => {
    server.fault = ({ operation }) => (operation === 'DescribeTable' ? { error: 'AccessDeniedException' } : undefined)
    const { exit, err } = await tail()
    expect([exit, err]).toEqual([
      3,
      'itemtrail: table "Orders" cannot be read: AccessDeniedException: AccessDeniedException on demand\n',
    ])
    server.fault = ({ operation }) => (operation === 'GetRecords' ? { error: 'AccessDeniedException' } : undefined)
    expect((await tail()).err).toContain('itemtrail: stream of Orders cannot be read: AccessDeniedException')
  })
})

describe('the status of a tail', () => {
  const status = {
    stream: 'arn',
    records: 1234,
    shards: { reading: 3, waiting: 0, ended: 5 },
    lag: 12_000,
    newest: 0,
    untilLoss: 86_000_000,
  }

  it('shows changes, rate, lag, shards and the time until loss', () => {
    expect(describeStatus('Orders', status, 56.4)).toBe(
      'Orders  1,234 changes, 56/s  12 s behind  3 shards  23.9 h until loss',
    )
    const first = { ...status, records: 1, shards: { reading: 1, waiting: 2, ended: 0 }, lag: null, untilLoss: null }
    expect(describeStatus('Orders', first, 0)).toBe('Orders  1 change, 0/s  lag not known yet  1 shard and 2 waiting')
    expect(describeStatus('Orders', { ...status, lag: 0 }, 0)).toContain('  caught up  ')
  })

  /** What is shown of a tail whose clock and terminal the test has in hand. */
  function shown(errIsTerminal: boolean, columns?: number) {
    let now = 0
    const written: string[] = []
    const io = { errIsTerminal, columns, err: (text: string) => void written.push(text) }
    const progress = new TailProgress(escaping(io as never), 'Orders', () => now)
    return { progress, written, pass: (ms: number) => (now += ms) }
  }

  it('rewrites one line on a terminal and keeps to its width', () => {
    const { progress, written, pass } = shown(true, 40)
    progress.update({ ...status, records: 0 })
    pass(100)
    progress.update({ ...status, records: 50 })
    pass(900)
    progress.update({ ...status, records: 100 })
    progress.end()
    expect(written.length).toBe(3)
    expect(written[1]).toBe('\r\u001b[KOrders  100 changes, 100/s  12 s behin…')
    expect(written[2]).toBe('\r\u001b[K')
  })

  it('writes a line now and then elsewhere, seldom while nothing happens', () => {
    const { progress, written, pass } = shown(false)
    for (let second = 0; second <= 3600; second += 10) {
      progress.update({ ...status, records: Math.min(second, 60) })
      pass(10_000)
    }
    // after 30 and 60 seconds, then every quarter of an hour
    expect(written.length).toBe(5)
    expect(written[0]).toBe('Orders  30 changes, 1/s  12 s behind  3 shards  23.9 h until loss\n')
  })

  it('does not repeat a failure that goes on', () => {
    const { progress, written, pass } = shown(false)
    for (let i = 0; i < 10; i++) {
      progress.retry(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }))
      pass(5_000)
    }
    expect(written).toEqual(
      Array(2).fill('stream of Orders could not be read, trying again: ThrottlingException: slow down\n'),
    )
  })
})
