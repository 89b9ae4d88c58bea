import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readFact } from '../../config/fact-file.js'
import { DiskArchive } from '../../store/folder.js'
import { readFacts } from '../../store/kept-facts.js'
import {
  type BaselineFact,
  baselineRowTime,
  FACT_VERSION,
  type Fact,
  factInstant,
  StatesDigest,
  writeFact,
} from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'

const root = mkdtempSync(join(tmpdir(), 'itemtrail-facts-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const common = { version: FACT_VERSION, table: 'Orders', recorded: '2026-11-22T10:00:05.000001Z' } as const
const baseline: BaselineFact = {
  ...common,
  kind: 'baseline',
  method: 'scan',
  source: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/2026-11-22T10:00:00.000000Z',
  from: '2026-11-22T10:00:00.000000Z',
  to: '2026-11-22T10:00:05.000000Z',
  rowTime: '2026-11-22T09:59:59.999999Z',
  items: 3,
  digest: '0'.repeat(64),
}
const FACTS: readonly Fact[] = [
  baseline,
  {
    ...common,
    kind: 'reconciliation',
    method: 'scan',
    source: 'x',
    from: baseline.from,
    to: baseline.to,
    items: 2,
    differing: [{ key: '{"k":{"S":"é"}}', since: baseline.from }],
    unsettled: ['{"k":{"S":"f"}}'],
    further: { differing: 3, unsettled: 0 },
    digest: '0'.repeat(64),
  },
  {
    ...common,
    kind: 'gap',
    source: 'arn',
    shard: 'shardId-1',
    after: null,
    before: null,
    from: null,
    to: baseline.to,
    reason: 'trimmed',
  },
  { ...common, kind: 'stream-changed', previous: 'arn:a', source: 'arn:b' },
]

describe('facts', () => {
  test.each(FACTS)('reads the $kind that it wrote', fact => {
    expect(readFact(writeFact(fact), factKey(fact))).toEqual(fact)
  })

  test('lists what an archive keeps, oldest first, and nothing of another table', async () => {
    const archive = new DiskArchive(root)
    const later = { ...baseline, recorded: '2026-11-22T11:00:00.000000Z' }
    for (const fact of [later, baseline, { ...baseline, table: 'OrdersOld' }])
      await archive.put(factKey(fact), Buffer.from(writeFact(fact)))
    expect(await readFacts(archive, 'Orders')).toEqual([baseline, later])
    expect(await readFacts(archive, 'Nothing')).toEqual([])
    expect(await archive.list('facts/Orders/')).toContain('facts/Orders/20261122T100005.000001Z-baseline.json')
  })

  test.each([
    ['{', /is no JSON/],
    ['null', /it is null, expected an object/],
    ['{"version":"fact/v2"}', /kind is missing, expected "baseline", /],
    [JSON.stringify({ ...baseline, version: 'fact/v2' }), /version is "fact\/v2", expected "fact\/v1"/],
    [JSON.stringify({ ...baseline, kind: 'toString' }), /kind is "toString", expected "baseline", /],
    [JSON.stringify({ ...baseline, items: -1 }), /items is -1, expected a whole number from 0/],
    [JSON.stringify({ ...baseline, to: '2026-11-22 10:00' }), /to is "2026-11-22 10:00", expected ISO 8601 in UTC/],
    [JSON.stringify({ ...baseline, to: '2026-11-22T11:00:00+01:00' }), /to is .*, expected ISO 8601 in UTC/],
  ])('refuses %s', (text, message) => {
    expect(() => readFact(text, 'facts/Orders/x.json')).toThrow(message)
  })

  test('puts the rows of a baseline before every change of the second in which it was taken', () => {
    const second = Date.UTC(2026, 10, 22, 10) * 1000
    expect([second, second + 1, second + 999_999].map(baselineRowTime)).toEqual([second - 1, second - 1, second - 1])
    expect(factInstant(second - 1)).toBe('2026-11-22T09:59:59.999999Z')
  })

  test('digests states in any order to the same, and any other states to something else', () => {
    const digestOf = (states: readonly (readonly [string, string])[]) => {
      const digest = new StatesDigest()
      for (const [key, hash] of states) digest.add(key, hash)
      return digest.hex()
    }
    expect(
      digestOf([
        ['a', '1'],
        ['b', '2'],
      ]),
    ).toBe(
      digestOf([
        ['b', '2'],
        ['a', '1'],
      ]),
    )
    expect(
      digestOf([
        ['a', '2'],
        ['b', '1'],
      ]),
    ).not.toBe(
      digestOf([
        ['a', '1'],
        ['b', '2'],
      ]),
    )
    expect(
      digestOf([
        ['a', '1'],
        ['a', '1'],
      ]),
    ).not.toBe(digestOf([['a', '1']]))
    expect(digestOf([])).toBe('0'.repeat(64))
  })
})
