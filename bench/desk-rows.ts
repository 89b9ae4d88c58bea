/** What is done at a desk, and the one plain statement of DuckDB that reads and writes the same bytes: its floor. */
import { join } from 'node:path'
import { tablePrefix } from '../transform/layout.js'
import { syntheticId, syntheticKey } from './synthetic-archive.js'

/** What the operations work on. */
export interface Places {
  /** Stream records, as JSON lines. */
  readonly records: string
  /** The archive that was made of them, and the same with a derived copy. */
  readonly plain: string
  readonly compacted: string
  /** The configuration of both. */
  readonly configuration: string
  /** The folder of an export of the table after the last change. */
  readonly exported: string
  /** An archive of many more changes, with a derived copy: what histories are asked of. */
  readonly large: string
  /** A moment near the end, ISO 8601. */
  readonly moment: string
}

/** One operation beside its floor. */
export interface DeskRow {
  readonly name: string
  /** What it may take, as a multiple of its floor's CPU. */
  readonly goal: number
  readonly floor: (places: Places, output: string) => string
  /** The arguments of the command; `output` is a path that is not there, in which an archive is to be made. */
  readonly command: (places: Places, output: string) => readonly string[]
  /** Which archive is copied (by links) to `output` before, because the command adds to it. */
  readonly addsTo?: 'plain'
}

const objectsOf = (archive: string) =>
  `read_parquet('${join(archive, tablePrefix('Orders'), '**/*.parquet')}', union_by_name = true, hive_partitioning = false)`

const itemsOf = (exported: string) => `read_json('${join(exported, 'data/*.json.gz')}', columns = {Item: 'VARCHAR'})`

const CHANGE_COLUMNS = `{
  eventID: 'VARCHAR', eventName: 'VARCHAR', eventVersion: 'VARCHAR', eventSource: 'VARCHAR', awsRegion: 'VARCHAR',
  dynamodb: 'STRUCT(ApproximateCreationDateTime BIGINT, "Keys" VARCHAR, NewImage VARCHAR, OldImage VARCHAR,
    SequenceNumber VARCHAR, SizeBytes BIGINT, StreamViewType VARCHAR)',
  eventSourceARN: 'VARCHAR'
}`

const CONTINUITY = (archive: string) => `
  select count_if(previous is distinct from old_hash)
  from (
    select old_hash, lag(new_hash) over (partition by item_key order by event_time_us, sequence) as previous
    from ${objectsOf(archive)}
  )`

const TABLE_AS_OF = (archive: string, output: string) => `
  copy (
    select item_key, arg_max(new_image, (event_time_us, sequence)) as item
    from ${objectsOf(archive)}
    group by item_key
  ) to '${output}' (format json)`

const given = ({ configuration }: Places, archive: string) => ['--archive', archive, '--config', configuration]

/** Of which a million changes are wanted: few are no measure for it. */
export const HISTORY_ROW = 'history, compacted'

const LARGE_ITEM = 7

/** Every row of the table, the parts of the archive's life in order. */
export const DESK_ROWS: readonly DeskRow[] = [
  {
    name: 'ingest',
    goal: 4,
    floor: ({ records }, output) => `
      copy (select * from read_json('${records}', format = 'newline_delimited', columns = ${CHANGE_COLUMNS}))
      to '${output}' (format parquet, compression zstd)`,
    command: (places, output) => ['ingest', places.records, ...given(places, output)],
  },
  {
    name: 'baseline',
    goal: 4,
    floor: ({ exported }, output) => `
      copy (select Item, sha256(Item) as hash from ${itemsOf(exported)}) to '${output}' (format parquet, compression zstd)`,
    command: (places, output) => ['baseline', 'Orders', '--export', places.exported, ...given(places, output)],
  },
  {
    name: 'compact',
    goal: 3,
    floor: ({ plain }, output) => `
      copy (select * from ${objectsOf(plain)} order by md5(item_key)[:2], item_key, event_time_us, sequence)
      to '${output}' (format parquet, compression zstd)`,
    command: (places, output) => ['compact', 'Orders', ...given(places, output)],
    addsTo: 'plain',
  },
  {
    name: 'verify rows',
    goal: 4,
    floor: ({ plain }) => `
      select count_if(sha256(old_image) is distinct from old_hash or sha256(new_image) is distinct from new_hash)
      from ${objectsOf(plain)}`,
    command: places => ['verify', 'rows', 'Orders', ...given(places, places.plain)],
  },
  {
    name: 'verify continuity',
    goal: 6,
    floor: ({ plain }) => CONTINUITY(plain),
    command: places => ['verify', 'continuity', 'Orders', ...given(places, places.plain)],
  },
  {
    name: 'verify continuity, compacted',
    goal: 3,
    floor: ({ plain }) => CONTINUITY(plain),
    command: places => ['verify', 'continuity', 'Orders', ...given(places, places.compacted)],
  },
  {
    name: 'as-of TABLE',
    goal: 5,
    floor: ({ plain }, output) => TABLE_AS_OF(plain, output),
    command: places => ['as-of', 'Orders', places.moment, '--format', 'ndjson', ...given(places, places.plain)],
  },
  {
    name: 'as-of TABLE, compacted',
    goal: 5,
    floor: ({ plain }, output) => TABLE_AS_OF(plain, output),
    command: places => ['as-of', 'Orders', places.moment, '--format', 'ndjson', ...given(places, places.compacted)],
  },
  {
    name: 'query attribute-catalogue',
    goal: 10,
    floor: ({ plain }) => `
      select name, count(*) from (select unnest(json_keys(new_image)) as name from ${objectsOf(plain)}) group by name`,
    command: places => ['query', 'attribute-catalogue', 'Orders', ...given(places, places.plain)],
  },
  {
    name: HISTORY_ROW,
    goal: 2,
    floor: ({ large }) => `select * from ${objectsOf(large)} where item_key = '${syntheticKey(LARGE_ITEM)}'`,
    command: places => ['history', 'Orders', syntheticId(LARGE_ITEM), ...given(places, places.large)],
  },
  {
    name: 'reconcile',
    goal: 4,
    floor: ({ plain, exported }) => `
      select count(*)
      from (select json_extract(Item, '$.order_id') as id, sha256(Item) as hash from ${itemsOf(exported)}) as held
      full join (
        select json_extract(item_key, '$.order_id') as id, arg_max(new_hash, (event_time_us, sequence)) as hash
        from ${objectsOf(plain)} group by item_key
      ) as known using (id)
      where held.hash is distinct from known.hash`,
    command: places => [
      'reconcile',
      'Orders',
      '--export',
      places.exported,
      '--no-fact',
      ...given(places, places.plain),
    ],
  },
]
