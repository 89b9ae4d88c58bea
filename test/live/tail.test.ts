/** `itemtrail tail` as a process, over a real table that is written to meanwhile. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteTableCommand, type DynamoDBClient, PutItemCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkpointPath } from '../../delivery/tail-state.js'
import { DiskArchive } from '../../store/folder.js'
import { readFacts } from '../../store/kept-facts.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'
import { randomOf } from '../random.js'
import { reportFigures } from '../reliability/figures.js'
import { Judge } from './judge.js'
import { connect, createTable, startItemtrail } from './live-table.js'
import { WORKLOAD_TABLES, Workload, type WorkloadTable } from './workload.js'

const missing = missingForDynamoDbLocal()

/** More of them: `KILLS=50 npm run test:live -- tail`. */
const KILLS = Number(process.env.KILLS ?? 6)
const SEED = 20261125

describe.skipIf(missing !== undefined)(`tail on DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  let local: DynamoDbLocal
  let table: DynamoDBClient
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-tail-'))
  beforeAll(async () => {
    local = await startDynamoDbLocal()
    table = connect(local.endpoint)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await local?.stop()
  })

  const start = (argv: readonly string[]) => startItemtrail(['tail', ...argv], local.endpoint)
  const catchUp = (name: string, root: string) =>
    start([name, '--archive', root, '--until-caught-up', '--format', 'json']).ended
  const put = (TableName: string, id: string) =>
    table.send(new PutItemCommand({ TableName, Item: { order_id: { S: id } } }))
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await sleep(20)
  }

  it(
    `loses nothing and counts nothing twice, killed ${KILLS} times at random instants`,
    async () => {
      const orders: WorkloadTable = { ...(WORKLOAD_TABLES[0] as WorkloadTable), name: 'Killed' }
      const workload = new Workload({ endpoint: local.endpoint, tables: [orders], seed: SEED })
      await workload.createTables()
      const root = join(folder, 'killed')
      let [writing, killedAtWork] = [true, 0]
      const writer = (async () => {
        while (writing) {
          await workload.step()
          await sleep(10)
        }
      })()
      const random = randomOf(SEED)
      // how long a tail takes until it is at work tells where the instants should lie
      const begun = performance.now()
      const first = start([orders.name, '--archive', root, '--flush-interval', '0.2'])
      await until(() => existsSync(checkpointPath(root, orders.name)))
      const warm = performance.now() - begun
      first.child.kill('SIGKILL')
      await first.ended
      for (let i = 1; i < KILLS; i++) {
        const before = readFileSync(checkpointPath(root, orders.name), 'utf8')
        const { child, ended } = start([orders.name, '--archive', root, '--flush-interval', '0.2'])
        await sleep(warm * 0.8 + random() * (warm + 400))
        child.kill('SIGKILL')
        expect((await ended).signal).toBe('SIGKILL')
        if (readFileSync(checkpointPath(root, orders.name), 'utf8') !== before) killedAtWork++
      }
      writing = false
      await writer
      const { exit, out } = await catchUp(orders.name, root)
      expect([exit, JSON.parse(out).gaps]).toEqual([0, []])
      const judge = await Judge.open(root)
      await judge.expectVersions(orders.name, workload.versions)
      expect(await judge.countRows(orders.name)).toBeGreaterThanOrEqual(workload.versions.length)
      judge.close()
      // the expectations above have held: where they do not, no figures are written
      reportFigures('kills', {
        columns: [
          'killed at random instants',
          'of these at work on records',
          'versions written meanwhile',
          'lost',
          'counted twice',
        ],
        rows: [[`${KILLS}`, `${killedAtWork}`, `${workload.versions.length}`, '0', '0']],
      })
      // else it would have been killed only before it did anything
      expect(killedAtWork).toBeGreaterThan(0)
      expect(readdirSync(join(root, '.tail')).filter(name => !name.endsWith('.lock'))).toContain('Killed.json')
    },
    100_000 + KILLS * 20_000,
  )

  it('ends in order on SIGTERM, with what it has read in the archive', async () => {
    await createTable(table, 'Stopped')
    for (const id of ['1', '2', '3']) await put('Stopped', id)
    const root = join(folder, 'stopped')
    const { child, ended } = start(['Stopped', '--archive', root, '--format', 'json'])
    await until(() => existsSync(checkpointPath(root, 'Stopped')))
    await sleep(1000)
    child.kill('SIGTERM')
    const { exit, out, err } = await ended
    expect([exit, JSON.parse(out)]).toMatchObject([0, { ending: 'stopped', rows: 3, objects: 1, refused: 0 }])
    expect(err).toContain('stopping')
    expect(JSON.parse((await catchUp('Stopped', root)).out)).toMatchObject({ records: 0, ending: 'caught-up' })
  })

  it('refuses a second tail of the table into the archive, and takes over from one that was killed', async () => {
    await createTable(table, 'Twice')
    const root = join(folder, 'twice')
    const first = start(['Twice', '--archive', root])
    await until(() => existsSync(checkpointPath(root, 'Twice')))
    const second = await catchUp('Twice', root)
    expect([second.exit, second.out]).toEqual([2, ''])
    expect(second.err).toContain(`is tailed into ${JSON.stringify(root)} already, by process ${first.child.pid}`)
    first.child.kill('SIGKILL')
    await first.ended
    expect((await catchUp('Twice', root)).exit).toBe(0)
  })

  it('reads what is left of a stream that was replaced, keeps that as a fact, and ends when there is none any more', async () => {
    const first = await createTable(table, 'Changed')
    const root = join(folder, 'changed')
    const change = (StreamSpecification: { StreamEnabled: boolean; StreamViewType?: 'NEW_AND_OLD_IMAGES' }) =>
      table.send(new UpdateTableCommand({ TableName: 'Changed', StreamSpecification }))
    await put('Changed', '1')
    expect((await catchUp('Changed', root)).exit).toBe(0)
    await put('Changed', '2')
    await change({ StreamEnabled: false })
    await put('Changed', 'between')
    const enabled = await change({ StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' })
    await put('Changed', '3')
    const next = enabled.TableDescription?.LatestStreamArn
    expect(JSON.parse((await catchUp('Changed', root)).out)).toMatchObject({
      records: 2,
      gaps: [],
      streams_changed: [{ previous: first, stream: next }],
    })
    expect(await readFacts(new DiskArchive(root), 'Changed')).toMatchObject([
      { kind: 'stream-changed', previous: first, source: next },
    ])
    await put('Changed', '4')
    await table.send(new DeleteTableCommand({ TableName: 'Changed' }))
    const gone = await catchUp('Changed', root)
    // the table's own deletion removes no items from it
    expect([gone.exit, JSON.parse(gone.out)]).toMatchObject([1, { ending: 'gone', records: 1 }])
  })

  it('says what to do where there is nothing to follow', async () => {
    await createTable(table, 'Silent', { StreamSpecification: { StreamEnabled: false } })
    const root = join(folder, 'silent')
    const silent = await catchUp('Silent', root)
    expect([silent.exit, silent.err]).toEqual([2, expect.stringContaining('table "Silent" has no stream')])
    expect(silent.err).toContain('aws dynamodb update-table --table-name Silent')
    const missing = await catchUp('Missing', root)
    expect([missing.exit, missing.err]).toEqual([2, expect.stringContaining('table "Missing" is not there')])
    expect(existsSync(root)).toBe(false)
  })
})
