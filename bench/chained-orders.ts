/** Changes of orders of which each enters the state that the one before left, as a table's stream tells them. */
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { type Attributes, changed, orderOf, streamRecord } from './orders.js'
import { createRandom, type Random } from './random.js'

/** When the first change was made, 2026-10-01, in seconds since 1970: days that are over. */
export const CHAINED_FROM = Date.UTC(2026, 9, 1) / 1000

/** What a history is like. Shares are of all changes. */
export interface ChainedOptions {
  readonly changes: number
  readonly items: number
  readonly days: number
  /** Changes that are lost: the one after each enters another state than is known. */
  readonly breaks: number
  /** Changes that are told twice, the second time some hundred changes later. */
  readonly repeats: number
  /** Changes that are told when all others have been. */
  readonly late: number
}

/** Writes the changes as JSON lines, and gives what the table holds after the last of them. */
export async function writeChained(path: string, options: ChainedOptions): Promise<ReadonlyMap<string, Attributes>> {
  const file = createWriteStream(path)
  const table = new Map<string, Attributes>()
  const told = new Telling(file, options, createRandom(2))
  const random = createRandom(1)
  const orders = Array.from({ length: options.items }, (_, i) => `ORD-${String(i).padStart(8, '0')}`)
  for (let i = 0; i < options.changes; i++) {
    const id = orders[Math.floor(random() * orders.length)] as string
    await told.tell(changeOf(id, i, table, options, random))
  }
  await told.end()
  return table
}

/** Makes the next change of an order: a tenth of those that are there go, and may come again. */
function changeOf(
  id: string,
  i: number,
  table: Map<string, Attributes>,
  { changes, days }: ChainedOptions,
  random: Random,
): string {
  const before = table.get(id)
  const isRemoved = before !== undefined && random() < 0.1
  const after = isRemoved ? undefined : before === undefined ? orderOf(id, random) : changed(before, random)
  if (after === undefined) table.delete(id)
  else table.set(id, after)
  const time = CHAINED_FROM + Math.floor((i / changes) * days * 86_400)
  return JSON.stringify(streamRecord({ i, time, id, before, after }, random))
}

/** So many changes lie between the two times that one is told. */
const REPEATED_AFTER = 300

/** What becomes of changes on their way into a file: lost, told twice, told late. */
class Telling {
  private readonly repeated: string[] = []
  private readonly late: string[] = []

  constructor(
    private readonly file: WriteStream,
    private readonly options: ChainedOptions,
    private readonly random: Random,
  ) {}

  async tell(record: string): Promise<void> {
    const { breaks, repeats, late } = this.options
    const roll = this.random()
    if (roll < breaks) return
    if (roll < breaks + late) this.late.push(record)
    else await this.write(record)
    if (roll > 1 - repeats) this.repeated.push(record)
    if (this.repeated.length > REPEATED_AFTER * repeats) await this.write(this.repeated.shift() as string)
  }

  async end(): Promise<void> {
    for (const record of [...this.repeated, ...this.late]) await this.write(record)
    this.file.end()
    await once(this.file, 'close')
  }

  private async write(record: string): Promise<void> {
    if (!this.file.write(`${record}\n`)) await once(this.file, 'drain')
  }
}
