import { linkSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { AUDIT_COLUMNS, duckDbType, ROW_VERSION } from '../transform/audit-row.js'
import { configurationKey, PARTITION_COLUMN, tablePrefix } from '../transform/layout.js'
import {
  configurationId,
  rowConfiguration,
  type TableConfiguration,
  unconfiguredTable,
} from '../transform/table-configuration.js'

/** How large an archive is made. */
export interface SyntheticSize {
  readonly items: number
  /** Changes of each item: an INSERT, then MODIFYs evenly over the days, the last of every tenth item a REMOVE. */
  readonly versions: number
  readonly days: number
  /** Objects that a delivery stream writes in a day. */
  readonly objectsPerDay: number
}

export const SYNTHETIC_TABLE: TableConfiguration = { ...unconfiguredTable('Orders'), actor: ['updated_by'] }

/** The first day, 2026-01-01, in microseconds since 1970. */
export const SYNTHETIC_BEGIN_US = Date.UTC(2026, 0, 1) * 1000

/** The value that names an item of a synthetic archive, by its number. */
export function syntheticId(item: number): string {
  return `ORD${String(item).padStart(9, '0')}`
}

/** The key of an item of a synthetic archive, by its number. */
export function syntheticKey(item: number): string {
  return `{"order_id":{"S":"${syntheticId(item)}"}}`
}

/**
 * Makes an archive as a delivery stream would: objects of an hour or so in order of arrival, snappy. The rows are made
 * in SQL for speed, and are what the transform would make: their hashes are right and each change leaves the state that
 * the one before entered. Images are orders of about 0.9 KB of which a fifth is random text.
 */
export async function makeSyntheticArchive(root: string, size: SyntheticSize): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '3GB' })
  const connection = await instance.connect()
  try {
    await connection.run("set TimeZone = 'UTC'")
    for (const macro of MACROS) await connection.run(macro)
    const configuration = join(root, configurationKey(SYNTHETIC_TABLE))
    mkdirSync(join(configuration, '..'), { recursive: true })
    writeFileSync(configuration, rowConfiguration(SYNTHETIC_TABLE))
    const folder = join(root, tablePrefix(SYNTHETIC_TABLE.table))
    mkdirSync(folder, { recursive: true })
    const daysAtOnce = Math.max(1, Math.floor((ROWS_AT_ONCE * size.days) / (size.items * size.versions)))
    for (let day = 0; day < size.days; day += daysAtOnce)
      await makeDays(connection, folder, day, Math.min(day + daysAtOnce, size.days), size)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const ROWS_AT_ONCE = 300_000

/**
 * Days from `first` up to before `end`. One thread, so that each statement writes one object a day, in order of
 * arrival.
 */
async function makeDays(
  connection: DuckDBConnection,
  folder: string,
  first: number,
  end: number,
  size: SyntheticSize,
): Promise<void> {
  await connection.run('set threads = 2')
  await connection.run(`create or replace temp table some_rows as ${rowsOfDays(first, end, size)}`)
  await connection.run('set threads = 1')
  const columns = AUDIT_COLUMNS.map(({ name, type }) => `cast("${name}" as ${duckDbType(type)}) as "${name}"`)
  for (let part = 0; part < size.objectsPerDay; part++) {
    await connection.run(
      `copy (
         select ${columns.join(', ')}, strftime(event_time, '%Y-%m-%d') as ${PARTITION_COLUMN}
         from some_rows where part = ${part} order by event_time_us, item_key
       ) to '${folder.replaceAll("'", "''")}' (format parquet, compression snappy, partition_by (${PARTITION_COLUMN}), append,
         filename_pattern '${String(part).padStart(4, '0')}-{uuid}')`,
    )
  }
}

const SOURCE = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000'

const MACROS = [
  'create macro hex64(b) as lower(sha256(b))',
  // status, place and total change with the version, the rest is the item's own
  `create macro order_image(i, v) as '{"customer":{"M":{"email":{"S":"' || substr(md5('e' || i), 1, 12) || '@example.com"},"name":{"S":"Customer '
     || (i % 9973) || '"},"tier":{"S":"' || ['basic', 'silver', 'gold'][1 + i % 3] || '"}}},"lines":{"L":[{"M":{"price":{"N":"' || (i % 900 + 1)
     || '.95"},"qty":{"N":"' || (1 + i % 7) || '"},"sku":{"S":"SKU-' || substr(md5('a' || i), 1, 8) || '"},"title":{"S":"Article number '
     || (i % 4999) || ' of the catalogue"}}},{"M":{"price":{"N":"' || (i % 350 + 2) || '.45"},"qty":{"N":"' || (1 + (i + v) % 5)
     || '"},"sku":{"S":"SKU-' || substr(md5('b' || i), 1, 8) || '"},"title":{"S":"Article number ' || (i % 3571)
     || ' of the catalogue"}}}]},"note":{"S":"' || md5('n' || i || '-' || v) || '"},"order_id":{"S":"ORD' || lpad(i::varchar, 9, '0')
     || '"},"paid":{"BOOL":' || (v > 2) || '},"shipping":{"M":{"city":{"S":"' || ['Lyon', 'Porto', 'Ghent', 'Turin', 'Graz'][1 + i % 5]
     || '"},"country":{"S":"' || ['FR', 'PT', 'BE', 'IT', 'AT'][1 + i % 5] || '"},"street":{"S":"' || (i % 199 + 1)
     || ' Long Street, second floor, door ' || (i % 17) || '"},"zip":{"S":"' || lpad((i % 99991)::varchar, 5, '0')
     || '"}}},"status":{"S":"' || ['PENDING', 'PROCESSING', 'SHIPPED', 'DELIVERED', 'RETURNED'][1 + v % 5]
     || '"},"tags":{"SS":["channel-web","priority-' || (i % 4) || '","warehouse-' || (i % 11) || '"]},"total":{"N":"' || (i % 90000)
     || '.' || ((i * 7 + v) % 10) || (1 + (i + v) % 9) || '"},"trace":{"S":"' || md5('t' || i || '-' || v) || md5('u' || i)
     || '"},"updated_by":{"S":"user-' || ((i + v) % 211) || '@ops.example"},"version":{"N":"' || v || '"}}'`,
]

function rowsOfDays(first: number, end: number, { items, versions, days, objectsPerDay }: SyntheticSize): string {
  const spanUs = (days * 86_400_000_000) / versions
  const least = Math.max(0, Math.floor((first * versions) / days) - 1)
  const most = Math.min(versions - 1, Math.ceil((end * versions) / days))
  const [fromUs, toUs] = [first, end].map(day => SYNTHETIC_BEGIN_US + day * 86_400_000_000) as [number, number]
  return `
    with placed as (
      select i, v, (v = ${versions - 1} and i % 10 = 0 and v > 0) as gone,
        (${SYNTHETIC_BEGIN_US} + floor(((v + (hash(i) % 1000003) / 1000003.0) * ${spanUs}) / 1000000)::bigint * 1000000)::bigint as event_time_us
      from range(${items}) as a(i), range(${least}, ${most + 1}) as b(v)
    ),
    imaged as (
      select *, case when v > 0 then order_image(i, v - 1) end as old_image, case when not gone then order_image(i, v) end as new_image,
        '{"order_id":{"S":"ORD' || lpad(i::varchar, 9, '0') || '"}}' as item_key,
        lpad('4' || (event_time_us // 1000000) || lpad(i::varchar, 9, '0'), 40, '0') as sequence,
        md5('event' || i || '-' || v) as source_event_id,
        case when v = 0 then 'INSERT' when gone then 'REMOVE' else 'MODIFY' end as event_name,
        case when not gone then 'user-' || ((i + v) % 211) || '@ops.example' end as actor,
        case when v > 0 then 'user-' || ((i + v - 1) % 211) || '@ops.example' end as last_writer
      from placed
      where event_time_us >= ${fromUs} and event_time_us < ${toUs}
    ),
    hashed as (
      select *, hex64(old_image) as old_hash, hex64(new_image) as new_hash
      from imaged
    ),
    identified as (
      select *, substr(hex64(concat_ws(chr(10), 'streams', 'us-east-1', '${SYNTHETIC_TABLE.table}', item_key, event_name, event_time_us, source_event_id, sequence,
        coalesce(old_hash, '-'), coalesce(new_hash, '-'))), 1, 32) as event_id
      from hashed
    )
    select event_id, source_event_id, event_name, make_timestamp(event_time_us) as event_time, event_time_us, 's' as time_precision, sequence,
      '${SYNTHETIC_TABLE.table}' as table_name, 'us-east-1' as region, '${SOURCE}' as source, 'NEW_AND_OLD_IMAGES' as view_type, item_key, old_image,
      new_image, old_hash, new_hash,
      case when v = 0 or gone then ['customer', 'lines', 'note', 'order_id', 'paid', 'shipping', 'status', 'tags', 'total', 'trace', 'updated_by', 'version']
        when v = 3 then ['lines', 'note', 'paid', 'status', 'total', 'trace', 'updated_by', 'version']
        else ['lines', 'note', 'status', 'total', 'trace', 'updated_by', 'version'] end as changed,
      actor, case when gone then 'unknown' else 'new_image' end as actor_source, last_writer, null as user_identity, 900::bigint as size_bytes,
      make_timestamp(event_time_us + 1500000) as arrived_at, null as subjects, '${configurationId(SYNTHETIC_TABLE)}' as config_id,
      '${ROW_VERSION}' as row_version,
      hex64('\\x00'::blob || encode(concat_ws(chr(10), '${ROW_VERSION}', event_id, source_event_id, '${SYNTHETIC_TABLE.table}', 'us-east-1', '${SOURCE}',
        'NEW_AND_OLD_IMAGES', event_name, sequence, event_time_us, 's', case when gone then 'unknown' else 'new_image' end,
        '${configurationId(SYNTHETIC_TABLE)}', coalesce(old_hash, '-'), coalesce(new_hash, '-'), hex64(item_key),
        coalesce(hex64(actor), '-'), coalesce(hex64(last_writer), '-'), '-', '-'))) as row_hash,
      (event_time_us - ${SYNTHETIC_BEGIN_US}) % 86400000000 * ${objectsPerDay} // 86400000000 as part
    from identified`
}

/**
 * The same objects as an archive of its own: a second name for each file, because no link is followed in an archive.
 */
export function linkArchive(from: string, to: string): void {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const target = join(to, relative(from, path))
    mkdirSync(dirname(target), { recursive: true })
    linkSync(path, target)
  }
}
