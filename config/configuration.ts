import { readFileSync } from 'node:fs'
import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { nameProblems, toColumn, toKey, toPath } from './column-names.js'
import { erasableProblems, toErasable } from './erasable.js'
import { readJson } from './json-text.js'
import { ConfigurationError, describeIssue } from './problems.js'
import { type AthenaFields, configurationFile, type Lock, type SealFields, STREAM, type TableFields } from './schema.js'

/** What `itemtrail.config.json` says, checked and normalised. */
export interface Configuration {
  /** Absent on a desk; to deploy it must be said. */
  readonly lock?: Lock
  /** Days that refused records are kept. */
  readonly refusedDays: number
  /** A query in Athena that scans more gigabytes than this is cancelled. */
  readonly scanCutoffGb: number
  /** Whether the stack keeps a copy of each table, clustered by item, and checkpoints. */
  readonly compact: boolean
  /** How the archive is sealed; absent where nothing was said of it. */
  readonly seal?: SealFields
  /** Whether the stack measures how long a write takes into the archive. */
  readonly canary: boolean
  /** Where the keys are of what is erasable. */
  readonly erasure?: { readonly keys: string }
  /** Tells archives of one account apart. */
  readonly environment?: string
  /** Who hears of alarms by e-mail. */
  readonly notify: readonly string[]
  /** Where Athena is asked. */
  readonly athena?: AthenaFields
  readonly tables: ReadonlyMap<string, TableConfiguration>
  /** What only a deployment needs to know of each table: it changes no row. */
  readonly deployments: ReadonlyMap<string, TableDeployment>
}

/** The name of the Glue database and of the workgroup that the stack of a configuration file makes. */
export function deployedName({ environment }: Pick<Configuration, 'environment'>): string {
  return ['itemtrail', ...(environment?.split('-') ?? [])].join('_')
}

/** How a table is attached on AWS. */
export interface TableDeployment {
  /** The stream of a table that is not made by the same app. */
  readonly streamArn?: string
  /** The customer managed key of such a table. */
  readonly tableKeyArn?: string
  /** Whether the table is compared with its archive each night. */
  readonly reconcile: boolean
  /** What Firehose gathers before it writes an object. */
  readonly buffer: { readonly mb: number; readonly seconds: number }
}

/** Reads and checks a configuration file. Throws a `ConfigurationError` that lists everything that is wrong. */
export function readConfiguration(path: string): Configuration {
  return parseConfiguration(readText(path), path)
}

/** Checks the text of a configuration file. Throws a `ConfigurationError` that lists everything that is wrong. */
export function parseConfiguration(text: string, path: string): Configuration {
  return checkConfiguration(parseJson(text, path), path)
}

/**
 * Checks what a configuration file holds, from wherever it comes: `path` opens the message. Throws a
 * `ConfigurationError` that lists everything that is wrong.
 */
export function checkConfiguration(file: unknown, path: string): Configuration {
  const { data, error } = configurationFile.safeParse(file)
  const issues = error?.issues ?? []
  const problems = [
    ...issues.flatMap(issue => describeIssue(issue, file)),
    ...nameProblems(file),
    ...Object.entries(data?.tables ?? {}).flatMap(([name, table]) => streamProblems(name, table)),
    ...(data === undefined ? [] : erasableProblems(data)),
  ]
  if (data === undefined || problems.length > 0) throw new ConfigurationError(path, problems)
  const { $schema: _, tables, seal, ...rest } = data
  const entries = Object.entries(tables)
  return {
    ...rest,
    ...(seal !== false && { seal: seal === true ? { mail: [] } : seal }),
    tables: new Map(entries.map(([name, table]) => [name, toTable(name, table)])),
    deployments: new Map(entries.map(([name, table]) => [name, toDeployment(table)])),
  }
}

/** Each change of it would be refused, after everything was deployed. */
function streamProblems(name: string, { streamArn }: TableFields): readonly string[] {
  const table = streamArn === undefined ? name : STREAM.exec(streamArn)?.[1]
  return table === name ? [] : [`tables.${name}.streamArn is a stream of table ${table}, expected one of ${name}`]
}

/** The configuration of a table: the file's, or that of a table that nobody configured. */
export function tableConfiguration(configuration: Configuration | undefined, table: string): TableConfiguration {
  return configuration?.tables.get(table) ?? unconfiguredTable(table)
}

function toDeployment({ streamArn, tableKeyArn, reconcile, buffer }: TableFields): TableDeployment {
  const arns = { ...(streamArn !== undefined && { streamArn }), ...(tableKeyArn !== undefined && { tableKeyArn }) }
  return { ...arns, reconcile, buffer }
}

function toTable(name: string, fields: TableFields): TableConfiguration {
  const { keys = [], columns, actor, lifecycle, capture, since, erasable, keyIsPersonal } = fields
  return {
    table: name,
    capture,
    ...(since !== undefined && { since }),
    keys: keys.map(toKey),
    columns: Object.entries(columns).map(([column, field]) => toColumn(column, field)),
    ...(actor === undefined ? {} : { actor: toPath(actor) }),
    ...(lifecycle === undefined
      ? {}
      : { lifecycle: { path: toPath(lifecycle.attribute), allowed: lifecycle.allowed } }),
    ...(erasable === undefined ? {} : { erasable: erasable.map(toErasable) }),
    // their order decides nothing, and is in the configuration's id
    ...(keyIsPersonal === undefined ? {} : { keyIsPersonal: [...keyIsPersonal].sort() }),
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return readJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ConfigurationError(path, [error.message], { cause: error })
  }
}

function readText(path: string): string {
  try {
    // takes a byte order mark off, and a file that is not UTF-8 would name other attributes than it seems to
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    throw new ConfigurationError(path, [unreadable(error as NodeJS.ErrnoException)], { cause: error })
  }
}

function unreadable({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'no such file'
    case 'EISDIR':
      return 'is a directory, expected a JSON file'
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'is not UTF-8, expected a JSON file'
    default:
      return `cannot be read: ${message}`
  }
}
