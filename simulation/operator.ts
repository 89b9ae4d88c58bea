/**
 * Somebody who looks after an archive on AWS while faults go on: the real `baseline`, `reconcile`, and `redrive` from both
 * buckets, a few times a day, with a ledger on a disk that outlives each run. A run dies as every process may, or fails; the next one goes on.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { redrive } from '../delivery/redrive.js'
import { FirehoseRedrive } from '../delivery/redrive-to-firehose.js'
import { surveyRefused } from '../delivery/refused-survey.js'
import { judgedOnly } from '../erasure/seal-image.js'
import { Ledger } from '../store/redriven.js'
import { Bucket } from '../store/s3.js'
import { GIVEN_UP_PREFIX, REFUSED_PREFIX } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type BaselinePath, baselineBy } from './baseline.js'
import type { SimulatedBucket } from './bucket.js'
import { makeFastFolder } from './fast-folder.js'
import type { SimulatedFirehose } from './firehose.js'
import { Process, runBy, timeOf } from './process.js'
import { type ReconciledArchive, type Reconciliation, reconcileBy } from './reconciler.js'
import { s3ClientOf } from './s3-client.js'
import { HOUR_MS } from './times.js'
import type { World } from './world.js'

/** Where an operator finds what was refused, and sends it to. */
export interface OperatedArchive {
  readonly configurationOf: () => TableConfiguration
  /** All that keep something refused. */
  readonly buckets: readonly SimulatedBucket[]
  readonly replay: SimulatedFirehose
  /** A record's bytes at most, of that stream. */
  readonly recordBytes: number
  /** What a baseline takes. @default - none is taken */
  readonly baseline: BaselinePath | undefined
  /** What is compared with the live table. @default - nothing is */
  readonly compared: Pick<ReconciledArchive, 'table' | 'archive' | 'waitMs'> | undefined
}

/** Each takes longer than a day of anything else. */
const MOST_COMPARED = 3

export class Operator {
  /** What its comparisons said. */
  readonly reconciliations: Reconciliation[] = []
  private readonly folder = makeFastFolder('operator')
  private readonly open = new Set<() => void>()
  private compared = 0

  constructor(
    private readonly world: World,
    private readonly archive: OperatedArchive,
  ) {}

  /** Sends again what would pass, every few hours until a moment, in milliseconds since 1970. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, dice } = this.world
    const { baseline, compared } = this.archive
    for (;;) {
      await scheduler.sleep(dice.between(2 * HOUR_MS, 12 * HOUR_MS))
      if (scheduler.now >= endMs) return
      const sendAgain = async (process: Process) => `ended, ${await this.redriveWith(process)} are left`
      await runBy('operator', 'redrive', this.world, sendAgain)
      if (baseline !== undefined && dice.chance(0.4)) {
        const takeBaseline = async (process: Process) => `is complete: ${await baselineBy(process, baseline)}`
        await runBy('operator', 'baseline', this.world, takeBaseline)
      }
      if (compared === undefined || this.compared === MOST_COMPARED || !dice.chance(0.5)) continue
      this.compared++
      await runBy('operator', 'reconcile', this.world, process => this.reconcile(process, compared))
    }
  }

  private async reconcile(
    process: Process,
    compared: Pick<ReconciledArchive, 'table' | 'archive' | 'waitMs'>,
  ): Promise<string> {
    const { folder, open } = this
    const found = await reconcileBy(process, {
      ...compared,
      configurationOf: this.archive.configurationOf,
      folder,
      open,
    })
    if (found === undefined) return 'finds an archive of no rows'
    this.reconciliations.push(found)
    return `finds ${[...found.findings].map(([key, kind]) => `${key} ${kind}`).join(', ') || 'nothing'}`
  }

  /** Sends again everything there is, without a fault, and waits until it is delivered. What is left is a finding. */
  async finish(): Promise<readonly string[]> {
    const left = await this.redriveWith(new Process(this.world, 'last redrive'))
    await this.world.scheduler.sleep(HOUR_MS)
    return left === 0 ? [] : [`redrive leaves ${left} records, expected to send all`]
  }

  /** How many documents were to be sent and were not accepted. */
  private async redriveWith(process: Process): Promise<number> {
    let left = 0
    for (const bucket of this.archive.buckets) {
      const options = this.optionsOf(process, bucket)
      const survey = await surveyRefused(options)
      const target = new FirehoseRedrive(this.archive.replay.clientOf(process), 'replay', timeOf(process))
      if (survey.days.size > 0) left += (await redrive(survey, target, options)).left
    }
    return left
  }

  private optionsOf(process: Process, bucket: SimulatedBucket) {
    const { configurationOf, recordBytes } = this.archive
    return {
      objects: new Bucket(s3ClientOf(process, this.archive.buckets), bucket.name),
      prefixes: [REFUSED_PREFIX, GIVEN_UP_PREFIX],
      ledger: Ledger.open(join(this.folder, bucket.name), bucket.name),
      table: configurationOf().table,
      configurationOf: () => judgedOnly(configurationOf()),
      isKept: async () => true,
      to: 'firehose',
      recordBytes,
      now: process.now,
    } as const
  }

  remove(): void {
    for (const close of this.open) close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
