import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfiguration } from '../../config/configuration.js'
import { DiskArchive } from '../../local/archive.js'
import { ingest } from '../../local/ingest.js'
import { openInput } from '../../local/input.js'
import { bindValues, renderQuery, SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/duckdb.js'
import { checkParameters, type Parameter } from '../../queries/parameters.js'
import { rowsOf } from '../../queries/rows.js'
import { formatInstant } from '../../transform/instant.js'
import { type TableConfiguration, tableIdentifier } from '../../transform/table-configuration.js'
import { temporaryFolder, writeRows } from '../local/desk.js'
import { BEGIN, EARLIER, randomArchive } from '../queries/random-archive.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable, rowsOfTrino } from './tables.js'

const SEED = 20261122
const ITEMS = 60
const TRIALS = 4
const missing = missingForTrino()
const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname

/** An archive that both engines read. */
interface Both {
  readonly duckDb: DuckDbEngine
  readonly table: TableConfiguration
  readonly bytes: number
  readonly files: number
  readonly itemKeys: readonly string[]
}

describe.skipIf(missing !== undefined)(
  `saved queries on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let orders: Both
    let random: Both
    const matrix: string[] = []

    beforeAll(async () => {
      trino = await startTrino()
      orders = await ordersArchive(trino)
      random = await randomArchiveOnBoth(trino)
    })

    afterAll(async () => {
      console.log(`query × engine, rows and bytes that Trino read\n${matrix.join('\n')}`)
      await trino.stop()
    })

    for (const query of SAVED_QUERIES.values()) {
      it(`${query.name} answers the same on DuckDB and Trino, on the bundled orders`, async () => {
        const given = exampleParameters(query, orders.table)
        const { rows, bytes } = await compare(query, orders, given, trino)
        matrix.push(`${query.name.padEnd(24)} DuckDB ${rows} = Trino ${rows}  ${bytes} bytes`)
        // once through the archive, and a footer of 48 KiB an object
        expect(bytes).toBeLessThanOrEqual(orders.bytes + orders.files * 49_152)
      })

      it.skipIf(query.asksForColumn)(
        `${query.name} answers the same on a random archive, at random moments`,
        async () => {
          const rows = []
          for (const given of fc.sample(randomParameters(query, random.itemKeys), { seed: SEED, numRuns: TRIALS })) {
            rows.push((await compare(query, random, given, trino)).rows)
          }
          matrix.push(`${''.padEnd(24)} random archive: ${rows.join(', ')} rows`)
        },
      )
    }
  },
)

async function ordersArchive(trino: TrinoServer): Promise<Both> {
  const root = temporaryFolder()
  const { tables } = readConfiguration(join(ORDERS, 'itemtrail.config.json'))
  const table = tables.get('Orders') as TableConfiguration
  const input = await openInput(join(ORDERS, 'orders.jsonl.gz'), process.stdin)
  await ingest(input.bytes, input.modifiedAt, { archive: new DiskArchive(root), configurationOf: () => table })
  await createAuditTable(trino.client, root, table, table.since as string)
  return both(root, table)
}

async function randomArchiveOnBoth(trino: TrinoServer): Promise<Both> {
  const root = temporaryFolder()
  const [archive] = fc.sample(randomArchive(ITEMS), { seed: SEED, numRuns: 1 })
  const table = { ...EARLIER, table: 'Random' }
  // an arrival that a period cannot see is left out on a desk by its view, which Athena, where records have times, lacks
  const rows = (archive?.rows ?? []).filter(row => row.time_precision !== 'arrival')
  await writeRows(
    root,
    rows.map(row => ({ ...row, table_name: 'Random' })),
  )
  await createAuditTable(trino.client, root, table, '2020-01-01')
  return both(root, table)
}

async function both(root: string, table: TableConfiguration): Promise<Both> {
  const folder = join(root, 'data', table.table)
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter(name => name.endsWith('.parquet'))
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  const duckDb = await DuckDbEngine.open(root, [table])
  const keys = rowsOf(
    await duckDb.run(`select distinct item_key from ${tableIdentifier(table.table)} order by item_key`),
  )
  return { duckDb, table, bytes, files: files.length, itemKeys: [...keys].map(row => row.item_key as string) }
}

async function compare(
  query: SavedQuery,
  { duckDb, table }: Both,
  given: Readonly<Record<string, string>>,
  trino: TrinoServer,
) {
  const identifiers = { changes: tableIdentifier(table.table), column: table.columns[0]?.column ?? 'none' }
  const statement = renderQuery(query, identifiers)
  const values = bindValues(statement, checkParameters(query.parameters, given))
  const expected = [...rowsOf(await duckDb.run(statement.sql, values))]
  const answer = await trino.client.run(statement.sql, values)
  expect(rowsOfTrino(answer)).toEqual(expected)
  return { rows: expected.length, bytes: answer.physicalInputBytes }
}

function exampleParameters(query: SavedQuery, table: TableConfiguration): Readonly<Record<string, string>> {
  const known: Readonly<Record<string, string>> = {
    item_key: '{"order_id":{"S":"ORD12345"}}',
    allowed: JSON.stringify(table.lifecycle?.allowed),
    at_least: '5',
  }
  return Object.fromEntries(query.parameters.map(({ name, example }) => [name, known[name] ?? example]))
}

/** Moments around the archive's few seconds, and some that lie before and after all of it. */
const moment = fc
  .oneof(fc.integer({ min: -2_000_000, max: 8_000_000 }), fc.constantFrom(-1e12, 1e12))
  .map(offset => formatInstant(BEGIN * 1_000_000 + offset, 6))

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  attribute: ['v', 'writer'],
  source: [
    'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/0',
    'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/1',
  ],
  actor: ['w1', 'w2', "' or 1=1 --"],
  allowed: ['[["w1","w2"],["w2","w3"]]', '[]'],
}

/** Instants may be left to their defaults, so that periods are not all empty. */
function randomParameters(
  query: SavedQuery,
  itemKeys: readonly string[],
): fc.Arbitrary<Readonly<Record<string, string>>> {
  const arbitraryOf = ({ name, type }: Parameter) => {
    if (type === 'instant') return moment
    if (type === 'integer') return fc.integer({ min: 1, max: 5 }).map(String)
    return fc.constantFrom(...(type === 'item' ? itemKeys : (TEXTS[name] as readonly string[])))
  }
  const requiredKeys = query.parameters.filter(
    ({ type, default: preset }) => type !== 'instant' || preset === undefined,
  )
  return fc.record(Object.fromEntries(query.parameters.map(parameter => [parameter.name, arbitraryOf(parameter)])), {
    requiredKeys: requiredKeys.map(({ name }) => name),
  })
}
