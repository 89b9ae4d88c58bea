/**
 * Values of persons in the world: the real transform that seals, in containers that live on from call to call with what
 * they have read of the keys, and the table that those are in.
 */
import type { FirehoseTransformationEvent, FirehoseTransformationResult } from 'aws-lambda'
import { SEALING_MINUTES } from '../config/key-store.js'
import { KeyTable } from '../erasure/key-table.js'
import { KmsSecrets } from '../erasure/kms-secrets.js'
import { createSealingHandler } from '../erasure/sealing-handler.js'
import { createStore } from '../erasure/store-entry.js'
import { TableKeys } from '../erasure/table-keys.js'
import { createHandler, type TransformHandler } from '../transform/handler.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { KeyServices, type KeyWrite, SimulatedKeyTable } from './key-table.js'
import type { SimulatedFunction } from './lambda.js'
import type { Process } from './process.js'
import type { World } from './world.js'

/** As `functions/sealing-transform.ts` has them. */
const PATIENCE = { tries: 8, callMs: 5_000 }

/** A sealed value in a row line, whose images are texts: its key's generation and token, and what comes next. */
const SEALED = /\$enc\\":\{\\"S\\":\\"1\.((?:\d+)\.([0-9a-f]{32}))\.\\?(.)/g

type Transform = SimulatedFunction<FirehoseTransformationEvent, FirehoseTransformationResult>

/** A container of the transform: its memory goes from one call to the next, its clock is one machine's. */
interface Container {
  readonly skewMs: number
  /** What it was deployed with. */
  readonly configuration: TableConfiguration
  readonly table: SimulatedKeyTable
  process: Process
  handler: TransformHandler
}

export class SimulatedPersons {
  readonly services: KeyServices
  /** By `GENERATION.TOKEN` the last moment at which an answer had a value that was sealed under that key. */
  readonly lastSealedMs = new Map<string, number>()
  /** By token the last moment at which an answer had nothing in the place of a person's value. */
  readonly lastEmptyMs = new Map<string, number>()

  private constructor(private readonly world: World) {
    this.services = new KeyServices(world)
  }

  /** With a key store as a stack makes it when it is deployed. */
  static async deploy(world: World): Promise<SimulatedPersons> {
    const persons = new SimulatedPersons(world)
    const table = new SimulatedKeyTable('keys-1', () => world.scheduler.now)
    persons.services.tables.push(table)
    const client = persons.services.dynamoDb()
    await createStore(new KeyTable(client, table.name), new KmsSecrets(persons.services.kms(), 'alias/keys'))
    return persons
  }

  /** The table that the stack names. */
  get keys(): SimulatedKeyTable {
    return this.services.tables.at(-1) as SimulatedKeyTable
  }

  /** What was ever written of a key, in any of the tables. */
  writesOf(token: string, generation: number): readonly KeyWrite[] {
    const name = `${token} key/${generation}`
    return this.services.tables.flatMap(({ writes }) => writes).filter(write => write.name === name)
  }

  /** When a key was destroyed first; infinite as long as it is not. */
  destroyedMs(token: string, generation: number): number {
    const destroyed = this.writesOf(token, generation).filter(({ item }) => item.erased !== undefined)
    return Math.min(...destroyed.map(({ atMs }) => atMs))
  }

  /** Keys of the table that the stack names which were destroyed in another one, each a sentence. */
  comeBack(): readonly string[] {
    const gone = this.services.tables.flatMap(({ writes }) => writes).filter(({ item }) => item.erased !== undefined)
    const names = [...new Set(gone.map(({ name }) => name))]
    const back = names.filter(name => this.keys.read(name)?.wrappedKey !== undefined)
    return back.map(name => `${this.keys.name} is adopted with ${name}, which was destroyed`)
  }

  /** What a process of ours opens the key store with. */
  connect(processOf: () => Process, patience = {}) {
    const time = {
      sleep: (ms: number) => processOf().sleep(ms),
      after: (ms: number, callBack: () => void) => processOf().after(ms, callBack),
      random: this.world.dice.random,
    }
    return {
      table: new KeyTable(this.services.dynamoDb(processOf), this.keys.name, { ...patience, ...time }),
      secrets: new KmsSecrets(this.services.kms(processOf)),
    }
  }

  /** The transform of a table with erasable values, by what each call is configured with. */
  transformOf(configurationOf: () => TableConfiguration): Transform {
    const idle: Container[] = []
    return {
      name: 'transform',
      timeoutMs: SEALING_MINUTES * 60_000,
      run: async (event, { process }) => {
        const configuration = configurationOf()
        const container = this.wake(idle, configuration, process) ?? this.begin(configuration, process)
        const answer = await this.answerOf(container, event)
        idle.push(container)
        return answer
      },
    }
  }

  private async answerOf(container: Container, event: FirehoseTransformationEvent) {
    try {
      const answer = await container.handler(event)
      for (const { data = '' } of answer.records) this.note(Buffer.from(data, 'base64').toString())
      return answer
    } catch (error) {
      this.world.story.tell(container.process.name, `cannot seal: ${(error as Error).message}`)
      throw error
    }
  }

  private note(rows: string): void {
    const { now } = this.world.scheduler
    for (const [, name = '', token = '', first] of rows.matchAll(SEALED)) {
      if (first === '"') this.lastEmptyMs.set(token, now)
      else this.lastSealedMs.set(name, now)
    }
  }

  /** One that is idle, unless Lambda has ended it, or the stack was deployed since with another table. */
  private wake(idle: Container[], configuration: TableConfiguration, process: Process): Container | undefined {
    const place = idle.findLastIndex(container => container.configuration === configuration)
    const [container] = this.world.dice.chance(0.1) || place < 0 ? [] : idle.splice(place, 1)
    if (container?.table !== this.keys) return undefined
    container.process = process
    return container
  }

  private begin(configuration: TableConfiguration, process: Process): Container {
    const container: Container = {
      skewMs: process.now() - Math.floor(this.world.scheduler.now),
      configuration,
      table: this.keys,
      process,
      handler: async () => ({ records: [] }),
    }
    const count = () => this.world.metrics.put('ours RecordsRefused', 1)
    if (configuration.erasable === undefined) {
      container.handler = createHandler(configuration, count)
      return container
    }
    const now = () => Math.floor(this.world.scheduler.now) + container.skewMs
    const { table, secrets } = this.connect(() => container.process, PATIENCE)
    const newKey = () => Buffer.from(this.world.dice.hex(32), 'hex')
    container.handler = createSealingHandler(
      configuration,
      () => TableKeys.open(table, secrets, now, newKey),
      count,
      now,
    )
    return container
  }
}
