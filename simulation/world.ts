import { RECORD_BYTES } from '../aws/firehose-limits.js'
import { createForwarder } from '../capture/forwarder.js'
import type { RetentionRule } from '../functions/lock-objects.js'
import { createHandler } from '../transform/handler.js'
import { CONFIG_PREFIX, DATA_PREFIX, FACTS_PREFIX, GIVEN_UP_PREFIX, REFUSED_PREFIX } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { AskedArchive } from './archived-past.js'
import { SimulatedBucket } from './bucket.js'
import { Calls } from './calls.js'
import { SimulatedCompactor } from './compactor.js'
import type { Contents } from './contents.js'
import { Deployments, keepIn } from './deployments.js'
import { SimulatedDesk } from './desk.js'
import { Dice } from './dice.js'
import { Eraser } from './eraser.js'
import { Faults } from './faults.js'
import { SimulatedFirehose } from './firehose.js'
import { Ingester } from './ingester.js'
import { SimulatedJournal } from './journal.js'
import type { SealedArchive } from './judge-journal.js'
import type { LockedArchive } from './judge-locks.js'
import type { PersonsLeft } from './judge-persons.js'
import { identityOf } from './judge-versions.js'
import { SimulatedKinesis } from './kinesis.js'
import { type LastLook, lookAtLast } from './last-look.js'
import { KINESIS_BYTES, LIMITS } from './limits.js'
import { LockEvents } from './lock-events.js'
import type { Losses } from './losses.js'
import { SimulatedMapping } from './mapping.js'
import { Metrics } from './metrics.js'
import { Operator } from './operator.js'
import { SimulatedPersons } from './persons.js'
import { timeOf } from './process.js'
import type { Reconciliation } from './reconciler.js'
import { Restorer } from './restorer.js'
import { s3ClientOf } from './s3-client.js'
import type { Scenario } from './scenario.js'
import { Scheduler } from './scheduler.js'
import { Story } from './story.js'
import { SimulatedTable } from './table.js'
import { DAY_MS, endOf, HOUR_MS, START_MS } from './times.js'
import { runWorkload } from './workload.js'

/** What everything in a world shares: time, chance, what goes wrong, and what is told. */
export interface World {
  readonly scheduler: Scheduler
  readonly dice: Dice
  readonly faults: Faults
  readonly metrics: Metrics
  readonly calls: Calls
  readonly story: Story
  readonly losses: Losses
  /** Names that are given once each. */
  readonly numbers: { readonly next: () => number }
}

/** A world after its time: what is left in it to be judged. Objects are lines by key. */
export interface Remains {
  readonly world: World
  readonly scenario: Scenario
  readonly table: SimulatedTable
  readonly rows: Contents
  /** What was refused, or was too large, in all places where such is kept. */
  readonly refused: Contents
  /** What Lambda gave up. */
  readonly givenUp: Contents
  /** What an archive says about itself. */
  readonly facts: Contents
  /** What the checks of the world itself found, each a sentence. */
  readonly findings: readonly string[]
  /** @default - its objects are not locked */
  readonly locked: LockedArchive | undefined
  /** The configurations that it keeps. */
  readonly configurations: Contents
  /** When its columns were changed, in milliseconds since 1970. */
  readonly deployedMs: readonly number[]
  /** @default - it is not sealed */
  readonly sealed: SealedArchive | undefined
  /** Milliseconds since 1970: nothing is promised of what the stream had forgotten by then. */
  readonly beganMs: number
  /** @default - no value is a person's */
  readonly persons?: PersonsLeft
  /** What comparisons with the live table said. */
  readonly reconciliations: readonly Reconciliation[]
  /** @default - nobody reads it at last */
  readonly lastLook?: LastLook
}

const WEEK_MS = 7 * DAY_MS
/** As long as Firehose may keep a record in its buffer, and some more. */
const WAIT_MS = 20 * 60_000

/** The configuration of the one table of a world. */
export const TABLE: TableConfiguration = {
  table: 'Orders',
  capture: 'streams',
  keys: [{ column: 'order_id', attribute: 'order_id' }],
  columns: [{ column: 'status', path: ['status'], type: 'string' }],
}

/** The same where an order has a value of a person. */
const TABLE_OF_PERSONS: TableConfiguration = {
  ...TABLE,
  erasable: [{ subject: ['customer'], values: [{ path: ['contact'] }] }],
}

/** Runs a world from its beginning until everything in it has come to rest. */
export async function runWorld(scenario: Scenario, isTold: boolean): Promise<Remains> {
  const world = createWorld(scenario, isTold)
  const remains = await (scenario.path === 'aws' ? runOnAws(world, scenario) : runOnDesk(world, scenario))
  return scenario.isReadAtLast ? { ...remains, lastLook: await readAtLast(remains) } : remains
}

function readAtLast({ world, table, rows, facts }: Remains): Promise<LastLook> {
  return lookAtLast({
    table: TABLE,
    rows,
    facts,
    atUs: Math.floor(world.scheduler.now) * 1000,
    items: table.all,
    names: [...new Set(table.versions.map(({ item }) => item))],
  })
}

async function runOnAws(world: World, scenario: Scenario): Promise<Remains> {
  const archive = new SimulatedBucket(world, 'archive')
  const refused = new SimulatedBucket(world, 'refused')
  const locked = scenario.lock && lockedArchive(world, archive, scenario.lock)
  const isOfPersons = scenario.load.persons !== undefined
  const configuration = { ...(isOfPersons ? TABLE_OF_PERSONS : TABLE), capture: scenario.capture }
  const deployments = new Deployments(world, configuration, keepIn(archive))
  if (scenario.isRedeployed) void deployments.run(scenario.hours)
  const isCoarse = scenario.capture === 'kinesis' && scenario.precision === 'MILLISECOND'
  const table = new SimulatedTable(world, isCoarse ? 1000 : 1)
  const count = scenario.load.persons
  const persons = count === undefined ? undefined : await SimulatedPersons.deploy(world)
  const deployed: Deployed = { world, configuration, table, archive, refused, scenario, persons, deployments }
  const replay = scenario.capture === 'kinesis' ? deployKinesis(deployed) : deployStreams(deployed)
  const operator = scenario.isOperated ? operatorOf(deployed, replay) : undefined
  const journal = scenario.isSealed ? new SimulatedJournal(world, archive) : undefined
  const derived = new SimulatedBucket(world, 'derived')
  const kept = persons && { table: configuration, persons, archive, refused, derived, count: count as number }
  const eraser = kept && new Eraser(world, kept)
  void journal?.runUntil(endOf(scenario))
  void operator?.runUntil(endOf(scenario))
  void eraser?.runUntil(endOf(scenario))
  const compactor = scenario.isCompacted
    ? new SimulatedCompactor(world, {
        table: configuration,
        configurationOf: () => deployments.forCall(),
        archive,
        derived,
      })
    : undefined
  void compactor?.runUntil(endOf(scenario))
  void compactor?.readUntil(endOf(scenario))
  const now = () => ({
    rows: archive.contents(DATA_PREFIX),
    facts: archive.contents(FACTS_PREFIX),
    configurations: archive.contents(CONFIG_PREFIX),
  })
  const findings = await withRestores(world, table, scenario, now, async finish => {
    await letPass(world, table, scenario)
    return atLast(world, [
      finish,
      () => operator?.finish(),
      () => eraser?.finish(),
      () => compactor?.finish(),
      () => journal?.check(),
    ])
  }).finally(() => operator?.remove())
  return {
    world,
    scenario,
    table,
    rows: archive.contents(DATA_PREFIX),
    refused: [...archive.contents(REFUSED_PREFIX), ...refused.contents(REFUSED_PREFIX)],
    givenUp: refused.contents(GIVEN_UP_PREFIX),
    facts: archive.contents(FACTS_PREFIX),
    findings,
    locked,
    configurations: archive.contents(CONFIG_PREFIX),
    deployedMs: deployments.times,
    sealed: journal && { bucket: archive, key: journal.key },
    beganMs: START_MS,
    reconciliations: operator?.reconciliations ?? [],
    ...(kept && eraser && { persons: { ...kept, erased: eraser.erased } }),
  }
}

function lockedArchive(world: World, bucket: SimulatedBucket, rule: RetentionRule): LockedArchive {
  return { bucket, rule, events: new LockEvents(world, bucket, rule) }
}

async function runOnDesk(world: World, scenario: Scenario): Promise<Remains> {
  const table = new SimulatedTable(world)
  const desk = scenario.isIngested ? new Ingester(world, table, TABLE) : new SimulatedDesk(world, table, TABLE)
  try {
    void desk.runUntil(endOf(scenario))
    const now = () => ({ rows: desk.rowObjects(), facts: desk.facts(), configurations: desk.configurations() })
    const findings = await withRestores(world, table, scenario, now, async finish => {
      await letPass(world, table, scenario)
      return atLast(world, [finish, () => desk.finish()])
    })
    const [rows, refused, facts] = [desk.rowObjects(), desk.refusedObjects(), desk.facts()]
    return {
      world,
      scenario,
      table,
      rows,
      refused,
      givenUp: [],
      facts,
      findings,
      locked: undefined,
      configurations: desk.configurations(),
      deployedMs: [],
      sealed: undefined,
      beganMs: desk.beganMs,
      reconciliations: [],
    }
  } finally {
    desk.remove()
  }
}

/** Has somebody restore the table, where a world has such, and finds out what became of it. */
async function withRestores(
  world: World,
  table: SimulatedTable,
  scenario: Scenario,
  archive: () => AskedArchive,
  pass: (finish: Check) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (!scenario.isRestored) return pass(() => undefined)
  const restorer = new Restorer(world, table, archive, identityOf(scenario))
  try {
    void restorer.runUntil(START_MS + scenario.hours * HOUR_MS)
    return await pass(() => restorer.finish())
  } finally {
    restorer.remove()
  }
}

/** The time of a world: its writes, and then so long that all comes to its end. */
async function letPass(world: World, table: SimulatedTable, scenario: Scenario): Promise<void> {
  void runWorkload(world, table, scenario.load, START_MS + scenario.hours * HOUR_MS)
  await world.scheduler.runUntil(endOf(scenario))
}

/** The parts that the functions and services between a table and an archive connect. */
interface Deployed {
  readonly world: World
  readonly configuration: TableConfiguration
  readonly table: SimulatedTable
  readonly archive: SimulatedBucket
  readonly refused: SimulatedBucket
  readonly scenario: Scenario
  /** @default - no value is a person's */
  readonly persons: SimulatedPersons | undefined
  readonly deployments: Deployments
}

function deployFirehose(deployed: Deployed, recordBytes: number, keptMs?: number): SimulatedFirehose {
  const { world, archive, scenario, configuration, persons, deployments } = deployed
  return new SimulatedFirehose(world, {
    table: configuration,
    archive,
    recordBytes,
    ...(keptMs !== undefined && { keptMs }),
    ...(scenario.isRedeployed && { columns: deployments.columns }),
    transform: persons?.transformOf(() => deployments.forCall()) ?? {
      name: 'transform',
      timeoutMs: 60_000,
      run: event => createHandler(deployments.forCall(), () => world.metrics.put('ours RecordsRefused', 1))(event),
    },
  })
}

/** Answers the stream that takes what is sent again, which here is another one. */
function deployKinesis(deployed: Deployed): SimulatedFirehose {
  const { world, table, scenario } = deployed
  // Firehose goes on for as long as the stream keeps records
  const firehose = deployFirehose(deployed, KINESIS_BYTES, WEEK_MS)
  new SimulatedKinesis(world, table, { firehose, precision: scenario.precision, recordBytes: KINESIS_BYTES })
  return deployFirehose(deployed, LIMITS.recordBytes)
}

function operatorOf(deployed: Deployed, replay: SimulatedFirehose): Operator {
  const { world, table, archive, refused, scenario, deployments } = deployed
  const configurationOf = () => deployments.ofPeople
  // a baseline knows the limit of the service alone
  const baseline = { table, configurationOf, archive, firehose: deployFirehose(deployed, RECORD_BYTES) }
  return new Operator(world, {
    configurationOf,
    buckets: [archive, refused],
    replay,
    recordBytes: LIMITS.recordBytes,
    baseline: scenario.hasBaselines ? baseline : undefined,
    compared: scenario.isReconciled === true ? { table, archive, waitMs: scenario.isAwaited ? WAIT_MS : 0 } : undefined,
  })
}

function deployStreams(deployed: Deployed): SimulatedFirehose {
  const { world, table, refused, scenario } = deployed
  const firehose = deployFirehose(deployed, LIMITS.recordBytes)
  new SimulatedMapping(world, table, {
    givenUp: refused,
    batchSize: scenario.batchSize,
    forwarder: {
      name: 'forwarder',
      timeoutMs: 60_000,
      run: (event, { process, context }) =>
        createForwarder({
          table: TABLE.table,
          deliveryStream: 'simulated',
          refusedBucket: refused.name,
          firehose: firehose.clientOf(process),
          s3: s3ClientOf(process, [refused]),
          writeMetrics: counts => {
            for (const [name, value] of Object.entries(counts)) world.metrics.put(`ours ${name}`, value)
          },
          log: (message, details) => world.story.tell(process.name, `${message} ${JSON.stringify(details)}`),
          now: process.now,
          time: timeOf(process),
          limits: LIMITS,
        })(event, context),
    },
  })
  return firehose
}

type Check = () => Promise<readonly string[]> | undefined

/** What is found at last, one check after the other, without a fault. It takes a while, as everything does. */
async function atLast(world: World, checks: readonly Check[]): Promise<readonly string[]> {
  let findings: readonly string[] = ['the last check does not come to an end']
  const checkAll = async () => {
    const found: string[] = []
    for (const check of checks) found.push(...((await check()) ?? []))
    return found
  }
  void checkAll().then(
    found => {
      findings = found
    },
    (error: Error) => {
      findings = [`the last check fails: ${error.message}`]
    },
  )
  await world.scheduler.runUntil(world.scheduler.now + 6 * HOUR_MS)
  return findings
}

function createWorld(scenario: Scenario, isTold: boolean): World {
  const dice = new Dice(scenario.seed)
  const scheduler = new Scheduler(START_MS, dice.fork('ties'))
  const now = () => scheduler.now
  const story = new Story(now, START_MS, isTold)
  const metrics = new Metrics(now)
  const faults = new Faults(scenario.faults, dice.fork('faults'), now, START_MS, kind => story.tell('fault', kind))
  let number = 0
  return {
    scheduler,
    dice: dice.fork('world'),
    faults,
    metrics,
    calls: new Calls(),
    story,
    losses: [],
    numbers: { next: () => ++number },
  }
}
