import { alteredRows, countRows } from '../queries/altered-rows.js'
import { formatInstant } from '../transform/instant.js'
import { shortId } from './confidence.js'
import { EXIT } from './io.js'
import { showItemKey } from './item-key.js'
import { toJson } from './print.js'
import { grouped } from './progress.js'
import { paint } from './terminal.js'
import type { Verification } from './verify-continuity.js'

/** Is a row another than it was made? Its own hashes tell. */
export const verifyRows: Verification = ({ workspace: { engine }, format, io, period }) => {
  let tables = 0
  return {
    begin: () => format === 'json' && io.out('['),
    table: async table => {
      if (format === 'json') io.out(`${tables++ === 0 ? '' : ',\n '}{"table":${toJson(table.table)},"altered":[`)
      let altered = 0
      for await (const row of alteredRows(engine, table, periodParameters(period))) {
        const { itemKey, eventId, eventName, eventTimeUs } = row
        const object = {
          altered: row.altered,
          item_key: itemKey,
          event_id: eventId,
          event_name: eventName,
          event_time: formatInstant(eventTimeUs, 6),
          expected_hash: row.expectedHash,
          found_hash: row.foundHash,
        }
        if (format === 'json') io.out(`${altered === 0 ? '' : ',\n  '}${toJson(object)}`)
        else if (format === 'ndjson') io.out(`${toJson({ table: table.table, ...object })}\n`)
        else
          io.out(
            `${paint(io, 'red', `✗ ${row.altered}`)}  ${table.table} ${showItemKey(itemKey)}  ${eventName} ${shortId(eventId)} (${formatInstant(eventTimeUs, 0)}) is another than it was made\n`,
          )
        altered++
      }
      const rows = await countRows(engine, table)
      if (format === 'json') io.out(`],"rows":${rows}}`)
      else if (format === 'ndjson' || altered > 0)
        io.err(`${table.table}: ${grouped(altered)} findings in ${grouped(rows)} rows\n`)
      else
        io.out(
          `${table.table}: ${grouped(rows)} rows are what they were when they were made, as far as their own hashes tell\n`,
        )
      return altered > 0 ? EXIT.findings : EXIT.done
    },
    end: () => format === 'json' && io.out(']\n'),
  }
}

function periodParameters({ fromUs, toUs }: { readonly fromUs?: number; readonly toUs?: number }) {
  return {
    ...(fromUs !== undefined && { from: formatInstant(fromUs, 6) }),
    ...(toUs !== undefined && { to: formatInstant(toUs, 6) }),
  }
}
