import { appendFileSync, rmSync } from 'node:fs'
import type { DiskArchive, StagedFile } from '../store/folder.js'
import { objectName } from '../store/refused-objects.js'
import type { Column } from '../transform/audit-row.js'
import { configurationKey } from '../transform/layout.js'
import { rowConfiguration, type TableConfiguration } from '../transform/table-configuration.js'
import type { RowConverter } from './parquet-conversion.js'

/** Row lines of one partition on their way to an object. */
interface PartitionBuffer {
  readonly prefix: string
  readonly staged: StagedFile
  readonly since: number
  bytes: number
  rows: number
}

/** What row lines become objects with. Sizes in bytes, intervals in milliseconds. */
export interface PartitionBuffersOptions {
  readonly table: TableConfiguration
  readonly archive: DiskArchive
  readonly converter: RowConverter
  readonly columns: readonly Column[]
  readonly objectBytes: number
  readonly objectInterval: number
  /** Objects that are written side by side. */
  readonly atOnce: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Called for each object that is in the archive, with its number of rows. */
  readonly onObject: (rows: number) => void
}

/** Row lines by their partition, until one is large or old enough to be an object of the archive. */
export class PartitionBuffers {
  private readonly partitions = new Map<string, PartitionBuffer>()
  private readonly delivering = new Set<Promise<void>>()
  private configurationKept: Promise<void> | undefined
  private failure: Error | undefined

  constructor(private readonly options: PartitionBuffersOptions) {}

  /** Adds row lines of one partition. */
  async append(prefix: string, bytes: Uint8Array, rows: number): Promise<void> {
    const { archive, now, objectBytes } = this.options
    let partition = this.partitions.get(prefix)
    if (partition === undefined) {
      partition = { prefix, staged: archive.stage('.ndjson'), since: now(), bytes: 0, rows: 0 }
      this.partitions.set(prefix, partition)
    }
    appendFileSync(partition.staged.path, bytes)
    partition.bytes += bytes.length
    partition.rows += rows
    if (partition.bytes >= objectBytes) await this.deliver(partition)
  }

  /** Delivers the partitions that have waited for their interval. */
  async flushDue(): Promise<void> {
    const now = this.options.now()
    for (const partition of [...this.partitions.values()]) {
      if (now - partition.since >= this.options.objectInterval) await this.deliver(partition)
    }
  }

  /** Delivers all of them: when it has returned, they are in the archive. */
  async flush(): Promise<void> {
    for (const partition of [...this.partitions.values()]) await this.deliver(partition)
    await this.settle(1)
  }

  /** Begins to make an object of a partition's lines, beside others where there may be several. */
  private async deliver(partition: PartitionBuffer): Promise<void> {
    this.partitions.delete(partition.prefix)
    const delivering = this.convert(partition)
      .catch((error: Error) => {
        this.failure ??= error
      })
      .finally(() => this.delivering.delete(delivering))
    this.delivering.add(delivering)
    await this.settle(this.options.atOnce)
  }

  /** Waits until fewer than so many are under way. Throws what kept one from being written. */
  private async settle(most: number): Promise<void> {
    while (this.delivering.size >= most) await Promise.race(this.delivering)
    if (this.failure !== undefined) throw this.failure
  }

  /** Converts a partition's lines and adds the object; until it is there whole, the archive is as it was. */
  private async convert(partition: PartitionBuffer): Promise<void> {
    const { archive, converter, columns, now, onObject } = this.options
    this.configurationKept ??= this.keepConfiguration()
    await this.configurationKept
    const parquet = archive.stage('.parquet')
    await converter.convert(partition.staged.path, parquet.path, columns, partition.rows)
    await archive.put(`${partition.prefix}${objectName('rows', now())}.parquet`, parquet)
    rmSync(partition.staged.path)
    onObject(partition.rows)
  }

  /** Rows name the configuration they were made under, so the archive has it before it has them. */
  private async keepConfiguration(): Promise<void> {
    const { archive, table } = this.options
    const key = configurationKey(table)
    const folder = key.slice(0, key.lastIndexOf('/') + 1)
    const isKept = async () => (await archive.list(folder)).includes(key)
    if (!(await isKept())) {
      try {
        await archive.put(key, Buffer.from(rowConfiguration(table)))
      } catch (error) {
        // another ingest may have kept it in the meantime; its key is a hash of it, so it is the same
        if (!(await isKept())) throw error
      }
    }
  }
}
