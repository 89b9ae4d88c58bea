import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  configurationOf,
  inferColumns,
  noteDocument,
  type SeenTables,
} from '../../cli/commands/init/infer-configuration.js'
import { checkConfiguration } from '../../config/configuration.js'
import { columnsOf } from '../../transform/audit-row.js'
import { transformRecord } from '../../transform/transform.js'
import { ARRIVAL, type Attributes, streamsRecord } from '../factories.js'
import { changeDocument, item, runs } from '../transform/arbitraries.js'

/**
 * Attributes whose values are mostly of one kind, as those of a real table are, under names that are hard to make
 * columns of.
 */
const plain = fc
  .record({
    order_id: fc.constant({ S: 'ORD12345' }),
    createdAt: fc.integer({ min: 1_000_000_000, max: 4_000_000_000 }).map(s => ({ N: String(s) })),
    image: fc.constantFrom({ S: 'a' }, { NULL: true } as const),
    Image: fc.integer().map(n => ({ N: String(n) })),
    'a.b': fc.boolean().map(BOOL => ({ BOOL })),
    a_b: fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => ({ N: String(n).replace('e+', 'e') })),
    __proto__: fc.constant({ S: 'x' }),
    event_id: fc.date({ noInvalidDate: true }).map(date => ({ S: date.toISOString() })),
    鍵: fc.oneof({ weight: 30, arbitrary: fc.constant({ S: 's' }) }, { weight: 1, arbitrary: fc.constant({ N: '1' }) }),
  })
  .map(attributes => attributes as Attributes)

const record = fc.oneof(
  changeDocument,
  fc.record({ NewImage: fc.oneof(plain, item), OldImage: plain }).map(images => streamsRecord(images)),
)

describe('the configuration that init writes', () => {
  it('is one, and of the sample exactly those values do not fit that were announced', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), records => {
        const documents = records.map(value => Buffer.from(JSON.stringify(value)))
        const tables: SeenTables = new Map()
        for (const document of documents) noteDocument(tables, document)
        const file = JSON.parse(JSON.stringify(configurationOf(tables))) as unknown
        const { tables: configured } = checkConfiguration(file, 'itemtrail.config.json')
        for (const [name, seen] of tables) {
          const table = configured.get(name)
          if (table === undefined) throw new Error(`table ${name} is not in the configuration`)
          const inference = inferColumns(seen)
          expect(new Set(columnsOf(table).map(column => column.name)).size).toBe(columnsOf(table).length)
          const announced = new Map(
            inference.columns
              .map(
                ({ column, misfits }) =>
                  [column, [...misfits.values()].reduce((sum, count) => sum + count, 0)] as const,
              )
              .filter(([, count]) => count > 0),
          )
          const [found, refused] = misfitsOf(documents, table)
          // a record that is refused after all was announced, but makes no row
          if (refused === 0) expect(found).toEqual(announced)
          else for (const [column, count] of found) expect(count).toBeLessThanOrEqual(announced.get(column) ?? 0)
        }
      }),
      runs(150),
    )
  })
})

function misfitsOf(
  documents: readonly Uint8Array[],
  table: Parameters<typeof transformRecord>[2],
): readonly [found: Map<string, number>, refused: number] {
  const found = new Map<string, number>()
  let refused = 0
  for (const document of documents) {
    const outcome = transformRecord(document, ARRIVAL, table)
    if (outcome.kind === 'refused') refused++
    else
      for (const { misfits } of outcome.rows) {
        for (const flat of Object.keys(JSON.parse(misfits ?? '{}') as object)) {
          const column = flat.replace(/^(old|new)_/, '')
          found.set(column, (found.get(column) ?? 0) + 1)
        }
      }
  }
  return [found, refused]
}
