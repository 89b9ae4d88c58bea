import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readConfiguration } from '../../config/configuration.js'
import { ingest } from '../../delivery/ingest.js'
import type { Row } from '../../queries/engines/rows.js'
import { DiskArchive } from '../../store/folder.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { askSql, NOW, rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { randomArchive } from '../queries/random-archive.js'
import { changeDocument, runs, typedTable } from '../transform/arbitraries.js'

const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname

const LINES = [
  'event_id',
  'source_event_id',
  'table_name',
  'region',
  'source',
  'view_type',
  'event_name',
  'sequence',
  'cast(event_time_us as varchar)',
  'time_precision',
  'actor_source',
  'config_id',
  'old_hash',
  'new_hash',
]
const HASHED_LINES = ['item_key', 'actor', 'last_writer', 'user_identity', 'array_to_string(subjects, chr(10))']
const hashed = (bytes: string) => `lower(to_hex(sha256(${bytes})))`

/** The audit row contract's hashes over the stored columns, as anybody with the archive and SQL can take them. */
const HASHES = `
  select
    count(*) as n,
    count_if(old_hash is distinct from ${hashed('to_utf8(old_image)')}) as wrong_old,
    count_if(new_hash is distinct from ${hashed('to_utf8(new_image)')}) as wrong_new,
    count_if(row_hash is distinct from ${hashed("unhex('00') || to_utf8(leaf)")}) as wrong_row,
    count_if(event_id is distinct from substr(${hashed('to_utf8(identity)')}, 1, 32)) as wrong_id
  from (
    select *,
      concat_ws(chr(10), row_version,
        ${LINES.map(column => `coalesce(${column}, '-')`).join(', ')},
        ${HASHED_LINES.map(column => `coalesce(${hashed(`to_utf8(${column})`)}, '-')`).join(', ')}
      ) as leaf,
      concat_ws(chr(10), capture, coalesce(region, '-'), table_name, item_key, event_name,
        case when time_precision = 'arrival' then '-' else cast(event_time_us as varchar) end,
        case when capture = 'kinesis' then '-' else coalesce(source_event_id, '-') end,
        coalesce(sequence, '-'), coalesce(old_hash, '-'), coalesce(new_hash, '-')
      ) as identity
    from (
      select *,
        case
          when event_name = 'BASELINE' then 'baseline'
          when sequence is not null or source like 'arn:%' then 'streams'
          else 'kinesis'
        end as capture
      from orders
    )
  )`

async function checkHashes(root: string): Promise<Row | undefined> {
  return (await askSql(root, HASHES))[0]
}
const RIGHT = { wrong_old: '0', wrong_new: '0', wrong_row: '0', wrong_id: '0' }

describe('the hashes of an archive, taken again in SQL', () => {
  let orders: string
  beforeAll(async () => {
    orders = temporaryFolder()
    const { tables } = readConfiguration(join(ORDERS, 'itemtrail.config.json'))
    const table = tables.get('Orders') as TableConfiguration
    const bytes = createReadStream(join(ORDERS, 'orders.jsonl.gz')).pipe(createGunzip())
    await ingest(bytes, NOW, { archive: new DiskArchive(orders), configurationOf: () => table, now: () => NOW })
  })

  it('are those stored, on the bundled orders', async () => {
    expect(await checkHashes(orders)).toMatchObject({ n: 2218n, ...RIGHT })
  })

  it('are those stored, on changes of every capture and view type', async () => {
    const root = temporaryFolder()
    const rows = fc.sample(randomArchive(40), { seed: 3, numRuns: 1 }).flatMap(archive => archive.rows)
    await writeRows(root, rows)
    expect(await checkHashes(root)).toMatchObject(RIGHT)
  })

  it('are those stored, on items as odd as can be', async () => {
    const root = temporaryFolder()
    const rows = fc.sample(changeDocument, runs(25)).flatMap(document => rowsOfRecord(document, typedTable))
    await writeRows(root, rows, typedTable)
    expect(await checkHashes(root)).toMatchObject({ n: BigInt(rows.length), ...RIGHT })
  })

  it('tell when a stored value is another', async () => {
    const root = temporaryFolder()
    const rows = fc.sample(changeDocument, runs(8)).flatMap(document => rowsOfRecord(document, tableConfiguration()))
    const [first, ...rest] = rows
    await writeRows(root, [{ ...first, actor: 'somebody else' } as NonNullable<typeof first>, ...rest])
    expect(await checkHashes(root)).toMatchObject({ ...RIGHT, wrong_row: '1' })
  })
})
