/**
 * Somebody who erases persons while others are sealed, gives some of them a new life, and puts the table of keys back
 * from a backup when it is lost: the real acts, each of which dies as every process may, and is tried again.
 */
import { readKeptConfiguration } from '../config/kept-configuration.js'
import { adoptCopy } from '../erasure/adopt-copy.js'
import { eraseSubject } from '../erasure/erase.js'
import { renewSubject } from '../erasure/renew.js'
import { sealedWhole } from '../erasure/sealed-whole.js'
import { tellUnsealed } from '../erasure/stack-rows.js'
import type { KeyName } from '../erasure/subject-keys.js'
import { isOfSubject, type KeptRow } from '../erasure/subject-rows.js'
import { TableKeyStore } from '../erasure/table-key-store.js'
import { Bucket } from '../store/s3.js'
import { CONFIG_PREFIX, DATA_PREFIX } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { SimulatedBucket } from './bucket.js'
import type { SimulatedPersons } from './persons.js'
import { Process, runBy } from './process.js'
import { s3ClientOf } from './s3-client.js'
import { HOUR_MS } from './times.js'
import { personNamed } from './workload.js'
import type { World } from './world.js'

/** Counts the tables of keys that were put back and adopted. */
export const ADOPTED = 'world key tables adopted'

/** What an eraser acts on. */
export interface ErasedArchive {
  readonly table: TableConfiguration
  readonly persons: SimulatedPersons
  readonly archive: SimulatedBucket
  readonly refused: SimulatedBucket
  /** How many persons there are. */
  readonly count: number
}

export class Eraser {
  /** Persons whose erasure was asked for, and who have no new life. */
  private readonly asked = new Set<string>()
  private isRestoring = false
  private readonly findings: string[] = []

  constructor(
    private readonly world: World,
    private readonly place: ErasedArchive,
  ) {}

  /** Erases somebody every few hours until a moment, in milliseconds since 1970. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, dice, faults } = this.world
    for (;;) {
      await scheduler.sleep(dice.between(HOUR_MS, 6 * HOUR_MS))
      if (scheduler.now >= endMs) return
      const id = personNamed(dice.between(0, this.place.count))
      const erasing = this.tryErase(id)
      if (!this.isRestoring && faults.strike('keys-lost')) {
        await scheduler.sleep(dice.between(0, 500))
        this.restore()
        void this.adoptLater()
      }
      await erasing
      if (!dice.chance(0.3)) continue
      await scheduler.sleep(dice.between(0, 2 * HOUR_MS))
      await runBy('eraser', 'renew', this.world, process => this.renew(process, id))
    }
  }

  /** As often as somebody has the patience for. */
  private async tryErase(id: string): Promise<void> {
    const { scheduler, dice } = this.world
    for (let tries = dice.between(1, 4); tries > 0; tries--) {
      let isDone = false
      await runBy('eraser', `erase ${id}`, this.world, async process => {
        const told = await this.erase(process, id)
        isDone = true
        return told
      })
      if (isDone) return
      await scheduler.sleep(dice.between(1000, HOUR_MS))
    }
  }

  private async erase(process: Process, id: string): Promise<string> {
    this.asked.add(id)
    const { table, archive, refused } = this.place
    const s3 = s3ClientOf(process, [archive, refused])
    const buckets = [archive, refused].map(({ name }) => new Bucket(s3, name)) as [Bucket, Bucket]
    const outcome = await eraseSubject(
      {
        archive: buckets[0],
        keys: await this.open(process),
        rows: (_, token) => this.rowsOf(process, token),
        sealed: async () => this.sealed,
        unsearched: async name => tellUnsealed(name, this.countUnsealed()),
        refused: buckets.map(objects => ({ at: `s3://${objects.name}/`, objects })),
        tables: [table.table],
        now: process.now,
        random: this.world.dice.random,
      },
      { id, reason: 'asked', ticket: null, by: 'simulation' },
    )
    if (outcome.kind === 'held') return 'held'
    const [certificate] = outcome.certificates
    return `erased ${certificate?.token}.${certificate?.generation}, pending ${certificate?.pending.length}`
  }

  private open(process: Process): Promise<TableKeyStore> {
    const { table, secrets } = this.place.persons.connect(() => process)
    return TableKeyStore.open(table, secrets, process.now)
  }

  /** What Athena answers, after a while: the person's rows of that moment. */
  private async *rowsOf(process: Process, token: string): AsyncGenerator<KeptRow> {
    const rows = await process.call({
      operation: 'athena rows of a person',
      about: token,
      slowMs: this.world.dice.between(1000, 20_000),
      serve: () => this.place.archive.contents(DATA_PREFIX).flatMap(([key, bytes]) => rowsIn(key, bytes, token)),
    })
    yield* rows
  }

  /** What was kept before any row of it was made is there whenever somebody asks. */
  private get sealed(): ReadonlySet<string> {
    const kept = this.place.archive.contents(CONFIG_PREFIX)
    return sealedWhole(kept.map(([key, bytes]) => readKeptConfiguration(bytes, key)))
  }

  /** As Athena counts them, by what a row says of its configuration. */
  private countUnsealed(): number {
    const sealed = [...this.sealed].map(id => `"config_id":"${id}"`)
    const lines = this.place.archive.contents(DATA_PREFIX).flatMap(([, bytes]) => linesIn(bytes))
    return lines.filter(line => !sealed.some(id => line.includes(id))).length
  }

  private async renew(process: Process, id: string): Promise<string> {
    const { table, archive } = this.place
    const keys = await this.open(process)
    const bucket = new Bucket(s3ClientOf(process, [archive]), archive.name)
    const token = keys.tokenOf(id)
    const make = (name: KeyName) => {
      // it may be done though nobody hears of it
      this.asked.delete(id)
      return keys.make(name)
    }
    const open = Object.assign(Object.create(keys) as TableKeyStore, { make })
    const renewal = await renewSubject({ archive: bucket, keys: open, tables: [table.table] }, token)
    return renewal.kind === 'renewed' ? `gives ${id} the key ${renewal.generation}` : `of ${id} is ${renewal.kind}`
  }

  /** The table is lost, and put back as it was at some moment after the last key was made. */
  private restore(): void {
    const { services, keys } = this.place.persons
    const made = keys.writes.filter(({ item }) => item.wrappedKey !== undefined || item.opened !== undefined)
    const atMs = made.at(-1)?.atMs ?? this.world.scheduler.now
    keys.isGone = true
    services.tables.push(keys.restoredAs(`keys-${services.tables.length + 1}`, atMs))
    this.world.story.tell('eraser', `puts ${keys.name} back, as ${this.place.persons.keys.name}`)
  }

  private async adoptLater(): Promise<void> {
    const { scheduler, dice } = this.world
    this.isRestoring = true
    while (this.isRestoring) {
      await scheduler.sleep(dice.between(1000, 2 * HOUR_MS))
      await runBy('eraser', 'adopt', this.world, process => this.adopt(process))
    }
  }

  private async adopt(process: Process): Promise<string> {
    const { persons, archive, table } = this.place
    const bucket = new Bucket(s3ClientOf(process, [archive]), archive.name)
    const count = await adoptCopy(persons.connect(() => process).table, bucket, [table.table], process.now)
    this.isRestoring = false
    this.world.metrics.put(ADOPTED, 1)
    this.findings.push(...persons.comeBack())
    return `${persons.keys.name}, after ${count} keys were destroyed`
  }

  /** Everybody is erased to the end, without a fault; whoever has a new life keeps it. */
  async finish(): Promise<readonly string[]> {
    if (this.isRestoring) await this.adopt(new Process(this.world, 'last adopt'))
    for (const id of this.asked) {
      const process = new Process(this.world, `last erase ${id}`)
      const told = await this.erase(process, id)
      this.world.story.tell(process.name, `${id}: ${told}`)
      if (!told.startsWith('erased')) this.findings.push(`erasure of ${id} ends as ${told}, expected it to be done`)
    }
    return this.findings
  }

  /** Those who are erased, once it is finished. */
  get erased(): ReadonlySet<string> {
    return this.asked
  }
}

function rowsIn(object: string, bytes: Uint8Array, token: string): readonly KeptRow[] {
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(token)) return []
  const lines = linesIn(bytes)
  const rows = lines.filter(line => line.includes(token)).map(line => ({ object, row: JSON.parse(line) }))
  return rows.filter(({ row }) => isOfSubject(row, token))
}

function linesIn(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes)
    .toString()
    .split('\n')
    .filter(line => line !== '')
}
