/**
 * The oracle: random operations on real tables, their stream through `itemtrail tail`, and the tables themselves as the
 * judge of what the archive answers.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatInstant } from '../../transform/instant.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'
import { randomOf } from '../random.js'
import { reportFigures } from '../reliability/figures.js'
import { Judge } from './judge.js'
import { startItemtrail } from './live-table.js'
import { startTimeProxy } from './time-proxy.js'
import { WORKLOAD_TABLES, Workload, type WorkloadTable } from './workload.js'

const missing = missingForDynamoDbLocal()

/** Further seeds: `SEEDS=1,2,3 npm run test:live -- oracle`. */
const SEEDS = (process.env.SEEDS ?? '1').split(',').map(Number)
/** More of them on each table: `OPERATIONS=250`. */
const OPERATIONS = Number(process.env.OPERATIONS ?? 150)
const INSTANTS = 8

describe.skipIf(missing !== undefined)(`the oracle on DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  let local: DynamoDbLocal
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-oracle-'))
  const counted = { operations: 0, versions: 0, instants: 0, restored: 0 }
  beforeAll(async () => {
    local = await startDynamoDbLocal()
  })
  afterAll(async () => {
    reportFigures('oracle', {
      columns: ['what', 'how often', 'otherwise than the table'],
      rows: [
        ['operations on a live table', `${counted.operations}`, ''],
        ['versions of an item, each with both images and in its order', `${counted.versions}`, '0'],
        ['whole tables, and each of their items, at a random instant', `${counted.instants}`, '0'],
        ['tables filled by `restore --to`, as of a random instant', `${counted.restored}`, '0'],
      ],
    })
    rmSync(folder, { recursive: true, force: true })
    await local?.stop()
  })

  const tablesOf = (suffix: string) => WORKLOAD_TABLES.map(table => ({ ...table, name: `${table.name}${suffix}` }))

  /** Tails every table while the workload goes on, then once more until each has caught up. */
  async function tailBeside(root: string, endpoint: string, tables: readonly string[], work: () => Promise<void>) {
    const tails = tables.map(table =>
      startItemtrail(['tail', table, '--archive', root, '--flush-interval', '1'], endpoint),
    )
    await work()
    for (const { child } of tails) child.kill('SIGTERM')
    for (const { ended } of tails) expect(await ended).toMatchObject({ exit: 0 })
    for (const table of tables) {
      const { ended } = startItemtrail(['tail', table, '--archive', root, '--until-caught-up'], endpoint)
      expect(await ended).toMatchObject({ exit: 0, err: expect.stringContaining('caught up') })
    }
  }

  /** Another table, filled from the archive, holds what the first one held at a moment. */
  async function expectRestored(root: string, endpoint: string, table: WorkloadTable, workload: Workload, us: number) {
    const target = { ...table, name: `${table.name}.Restored` }
    const other = new Workload({ endpoint, tables: [target], seed: 0 })
    await other.createTables()
    const argv = ['restore', table.name, '--as-of', formatInstant(us, 6), '--to', target.name, '--archive', root]
    const plan = ['--plan', `${root}-${target.name}.jsonl`]
    const { exit, err } = await startItemtrail([...argv, ...plan], endpoint).ended
    expect([exit, err]).toEqual([0, expect.anything()])
    expect([...(await other.scan(target.name))].sort()).toEqual([...workload.stateAt(table.name, us)].sort())
    counted.restored++
  }

  it.each(SEEDS)(
    'answers every state of every moment, byte for byte, with the times of the writes (seed %i)',
    async seed => {
      const proxy = await startTimeProxy(local.endpoint)
      const tables = tablesOf(`Timed${seed}`)
      const times: number[] = []
      const now = () => {
        times.push(proxy.time)
        return proxy.time
      }
      const workload = new Workload({ endpoint: proxy.endpoint, tables, seed, now })
      await workload.createTables()
      const began = proxy.time
      const root = join(folder, `timed-${seed}`)
      await tailBeside(
        root,
        proxy.endpoint,
        tables.map(({ name }) => name),
        () => workload.run(OPERATIONS),
      )

      const judge = await Judge.open(root)
      const random = randomOf(seed)
      for (const table of tables) {
        const { name } = table
        const versions = workload.versions.filter(({ table }) => table === name)
        expect(versions.length).toBeGreaterThan(OPERATIONS / 4)
        await judge.expectVersions(name, versions)
        await judge.expectTimes(name, versions, operation => times[operation - 1] ?? began)
        // between two operations nothing changes: at their ends, and just before the next could have begun
        const instants = Array.from({ length: INSTANTS }, () => times[Math.floor(random() * OPERATIONS)] as number)
        for (const instant of instants) await judge.expectState(name, workload, instant)
        await expectRestored(root, local.endpoint, table, workload, instants[0] as number)
        counted.versions += versions.length
        counted.instants += INSTANTS
        expect([...(await workload.scan(name))].sort()).toEqual(
          [...workload.stateAt(name, Number.MAX_SAFE_INTEGER)].sort(),
        )
      }
      counted.operations += OPERATIONS
      judge.close()
      await proxy.stop()
    },
  )

  it.each(SEEDS)('has every version in its order by sequence alone (seed %i)', async seed => {
    const tables = tablesOf(`Plain${seed}`)
    const workload = new Workload({ endpoint: local.endpoint, tables, seed: seed + 1000 })
    await workload.createTables()
    const root = join(folder, `plain-${seed}`)
    await tailBeside(
      root,
      local.endpoint,
      tables.map(({ name }) => name),
      () => workload.run(OPERATIONS),
    )
    const judge = await Judge.open(root)
    for (const { name } of tables) {
      const versions = workload.versions.filter(({ table }) => table === name)
      await judge.expectVersions(name, versions)
      counted.versions += versions.length
    }
    counted.operations += OPERATIONS
    judge.close()
  })
})
