/**
 * The compactor of a stack: the real plan, writer and publisher every few hours, sometimes two at once; and readers who
 * ask by what it published, while it is at work and at last.
 */

import { createStackCompactor } from '../derived/stack-compactor.js'
import { AthenaEngine } from '../queries/engines/athena.js'
import type { RunOptions } from '../queries/engines/engine.js'
import { Bucket } from '../store/s3.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { SimulatedAthena } from './athena.js'
import type { SimulatedBucket } from './bucket.js'
import { wrongCopy } from './judge-copy.js'
import { invoke } from './lambda.js'
import { Process } from './process.js'
import { s3ClientOf } from './s3-client.js'
import { HOUR_MS, MINUTE_MS } from './times.js'
import type { World } from './world.js'

/** As `infra/table-compaction.ts` has them. */
const EVERY_MS = 6 * HOUR_MS
const TIMEOUT_MS = 15 * MINUTE_MS

/** What is compacted, and to where. */
export interface CompactedArchive {
  readonly table: TableConfiguration
  /** What the next call of it is configured with. */
  readonly configurationOf: () => TableConfiguration
  readonly archive: SimulatedBucket
  readonly derived: SimulatedBucket
}

/** Time that a run may take. */
interface Given {
  readonly signal: AbortSignal
  readonly left: () => number
}

export class SimulatedCompactor {
  private readonly athena: SimulatedAthena
  private readonly findings: string[] = []

  constructor(
    private readonly world: World,
    private readonly place: CompactedArchive,
  ) {
    this.athena = new SimulatedAthena(world, place.archive, place.derived)
  }

  /** Compacts as the schedule says until a moment, in milliseconds since 1970. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, faults, dice } = this.world
    while (scheduler.now + EVERY_MS < endMs) {
      await scheduler.sleep(EVERY_MS)
      void this.call()
      // the schedule calls at least once
      if (faults.strike('compacted-twice')) scheduler.after(dice.between(0, 20_000), () => void this.call())
    }
  }

  /** Somebody asks by the copy, now and then until a moment. */
  async readUntil(endMs: number): Promise<void> {
    const { scheduler, dice } = this.world
    for (;;) {
      await scheduler.sleep(dice.between(MINUTE_MS, 8 * HOUR_MS))
      if (scheduler.now >= endMs) return
      this.findings.push(...(await scheduler.during(wrongCopy(this.place, this.world.scheduler.now))))
    }
  }

  private async call(): Promise<void> {
    const called = {
      name: 'compactor',
      timeoutMs: TIMEOUT_MS,
      run: (_: undefined, { process, context }: Parameters<Parameters<typeof invoke>[1]['run']>[1]) => {
        // the rest is for stopping what runs in Athena
        const left = () => context.getRemainingTimeInMillis() - MINUTE_MS
        return this.compact(process, { signal: timeoutOf(process)(left()), left })
      },
    }
    try {
      await invoke(this.world, called, undefined)
    } catch {
      // the next call begins where this one ended
    }
  }

  private async compact(process: Process, given: Given): Promise<void> {
    const { dice, story } = this.world
    const { configurationOf, archive, derived } = this.place
    const s3 = s3ClientOf(process, [archive, derived])
    const engine = AthenaEngine.open({
      client: this.athena.clientOf(process),
      workgroup: 'compaction',
      database: 'archive',
      sleep: process.sleep,
      random: dice.random,
    })
    const compact = createStackCompactor({
      engine: { run: (sql, values, options?: RunOptions) => engine.run(sql, values, options) },
      archive: new Bucket(s3, archive.name),
      derived: new Bucket(s3, derived.name),
      configuration: configurationOf(),
      database: 'archive',
      location: `s3://${derived.name}/`,
      runBytes: 40_000,
      checkpointBytes: 1,
      now: process.now,
      newName: () => uuidOf(dice.hex(16)),
      onPublished: published => story.tell(process.name, `published ${JSON.stringify(published)}`),
    })
    await compact({ ...given, timeout: timeoutOf(process) })
  }

  /** What readers found, and what the last one finds: when all is quiet, a last run leaves nothing to be done. */
  async finish(): Promise<readonly string[]> {
    // what came last is left alone for two hours
    await this.world.scheduler.sleep(3 * HOUR_MS)
    const process = new Process(this.world, 'last compactor')
    const never = new AbortController().signal
    await this.compact(process, { signal: never, left: () => TIMEOUT_MS })
    const { now } = this.world.scheduler
    return [...this.findings, ...(await this.world.scheduler.during(wrongCopy(this.place, now, true)))]
  }
}

/** `AbortSignal.timeout` by the clock of the world. */
function timeoutOf(process: Process) {
  return (ms: number): AbortSignal => {
    const controller = new AbortController()
    process.after(Math.max(ms, 0), () => controller.abort(new Error('time is up')))
    return controller.signal
  }
}

function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-')
}
