import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { configurationKey, parsePartition, partitionPrefix, tablePrefix } from '../../transform/layout.js'
import { dateOf, partitionOf } from '../../transform/partition.js'
import { configurationId } from '../../transform/table-configuration.js'
import { tableConfiguration } from '../factories.js'
import { runs } from './arbitraries.js'

const table = fc.stringMatching(/^[A-Za-z0-9_.-]{3,20}$/)
const us = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const partition = fc.record({ table, us }).map(({ table, us }) => partitionOf({ table_name: table, event_time_us: us }))

describe('partition', () => {
  it('goes to a prefix and back', () => {
    fc.assert(
      fc.property(partition, partition => {
        expect(parsePartition(partitionPrefix(partition))).toEqual(partition)
      }),
      runs(300),
    )
  })

  it('is found from the key of an object in it', () => {
    fc.assert(
      fc.property(partition, fc.stringMatching(/^[\w.-]{1,20}$/), (partition, object) => {
        const key = `${partitionPrefix(partition)}${object}.parquet`
        expect(parsePartition(key)).toEqual(partition)
        expect(key.startsWith(tablePrefix(partition.table))).toBe(true)
      }),
      runs(100),
    )
  })

  it('is the UTC day of the change', () => {
    fc.assert(
      fc.property(us, us => {
        const day = BigInt(us) / 86_400_000_000n
        expect(Date.parse(dateOf(us))).toBe(Number(day) * 86_400_000)
      }),
      runs(300),
    )
  })

  it('changes at midnight UTC, not a microsecond before', () => {
    const midnight = Date.UTC(2026, 10, 22) * 1000
    expect(dateOf(midnight - 1)).toBe('2026-11-21')
    expect(dateOf(midnight)).toBe('2026-11-22')
  })
})

describe('parsePartition', () => {
  it.each([
    [
      'a month that is none',
      'data/Orders/event_date=2026-13-01/',
      'has no such month, expected event_date=YYYY-MM-DD/',
    ],
    ['a day that is none', 'data/Orders/event_date=2026-02-30/', 'has no such day, expected event_date=YYYY-MM-DD/'],
    ['another folder', 'config/Orders/event_date=2026-11-22/', 'expected data/<table>/event_date=YYYY-MM-DD/'],
    ['no table', 'data/event_date=2026-11-22/', 'expected data/<table>/event_date=YYYY-MM-DD/'],
    ['no date', 'data/Orders/', 'expected data/<table>/event_date=YYYY-MM-DD/'],
    ['a longer date', 'data/Orders/event_date=2026-11-221/', 'expected data/<table>/event_date=YYYY-MM-DD/'],
    ['a folder above', 'x/data/Orders/event_date=2026-11-22/', 'expected data/<table>/event_date=YYYY-MM-DD/'],
  ])('refuses a prefix with %s, and shows it', (_about, prefix, reason) => {
    expect(() => parsePartition(prefix)).toThrow(`partition prefix ${JSON.stringify(prefix)}`)
    expect(() => parsePartition(prefix)).toThrow(reason)
  })
})

describe('configurationKey', () => {
  it('names the configuration that the rows name', () => {
    const table = tableConfiguration()
    expect(configurationKey(table)).toBe(`config/Orders/${configurationId(table)}.json`)
  })
})
