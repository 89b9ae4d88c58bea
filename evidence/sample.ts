import type { Answer } from '../queries/answers/answer.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import type { AskedArchive } from '../queries/answers/asked-archive.js'
import type { BoundValue } from '../queries/engines/engine.js'
import { rowsOf } from '../queries/engines/rows.js'
import { formatInstant } from '../transform/instant.js'
import { dateOf } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { tableIdentifier } from '../transform/table-names.js'
import { EvidenceError } from './evidence-error.js'

/** What a sample is drawn from, and how many. */
export interface SampleRequest {
  /** How many changes are drawn. */
  readonly n: number
  /** Any text; another one draws others. Who is examined should not choose it. */
  readonly seed: string
  /** A period in microseconds since 1970, its end not included. */
  readonly fromUs: number
  readonly toUs: number
}

/** Changes that were drawn so that anybody draws the same. */
export interface Sample {
  readonly answer: Answer
  /** How many changes it was drawn from: each once, without what baselines saw. */
  readonly population: number
  /** Whether all changes of the period are in the population. */
  readonly verdict: AnswerVerdict | undefined
  /** What the working paper is called. */
  readonly title: string
}

/** Columns of a sample that are no image of an item, and hold nothing that was taken from one but who changed it. */
export const SAMPLE_COLUMNS = [
  'draw',
  'population',
  'event_time',
  'event_name',
  'item_key',
  'changed',
  'actor',
  'actor_source',
  'event_id',
  'event_time_us',
  'drawn_by',
] as const

/**
 * Draws changes of a table: those whose SHA-256 over the seed and the event's id is least. On a desk only: Athena
 * takes no value outside of WHERE.
 */
export async function drawSample(
  archive: AskedArchive,
  table: TableConfiguration,
  request: SampleRequest,
): Promise<Sample> {
  const { n, seed, fromUs, toUs } = request
  if (!Number.isSafeInteger(n) || n < 1) throw new EvidenceError(`n is ${n}, expected a whole number from 1`)
  if (fromUs >= toUs) throw new EvidenceError('the period of the sample is empty, expected from before to')
  const { sql, values } = sampleStatement(table, request)
  const answer = await archive.sql(sql, values)
  const [first] = rowsOf(answer.table)
  const population = Number(first?.population ?? 0)
  const period = [fromUs, toUs].map(us => formatInstant(us, 6)) as [string, string]
  // the same population, whose period the catalog's own question tells a verdict
  const parameters = new Map<string, BoundValue>([
    ['from', period[0]],
    ['to', period[1]],
  ])
  const verdict = await archive.verdict({ query: 'changes-between', table: table.table, parameters, sql })
  const title = `${answer.length} of ${population} changes of ${table.table} from ${period[0]} to ${period[1]}, drawn by the seed ${JSON.stringify(seed)}`
  return { answer, population, verdict, title }
}

/** The statement that draws, to be run again by anybody: each value stands in it once, in the order of its `?`. */
function sampleStatement(
  table: TableConfiguration,
  { n, seed, fromUs, toUs }: SampleRequest,
): { readonly sql: string; readonly values: readonly BoundValue[] } {
  const sql = `-- the values of ? in order: the seed; the first day, the last day, the first microsecond and the one after the last; how many
with hashed as (
  select *, lower(to_hex(sha256(to_utf8(cast(? as varchar) || event_id)))) as drawn_by
  from ${tableIdentifier(table)}
  where event_name <> 'BASELINE'
    and event_date >= ?
    and event_date <= ?
    and event_time_us >= ?
    and event_time_us < ?
),
numbered as (
  select
    *,
    row_number() over (order by drawn_by, event_id) as draw,
    count(*) over () as population
  from hashed
)
select
  draw,
  population,
  event_time,
  event_name,
  item_key,
  changed,
  actor,
  actor_source,
  old_image,
  new_image,
  event_id,
  event_time_us,
  drawn_by
from numbered
where draw <= ?
order by draw`
  return { sql, values: [seed, dateOf(fromUs), dateOf(toUs), fromUs, toUs, n] }
}
