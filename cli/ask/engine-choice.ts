import { type Configuration, deployedName } from '../../config/configuration.js'
import type { StackOutputs, StackPlace } from '../../library/stack.js'
import { CommandError, EXIT, type Options } from '../io.js'

/** Flags by which a question says where it is asked. */
export const ENGINE_OPTIONS = [
  ['--engine <engine>', 'duckdb reads the folder, athena asks on AWS (default: duckdb)'],
  ['--stack <name>', 'on AWS, a stack whose outputs name workgroup, database and bucket'],
  ['--workgroup <name>', 'on AWS, the workgroup'],
  ['--database <name>', 'on AWS, the Glue database'],
  ['--region <region>', 'on AWS, the region'],
] as const

const AWS_FLAGS = ['stack', 'workgroup', 'database', 'region'] as const

/** Variables that stand in for flags; region, credentials and endpoint have those that every AWS tool reads. */
const ENVIRONMENT = {
  engine: 'ITEMTRAIL_ENGINE',
  stack: 'ITEMTRAIL_STACK',
  workgroup: 'ITEMTRAIL_WORKGROUP',
  database: 'ITEMTRAIL_DATABASE',
} as const

export type EngineName = 'duckdb' | 'athena'

/**
 * The engine that is asked: a flag says it, or implies it, else whoever calls expects one (`expectedEngine`), else the
 * environment says it. Throws `CommandError` for flags that do not go together.
 */
export function engineOf(options: Options, defaultArchive: string): EngineName {
  const [flag] = AWS_FLAGS.filter(name => options[name] !== undefined)
  const inFolder = options.archive !== undefined && options.archive !== defaultArchive
  const implied = flag !== undefined ? 'athena' : inFolder ? 'duckdb' : (options.expectedEngine ?? setting('engine'))
  const engine = options.engine ?? implied ?? 'duckdb'
  if (engine !== 'duckdb' && engine !== 'athena')
    throw new CommandError(`engine ${JSON.stringify(engine)} is unknown, expected duckdb or athena`)
  if (engine === 'duckdb' && flag !== undefined)
    throw new CommandError(`--${flag} says where Athena is asked, but the engine is duckdb`)
  if (engine === 'athena') refuseFolderFlags(options, defaultArchive)
  return engine
}

/** What each flag that only an archive in a folder takes would be for. */
const FOLDER_FLAGS: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  archive: ['names a folder, which Athena does not read', 'leave one of both out'],
  cloudtrail: [
    'names a folder, which Athena does not read',
    'on AWS the calls are read that the stack keeps: leave it out',
  ],
  files: ['is for an archive in a folder, and Athena is asked', 'leave one of both out'],
  memory: ['is of an archive in a folder, and Athena is asked', 'what Athena may hold nobody can say: leave it out'],
}

/** Throws a `CommandError` for a flag that AWS has no use for: to pass over it would look like obeying. */
export function refuseFolderFlags(options: Options, defaultArchive: string): void {
  for (const [name, [why, hint]] of Object.entries(FOLDER_FLAGS))
    if (options[name] !== undefined && !(name === 'archive' && options.archive === defaultArchive))
      throw new CommandError(`--${name} ${why}`, EXIT.usage, hint)
}

/** Where Athena is asked: what a flag says, else the stack, the environment, the configuration, in this order. */
export async function placeOf(options: Options, configuration: Configuration | undefined): Promise<StackPlace> {
  const { athena } = configuration ?? {}
  const region = regionOf(options, configuration)
  const told = await askStack(options, configuration)
  const deployed = configuration && deployedName(configuration)
  const find = (name: 'workgroup' | 'database') =>
    textOf(options, name) ?? told?.[name]?.() ?? setting(name) ?? athena?.[name] ?? deployed ?? missing(name)
  return {
    workgroup: find('workgroup'),
    database: find('database'),
    region,
    results: athena?.results,
    bucket: told?.bucket,
    derived: told?.derived,
    journal: told?.journal,
  }
}

/** The region that a flag says, else the configuration; undefined where the AWS SDK is to find it. */
export function regionOf(options: Options, configuration: Configuration | undefined): string | undefined {
  return textOf(options, 'region') ?? configuration?.athena?.region
}

function textOf(options: Options, name: string): string | undefined {
  const value = options[name]
  if (value === '') throw new CommandError(`--${name} is empty`)
  return typeof value === 'string' ? value : undefined
}

function setting(name: keyof typeof ENVIRONMENT): string | undefined {
  return process.env[ENVIRONMENT[name]] || undefined
}

/** The stack that a question is asked of: as a flag says, else the environment. Names of their own need none. */
export function stackOf(options: Options): string | undefined {
  const { workgroup, database } = options
  return textOf(options, 'stack') ?? (workgroup !== undefined && database !== undefined ? undefined : setting('stack'))
}

function missing(name: 'workgroup' | 'database'): never {
  throw new CommandError(
    `which ${name} of Athena? expected --${name}, ${ENVIRONMENT[name]}, or a configuration`,
    EXIT.usage,
    '--stack NAME takes workgroup and database from a deployed stack',
  )
}

/** What the stacks of a command said: it asks each once, however many of its parts want to know. */
const TOLD = new WeakMap<Options, Map<string, Promise<StackOutputs>>>()

/** What the stack says of itself that a command's flags, or the environment, name; undefined where they name none. */
export async function stackTold(
  options: Options,
  configuration: Configuration | undefined,
): Promise<StackOutputs | undefined> {
  const [stack, region] = [stackOf(options), regionOf(options, configuration)]
  if (stack === undefined) return undefined
  const { describeStack } = await import('../../library/stack.js')
  const told = TOLD.get(options) ?? new Map<string, Promise<StackOutputs>>()
  TOLD.set(options, told)
  const which = `${stack} ${region}`
  if (!told.has(which)) told.set(which, describeStack(stack, region))
  return told.get(which)
}

async function askStack(options: Options, configuration: Configuration | undefined): Promise<StackOutputs | undefined> {
  const told = await stackTold(options, configuration).catch((error: Error) => {
    throw new CommandError(
      error.message,
      EXIT.unchecked,
      'region and credentials are those of the environment: AWS_REGION, AWS_PROFILE; --workgroup and --database need no stack',
    )
  })
  return (
    told && { ...told, workgroup: orFlag('workgroup', told.workgroup), database: orFlag('database', told.database) }
  )
}

/** What a stack does not say, or says of several archives, a flag can say. */
function orFlag(flag: string, read: () => string): () => string {
  return () => {
    try {
      return read()
    } catch (error) {
      const hint = `--${flag} says which is meant; an archive of Itemtrail has it among its outputs`
      throw new CommandError((error as Error).message, EXIT.usage, hint)
    }
  }
}
