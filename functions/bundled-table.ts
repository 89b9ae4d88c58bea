import { readFileSync } from 'node:fs'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** A function's table: its configuration, checked at synthesis and packed beside the code. Nothing is fetched. */
export function bundledTable(): TableConfiguration {
  return JSON.parse(readFileSync(new URL('./table.json', import.meta.url), 'utf8'))
}
