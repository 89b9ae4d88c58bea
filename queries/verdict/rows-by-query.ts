import { formatInstant } from '../../transform/instant.js'
import { mayBeVersion, ROW_VERSIONS } from '../../transform/row-versions.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { bindQuery } from '../bind.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import type { Row, Value } from '../engines/rows.js'
import { streamRows } from '../engines/stream-rows.js'
import { LAST_US } from './row-check.js'
import { type AlteredRow, beginTally, type RowPeriod } from './verify-rows.js'

/**
 * Holds every row of a table against what its own hashes say, by the saved query `altered-rows`: where rows are in no
 * folder. Which object a row lies in nobody looks, and what is derived from images is not derived again. `tally` is
 * right when all findings have been taken.
 */
export class RowsByQuery {
  readonly tally = beginTally()

  constructor(
    private readonly engine: QueryEngine,
    private readonly table: TableConfiguration,
    private readonly period: RowPeriod,
  ) {}

  /** What is found, in the order in which the engine gives it. */
  async *findings(): AsyncGenerator<AlteredRow> {
    await this.count()
    const { fromUs, toUs } = this.period
    const parameters = {
      ...(fromUs !== undefined && { from: formatInstant(fromUs, 6) }),
      ...(toUs !== undefined && { to: formatInstant(toUs, 6) }),
    }
    const { sql, values } = bindQuery(savedQuery('altered-rows'), this.table, parameters)
    let later = 0
    for await (const row of streamRows(this.engine, sql, values)) {
      if (row.altered === 'unknown_version') {
        later++
        continue
      }
      this.tally.findings++
      yield toAltered(row)
    }
    // what only says to be of a later version was found to be another
    if (later === 0) for (const version of [...this.tally.unknownVersions.keys()]) this.takeAsLookedAt(version)
  }

  /** How many rows there are of which version. */
  private async count(): Promise<void> {
    const { tally } = this
    const { outside, values } = outsideOf(this.period)
    // Athena takes a parameter in WHERE only
    const part = (isOutside: boolean, condition: string) => `
      select row_version, ${isOutside} as is_outside, count(*) as n
      from ${deliveriesOf(this.table)}
      where ${condition}
      group by row_version`
    const inside = part(false, `not ${outside}`)
    const sql = values.length === 0 ? inside : `${inside}\n      union all${part(true, outside)}`
    const counted = streamRows(this.engine, sql, [...values, ...values])
    for await (const { row_version: version, is_outside: isOutside, n } of counted) {
      if (isOutside === true) tally.outside += Number(n)
      else this.add(version, Number(n))
    }
  }

  private add(version: Value | undefined, count: number): void {
    const { tally } = this
    const isKnown = typeof version === 'string' && ROW_VERSIONS.has(version)
    if (isKnown) tally.versions.set(version, count)
    if (!isKnown && mayBeVersion(version)) tally.unknownVersions.set(version, count)
    else tally.rows += count
  }

  private takeAsLookedAt(version: string): void {
    this.tally.rows += this.tally.unknownVersions.get(version) ?? 0
    this.tally.unknownVersions.delete(version)
  }
}

/** A row of no time that a question can name may belong to any period. */
function outsideOf({ fromUs, toUs }: RowPeriod): { readonly outside: string; readonly values: readonly number[] } {
  const bounds = [
    ...(fromUs === undefined ? [] : [['event_time_us < ?', fromUs] as const]),
    ...(toUs === undefined ? [] : [['event_time_us >= ?', toUs] as const]),
  ]
  if (bounds.length === 0) return { outside: 'false', values: [] }
  const isBeyond = bounds.map(([text]) => text).join(' or ')
  const isPlaced = `event_time_us >= 0 and event_time_us < ${LAST_US}`
  return { outside: `coalesce(${isPlaced} and (${isBeyond}), false)`, values: bounds.map(([, us]) => us) }
}

function toAltered(row: Row): AlteredRow {
  const text = (name: string) => (row[name] === null || row[name] === undefined ? null : String(row[name]))
  return {
    kind: 'row',
    column: String(row.altered),
    object: null,
    itemKey: text('item_key'),
    eventId: text('event_id'),
    eventName: text('event_name'),
    eventTimeUs: row.event_time_us === null ? null : Number(row.event_time_us),
    held: text('expected_hash'),
    found: text('found_hash'),
  }
}
