/**
 * A desk on which `tail` follows the table into an archive in a folder: the real follower, delivery stream, folder and
 * checkpoint. It is killed at every step that it takes outside of itself, and started again a while later.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TailOutcome, tail } from '../capture/tail.js'
import type { TailCheckpoint } from '../capture/tail-checkpoint.js'
import { ArchiveSink } from '../delivery/tail-sink.js'
import { loadCheckpoint } from '../delivery/tail-state.js'
import { DiskArchive } from '../store/folder.js'
import { TAIL_FOLDER } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { converterOf, DeskFolder } from './desk-folder.js'
import { endingOf, initialSkew, Process } from './process.js'
import { sequencesIn } from './story.js'
import { STREAMS, streamsClientOf } from './streams-client.js'
import type { SimulatedTable } from './table.js'
import type { World } from './world.js'

/** Slow, so that a quiet hour is cheap. */
const INTERVALS = {
  emptyAnswers: 2,
  settle: 1000,
  idle: 120_000,
  longestIdle: 900_000,
  successor: 10_000,
  refresh: 600_000,
  tick: 120_000,
}

/** A desk, and the archive on it. */
export class SimulatedDesk extends DeskFolder {
  /** When it first remembered how far it was; an archive tells nothing of what was forgotten before it began. */
  beganMs = Number.POSITIVE_INFINITY

  constructor(
    private readonly world: World,
    private readonly table: SimulatedTable,
    private readonly configuration: TableConfiguration,
  ) {
    super()
    // where the command takes its lock
    mkdirSync(join(this.root, TAIL_FOLDER))
  }

  /** Follows the table until a moment, in milliseconds since 1970, with everything in the archive at its end. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, faults, dice } = this.world
    while (scheduler.now < endMs) {
      const process = new Process(this.world, `tail ${this.world.numbers.next()}`, initialSkew(this.world))
      const ending = await endingOf(process, async () => (await this.follow(process, false)).ending)
      this.world.story.tell('desk', `tail ended, ${ending ?? 'killed'}`)
      // whoever looks after it is at lunch, or away for days
      await scheduler.sleep(
        faults.strike('desk-off') ? dice.between(3_600_000, 40 * 3_600_000) : dice.between(1000, 600_000),
      )
    }
  }

  /** Runs the tail once more, to the end of what is there. */
  async finish(): Promise<readonly string[]> {
    const { ending } = await this.follow(new Process(this.world, 'last tail'), true)
    return ending === 'caught-up' ? [] : [`tail ended, ${ending}, expected it to catch up`]
  }

  private async follow(process: Process, untilCaughtUp: boolean): Promise<TailOutcome> {
    const { world } = this
    const archive = new DiskArchive(this.root)
    const sink = await ArchiveSink.open(archive, this.configuration, {
      converter: converterOf(process),
      now: process.now,
      regionOf: async () => this.region(),
    })
    const killable = async (step: () => Promise<void>) => {
      await process.mayDie()
      await step()
      await process.mayDie()
    }
    const told = (what: () => string) => world.story.detail(process.name, what)
    const checkpoint = loadCheckpoint(this.root, this.configuration.table)
    return tail({
      table: this.configuration.table,
      client: streamsClientOf(process, this.table),
      findStreams: async () => STREAMS,
      // between any two of its steps the process may die
      sink: {
        put: record => {
          told(() => `reads ${sequencesIn([JSON.stringify(record)]).join()}`)
          return process.work(sink.put(record))
        },
        flush: () => process.work(killable(() => sink.flush())).then(() => told(() => 'has written all that it read')),
        addFact: fact => process.work(killable(() => sink.addFact(fact))),
        save: async saved => {
          told(() => `remembers ${placesOf(saved)}`)
          await process.work(killable(() => sink.save(saved)))
          this.beganMs = Math.min(this.beganMs, world.scheduler.now)
        },
      },
      ...(checkpoint !== undefined && { checkpoint }),
      untilCaughtUp,
      flushInterval: 300_000,
      flushSize: 20_000,
      stop: new AbortController().signal,
      intervals: INTERVALS,
      now: process.now,
      elapsed: () => world.scheduler.now,
      random: world.dice.random,
      after: process.after,
      onGap: gap => world.story.tell(process.name, `tells a gap from ${gap.from} to ${gap.to}: ${gap.reason}`),
    })
  }
}

/** How far a checkpoint says that each shard was read. */
function placesOf({ shards }: TailCheckpoint): string {
  const read = Object.entries(shards).filter(([, { after }]) => after !== null)
  return read.length === 0 ? 'nothing' : read.map(([id, { after }]) => `${id} up to ${after}`).join(', ')
}
