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
  { columns }: SavedQuery,
  table: TableConfiguration,
  us: number,
  parameters: ReadonlyMap<string, BoundValue>,
  withoutImages: boolean,
): Narrowing {
  // a row lies under the day of its time; of the last day of all there is none after it
  const day = [dateOf(us), dateOf(us + DAY_US)].sort().at(-1) as string
  const until = `event_time_us <= ${us} and event_date <= ${quoted(day)}`
  const image = withoutImages ? "case when delivered.new_hash is not null then '' end" : 'delivered.new_image'
  const select = (items: string, deliveries: string) => `
    select delivered.item_key, case when ${image} is null then 'unknown' else 'present' end as state,
      ${image} as image, delivered.new_hash as image_hash, delivered.event_id, delivered.event_name,
      delivered.event_time, delivered.event_time_us, delivered.time_precision, delivered.actor, false as unresolved
    from ${deliveries} as delivered
    join (
      select item_key, max(coalesce(sequence, '')) as last_sequence, max(event_time_us) as last_us
      from ${deliveries}
      -- a row that is of no item is in the answer, so that whoever reads it notices
      where ${until} and (item_key is null or item_key in (select item_key from ${items} where linked = 1))
      group by item_key
    ) as last
      on delivered.item_key is not distinct from last.item_key
        and coalesce(delivered.sequence, '') = last.last_sequence
        and (last.last_sequence <> '' or delivered.event_time_us = last.last_us)
    -- whatever a record calls itself, what it entered is its hash: there are REMOVEs that tell of a new image
    where ${until} and delivered.new_hash is not null and ${isThere(image, parameters)}`
  return { ...unlinkedItems(table), others: { columns: columns.map(({ name }) => name), select } }
}

const DAY_US = 86_400_000_000

/** As the saved query has it: no complete baseline lacks the item since its last change. */
function isThere(image: string, parameters: ReadonlyMap<string, BoundValue>): string {
  const gone = Object.keys(JSON.parse(String(parameters.get('gone'))) as object)
  const seenUs = parseInstant(String(parameters.get('seen')))?.us ?? 0
  const lacks = `cast(delivered.event_time_us as varchar) || ' ' || delivered.item_key`
  const isGone = gone.length === 0 ? '' : ` and ${lacks} not in (${gone.map(quoted).join(', ')})`
  return `(${image} is not null or delivered.event_time_us > ${seenUs})${isGone}`
}
