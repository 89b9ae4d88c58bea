/** What a nightly comparison of a table remembers from call to call, and what it counts. */
import { checkJson, count, exactly, instant, record, text } from './gate.js'

/** What is counted of a table, by metric name. */
export const RECONCILE_METRICS = {
  /** Hours since the end of the newest window that was compared. */
  age: 'ReconcileAge',
  /** Items that the table says were others. */
  differences: 'ReconcileDifferences',
  /** Items of which it could not be said. */
  unsettled: 'ReconcileUnsettled',
  items: 'ReconcileItems',
} as const

/** How often it looks whether there is something to do. */
export const NIGHTLY_MINUTES = 15

/** It is late when the night after the newest that was compared is over, and half a day more. */
export const NIGHTLY_LATE_HOURS = 42

/** Where exports lie in their bucket, by table; what is remembered lies beside. */
export const EXPORTS_PREFIX = 'exports/'
const STATE_PREFIX = 'state/'

/** The prefix of a table's exports, as DynamoDB is told it: without "/" at its end. */
export function exportsPrefix(table: string): string {
  return `${EXPORTS_PREFIX}${table}`
}

/** Where the comparison of a table is remembered. */
export function nightlyKey(table: string): string {
  return `${STATE_PREFIX}${table}.json`
}

const VERSION = 'nightly/v1'

const SCHEMA = record({
  version: exactly(VERSION),
  began: instant,
  comparedUntil: instant.nullable(),
  hours: count,
  attempt: count,
  running: record({ from: instant, to: instant, exportArn: text }).nullable(),
})

/** How far the comparison of a table is. */
export interface NightlyState {
  readonly version: typeof VERSION
  /** When it was called first: the first window begins with the midnight after it. */
  readonly began: string
  /** The end of the newest window that was compared. */
  readonly comparedUntil: string | null
  /** The most hours of the next window: 24, or fewer since more changed in one than can be compared at once. */
  readonly hours: number
  /** Exports of the next window that were asked for and failed. */
  readonly attempt: number
  /** The export that is waited for, or compared. */
  readonly running: { readonly from: string; readonly to: string; readonly exportArn: string } | null
}

/** At the very first call. */
export function firstNightlyState(began: string): NightlyState {
  return { version: VERSION, began, comparedUntil: null, hours: 24, attempt: 0, running: null }
}

/** Reads what `JSON.stringify` made of a state. Throws a `FileError`. */
export function readNightlyState(content: string, file: string): NightlyState {
  return checkJson(content, SCHEMA, file)
}
