/**
 * The oracle: random operations on real tables, their stream through `itemtrail tail`, and the tables themselves as the judge
 * of what the archive answers.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'
import { randomOf } from '../random.js'
import { Judge } from './judge.js'
import { startItemtrail } from './live-table.js'
import { startTimeProxy } from './time-proxy.js'
import { WORKLOAD_TABLES, Workload } from './workload.js'

const missing = missingForDynamoDbLocal()

/** Further seeds: `SEEDS=1,2,3 npm run test:live -- oracle`. */
const SEEDS = (process.env.SEEDS ?? '1').split(',').map(Number)
const OPERATIONS = 250
const INSTANTS = 12

describe.skipIf(missing !== undefined)(`the oracle on DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  let local: DynamoDbLocal
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-oracle-'))
  beforeAll(async () => {
    local = await startDynamoDbLocal()
  })
  afterAll(async () => {
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
      for (const { name } of tables) {
        const versions = workload.versions.filter(({ table }) => table === name)
        expect(versions.length).toBeGreaterThan(OPERATIONS / 4)
        await judge.expectVersions(name, versions)
        await judge.expectTimes(name, versions, operation => times[operation - 1] ?? began)
        // between two operations nothing changes: at their ends, and just before the next could have begun
        for (let i = 0; i < INSTANTS; i++)
          await judge.expectState(name, workload, times[Math.floor(random() * OPERATIONS)] as number)
        expect([...(await workload.scan(name))].sort()).toEqual(
          [...workload.stateAt(name, Number.MAX_SAFE_INTEGER)].sort(),
        )
      }
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
    for (const { name } of tables)
      await judge.expectVersions(
        name,
        workload.versions.filter(({ table }) => table === name),
      )
    judge.close()
  })
})
