import { parseInstant } from '../../transform/instant.js'
import { dateOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type SavedQuery, sqlPart } from '../catalog.js'
import { chainsOf } from '../each-item.js'
import type { BoundValue, Narrowing, OthersRows, Scope } from '../engines/engine.js'
import { quoted } from '../engines/literal.js'

/**
 * What `table-as-of` tells of items whose changes hang together, from wherever they begin: the state that the last
 * change up to the moment entered, by its sequence, or by its time where no change has one. The order of the others'
 * changes has to be found.
 */
export function lastOfLinked(
  { columns }: SavedQuery,
  table: TableConfiguration,
  us: number,
  parameters: ReadonlyMap<string, BoundValue>,
  withoutImages: boolean,
): Narrowing & { readonly others: OthersRows } {
  const image = withoutImages ? "case when new_hash is not null then '' end" : 'new_image'
  const rows = (items: string, deliveries: string) => `
    select delivered.*
    from ${deliveries} as delivered
    join (
      -- of these all rows are needed
      select item_key, null as last_sequence, null as last_us
      from ${items}
      where goes_on = 0 and item_key is not null
      union all
      select item_key, max(coalesce(sequence, '')), max(event_time_us)
      from ${deliveries}
      -- a row that is of no item is in the answer, so that whoever reads it notices
      where ${untilSql(us)}
        and (item_key is null or item_key in (select item_key from ${items} where goes_on = 1))
      group by item_key
    ) as last
      on delivered.item_key is not distinct from last.item_key
    where event_date <= ${quoted(lastDayOf(us))}
      and (
        last_us is null
        or (
          coalesce(sequence, '') = last_sequence
          and (last_sequence <> '' or event_time_us = last_us)
          -- whatever a record calls itself, what it entered is its hash: there are REMOVEs that tell of a new image
          and new_hash is not null
          and event_time_us <= ${us}
        )
      )`
  const told = `item_key, case when ${image} is null then 'unknown' else 'present' end as state,
      ${image} as image, new_hash as image_hash, event_id, event_name, event_time, event_time_us, time_precision, actor,
      false as unresolved`
  const select = (items: string, needed: string) => `
    select ${told}
    from ${needed} as delivered
    where ${isThere(image, parameters)}
      and (item_key is null or item_key in (select item_key from ${items} where goes_on = 1 and repeats = 0))
    union all
    select * exclude (delivery)
    from (
      select ${told}, row_number() over (partition by item_key order by arrived_at) as delivery
      from ${needed} as delivered
      where ${isThere(image, parameters)}
        and item_key in (select item_key from ${items} where goes_on = 1 and repeats > 0)
    ) as told_again
    where delivery = 1`
  const images = imagesOf(1, 'goes_on = 1')
  const others = { columns: columns.map(({ name }) => name), rows, select }
  const imageBytes = withoutImages ? HASHED_ROW : undefined
  return { items: chainsOf(table), where: 'goes_on = 0', images, imageBytes, others }
}

/**
 * What `diff-of-table` tells of such items, if they began before the first moment or with what made them: of each the
 * two changes that its states at the moments come from are found without an image, and then the images are read of
 * those alone that are two.
 */
export function differenceOfLinked(
  { columns }: SavedQuery,
  table: TableConfiguration,
  { fromUs, toUs }: NonNullable<Scope['states']>,
  parameters: ReadonlyMap<string, BoundValue>,
): Narrowing {
  const until = untilSql(toUs)
  const isTold = `(repeats = 0 and (linked = 1 or (goes_on = 1 and first_us <= ${fromUs})))`
  const isLast = (side: 'a' | 'b') =>
    `(coalesce(delivered.sequence, '') = last.sequence_${side}
        and (last.sequence_${side} <> '' or delivered.event_time_us = last.us_${side}))`
  const image = 'delivered.new_image'
  const isThereAt = (side: 'a' | 'b', seen: string) =>
    `(delivered.new_hash is not null and ${isThere(image, parameters, side, seen)})`
  const select = (items: string, deliveries: string) => `
    with at_moments as (
      select item_key,
        max(case when event_time_us <= ${fromUs} then coalesce(sequence, '') end) as sequence_a,
        max(case when event_time_us <= ${fromUs} then event_time_us end) as us_a,
        max(coalesce(sequence, '')) as sequence_b,
        max(event_time_us) as us_b,
        -- its first change found it there already
        min(event_time_us) > ${fromUs} and bool_or(event_name = 'BASELINE') as is_older
      from ${deliveries}
      -- a row that is of no item is in the answer, so that whoever reads it notices
      where ${until} and (item_key is null or item_key in (select item_key from ${items} where ${isTold}))
      group by item_key
    ),
    found as (
      select delivered.item_key, last.is_older,
        coalesce(delivered.event_time_us <= ${fromUs} and ${isLast('a')}, false) as is_before,
        ${isLast('b')} as is_after,
        ${isThereAt('a', 'seen_from')} as is_there_before,
        ${isThereAt('b', 'seen_to')} as is_there_after,
        ${image} as image
      from ${deliveries} as delivered
      join at_moments as last on delivered.item_key is not distinct from last.item_key
      where ${until} and (${isLast('b')} or (delivered.event_time_us <= ${fromUs} and ${isLast('a')}))
    ),
    told as (
      select item_key, is_older, is_after,
        case when is_before and is_there_before then image end as before,
        case when is_after and is_there_after then image end as after,
        is_before and is_there_before and image is null as unknown_before,
        is_after and is_there_after and image is null as unknown_after
      from found
      -- one change at both moments is no difference
      where not (is_before and is_after) or is_there_before <> is_there_after or image is null
    ),
    paired as (
      select item_key, is_older, before, unknown_before,
        coalesce(after, lead(after) over own) as after,
        unknown_after or coalesce(lead(unknown_after) over own, false) as unknown_after,
        row_number() over own as place
      from told
      window own as (partition by item_key order by is_after)
    ),
    sides as (
      select item_key, before, after,
        case when is_older or unknown_before then 'unknown' end as state_before,
        case when unknown_after then 'unknown' end as state_after
      from paired
      where place = 1
    ),
    ${sqlPart('differing')}
    select * from differing`
  const others = { columns: columns.map(({ name }) => name), select }
  return { items: chainsOf(table), where: `not ${isTold}`, images: imagesOf(2, isTold), others }
}

/** Bytes of a row of the answer without its image, measured: its key, its ids and its hash. */
const HASHED_ROW = 300

/** Of an item whose order is to be found all of them are read, for each of the moments. */
function imagesOf(moments: 1 | 2, isTold: string): string {
  return `case when ${isTold} then ${moments} else ${moments} * row_count end`
}

const DAY_US = 86_400_000_000

function untilSql(us: number): string {
  return `event_time_us <= ${us} and event_date <= ${quoted(lastDayOf(us))}`
}

/** A row lies under the day of its time, and a day more is looked at; of the last day of all there is none after it. */
function lastDayOf(us: number): string {
  return [dateOf(us), dateOf(us + DAY_US)].sort().at(-1) as string
}

/** As the saved query has it: no complete baseline lacks the item since its last change. */
function isThere(
  image: string,
  parameters: ReadonlyMap<string, BoundValue>,
  mark: '' | 'a' | 'b' = '',
  seen = 'seen',
): string {
  const gone = Object.keys(JSON.parse(String(parameters.get('gone'))) as object)
  const seenUs = parseInstant(String(parameters.get(seen)))?.us ?? 0
  const lacks = `cast(delivered.event_time_us as varchar) || ' ${mark}' || delivered.item_key`
  const isGone = gone.length === 0 ? '' : ` and ${lacks} not in (${gone.map(quoted).join(', ')})`
  return `(${image} is not null or delivered.event_time_us > ${seenUs})${isGone}`
}
