/**
 * A desk whose changes come in files: somebody writes the records of the table's stream into one every few hours, and
 * runs the real `ingest` on it, sometimes twice, sometimes two at once. A run dies at every step that it takes outside
 * of itself; a file of which nobody knows that it went in is ingested again.
 */
import { ingest } from '../delivery/ingest.js'
import { DiskArchive, type StagedFile } from '../store/folder.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { converterOf, DeskFolder } from './desk-folder.js'
import { endingOf, initialSkew, Process } from './process.js'
import { sequencesIn } from './story.js'
import type { Shard, SimulatedTable } from './table.js'
import { HOUR_MS, START_MS } from './times.js'
import type { World } from './world.js'

/** A file of records, and whether somebody saw that it went in. */
interface RecordFile {
  readonly name: string
  readonly bytes: Buffer
  isDone: boolean
}

/** A desk that files are brought to. */
export class Ingester extends DeskFolder {
  /** Nothing is forgotten of what is in a file. */
  readonly beganMs = START_MS
  private readonly brought: RecordFile[] = []
  private readonly written = new Map<Shard, number>()

  constructor(
    private readonly world: World,
    private readonly table: SimulatedTable,
    private readonly configuration: TableConfiguration,
  ) {
    super()
  }

  /** Ingests what is new every few hours until a moment, in milliseconds since 1970. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, dice } = this.world
    for (;;) {
      await scheduler.sleep(dice.between(HOUR_MS / 4, 4 * HOUR_MS))
      if (scheduler.now >= endMs) return
      this.writeFile()
      for (const file of this.brought) {
        // one that went in is brought again now and then
        if (file.isDone && !dice.chance(0.05)) continue
        const runs = Array.from({ length: dice.chance(0.2) ? 2 : 1 }, () => this.run(file))
        await Promise.all(runs)
      }
    }
  }

  /** Ingests each file that is not known to have gone in, without a fault. */
  async finish(): Promise<readonly string[]> {
    this.writeFile()
    const left = this.brought.filter(({ isDone }) => !isDone)
    for (const file of left) await this.ingestWith(new Process(this.world, 'last ingest'), file)
    return []
  }

  /** The records of each shard since the last file, and some of those before. */
  private writeFile(): void {
    const { dice, numbers, story } = this.world
    const records = this.table.shards.flatMap(shard => {
      const from = this.written.get(shard) ?? 0
      this.written.set(shard, shard.records.length)
      return shard.records.slice(Math.max(0, from - dice.between(0, 3)))
    })
    if (records.length === 0) return
    const name = `records-${numbers.next()}.jsonl`
    const text = records.map(({ record }) => `${JSON.stringify(record)}\n`).join('')
    story.detail('export', () => `writes ${sequencesIn([text]).join(' ')} into ${name}`)
    this.brought.push({ name, bytes: Buffer.from(text), isDone: false })
  }

  private async run(file: RecordFile): Promise<void> {
    const { world } = this
    const process = new Process(world, `ingest ${world.numbers.next()}`, initialSkew(world))
    const ending = await endingOf(process, () => this.ingestWith(process, file))
    if (ending?.startsWith('took')) file.isDone = true
    world.story.tell('desk', `ingest of ${file.name} ${ending ?? 'was killed'}`)
  }

  private async ingestWith(process: Process, file: RecordFile): Promise<string> {
    const summaries = await ingest(this.read(process, file), process.now(), {
      archive: killable(process, new DiskArchive(this.root)),
      configurationOf: () => this.configuration,
      converter: converterOf(process),
      regionOf: async () => this.region(),
      now: process.now,
      after: process.after,
    })
    const rows = summaries.reduce((sum, summary) => sum + summary.rows, 0)
    this.world.story.tell(process.name, `has all of ${file.name} in the archive, ${rows} rows`)
    return `took ${file.name}`
  }

  /** In pieces that end anywhere; a pipe may hold one back. */
  private async *read(process: Process, { bytes }: RecordFile): AsyncGenerator<Uint8Array> {
    const { dice } = this.world
    for (let at = 0; at < bytes.length; ) {
      const end = at + dice.between(1, 4000)
      await process.sleep(dice.chance(0.1) ? dice.between(1000, 60_000) : dice.between(1, 20))
      await process.mayDie()
      yield bytes.subarray(at, end)
      at = end
    }
  }
}

/** An archive of which each object takes a while to be written; the process may die before and after it. */
function killable(process: Process, archive: DiskArchive): DiskArchive {
  const put = async (key: string, content: Uint8Array | StagedFile) => {
    await process.sleep(process.world.dice.between(1, 50))
    await process.mayDie()
    await process.work(archive.put(key, content))
    await process.mayDie()
  }
  return Object.assign(Object.create(archive) as DiskArchive, { put })
}
