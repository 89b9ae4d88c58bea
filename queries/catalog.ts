import { readdirSync, readFileSync } from 'node:fs'
import { CALLS_TABLE } from '../transform/table-names.js'
import type { BoundValue } from './engines/engine.js'
import type { Parameter, ParameterType } from './parameters.js'
import type { QueryName } from './query-types.js'

/** The type of an answer's column, the same on every engine; times are of UTC. */
export type AnswerType = 'varchar' | 'bigint' | 'double' | 'decimal(38,10)' | 'boolean' | 'timestamp' | 'array(varchar)'

/** A column of a saved query's answer. */
export interface AnswerColumn {
  readonly name: string
  readonly type: AnswerType
  /** True for what people look up rather than read down a column, such as images. */
  readonly detail: boolean
  readonly meaning: string
}

/** The days whose rows a question reads, by its parameters that are instants; an end without one has no bound. */
export interface DaysRead {
  readonly from: string | undefined
  readonly to: string | undefined
  /** True where the day before `from` is read, too. */
  readonly dayBefore: boolean
  /** True where the day after `to` is read, too. */
  readonly dayAfter: boolean
}

/** A question that can be asked of every table, on every engine. */
export interface SavedQuery {
  readonly name: string
  readonly question: string
  readonly parameters: readonly Parameter[]
  /** True where the question is about one configured column, which the statement names `{column}`. */
  readonly asksForColumn: boolean
  /** The days whose rows it reads. */
  readonly days: DaysRead
  /**
   * The parameters of the first and the last moment, where it tells what items were then. `ofAllRows`: from all
   * changes, not only from those that a state depends on.
   */
  readonly states: { readonly from: string; readonly to: string; readonly ofAllRows: boolean } | undefined
  /** The parameter of the moment, where it tells what items were then and takes none of the archive's facts. */
  readonly withoutFacts: string | undefined
  /**
   * Who made changes: also by what is configured `today`, or only as rows `recorded` it. Undefined where it does not
   * ask.
   */
  readonly actor: 'today' | 'recorded' | undefined
  /** Whether it reads the calls that CloudTrail keeps, beside a table's rows. */
  readonly readsCalls: boolean
  readonly columns: readonly AnswerColumn[]
  /** What it means when there are no rows. */
  readonly empty: string
  /** The text below the header, parts put in, with the names `{...}` and the parameters `:name` still in it. */
  readonly template: string
}

/** A statement ready to run: `?` for each value, in order. */
export interface Statement {
  readonly sql: string
  /** The parameter that each `?` stands for. */
  readonly placeholders: readonly string[]
}

const SQL_FOLDER = new URL('./sql/', import.meta.url)
const INTERNAL_FOLDER = new URL('./internal/', import.meta.url)
const PARTS_FOLDER = new URL('./parts/', import.meta.url)

/** Common table expressions that several questions share. */
const PARTS: ReadonlyMap<string, string> = new Map(sqlFiles(PARTS_FOLDER).map(([name, text]) => [name, text.trim()]))

/** All saved queries, by name. What can be asked is said here and nowhere else. */
export const SAVED_QUERIES: ReadonlyMap<string, SavedQuery> = queriesIn(SQL_FOLDER)

/** The saved query of a name; the compiler knows them all. */
export function savedQuery(name: QueryName): SavedQuery {
  return SAVED_QUERIES.get(name) as SavedQuery
}

/** Questions that Itemtrail asks on its own account, and offers to nobody. */
const INTERNAL_QUERIES = queriesIn(INTERNAL_FOLDER)

function queriesIn(folder: URL): ReadonlyMap<string, SavedQuery> {
  return new Map(sqlFiles(folder).map(([name, text]) => [name, parseSavedQuery(name, text)]))
}

/** A question of `queries/internal/`. */
export function internalQuery(name: string): SavedQuery {
  const query = INTERNAL_QUERIES.get(name)
  if (query === undefined) throw new Error(`internal query ${name} is not there`)
  return query
}

/** The text of a part, those that it holds put in. */
export function sqlPart(name: string): string {
  return insertParts(`{${name}}`, name)
}

function sqlFiles(folder: URL): readonly (readonly [string, string])[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.sql'))
  return names.sort().map(name => [name.slice(0, -'.sql'.length), readFileSync(new URL(name, folder), 'utf8')])
}

/**
 * Reads a query file: a header of `-- @...` lines, which go on where one begins with `--   `, then the statement.
 * Throws for a header that says too little.
 */
export function parseSavedQuery(name: string, text: string): SavedQuery {
  const lines = text.split('\n')
  const body = lines.findIndex(line => !line.startsWith('--'))
  const header = lines
    .slice(0, body)
    .join('\n')
    .replaceAll(/\n-- {3,}/g, ' ')
    .split('\n')
  const tagged = (tag: string) =>
    header.filter(line => line.startsWith(`-- @${tag} `)).map(line => line.slice(tag.length + 5))
  const question = tagged('question')[0]
  const columns = tagged('column').map(parseColumn)
  const empty = tagged('empty')[0]
  if (question === undefined || empty === undefined || columns.length === 0) {
    throw new Error(`query ${name} lacks @question, @empty or @column in its header`)
  }
  const [days, states] = [settingsOf(tagged('days')[0]), settingsOf(tagged('states')[0])]
  return {
    name,
    question,
    parameters: tagged('parameter').map(parseParameter),
    asksForColumn: tagged('identifier').length > 0,
    days: {
      from: days.from?.replace('-1', ''),
      to: days.to?.replace('+1', ''),
      dayBefore: days.from?.endsWith('-1') === true,
      dayAfter: days.to?.endsWith('+1') === true,
    },
    states:
      states.from === undefined || states.to === undefined
        ? undefined
        : { from: states.from, to: states.to, ofAllRows: states.rows === 'all' },
    withoutFacts: tagged('without-facts')[0],
    actor: tagged('actor')[0] as SavedQuery['actor'],
    readsCalls: tagged('reads')[0] === 'calls',
    columns,
    empty,
    template: insertParts(lines.slice(body).join('\n').trim(), name),
  }
}

/** `image varchar detail -- the item in DynamoDB JSON` */
function parseColumn(line: string): AnswerColumn {
  const [head, meaning] = line.split(' -- ') as [string, string]
  const [name, type, detail] = head.split(' ') as [string, AnswerType, string | undefined]
  return { name, type, detail: detail === 'detail', meaning }
}

/** `item_key item example=ORD12345 -- the item's key` */
function parseParameter(line: string): Parameter {
  const [head, meaning] = line.split(' -- ') as [string, string]
  const [name, type] = head.split(' ') as [string, ParameterType]
  const { default: preset, example = preset ?? '', preset: from } = settingsOf(head)
  return {
    name,
    type,
    ...(preset !== undefined && { default: preset }),
    example,
    preset: from as Parameter['preset'],
    meaning,
  }
}

/** `from=at to=at` as fields; words without a `=` are none. */
function settingsOf(line = ''): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    line.split(' ').flatMap(word => {
      const [, name, value] = /^([a-z]+)=(.*)$/.exec(word) ?? []
      return name === undefined ? [] : [[name, value]]
    }),
  )
}

/**
 * ISO 8601 text to microseconds since 1970, and to its UTC day. One place for both, because instants are compared on
 * `event_time_us` and `from_iso8601_timestamp` alone keeps only milliseconds. The double that `to_unixtime` gives is
 * exact to the microsecond until the year 2106.
 */
export const FROM_INSTANT = {
  us: (placeholder: string) =>
    `cast(round(to_unixtime(from_iso8601_timestamp_nanos(${placeholder})) * 1000000) as bigint)`,
  day: (placeholder: string) =>
    `date_format(from_iso8601_timestamp_nanos(${placeholder}) at time zone 'UTC', '%Y-%m-%d')`,
  'day-before': (placeholder: string) =>
    `date_format((from_iso8601_timestamp_nanos(${placeholder}) - interval '1' day) at time zone 'UTC', '%Y-%m-%d')`,
  // the year 9999 has no day after its last: the text of the year 10000 is less, and then this very day is greater
  'day-after': (placeholder: string) =>
    `greatest(${FROM_INSTANT.day(placeholder)}, date_format((from_iso8601_timestamp_nanos(${placeholder}) + interval '1' day) at time zone 'UTC', '%Y-%m-%d'))`,
} as const

/** The names that stand in a statement; they come from configuration, never from a user's text. */
export interface Identifiers {
  /** The table or view, from `tableIdentifier`. */
  readonly changes: string
  /** A configured column, where the query asks for one; or all, where the statement takes its name as `column`. */
  readonly column?: string | readonly string[]
}

/** The statement of a saved query for one table: parts and names put in, each `:name` a `?`. */
export function renderQuery(query: SavedQuery, identifiers: Identifiers): Statement {
  const placeholders: string[] = []
  const { column = '' } = identifiers
  const asked = typeof column === 'string' ? `new_${column}` : chosenColumn(column)
  const withParts = query.template.replaceAll('{column}', () => asked)
  const bound = withParts.replaceAll(
    /\{(us|day|day-before|day-after) :(\w+)\}|(?<!:):(\w+)/g,
    (_, form: keyof typeof FROM_INSTANT | undefined, inner, plain) => {
      const text = form === undefined ? '?' : FROM_INSTANT[form]('?')
      placeholders.push(
        ...text
          .split('?')
          .slice(1)
          .map(() => (inner ?? plain) as string),
      )
      return text
    },
  )
  // last, because a name may hold what looks like a parameter
  return { sql: bound.replaceAll('{changes}', () => identifiers.changes), placeholders }
}

/** The value of the column that is named. One that is none fails: it would make an answer without rows. */
function chosenColumn(columns: readonly string[]): string {
  const cases = columns.map(name => `when '${name}' then cast(new_${name} as varchar)`)
  const none = `cast(cast('column, expected one of ${columns.join(', ')}' as bigint) as varchar)`
  return `case :column ${cases.join(' ')} else ${none} end`
}

/** Puts parts in the place of their `{name}`; a part may hold others. */
function insertParts(text: string, query: string): string {
  return text.replaceAll(/\{([a-z-]+)\}/g, (placeholder, name: string) => {
    if (name === 'changes' || name === 'column') return placeholder
    if (name === 'calls') return CALLS_TABLE
    const part = PARTS.get(name)
    if (part === undefined) throw new Error(`query ${query} asks for the part ${placeholder}, which is not there`)
    return insertParts(part, query)
  })
}

/** The values for a statement's `?`, in order. */
export function bindValues(statement: Statement, values: ReadonlyMap<string, BoundValue>): readonly BoundValue[] {
  return statement.placeholders.map(name => values.get(name) as BoundValue)
}
