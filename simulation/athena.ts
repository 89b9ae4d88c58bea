/**
 * Athena as a compactor uses it: statements that take a while, fail, are stopped, and leave files of an UNLOAD behind
 * all the same. User guide, "UNLOAD" (a statement that fails may leave files; it needs an empty place); API reference,
 * StartQueryExecution (a token makes it once), GetQueryExecution, StopQueryExecution, GetQueryResults. What a statement
 * means is told by its text: here it is reckoned over the lines that stand for Parquet.
 */
import { createHash } from 'node:crypto'
import { AthenaClient } from '@aws-sdk/client-athena'
import { bucketOf } from '../transform/derived.js'
import { DATA_PREFIX, parsePartition } from '../transform/layout.js'
import type { SimulatedBucket } from './bucket.js'
import { linesOf } from './contents.js'
import { operationOf, type Process, passingError, serviceError } from './process.js'
import { SECOND_MS } from './times.js'
import type { World } from './world.js'

/** A row of the archive as statements see it. */
export interface StoredRow {
  readonly day: string
  readonly event_id: string
  readonly row_hash: string
  readonly item_key: string
  readonly event_time_us: number
  /** How often it was delivered. */
  readonly deliveries: number
}

type Cells = Readonly<Record<string, string>>

/** What a statement has when it is done: rows of texts, or files by their keys. */
interface Result {
  readonly rows: readonly Cells[]
  readonly files: readonly (readonly [string, string])[]
}

interface Query {
  state: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'
  result: Result
}

interface Input {
  readonly QueryString?: string
  readonly ClientRequestToken?: string
  readonly QueryExecutionId?: string
}

export class SimulatedAthena {
  private readonly queries = new Map<string, Query>()
  /** By the token of who started one, which makes it once. */
  private readonly started = new Map<string, string>()

  constructor(
    private readonly world: World,
    private readonly archive: SimulatedBucket,
    private readonly derived: SimulatedBucket,
  ) {}

  /** Athena as a process of ours is given it. */
  clientOf(process: Process): AthenaClient {
    const { faults } = this.world
    const send = ({ constructor: { name }, input }: { constructor: { name: string }; input: Input }) =>
      process.call({
        operation: `athena ${operationOf(name)}`,
        about: input.QueryExecutionId ?? input.ClientRequestToken ?? '',
        serve: () => {
          if (faults.strike('athena-throttled')) throw passingError('TooManyRequestsException', 400)
          return this.serve(name, input)
        },
      })
    return Object.assign(Object.create(AthenaClient.prototype) as AthenaClient, { send, destroy: () => {} })
  }

  private serve(command: string, { QueryString = '', ClientRequestToken: token = '', ...input }: Input): unknown {
    const id = input.QueryExecutionId ?? this.started.get(token) ?? this.start(token, QueryString)
    const query = this.queries.get(id)
    if (query === undefined) throw serviceError('InvalidRequestException', 400)
    if (command === 'StopQueryExecutionCommand' && query.state === 'RUNNING') query.state = 'CANCELLED'
    if (command === 'GetQueryResultsCommand') return { ResultSet: resultSet(query.result.rows) }
    const Status = { State: query.state, StateChangeReason: 'simulated' }
    return { QueryExecutionId: id, QueryExecution: { QueryExecutionId: id, Status, StatementType: 'DML' } }
  }

  private start(token: string, sql: string): string {
    const { scheduler, faults, dice, story, numbers } = this.world
    const query: Query = { state: 'RUNNING', result: this.reckon(sql) }
    const id = `query-${numbers.next()}`
    this.started.set(token, id)
    this.queries.set(id, query)
    const isSlow = faults.strike('athena-slow')
    const ms = isSlow ? dice.between(120, 900) * SECOND_MS : dice.between(SECOND_MS / 2, 8 * SECOND_MS)
    const fails = faults.strike('athena-fails')
    const { files } = query.result
    const half = dice.between(0, files.length + 1)
    const write = (some: Result['files']) => {
      for (const [key, text] of some) this.derived.put(key, Buffer.from(text))
    }
    // a statement that was stopped may have written before it noticed
    scheduler.after(ms / 2, () => write(files.slice(0, half)))
    scheduler.after(ms, () => {
      if (query.state !== 'RUNNING') return
      query.state = fails ? 'FAILED' : 'SUCCEEDED'
      if (!fails) write(files.slice(half))
      story.tell('athena', `ends a statement, ${query.state}, ${files.length} files`)
    })
    return id
  }

  /** All that a statement finds at this moment. */
  private reckon(sql: string): Result {
    const [, target] = / to 's3:\/\/[^/]+\/([^']*)' with \(/.exec(sql) ?? []
    if (target !== undefined) return { rows: [], files: this.unloaded(sql, target) }
    const cells = this.answer(sql)
    if (/\) limit 0$/.test(sql)) return { rows: cells.slice(0, 1), files: [] }
    return { rows: cells, files: [] }
  }

  private unloaded(sql: string, target: string): Result['files'] {
    if (sql.includes('needed as (')) return [[`${target}file`, textOf(this.rowsUntil(sql))]]
    const rows = rowsOnDays(this.rows(), sql)
    if (!sql.includes('partitioned_by')) return [[`${target}file`, textOf(itemsOf(rows))]]
    const [, from = '', , to] = />= '([0-9a-f]+)'(\n {4}and .* < '([0-9a-f]+)')?/.exec(sql) ?? []
    const buckets = new Map<string, StoredRow[]>()
    for (const row of rows) {
      const bucket = bucketOf(row.item_key, from.length)
      if (bucket >= from && (to === undefined || bucket < to))
        buckets.set(bucket, [...(buckets.get(bucket) ?? []), row])
    }
    return [...buckets].sort().map(([bucket, own]) => [`${target}bucket=${bucket}/file`, textOf(own)])
  }

  private answer(sql: string): readonly Cells[] {
    if (sql.includes("'archive' as side")) {
      const copied = this.below(foldersIn(sql).map(folder => `/changes/folder=${folder}/`))
      const sides = { archive: rowsOnDays(this.rows(), sql), copy: copied }
      return Object.entries(sides).flatMap(([side, rows]) => (rows.length === 0 ? [] : [figuresOf(side, rows)]))
    }
    if (sql.includes('states as (')) {
      const [folder = ''] = foldersIn(sql)
      const isAfter = !sql.includes('event_date <=')
      const rows = isAfter ? this.below([`/checkpoint/folder=${folder}/`]) : this.rowsUntil(sql)
      return [{ items: String(statesOf(rows).size), digest: digestOf([...statesOf(rows).values()]) }]
    }
    if (!sql.includes('as rows_kept')) return [{ event_id: '' }].slice(1)
    const [folder] = foldersIn(sql)
    const items =
      folder === undefined ? itemsOf(rowsOnDays(this.rows(), sql)) : this.below([`/answers/folder=${folder}/`])
    return [{ rows_kept: String(items.length), digest: digestOf(items) }]
  }

  /** Rows up to a day: those of a checkpoint, and those of the archive after it. */
  private rowsUntil(sql: string): readonly StoredRow[] {
    const [folder] = foldersIn(sql)
    const [, upTo = ''] = /event_date <= '([-\d]+)'/.exec(sql) ?? []
    const [, after = ''] = /event_date > '([-\d]+)'/.exec(sql) ?? []
    const before = folder === undefined ? [] : this.below([`/checkpoint/folder=${folder}/`])
    return [...before, ...this.rows().filter(({ day }) => day <= upTo && day > after)]
  }

  /** What was written in some folders. */
  private below(folders: readonly string[]): readonly StoredRow[] {
    const files = this.derived.contents('').filter(([key]) => folders.some(folder => key.includes(folder)))
    return files.flatMap(([, bytes]) => parseRows(Buffer.from(bytes).toString()))
  }

  private rows(): readonly StoredRow[] {
    return storedRows(this.archive)
  }
}

/** The rows of an archive, each once, with how often it was delivered. */
export function storedRows(archive: SimulatedBucket): readonly StoredRow[] {
  const rows = new Map<string, StoredRow>()
  for (const key of archive.keys(DATA_PREFIX))
    for (const row of rowsOfObject(key, archive.get(key).bytes)) {
      const name = `${row.event_id} ${row.row_hash}`
      const known = rows.get(name)
      rows.set(name, known === undefined ? row : { ...known, deliveries: known.deliveries + 1 })
    }
  return [...rows.values()]
}

/** What was read of objects: none is ever another one. */
const READ = new WeakMap<Uint8Array, readonly StoredRow[]>()

function rowsOfObject(key: string, bytes: Uint8Array): readonly StoredRow[] {
  const known = READ.get(bytes)
  if (known !== undefined) return known
  const { date: day } = parsePartition(key)
  const rows = linesOf(bytes).map(line => {
    const { event_id, row_hash, item_key, event_time_us } = JSON.parse(line) as StoredRow
    return { day, event_id, row_hash, item_key, event_time_us, deliveries: 1 }
  })
  READ.set(bytes, rows)
  return rows
}

/** The rows that a file of the model has. */
export function parseRows(text: string): readonly StoredRow[] {
  return linesOf(text).map(line => JSON.parse(line) as StoredRow)
}

/** What a kept answer says: of each item all of its rows. */
export function itemsOf(rows: readonly StoredRow[]): readonly StoredRow[] {
  const items = new Map<string, StoredRow>()
  for (const row of [...rows].sort((a, b) => (a.event_id < b.event_id ? -1 : 1))) {
    const known = items.get(row.item_key)
    const row_hash = hashOf(`${known?.row_hash} ${row.event_id} ${row.row_hash}`)
    items.set(row.item_key, { ...row, row_hash, deliveries: 1 })
  }
  return [...items.values()].sort((a, b) => (a.item_key < b.item_key ? -1 : 1))
}

/** The last row of each item. */
export function statesOf(rows: readonly StoredRow[]): ReadonlyMap<string, StoredRow> {
  const states = new Map<string, StoredRow>()
  const placeOf = ({ event_time_us, event_id }: StoredRow) => `${String(event_time_us).padStart(17, '0')} ${event_id}`
  for (const row of rows) {
    const known = states.get(row.item_key)
    if (known === undefined || placeOf(row) > placeOf(known)) states.set(row.item_key, row)
  }
  return states
}

function textOf(rows: readonly StoredRow[]): string {
  return rows.map(row => `${JSON.stringify(row)}\n`).join('')
}

function rowsOnDays(rows: readonly StoredRow[], sql: string): readonly StoredRow[] {
  const [, list = ''] = /where \(((?:event_date between '[-\d]+' and '[-\d]+'(?: or )?)+)\)/.exec(sql) ?? []
  const ranges = [...list.matchAll(/between '([-\d]+)' and '([-\d]+)'/g)]
  return rows.filter(({ day }) => ranges.some(([, first = '', last = '']) => day >= first && day <= last))
}

function foldersIn(sql: string): readonly string[] {
  const [, list = ''] = /folder (?:in \(|= )('[^)\s]+'(?:, '[^)\s]+')*)/.exec(sql) ?? []
  return [...list.matchAll(/'([^']+)'/g)].map(([, folder]) => folder as string)
}

function figuresOf(side: string, rows: readonly StoredRow[]): Cells {
  const names = rows.map(({ event_id, row_hash }) => `${event_id} ${row_hash}`)
  return {
    side,
    deliveries: String(rows.reduce((sum, { deliveries }) => sum + deliveries, 0)),
    rows_kept: String(new Set(names).size),
    digest: digestOf(rows),
    strange: String(names.length - new Set(names).size),
    began_us: String(Math.min(...rows.map(({ event_time_us }) => event_time_us))),
    sample_key: rows.map(({ item_key }) => item_key).sort()[0] as string,
    days: [...new Set(rows.map(({ day }) => day))].sort().join(' '),
  }
}

/** As `digestSql` has it: what rows come to whatever their order. */
function digestOf(rows: readonly StoredRow[]): string {
  let sum = 0n
  for (const { event_id, row_hash, deliveries } of rows)
    sum += BigInt(`0x${hashOf(`${event_id} ${row_hash}`)}`) * BigInt(deliveries)
  return `${sum}-${rows.length}`
}

function hashOf(text: string): string {
  return createHash('md5').update(text).digest('hex').slice(0, 16)
}

/** Rows as GetQueryResults has them: the first one of a SELECT has the names. */
function resultSet(rows: readonly Cells[]) {
  const names = Object.keys(rows[0] ?? {})
  const cells = (row: Cells) => ({ Data: names.map(name => ({ VarCharValue: row[name] })) })
  return {
    ResultSetMetadata: { ColumnInfo: names.map(Name => ({ Name, Type: 'varchar' })) },
    Rows: [{ Data: names.map(name => ({ VarCharValue: name })) }, ...rows.map(cells)],
  }
}
