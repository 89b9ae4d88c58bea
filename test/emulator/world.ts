/**
 * What all files of a run share: the emulator, four tables that nobody's stack made, and one archive of them, with
 * everything that can be switched on. Vitest's set-up makes it; `npx tsx test/emulator/world.ts` makes one that stays,
 * for `EMULATOR_WORLD=FILE npm run test:emulator`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena'
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { CreateTableCommand, type CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { missingForQuestions, startAthenaFront, WAREHOUSE } from './athena.js'
import { feedBundledStream, invoke, writeItems, writeMembers } from './drive.js'
import { type Environment, missingForEmulator, ROOT, startEmulator } from './emulator.js'
import {
  bootstrap,
  clientsOf,
  connectionOf,
  type Deployed,
  deploy,
  keysBelow,
  resourcesOf,
  synthesise,
  waitFor,
} from './stack.js'

export const STACK = 'Itemtrail-emu'

/** The environment variable through which the files of a run find the world. */
const PLACE = 'EMULATOR_WORLD'

/** As the set-up leaves it to the tests, in a file. */
export interface World {
  readonly folder: string
  /** Of the account's root. */
  readonly environment: Environment
  /** Where CDK synthesised the archive. */
  readonly assembly: string
  readonly outputs: Readonly<Record<string, string>>
  readonly resources: readonly Deployed[]
  /** The bundled stream as the forwarder was handed it. */
  readonly fed: Fed
  /** Changes that an application made. */
  readonly written: Written
  /** Why no questions are asked, where they are not. */
  readonly noQuestions?: string
}

type Fed = Awaited<ReturnType<typeof feedBundledStream>>
type Written = Awaited<ReturnType<typeof writeItems>>

/** An output of the archive, by its name in the documents. Throws where there is none, or several. */
export function outputOf({ outputs }: Pick<World, 'outputs'>, name: string): string {
  const found = Object.entries(outputs).filter(([id]) => new RegExp(`${name}[0-9A-F]{8}$`).test(id))
  const [one] = found
  if (one !== undefined && found.length === 1) return one[1]
  throw new Error(`${found.length} outputs are called ${name}, expected one of ${Object.keys(outputs).join(', ')}`)
}

/** What a resource is called once it is there. Throws where there is none, or several. */
export function physicalOf(resources: readonly Deployed[], id: RegExp, type: string): string {
  const found = resources.filter(resource => id.test(resource.id) && resource.type === type)
  const [one] = found
  if (one !== undefined && found.length === 1) return one.physical
  const named = resources.filter(resource => resource.type === type).map(resource => resource.id)
  throw new Error(`${found.length} of ${type} are called ${id}, expected one of:\n${named.join('\n')}`)
}

/** The world of this run, and why there is none. */
export function openWorld(): World | string {
  const missing = missingForEmulator()
  const place = process.env[PLACE]
  if (missing !== undefined) return missing
  if (place === undefined) return 'the set-up of the run made no emulator'
  return JSON.parse(readFileSync(place, 'utf8')) as World
}

const text = (name: string) => ({ AttributeName: name, AttributeType: 'S' as const })

/** Makes a table, and tells the ARN of its stream where it has one. */
export async function makeTable(env: Environment, name: string, keys: readonly string[], streams: boolean) {
  const [sort] = keys.slice(1)
  const table: CreateTableCommandInput = {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      text(keys[0] as string),
      ...(sort === undefined ? [] : [{ AttributeName: sort, AttributeType: 'N' as const }]),
    ],
    KeySchema: keys.map((key, i) => ({ AttributeName: key, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
    ...(streams && { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }),
  }
  const { TableDescription } = await clientsOf(env).dynamodb.send(new CreateTableCommand(table))
  return `${TableDescription?.LatestStreamArn}`
}

const SINCE = '2026-10-01'
/** The stream of each table that has one. */
type Streams = Readonly<Record<'Orders' | 'Members' | 'Boxes', string>>

const KINESIS = { since: SINCE, capture: 'kinesis', keys: ['pk', 'sk'] }

function configurationOf({ Orders: orders, Members: members, Boxes: boxes }: Streams): object {
  return {
    environment: 'emu',
    lock: { mode: 'governance', days: 30 },
    compact: true,
    seal: true,
    notify: ['oncall@example.com'],
    canary: true,
    callers: true,
    erasure: { keys: 'of the stack' },
    tables: {
      Orders: {
        since: SINCE,
        keys: ['order_id'],
        actor: 'updated_by',
        streamArn: orders,
        columns: { status: 'string', total: 'decimal(12,2)', city: { attribute: 'shipping.city', type: 'string' } },
      },
      Carts: KINESIS,
      Boxes: { since: SINCE, keys: ['id'], streamArn: boxes, reconcile: true },
      Members: { since: SINCE, keys: ['id'], streamArn: members, erasable: [{ subject: 'id', attributes: ['name'] }] },
    },
  }
}

async function makeWorld(): Promise<{ readonly place: string; readonly stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-emulator-'))
  const front = await startAthenaFront()
  const emulator = await startEmulator(folder, front.endpoint)
  const stop = async () => {
    await front.stop()
    await emulator.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await front.connect(emulator.endpoint)
    const place = join(folder, 'world.json')
    const world = await deployWorld(folder, emulator.environment)
    const noQuestions = missingForQuestions()
    if (noQuestions === undefined) await front.answer(outputOf(world, 'DatabaseName'), await workgroupsOf(world))
    writeFileSync(place, JSON.stringify({ ...world, ...(noQuestions !== undefined && { noQuestions }) }))
    return { place, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function deployWorld(folder: string, environment: Environment): Promise<World> {
  const streams = {
    Orders: await makeTable(environment, 'Orders', ['order_id'], true),
    Members: await makeTable(environment, 'Members', ['id'], true),
    Boxes: await makeTable(environment, 'Boxes', ['id'], true),
  }
  await makeTable(environment, 'Carts', ['pk', 'sk'], false)
  const { s3, cloudformation } = clientsOf(environment)
  await s3.send(new CreateBucketCommand({ Bucket: WAREHOUSE }))
  const desk = join(folder, 'desk')
  mkdirSync(desk)
  const configuration = join(desk, 'itemtrail.config.json')
  writeFileSync(configuration, JSON.stringify(configurationOf(streams)))
  const assembly = join(folder, 'assembly')
  await synthesise(configuration, assembly, environment)
  await bootstrap(assembly, environment)
  await deploy(assembly, environment)
  const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: STACK }))
  const outputs = Object.fromEntries((Stacks[0]?.Outputs ?? []).map(it => [it.OutputKey, it.OutputValue]))
  const resources = await resourcesOf(STACK, environment)
  const forwarder = physicalOf(resources, /Orders.*\/ForwarderFunction[^/]*$/, 'AWS::Lambda::Function')
  const fed = await feedBundledStream(forwarder, streams.Orders, environment, folder)
  const written = await writeItems(environment)
  await writeMembers(environment)
  const bucket = outputOf({ outputs }, 'ArchiveBucket')
  await waitFor(
    () => keysBelow(bucket, 'data/Carts/', environment),
    keys => keys.length >= written.Carts,
  )
  await invoke(physicalOf(resources, /JournalSealer[^/]*$/, 'AWS::Lambda::Function'), {}, environment, folder)
  return { folder, environment, assembly, outputs, resources, fed, written }
}

/** The workgroups of the archive, with where their answers go. */
async function workgroupsOf({ environment, resources }: World): Promise<ReadonlyMap<string, string>> {
  const client = new AthenaClient(connectionOf(environment))
  const groups = resources.filter(({ type }) => type === 'AWS::Athena::WorkGroup')
  const placed = groups.map(async ({ physical: name }) => {
    const { WorkGroup } = await client.send(new GetWorkGroupCommand({ WorkGroup: name }))
    return [name, `${WorkGroup?.Configuration?.ResultConfiguration?.OutputLocation}`] as const
  })
  return new Map(await Promise.all(placed))
}

/** Vitest's global set-up. */
export async function setup(): Promise<() => Promise<void>> {
  // a reporter that leaves the titles of what is skipped out would say nothing of it
  for (const missing of [missingForEmulator(), missingForQuestions()])
    if (missing !== undefined) console.warn(`test:emulator skips what needs it: ${missing}`)
  if (missingForEmulator() !== undefined || process.env[PLACE] !== undefined) return async () => {}
  const { place, stop } = await makeWorld()
  process.env[PLACE] = place
  return stop
}

if (process.argv[1] === join(ROOT, 'test', 'emulator', 'world.ts')) {
  const { place, stop } = await makeWorld()
  console.log(`EMULATOR_WORLD=${place}`)
  process.once('SIGTERM', () => stop().then(() => process.exit(0)))
}
