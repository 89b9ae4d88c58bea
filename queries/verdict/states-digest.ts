import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { bindValues, internalQuery, renderQuery, savedQuery, sqlPart } from '../catalog.js'
import type { Narrowing, QueryEngine } from '../engines/engine.js'
import { deliveriesOf, quoted } from '../engines/literal.js'
import { type Row, rowsOf } from '../engines/rows.js'
import { rowsWithoutImages } from '../replaced-columns.js'
import { lastOfLinked } from './last-of-linked.js'

/**
 * The `StatesDigest` of what an archive's rows say that a table held at a moment, in microseconds since 1970, without
 * some items: what a comparison judged equal. One statement, which reads no images. What complete baselines lack it
 * does not know: it tells whether rows are still those that were compared, and no more.
 */
export async function digestOfStates(
  engine: QueryEngine,
  table: TableConfiguration,
  atUs: number,
  without: readonly string[],
): Promise<string> {
  const statement = renderQuery(internalQuery('states-digest'), { changes: rowsWithoutImages(deliveriesOf(table)) })
  const values = new Map([
    ['at', formatInstant(atUs, 6)],
    ['without', JSON.stringify(Object.fromEntries(without.map(itemKey => [itemKey, 1])))],
  ])
  const states = { fromUs: atUs, toUs: atUs }
  const scope = { table: table.table, identifier: table.identifier, states, narrowing: linked(table, atUs, without) }
  return digestOf([...rowsOf(await engine.run(statement.sql, bindValues(statement, values), { scope }))])
}

/** Of items whose changes hang together their last states are summed up apart: the answer then has two rows. */
function linked(table: TableConfiguration, atUs: number, without: readonly string[]): Narrowing {
  const { others, ...unlinked } = lastOfLinked(savedQuery('table-as-of'), table, atUs, WITHOUT_FACTS, true)
  const kept = without.length === 0 ? '' : `where item_key not in (${without.map(quoted).join(', ')})`
  const select = (items: string, needed: string) => `
    select ${sqlPart('digest-sums')}
    from (select ${hashOf('image_hash')} as digest from (${others?.select(items, needed)}) as present ${kept}) as hashed`
  return { ...unlinked, others: { ...others, columns: SUMS.map(i => `sum_${i}`), select } }
}

/** As if no complete baseline lacked anything. */
const WITHOUT_FACTS = new Map([
  ['gone', '{}'],
  ['seen', formatInstant(0, 0)],
])

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
    hashed as (select source, ${hashOf('new_hash')} as digest from seen)
    select source, count(*) as items,
      ${sqlPart('digest-sums')}
    from hashed
    group by source`
  const rows = [...rowsOf(await engine.run(sql, days))]
  return new Map(rows.map(row => [row.source as string, { digest: digestOf([row]), items: Number(row.items) }]))
}

/** Of one state, as in `StatesDigest`. */
const hashOf = (imageHash: string) => `to_hex(sha256(to_utf8(item_key || chr(10) || ${imageHash})))`

/** `sum_0` to `sum_7`, as `parts/digest-sums.sql` makes them. */
const SUMS = [0, 1, 2, 3, 4, 5, 6, 7]

/** The digest of all states that some rows sum up. */
function digestOf(rows: readonly Row[]): string {
  const sumOf = (row: Row) => SUMS.reduce((whole, i) => (whole << 32n) + BigInt(row[`sum_${i}`] as bigint), 0n)
  const sum = rows.reduce((whole, row) => whole + sumOf(row), 0n)
  return (sum % 2n ** 256n).toString(16).padStart(64, '0')
}
