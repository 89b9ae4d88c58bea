import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { bindValues, parseSavedQuery, renderQuery } from '../catalog.js'
import type { BoundValue, QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { type Row, rowsOf } from '../engines/rows.js'

/**
 * The `StatesDigest` of what an archive's rows say that a table held at a moment, in microseconds since 1970, without
 * some items: what a comparison judged equal. One statement, which reads no images. What complete baselines lack it does
 * not know: it tells whether rows are still those that were compared, and no more.
 */
export async function digestOfStates(
  engine: QueryEngine,
  table: TableConfiguration,
  atUs: number,
  without: readonly string[],
): Promise<string> {
  const statement = renderQuery(statesDigest(without.length), { changes: deliveriesOf(table) })
  const values = new Map<string, BoundValue>([
    ['at', formatInstant(atUs, 6)],
    ...without.map((itemKey, i) => [`without_${i}`, itemKey] as const),
  ])
  const scope = { table: table.table, identifier: table.identifier, states: { fromUs: atUs, toUs: atUs } }
  const [row] = [...rowsOf(await engine.run(statement.sql, bindValues(statement, values), { scope }))]
  return digestOf(row as Row)
}

/** The digest of each baseline's rows, by its source, those of the given days. */
export async function digestsOfBaselines(
  engine: QueryEngine,
  table: TableConfiguration,
  days: readonly string[],
): Promise<ReadonlyMap<string, { readonly digest: string; readonly items: number }>> {
  const sql = `
    with seen as (
      select distinct source, item_key, new_hash
      from ${deliveriesOf(table)}
      where event_date in (${days.map(() => '?').join(', ')})
        and event_name = 'BASELINE'
    ),
    hashed as (select source, ${HASH} as digest from seen)
    select source, count(*) as items, ${SUMS}
    from hashed
    group by source`
  const rows = [...rowsOf(await engine.run(sql, days))]
  return new Map(rows.map(row => [row.source as string, { digest: digestOf(row), items: Number(row.items) }]))
}

/** Of one state, as in `StatesDigest`. */
const HASH = 'to_hex(sha256(to_utf8(item_key || chr(10) || new_hash)))'

/** A sum of 32 bits each of very many hashes fits 64. */
const PARTS = [0, 1, 2, 3, 4, 5, 6, 7]
const SUMS = PARTS.map(
  i => `cast(coalesce(sum(from_base(substr(digest, ${i * 8 + 1}, 8), 16)), 0) as bigint) as sum_${i}`,
).join(', ')

function digestOf(row: Row): string {
  const sum = PARTS.reduce((whole, i) => (whole << 32n) + BigInt(row[`sum_${i}`] as bigint), 0n)
  return (sum % 2n ** 256n).toString(16).padStart(64, '0')
}

function statesDigest(without: number) {
  const names = Array.from({ length: without }, (_, i) => `:without_${i}`)
  return parseSavedQuery(
    'states-digest',
    `-- @question What were all items at a moment, in one digest?
-- @empty never: there is always one row
-- @column sum_0 -- the sum of the first 32 bits of each state's hash, and so on
with taken as (
  select
    item_key,
    event_id,
    source_event_id,
    event_name,
    event_time,
    event_time_us,
    time_precision,
    sequence,
    source,
    old_hash,
    new_hash,
    case when new_hash is not null then '' end as new_image,
    actor,
    config_id,
    row_hash,
    arrived_at
  from {changes}
  -- a day more, because the changes after a baseline tell whether it was ahead
  where event_date <= {day-after :at}
    and event_time_us <= {us :at} + 86400000000
    ${without === 0 ? '' : `and item_key not in (${names.join(', ')})`}
),
{superseded},
arrived as (
  select *
  from in_sequence
  where superseded_us is null
    or superseded_us > {us :at}
),
{ordered},
until_then as (
  select *
  from changes
  where event_time_us <= {us :at}
),
{last-states},
hashed as (
  select to_hex(sha256(to_utf8(item_key || chr(10) || image_hash))) as digest
  from last_states
  where state = 'present'
)
select ${SUMS}
from hashed`,
  )
}
