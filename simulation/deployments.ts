/**
 * Deployments that change a table's columns, and what of it is erasable, while records are on their way, in the order
 * of the stack: the configuration is kept, then the Glue table is changed, then the function, of which both versions run
 * for minutes. Some are rolled back. Firehose developer guide, "Convert input data format": "the converted data will not contain
 * attributes that are not specified in the schema"; how soon it sees another version of the schema is not documented.
 */
import { type Column, columnsOf } from '../transform/audit-row.js'
import { configurationKey } from '../transform/layout.js'
import {
  type ConfiguredColumn,
  type ErasableSubject,
  rowConfiguration,
  type TableConfiguration,
} from '../transform/table-configuration.js'
import type { SimulatedBucket } from './bucket.js'
import { HOUR_MS, MINUTE_MS, START_MS } from './times.js'
import type { World } from './world.js'

const STATUS: ConfiguredColumn = { column: 'status', path: ['status'], type: 'string' }
const TOTAL: ConfiguredColumn = { column: 'total', path: ['total'], type: 'number' }
const AMOUNT: ConfiguredColumn = { column: 'amount', path: ['total'], type: 'decimal(38,4)' }
const NOTE: ConfiguredColumn = { column: 'note', path: ['note'], type: 'string' }
const GIFT: ConfiguredColumn = { column: 'gift', path: ['gift'], type: 'json' }

/** A column more, one less, others, the same in another order, and none. */
const VERSIONS: readonly (readonly ConfiguredColumn[])[] = [
  [STATUS],
  [STATUS, TOTAL],
  [TOTAL, STATUS],
  [AMOUNT],
  [STATUS, AMOUNT, NOTE, GIFT],
  [],
]

/** A column of what is erasable: it holds what the images hold of it. */
const CONTACT: ConfiguredColumn = { column: 'contact', path: ['contact'], type: 'json' }
const COLUMNS_OF_PERSONS: readonly (readonly ConfiguredColumn[])[] = [...VERSIONS, [CONTACT, STATUS]]

/** What is erasable where something is: a part of it in clear, more, something else in its place, and nothing. */
const ERASABLE: readonly (readonly ErasableSubject[] | undefined)[] = [
  [{ subject: ['customer'], values: [{ path: ['contact'] }] }],
  [{ subject: ['customer'], values: [{ path: ['contact'], keep: 'last4' }] }],
  [{ subject: ['customer'], values: [{ path: ['contact'] }, { path: ['seal'] }] }],
  [{ subject: ['customer'], values: [{ path: ['seal'] }] }],
  undefined,
]

/** What is deployed of a table at a moment. */
export class Deployments {
  /** When each began, in milliseconds since 1970. */
  readonly times: number[] = []
  private newest: TableConfiguration
  private older: TableConfiguration
  private bothUntil = 0
  private schema: ReadonlyMap<string, Column>
  private seenVersion = 0

  constructor(
    private readonly world: World,
    private readonly first: TableConfiguration,
    private readonly keep: (configuration: TableConfiguration) => void,
  ) {
    this.newest = first
    this.older = first
    this.schema = schemaOf(first)
    keep(first)
  }

  /** What the next call of a function is configured with. */
  forCall(): TableConfiguration {
    const { scheduler, dice } = this.world
    return scheduler.now < this.bothUntil && dice.chance(0.5) ? this.older : this.newest
  }

  /** What people have, who deployed it. */
  get ofPeople(): TableConfiguration {
    return this.newest
  }

  /** The columns that Firehose writes. */
  readonly columns = (): ReadonlyMap<string, Column> => this.schema

  /** Deploys other columns a few times in so many hours. */
  async run(hours: number): Promise<void> {
    const { scheduler, dice } = this.world
    for (let left = dice.between(2, 6); left > 0; left--) {
      await scheduler.sleep((dice.random() * hours * HOUR_MS) / 2)
      if (scheduler.now >= START_MS + hours * HOUR_MS) return
      const before = this.newest
      await this.deploy(this.another())
      // a resource after these fails, and all go back
      if (!dice.chance(0.3)) continue
      await scheduler.sleep(dice.between(1000, 5 * MINUTE_MS))
      await this.deploy(before)
    }
  }

  private another(): TableConfiguration {
    const { dice } = this.world
    const { erasable: isOfPersons, ...first } = this.first
    if (isOfPersons === undefined) return { ...first, columns: dice.pick(VERSIONS) }
    const [columns, erasable] = [dice.pick(COLUMNS_OF_PERSONS), dice.pick(ERASABLE)]
    return { ...first, columns, ...(erasable !== undefined && { erasable }) }
  }

  private async deploy(next: TableConfiguration): Promise<void> {
    const { scheduler, dice, story } = this.world
    this.times.push(scheduler.now)
    story.tell('deployment', `has columns ${next.columns.map(({ column }) => column).join(', ') || 'none'}`)
    if (this.first.erasable !== undefined) story.tell('deployment', `has erasable ${JSON.stringify(next.erasable)}`)
    this.keep(next)
    await scheduler.sleep(dice.between(1000, MINUTE_MS))
    const version = this.times.length
    scheduler.after(dice.between(0, 2 * MINUTE_MS), () => {
      // seen late, never again after a newer one
      if (version < this.seenVersion) return
      this.seenVersion = version
      this.schema = schemaOf(next)
    })
    await scheduler.sleep(dice.between(1000, MINUTE_MS))
    this.older = this.newest
    this.newest = next
    this.bothUntil = scheduler.now + dice.between(1000, 10 * MINUTE_MS)
  }
}

function schemaOf(table: TableConfiguration): ReadonlyMap<string, Column> {
  return new Map(columnsOf(table).map(column => [column.name, column]))
}

/** Keeps configurations in a bucket, as the stack's own resource does: once each. */
export function keepIn(bucket: SimulatedBucket): (configuration: TableConfiguration) => void {
  return configuration => {
    const key = configurationKey(configuration)
    if (!bucket.objects.has(key)) bucket.put(key, Buffer.from(rowConfiguration(configuration)))
  }
}

/** A row line as Firehose converts it: without what the schema does not have. */
export function withinSchema(line: string, columns: ReadonlyMap<string, Column>): string {
  const row = JSON.parse(line) as Record<string, unknown>
  const names = Object.keys(row).filter(name => !columns.has(name))
  if (names.length === 0) return line
  for (const name of names) delete row[name]
  return JSON.stringify(row)
}
