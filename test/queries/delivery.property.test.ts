import type { AttributeValue } from 'aws-lambda'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BufferingHints } from '../../delivery/desk-delivery-stream.js'
import { askQuery } from '../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { formatInstant } from '../../transform/instant.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import {
  ARRIVAL,
  type Attributes,
  CHANGED_AT,
  kinesisDocument,
  type RecordContent,
  streamsRecord,
  tableConfiguration,
} from '../factories.js'
import { item, runs } from '../transform/arbitraries.js'
import { canonicalForm } from '../transform/second-implementation.js'
import { BEGIN, randomRecords, shuffle } from './random-archive.js'

describe('the answers of an archive', () => {
  const hints: fc.Arbitrary<BufferingHints> = fc.record({
    transformBytes: fc.constantFrom(1, 2_000, 20_000),
    transformInterval: fc.constant(60_000),
    objectBytes: fc.constantFrom(8_000, 1_000_000),
    objectInterval: fc.constant(900_000),
  })
  const disorder = fc.record({
    seed: fc.integer(),
    hints,
    again: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
  })

  it('do not depend on the order, the number or the batches in which its records came', async () => {
    await fc.assert(
      fc.asyncProperty(randomRecords(20), disorder, async ({ records }, { seed, hints, again }) => {
        const orderly = temporaryFolder()
        await ingestRecords(orderly, records)
        const disorderly = temporaryFolder()
        const repeated = records.flatMap((record, i) => (again[i % 7] ? [record, record] : [record]))
        await ingestRecords(disorderly, shuffle(repeated, seed), { hints })
        // and some of them once more, later
        await ingestRecords(disorderly, shuffle(records.slice(0, 40), seed + 1), { now: () => ARRIVAL + 86_400_000 })
        expect(await answersOf(disorderly)).toEqual(await answersOf(orderly))
      }),
      { ...runs(3), endOnFailure: true },
    )
  }, 60_000)

  async function answersOf(root: string): Promise<Readonly<Record<string, readonly Row[]>>> {
    const engine = await DuckDbEngine.open(root, [tableConfiguration()])
    try {
      const moments = [-1, 0, 3_000_000, 3_500_000].map(us => formatInstant(BEGIN * 1_000_000 + us, 6))
      const states = []
      for (const at of moments) states.push(...(await ask(engine, 'table-as-of', { at })))
      const history = await askOfAll(engine, 'item-history')
      const findings = await ask(engine, 'continuity', {})
      return {
        states,
        // repeats are told, and nothing but that may differ
        history: sorted(history.map(({ repeats: _, ...row }) => row)),
        findings: sorted(findings.filter(({ finding }) => finding !== 'DUPLICATE').map(withoutDeliveries)),
      }
    } finally {
      engine.close()
    }
  }

  /** A conflict counts deliveries. */
  function withoutDeliveries({ changes, ...finding }: Row): Row {
    return finding.finding === 'CONFLICT' ? finding : { ...finding, changes: changes ?? null }
  }

  async function askOfAll(engine: QueryEngine, name: string): Promise<readonly Row[]> {
    const ofAll: QueryEngine = {
      run: (sql, values) => engine.run(sql.replace('item_key = ?', 'item_key <> ?'), values),
      close: () => {},
    }
    return ask(ofAll, name, { item_key: 'none' })
  }
})

describe('an item', () => {
  it('comes back from its row as it went in, whatever it holds', async () => {
    const items = fc.array(fc.tuple(item, fc.boolean()), { minLength: 150, maxLength: 150 })
    await fc.assert(
      fc.asyncProperty(items, async given => {
        const whole = given.map(([attributes], i): Attributes => ({ ...attributes, order_id: { S: `ORD${i}` } }))
        const records = whole.map((NewImage, i): RecordContent => {
          const Keys = { order_id: NewImage.order_id as AttributeValue }
          return given[i]?.[1] ? streamsRecord({ Keys, NewImage }) : kinesisDocument({ Keys, NewImage })
        })
        const root = temporaryFolder()
        await ingestRecords(root, records)
        const engine = await DuckDbEngine.open(root)
        const rows = await ask(engine, 'table-as-of', { at: formatInstant((CHANGED_AT + 1) * 1_000_000, 6) })
        engine.close()
        const found = new Map(rows.map(row => [row.item_key, row.image]))
        for (const attributes of whole) {
          const key = canonicalForm({ order_id: attributes.order_id })
          expect(found.get(key)).toBe(canonicalForm(attributes))
        }
      }),
      { ...runs(3), endOnFailure: true },
    )
  }, 60_000)

  it('is found by its key, whatever its name and characters', async () => {
    const texts = [
      "it's",
      '"quoted"',
      'a\\b',
      'a\nb',
      '\0',
      '? :item_key {changes}',
      '%_',
      '😀',
      "'; drop table orders; --",
    ]
    const keys: readonly Attributes[] = [
      ...texts.map(S => ({ order_id: { S } })),
      { order_id: { N: '-1.5E+125' } },
      { order_id: { N: '-150E+123' } },
      { order_id: { B: 'AAECA/8=' } },
      { 'odd "name"\n': { S: 'x' } },
      { order_id: { S: 'x' }, line: { N: '007' } },
    ]
    const root = temporaryFolder()
    const configuration = tableConfiguration({ keys: [] })
    await ingestRecords(
      root,
      keys.map(Keys => streamsRecord({ Keys, NewImage: { ...Keys, v: { S: 'here' } } })),
      { configuration },
    )
    const engine = await DuckDbEngine.open(root)
    const at = formatInstant(CHANGED_AT * 1_000_000, 6)
    for (const Keys of keys) {
      const rows = await ask(engine, 'item-as-of', { item_key: canonicalForm(Keys), at })
      expect(rows.map(row => row.image)).toEqual([canonicalForm({ ...Keys, v: { S: 'here' } })])
    }
    engine.close()
  })
})

async function ask(engine: QueryEngine, name: string, parameters: Readonly<Record<string, string>>) {
  return [...rowsOf(await askQuery(engine, SAVED_QUERIES.get(name) as SavedQuery, tableConfiguration(), parameters))]
}

function sorted(rows: readonly Row[]): readonly Row[] {
  const text = (row: Row) =>
    JSON.stringify(Object.values(row), (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
  return rows.toSorted((a, b) => (text(a) < text(b) ? -1 : 1))
}
