/** The bundled orders, whole and without a day, what is known of them beside their rows, and what is asked of them. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readConfiguration } from '../../config/configuration.js'
import type { AskedPeriod } from '../../queries/verdict/table-verdict.js'
import { FACT_VERSION, type Fact } from '../../transform/fact.js'
import { parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { ORDERS_CONFIG } from '../cli/command-line.js'
import { temporaryFolder } from '../delivery/desk.js'

export const DAY = '2026-11-12'
export const ORDERS_TABLE = readConfiguration(ORDERS_CONFIG).tables.get('Orders') as TableConfiguration
export const us = (instant: string) => parseInstant(instant)?.us as number
export const period = (from: string | null, to: string | null): AskedPeriod => ({
  kind: 'period',
  fromUs: from === null ? null : us(from),
  toUs: to === null ? null : us(to),
})

/**
 * The table was empty before its first change, was as its rows say on the last day, and lost part of its stream
 * meanwhile.
 */
export const FACTS: readonly Fact[] = [
  {
    version: FACT_VERSION,
    table: 'Orders',
    recorded: '2026-10-01T00:00:01.000000Z',
    kind: 'baseline',
    method: 'scan',
    source: 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/scan/2026-10-01',
    from: '2026-10-01T00:00:00.000000Z',
    to: '2026-10-01T00:00:00.500000Z',
    rowTime: '2026-09-30T23:59:59.999999Z',
    items: 0,
    digest: '',
  },
  {
    version: FACT_VERSION,
    table: 'Orders',
    recorded: '2026-11-20T12:01:00.000000Z',
    kind: 'reconciliation',
    method: 'scan',
    source: 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/scan/2026-11-20',
    from: '2026-11-20T12:00:00.000000Z',
    to: '2026-11-20T12:01:00.000000Z',
    items: 0,
    differing: [{ key: '{"order_id":{"S":"ORD12345"}}', since: null }],
    unsettled: [],
    digest: '',
  },
  {
    version: FACT_VERSION,
    table: 'Orders',
    recorded: '2026-11-05T12:00:00.000000Z',
    kind: 'gap',
    source: 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/stream/x',
    shard: 's-1',
    after: null,
    before: null,
    from: '2026-11-05T06:00:00.000000Z',
    to: '2026-11-05T07:00:00.000000Z',
    reason: 'trimmed',
  },
]

export const ALL_TIME = period(null, null)
export const THE_DAY = period(`${DAY}T00:00:00Z`, '2026-11-13T00:00:00Z')

export const QUESTIONS: readonly (readonly [string, AskedPeriod])[] = [
  ['all time', ALL_TIME],
  ['the day that is gone', THE_DAY],
  ['hours to the microsecond', period('2026-11-11T06:30:00.123456Z', '2026-11-12T06:30:00.654321Z')],
  ['a day with a recorded gap', period('2026-11-05T00:00:00Z', '2026-11-06T00:00:00Z')],
  ['what goes on after what has arrived', period('2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z')],
  ['the time before the archive', period(null, '2026-09-30T00:00:00Z')],
  ['the items of a moment', { kind: 'states', fromUs: us('2026-11-13T00:00:00Z'), toUs: us('2026-11-13T00:00:00Z') }],
  ['two moments', { kind: 'states', fromUs: us('2026-11-11T00:00:00Z'), toUs: us('2026-11-15T00:00:00Z') }],
]

/** A copy of an archive that lacks the day. */
export function withoutDay(root: string): string {
  const holed = join(temporaryFolder(), 'archive')
  cpSync(root, holed, { recursive: true })
  rmSync(join(holed, 'data/Orders', `event_date=${DAY}`), { recursive: true })
  return holed
}
