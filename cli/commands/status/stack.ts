/** How an archive on AWS is at this moment, for whoever was woken. It loads the SDK: it is loaded when it is asked. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import type { Configuration } from '../../../config/configuration.js'
import type { RefusedGroup } from '../../../delivery/refused-survey.js'
import { readManifest } from '../../../derived/manifest.js'
import type { DeployedFact } from '../../../doctor/deployed-facts.js'
import { type AlarmsFound, readAlarms, type StackAlarm } from '../../../doctor/stack-alarms.js'
import { type Hop, readCanaryLag, readLag, type TableLag } from '../../../doctor/stack-lag.js'
import { listStack } from '../../../doctor/stack-resources.js'
import type { OpenArchive } from '../../../library/archive.js'
import type { StackOutputs } from '../../../library/stack.js'
import { lastComparison, type OpenGap, openGaps, type TableStatus } from '../../../queries/answers/table-status.js'
import { type QueryEngine, QueryError } from '../../../queries/engines/engine.js'
import { deliveriesOf } from '../../../queries/engines/literal.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { inUtc } from '../../../queries/engines/utc.js'
import { type Uncertified, uncertifiedIn } from '../../../queries/verdict/erasures.js'
import { findFacts } from '../../../store/kept-facts.js'
import { isMissing, type Objects } from '../../../store/objects.js'
import { tablesOf } from '../../../store/table-objects.js'
import { manifestKey } from '../../../transform/derived.js'
import { dateOfKey, tablePrefix } from '../../../transform/layout.js'
import { type TableConfiguration, unconfiguredTable } from '../../../transform/table-configuration.js'
import { nameTables } from '../../../transform/table-names.js'
import { regionOf, stackOf, stackTold } from '../../ask/engine-choice.js'
import { openBucket } from '../../ask/open-bucket.js'
import { uncapturedTables } from '../../ask/uncaptured.js'
import { loadConfiguration, withWorkspace } from '../../ask/workspace.js'
import { isInterrupted } from '../../failure-of.js'
import { CommandError, EXIT, type Io, type Options } from '../../io.js'
import { WIPE_LINE } from '../../show/terminal.js'
import { readRefusedOfStack, type StackRefused } from './stack-refused.js'

/** What was asked of a stack, each part with its answer, or why there is none. */
export interface StackStatus {
  readonly stack: string
  /** Milliseconds since 1970. */
  readonly asked: number
  readonly alarms: DeployedFact<StackAlarms>
  /** How long a write takes into the archive, end to end; undefined where the stack has no canary. */
  readonly canary: DeployedFact<Hop | undefined>
  readonly tables: readonly TableOnCall[]
  /** Tables that the archive keeps something of and that the stack does not capture. */
  readonly uncaptured: readonly string[]
  readonly refused: DeployedFact<StackRefused>
}

/** The alarms of a stack, and where some of them could not be looked for. */
export interface StackAlarms extends AlarmsFound {
  readonly unlisted: readonly { readonly stack: string; readonly why: string }[]
}

/** What somebody on call asks of a table. */
export interface TableOnCall {
  readonly table: string
  readonly last: DeployedFact<LastChange>
  readonly lag: DeployedFact<TableLag>
  readonly facts: DeployedFact<FactsOnCall>
  /** When its copy was last published; null before the first. Undefined where the stack keeps none. */
  readonly compacted: DeployedFact<string | null> | undefined
  readonly alarms: readonly StackAlarm[]
  readonly refused: readonly RefusedGroup[]
}

/** The newest change in the archive, and when the newest row was delivered: ISO 8601 in UTC, null where none is. */
export interface LastChange {
  readonly change: string | null
  readonly delivered: string | null
}

interface FactsOnCall {
  readonly open: readonly OpenGap[]
  readonly compared: TableStatus['compared']
  readonly uncertified: readonly Uncertified[]
  /** Facts that cannot be read, so that nobody knows what they say. */
  readonly unread: readonly string[]
}

/** Asks a stack how it is. Throws `CommandError` where there is none, or it is none of ours. */
export async function readStackStatus(options: Options, io: Io): Promise<StackStatus> {
  const configuration = loadConfiguration(options)
  const { stack, outputs } = await describeOnly(options, configuration)
  const region = regionOf(options, configuration)
  const connection = region === undefined ? {} : { region }
  const derived = outputs.derived === undefined ? undefined : await openBucket(outputs.derived, region)
  const about = { stack, outputs, derived, connection, now: Date.now() }
  return withWorkspace(
    options,
    ({ archive: opened, engine }) =>
      askAll({ ...about, opened, engine, configuration, archive: engine.facts as Objects }, io),
    io,
  )
}

async function describeOnly(options: Options, configuration: Configuration | undefined) {
  const stack = stackOf(options)
  const hint = 'region and credentials are those of the environment: AWS_REGION, AWS_PROFILE'
  const told = await stackTold(options, configuration).catch((error: Error) => {
    throw new CommandError(error.message, EXIT.unchecked, hint)
  })
  if (stack === undefined || told === undefined)
    throw new CommandError('which stack? expected --stack NAME', EXIT.usage, 'its alarms and its buckets are asked')
  if (told.bucket === undefined)
    throw new CommandError(`stack ${JSON.stringify(stack)} has no output ArchiveBucket`, EXIT.usage)
  if (told.archives > 1)
    throw new CommandError(
      `stack ${JSON.stringify(stack)} has ${told.archives} archives, whose alarms nobody can tell apart: expected one archive a stack`,
    )
  return { stack, outputs: told }
}

/** Tables that are asked about at once. */
const PARALLEL = 8

/** What there is to ask with. */
interface Asking {
  readonly stack: string
  readonly outputs: StackOutputs
  readonly opened: OpenArchive
  readonly engine: QueryEngine
  /** The archive's bucket. */
  readonly archive: Objects
  /** The bucket of its copy; undefined where the stack keeps none. */
  readonly derived: Objects | undefined
  readonly configuration: Configuration | undefined
  readonly connection: { readonly region?: string }
  readonly now: number
}

async function askAll(asking: Asking, io: Io): Promise<StackStatus> {
  const { stack, archive, now } = asking
  const note = (text: string) => io.errIsTerminal && io.err(`${WIPE_LINE}${text}`)
  note('asking for alarms ...')
  const clients = openClients(asking)
  const alarms = await orWhy(() => readStackAlarms(clients, stack))
  const canary =
    alarms.kind === 'unknown' ? alarms : await orWhy(() => readCanaryLag(clients.cloudWatch, alarms.value.alarms, now))
  note('asking for what was refused ...')
  const refused = await orWhy(() => readRefusedOfStack(asking))
  const up = alarms.kind === 'found' ? alarms.value.alarms : []
  const subjects = up.flatMap(({ rule }) => (rule === undefined || rule.subject === ARCHIVE ? [] : [rule.subject]))
  const all = [...new Set([...(await tablesOf(archive)), ...subjects])].sort()
  const uncaptured = await uncapturedTables(asking.opened, asking.outputs, all)
  const names = all.filter(name => !uncaptured.includes(name))
  const known = nameTables(names.map(name => asking.configuration?.tables.get(name) ?? unconfiguredTable(name)))
  const tables: TableOnCall[] = []
  for (let i = 0; i < known.length; i += PARALLEL) {
    note(`asking about ${known[i]?.table} ...`)
    const some = known.slice(i, i + PARALLEL)
    tables.push(...(await Promise.all(some.map(table => askTable(table, { alarms, refused, clients }, asking)))))
  }
  if (io.errIsTerminal) io.err(WIPE_LINE)
  return { stack, asked: now, alarms, canary, tables, uncaptured, refused }
}

/** Whom the alarms of the archive itself name. */
const ARCHIVE = 'archive'

function openClients({ connection }: Asking) {
  return { cloudFormation: new CloudFormationClient(connection), cloudWatch: new CloudWatchClient(connection) }
}

type Clients = ReturnType<typeof openClients>

async function readStackAlarms({ cloudFormation, cloudWatch }: Clients, stack: string): Promise<StackAlarms> {
  const { resources, unlisted } = await listStack(cloudFormation, stack)
  const names = resources.filter(({ type }) => type === 'AWS::CloudWatch::Alarm').map(({ physicalId }) => physicalId)
  return { ...(await readAlarms(cloudWatch, names)), unlisted }
}

interface Watched {
  readonly alarms: DeployedFact<StackAlarms>
  readonly refused: DeployedFact<StackRefused>
  readonly clients: Clients
}

async function askTable(
  table: TableConfiguration,
  { alarms, refused, clients }: Watched,
  asking: Asking,
): Promise<TableOnCall> {
  const { derived } = asking
  const name = table.table
  const [last, lag, facts, compacted] = await Promise.all([
    orWhy(() => readLast(table, asking)),
    alarms.kind === 'unknown'
      ? alarms
      : orWhy(() => readLag(clients.cloudWatch, alarms.value.alarms, name, asking.now)),
    orWhy(() => readFactsOnCall(asking.archive, name)),
    derived && orWhy(() => readCompacted(name, derived)),
  ])
  return {
    ...{ table: name, last, lag, facts, compacted },
    alarms: alarms.kind === 'found' ? alarms.value.alarms.filter(({ rule }) => rule?.subject === name) : [],
    refused: refused.kind === 'found' ? refused.value.groups.filter(group => group.table === name) : [],
  }
}

const BEYOND = 'days before `since` and after today are in no answer'

/** Of the newest day alone, unless only baselines are of it. */
async function readLast(table: TableConfiguration, { archive, engine }: Asking): Promise<LastChange> {
  const days = (await archive.folders(tablePrefix(table.table))).map(dateOfKey).filter(day => day !== '')
  const newest = days.sort().at(-1)
  if (newest === undefined) return { change: null, delivered: null }
  const sql = `
    select max(case when event_name <> 'BASELINE' then event_time end) as change, max(arrived_at) as delivered
    from ${deliveriesOf(table)}
    where event_date >= ?`
  const ask = async (day: string) => [...rowsOf(await inUtc(await engine.run(sql, [day])))][0] as unknown as LastChange
  const oldest = days[0] as string
  const ofNewest = await ask(newest)
  const found = ofNewest.change === null && oldest !== newest ? await ask(oldest) : ofNewest
  if (found.change !== null || found.delivered !== null) return found
  throw new QueryError(`Athena reads no row of ${oldest} to ${newest}, of which the bucket has objects: ${BEYOND}`)
}

async function readFactsOnCall(archive: Objects, table: string): Promise<FactsOnCall> {
  const { facts, problems } = await findFacts(archive, table)
  return {
    open: openGaps(facts),
    compared: lastComparison(facts),
    uncertified: uncertifiedIn(facts),
    unread: problems.map(({ message }) => message),
  }
}

async function readCompacted(table: string, derived: Objects): Promise<string | null> {
  const key = manifestKey(table)
  try {
    return readManifest(Buffer.from(await derived.open(key)).toString(), key, table).built
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** What could not be asked is not wrong, and is told; an end that somebody wants is one. */
async function orWhy<T>(read: () => Promise<T>): Promise<DeployedFact<T>> {
  try {
    return { kind: 'found', value: await read() }
  } catch (error) {
    if (isInterrupted(error)) throw error
    const { name, message } = error as Error
    return { kind: 'unknown', why: /^(Command|Query|File|Archive)Error$/.test(name) ? message : `${name}: ${message}` }
  }
}
