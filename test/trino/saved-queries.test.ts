import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openInput } from '../../capture/input.js'
import { readConfiguration } from '../../config/configuration.js'
import { ingest } from '../../delivery/ingest.js'
import { askQuery } from '../../queries/answers/ask.js'
import { withoutAttr } from '../../queries/attr.js'
import { withPath } from '../../queries/bind.js'
import { bindValues, renderQuery, SAVED_QUERIES, type SavedQuery, savedQuery } from '../../queries/catalog.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { inUtc } from '../../queries/engines/utc.js'
import { checkParameters, type Parameter } from '../../queries/parameters.js'
import { digestOfStates, digestsOfBaselines } from '../../queries/verdict/states-digest.js'
import { DiskArchive } from '../../store/folder.js'
import { StatesDigest } from '../../transform/fact.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { openAthena } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { temporaryFolder, writeRows } from '../delivery/desk.js'
import { BEGIN, EARLIER, randomArchive } from '../queries/random-archive.js'
import { serveTrino } from './athena.js'
import { comparable, type Fold, foldAnswer, readFold } from './fold.js'
import { noteAnswer } from './matrix.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable, rowsOfTrino } from './tables.js'

const SEED = 20261122
const ITEMS = 60
/** Questions to a random archive: over all of it, and over random periods. */
const TRIALS = { whole: 1, part: 2 }
const ABOUT_AN_ATTRIBUTE = [...SAVED_QUERIES.values()].filter(({ parameters }) =>
  parameters.some(({ type }) => type === 'attribute'),
)
const missing = missingForTrino()
const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname

/** An archive that every engine reads. */
interface Archive {
  readonly name: string
  readonly duckDb: DuckDbEngine
  /** Athena's client before a server that hands the SQL to Trino. */
  readonly athena: AthenaEngine
  readonly fold: Fold
  readonly table: TableConfiguration
  readonly bytes: number
  readonly files: number
  readonly itemKeys: readonly string[]
}

describe.skipIf(missing !== undefined)(
  `saved queries on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let server: AthenaServer
    let orders: Archive
    let random: Archive

    beforeAll(async () => {
      trino = await startTrino()
      server = await startAthenaServer()
      serveTrino(server, trino.client)
      orders = await ordersArchive(trino, server)
      random = await randomArchiveOnAll(trino, server)
    })

    afterAll(async () => {
      for (const archive of [orders, random]) {
        archive.duckDb.close()
        archive.athena.close()
      }
      await server.stop()
      await trino.stop()
    })

    it('digests the states of a moment to the same on every engine, and to what `StatesDigest` makes of them', async () => {
      const { duckDb, athena, table, fold } = random
      const atUs = (BEGIN + 2) * 1_000_000
      const digest = new StatesDigest()
      const without = random.itemKeys[0] as string
      for (const { item_key, image_hash } of foldAnswer(fold, 'table-as-of', { at: formatInstant(atUs, 6) }) ?? [])
        if (typeof image_hash === 'string' && item_key !== without) digest.add(String(item_key), image_hash)
      expect(digest.hex()).not.toBe(new StatesDigest().hex())
      for (const engine of [duckDb, athena])
        expect(await digestOfStates(engine, table, atUs, [without])).toBe(digest.hex())
      const days = [formatInstant(BEGIN * 1_000_000, 6).slice(0, 10)]
      const [onDesk, onAws] = [
        await digestsOfBaselines(duckDb, table, days),
        await digestsOfBaselines(athena, table, days),
      ]
      expect(onDesk.size).toBeGreaterThan(0)
      expect([...onAws].sort()).toEqual([...onDesk].sort())
    })

    it('items that are gone by the archive’s facts are left out on every engine', async () => {
      const at = '2026-10-20T00:00:00Z'
      const askBoth = async (name: string, given: Readonly<Record<string, string>>) => {
        const query = SAVED_QUERIES.get(name) as SavedQuery
        const statement = renderQuery(query, { changes: deliveriesOf(orders.table) })
        const values = bindValues(statement, checkParameters(query.parameters, given))
        const [onDesk, onTrino] = [
          await orders.duckDb.run(statement.sql, values),
          await trino.client.run(statement.sql, values),
        ]
        expect(rowsOfTrino(onTrino)).toEqual([...rowsOf(onDesk)])
        return [...rowsOf(onDesk)]
      }
      const [first, ...others] = await askBoth('table-as-of', { at })
      const { item_key, event_time_us } = first as Record<string, unknown>
      const gone = (mark: string) => JSON.stringify({ [`${event_time_us} ${mark}${item_key}`]: 1 })
      expect(await askBoth('table-as-of', { at, gone: gone('') })).toEqual(others)
      const period = { from: at, to: '2026-10-20T00:00:01Z' }
      const [unchanged] = [await askBoth('diff-of-table', period)]
      const changed = await askBoth('diff-of-table', { ...period, gone: gone('b') })
      expect(changed).toHaveLength(unchanged.length + 1)
      expect(changed.find(row => row.item_key === item_key)).toMatchObject({ difference: 'removed' })
    })

    // how a value is reached is one expression in all of them
    it.each([
      ['shipping.city', ABOUT_AN_ATTRIBUTE],
      ['lines[sku=FILTER-PAPER-100].qty', [savedQuery('changes-by-attribute'), savedQuery('mass-changes')]],
    ] as const)('questions about the path %s are answered the same on every engine', async (attribute, asking) => {
      for (const query of asking)
        await compare(
          query,
          orders,
          {
            ...exampleParameters(query, orders.table),
            ...(query.name === 'mass-changes' && { at_least: '1' }),
            attribute,
          },
          trino,
        )
      const changes = { from: '2026-01-01T00:00:00Z', to: '2027-12-31T00:00:00Z', attribute }
      expect(
        await askQuery(orders.duckDb, savedQuery('changes-by-attribute'), orders.table, changes),
      ).not.toHaveProperty('numRows', 0)
    })

    it("attr(image, 'path') is the same on every engine", async () => {
      const paths = [
        'status',
        'total',
        'shipping.city',
        'lines[0].qty',
        'lines[sku=FILTER-PAPER-100].qty',
        'shipping',
        'lines',
        'never',
      ]
      const columns = paths.map((path, i) => `attr(new_image, '${path}') as v${i}`)
      const sql = withoutAttr(`
        select ${columns.join(', ')}, cast(attr(new_image, 'total') as decimal(38, 10)) as total
        from ${deliveriesOf(orders.table)}
        where attr(old_image, 'status') is distinct from attr(new_image, 'status')
        order by event_time_us, event_id`)
      const [onDesk, onAws] = [await orders.duckDb.run(sql), await orders.athena.run(sql)]
      expect(onDesk.numRows).toBeGreaterThan(100)
      expect([...rowsOf(onAws)]).toEqual([...rowsOf(onDesk)])
    })

    it('items-as-of takes the column as a value, as it is deployed, and says which it may be', async () => {
      const query = savedQuery('items-as-of')
      const changes = deliveriesOf(orders.table)
      const columns = orders.table.columns.map(({ column }) => column)
      const parameters = { at: '2026-11-19T12:00:00Z', value: 'SHIPPED' }
      const ask = (column: string | readonly string[], asked: string) => {
        const statement = renderQuery(query, { changes, column })
        const values = new Map([...checkParameters(query.parameters, parameters), ['column', asked]])
        return orders.athena.run(statement.sql, bindValues(statement, values))
      }
      const [byName, byValue] = [await ask('status', ''), await ask(columns, 'status')]
      expect(byValue.numRows).toBeGreaterThan(0)
      expect([...rowsOf(byValue)]).toEqual([...rowsOf(byName)])
      await expect(ask(columns, 'stauts')).rejects.toThrow(`column, expected one of ${columns.join(', ')}`)
    })

    for (const query of SAVED_QUERIES.values()) {
      it(`${query.name} answers the same on every engine, on the bundled orders`, async () => {
        const given = exampleParameters(query, orders.table)
        const bytes = await compare(query, orders, given, trino)
        // once through the archive, and a footer of 48 KiB an object
        expect(bytes).toBeLessThanOrEqual(orders.bytes + orders.files * 49_152)
      })

      it.skipIf(query.asksForColumn)(
        `${query.name} answers the same on a random archive, at random moments`,
        async () => {
          const parameters = randomParameters(query, random.itemKeys)
          for (const [scope, numRuns] of Object.entries(TRIALS)) {
            for (const given of fc.sample(parameters[scope as keyof typeof TRIALS], { seed: SEED, numRuns }))
              await compare(query, random, given)
          }
        },
      )
    }
  },
)

async function ordersArchive(trino: TrinoServer, server: AthenaServer): Promise<Archive> {
  const root = temporaryFolder()
  const { tables } = readConfiguration(join(ORDERS, 'itemtrail.config.json'))
  const table = tables.get('Orders') as TableConfiguration
  const input = await openInput(join(ORDERS, 'orders.jsonl.gz'), process.stdin)
  await ingest(input.bytes, input.modifiedAt, { archive: new DiskArchive(root), configurationOf: () => table })
  await createAuditTable(trino.client, root, table, table.since as string)
  return openOnAll('orders', root, table, server)
}

async function randomArchiveOnAll(trino: TrinoServer, server: AthenaServer): Promise<Archive> {
  const root = temporaryFolder()
  const [archive] = fc.sample(randomArchive(ITEMS), { seed: SEED, numRuns: 1 })
  const table = { ...EARLIER, table: 'Random' }
  // an arrival that a period cannot see is left out on a desk by its view, which Athena, where records have times,
  // lacks
  const rows = (archive?.rows ?? []).filter(row => row.time_precision !== 'arrival')
  await writeRows(
    root,
    rows.map(row => ({ ...row, table_name: 'Random' })),
  )
  await createAuditTable(trino.client, root, table, '2026-10-01')
  return openOnAll('random', root, table, server)
}

async function openOnAll(
  name: string,
  root: string,
  table: TableConfiguration,
  server: AthenaServer,
): Promise<Archive> {
  const folder = join(root, 'data', table.table)
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter(name => name.endsWith('.parquet'))
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  const duckDb = await DuckDbEngine.open(root, [table])
  const keys = rowsOf(await duckDb.run(`select distinct item_key from ${deliveriesOf(table)} order by item_key`))
  return {
    name,
    duckDb,
    athena: openAthena(server),
    fold: await readFold(duckDb, table),
    table,
    bytes,
    files: files.length,
    itemKeys: [...keys].map(row => row.item_key as string),
  }
}

/**
 * Asks every engine, expects one answer, and gives the bytes that Trino read for it. `trino` is asked without Athena's
 * protocol, too, where it is given: behind that it is the same Trino.
 */
async function compare(
  query: SavedQuery,
  { name, duckDb, athena, fold, table }: Archive,
  given: Readonly<Record<string, string>>,
  trino?: TrinoServer,
): Promise<number> {
  const identifiers = { changes: deliveriesOf(table), column: table.columns[0]?.column ?? 'none' }
  const statement = renderQuery(query, withPath(query, identifiers, given.attribute))
  const values = bindValues(statement, checkParameters(query.parameters, given))
  // all times of a saved query are of UTC, which `answerQuery` says where a column of Athena's cannot
  const [ofDuckDb, ofAthena] = [
    await duckDb.run(statement.sql, values),
    await inUtc(await athena.run(statement.sql, values)),
  ]
  const bytes = athena.executions.at(-1)?.bytesScanned ?? Number.NaN
  const [expected, viaAthena] = [[...rowsOf(ofDuckDb)], [...rowsOf(ofAthena)]]
  const ofTrino = trino === undefined ? viaAthena : rowsOfTrino(await trino.client.run(statement.sql, values))
  const folded = foldAnswer(fold, query.name, given)
  const note = (equal: boolean) =>
    noteAnswer({
      query: query.name,
      archive: name,
      rows: {
        DuckDB: expected.length,
        Trino: ofTrino.length,
        Athena: viaAthena.length,
        fold: folded?.length ?? null,
      },
      equal,
      bytes,
    })
  try {
    expect(ofTrino).toEqual(expected)
    expect(viaAthena).toEqual(expected)
    expect(ofAthena.schema.fields.map(String)).toEqual(ofDuckDb.schema.fields.map(String))
    if (folded !== undefined) expect(comparable(ofTrino, folded)).toEqual(comparable(folded, folded))
  } catch (error) {
    note(false)
    throw error
  }
  note(true)
  return bytes
}

function exampleParameters(query: SavedQuery, table: TableConfiguration): Readonly<Record<string, string>> {
  const known: Readonly<Record<string, string>> = {
    item_key: '{"order_id":{"S":"ORD12345"}}',
    allowed: JSON.stringify(table.lifecycle?.allowed),
    at_least: '5',
    key: '"order_id":{"S":"ORD12',
  }
  return Object.fromEntries(query.parameters.map(({ name, example }) => [name, known[name] ?? example]))
}

/** Moments around the archive's few seconds, and some that lie before and after all of it. */
const moment = fc
  .oneof(fc.integer({ min: -2_000_000, max: 8_000_000 }), fc.constantFrom(-1e12, 1e12))
  .map(offset => formatInstant(BEGIN * 1_000_000 + offset, 6))

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  attribute: ['v', 'writer'],
  caller: ['', 'role/'],
  table: ['Orders'],
  amount: ['0', '1.5'],
  state: ['1', 'w1', 'true'],
  opens: ['08:00', '22:00'],
  closes: ['06:00', '18:30', '24:00'],
  zone: ['UTC', 'Europe/Berlin', 'America/St_Johns'],
  days: ['mon-fri', 'sat,sun', 'mon-sun'],
  source: [
    'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/0',
    'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/1',
  ],
  actor: ['w1', 'w2', "' or 1=1 --"],
  allowed: ['[["w1","w2"],["w2","w3"]]', '[]'],
  key: ['":{"S":"', '"1'],
  // nobody's: persons have a test of their own
  subject: ['5f0c2d3b8a914e6f7081a2b3c4d5e6f7'],
  value: ['"1"', '"w1"', "' or 1=1 --"],
}

/** Instants that have defaults are left to them, or are moments of which some leave nothing. */
function randomParameters(
  query: SavedQuery,
  itemKeys: readonly string[],
): Readonly<Record<keyof typeof TRIALS, fc.Arbitrary<Readonly<Record<string, string>>>>> {
  const arbitraryOf = ({ name, type }: Parameter) => {
    if (type === 'instant') return moment
    if (type === 'integer') return fc.integer({ min: 1, max: 5 }).map(String)
    return fc.constantFrom(...(type === 'item' ? itemKeys : (TEXTS[name] as readonly string[])))
  }
  const isRequired = ({ type, default: preset }: Parameter) => type !== 'instant' || preset === undefined
  const entriesOf = (parameters: readonly Parameter[]) =>
    Object.fromEntries(parameters.map(parameter => [parameter.name, arbitraryOf(parameter)]))
  // the fold knows no facts
  const parameters = query.parameters.filter(({ preset }) => preset !== 'facts')
  const required = parameters.filter(isRequired)
  // a period that runs backwards is refused
  const forwards = (given: Readonly<Record<string, string>>) => {
    const { from, to } = given
    return from !== undefined && to !== undefined && from > to ? { ...given, from: to, to: from } : given
  }
  return {
    whole: fc.record(entriesOf(required)).map(forwards),
    part: fc.record(entriesOf(parameters), { requiredKeys: required.map(({ name }) => name) }).map(forwards),
  }
}
