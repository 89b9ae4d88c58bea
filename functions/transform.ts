import { readFileSync } from 'node:fs'
import { createHandler } from '../transform/handler.js'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** The table's configuration, checked at synthesis and packed beside this code. Nothing is fetched at run time. */
const table = JSON.parse(readFileSync(new URL('./table.json', import.meta.url), 'utf8')) as TableConfiguration

/**
 * Entry point of the transform function on AWS. A reason can show a piece of an item, so its outline is logged:
 * `itemtrail redrive` tells the rest from the record that Firehose keeps.
 */
export const handler = createHandler(table, (recordId, _reason, why) =>
  console.warn(JSON.stringify({ level: 'WARN', message: 'refused', table: table.table, recordId, why })),
)
