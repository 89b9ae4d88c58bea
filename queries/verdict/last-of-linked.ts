import { parseInstant } from '../../transform/instant.js'
import { dateOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { SavedQuery } from '../catalog.js'
import { unlinkedItems } from '../each-item.js'
import type { BoundValue, Narrowing } from '../engines/engine.js'
import { quoted } from '../engines/literal.js'

/**
 * What `table-as-of` tells of items whose changes hang together: the state that the last change up to the moment
 * entered, by its sequence, or by its time where no change has one. The order of the others' changes has to be found.
 */
export function lastOfLinked(
  table: TableConfiguration,
  atUs: number,
  parameters: ReadonlyMap<string, BoundValue>,
  { columns }: SavedQuery,
  withoutImages: boolean,
): Narrowing {
  const until = `event_time_us <= ${atUs} and event_date <= ${quoted(dateOf(atUs))}`
  const image = withoutImages ? "case when delivered.new_hash is not null then '' end" : 'delivered.new_image'
  const others = (items: string, deliveries: string) => `
    select delivered.item_key, case when delivered.new_image is null then 'unknown' else 'present' end as state,
      delivered.new_image as image, delivered.new_hash as image_hash, delivered.event_id, delivered.event_name,
      delivered.event_time, delivered.event_time_us, delivered.time_precision, delivered.actor, false as unresolved
    from (select * replace (${image} as new_image) from ${deliveries} as delivered where ${until}) as delivered
    join (
      select item_key, max(coalesce(sequence, '')) as last_sequence, max(event_time_us) as last_us
      from ${deliveries}
      where ${until} and item_key in (select item_key from ${items} where linked = 1)
      group by item_key
    ) as last
      on delivered.item_key = last.item_key
        and coalesce(delivered.sequence, '') = last.last_sequence
        and (last.last_sequence <> '' or delivered.event_time_us = last.last_us)
    where delivered.event_name <> 'REMOVE'
      and ${isThere(parameters)}`
  return { ...unlinkedItems(table), columns: columns.map(({ name }) => name), others }
}

/** As the saved query has it: no complete baseline lacks the item since its last change. */
function isThere(parameters: ReadonlyMap<string, BoundValue>): string {
  const gone = Object.keys(JSON.parse(String(parameters.get('gone'))) as object)
  const seenUs = parseInstant(String(parameters.get('seen')))?.us ?? 0
  const lacks = `cast(delivered.event_time_us as varchar) || ' ' || delivered.item_key`
  const isGone = gone.length === 0 ? 'true' : `${lacks} not in (${gone.map(quoted).join(', ')})`
  return `${isGone} and (delivered.new_image is not null or delivered.event_time_us > ${seenUs})`
}
