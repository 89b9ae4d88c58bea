import type { TimePrecision } from '../../transform/instant.js'
import type { EventName } from '../../transform/stream-record.js'
import type { Alteration } from './alteration.js'

/** What the fold reads of an audit row. */
export interface ItemChange {
  readonly event_id: string
  readonly event_name: EventName
  readonly event_time_us: number
  readonly time_precision: TimePrecision
  readonly sequence: string | null
  readonly source: string
  readonly old_hash: string | null
  readonly new_hash: string | null
  readonly old_image: string | null
  readonly new_image: string | null
  /** The configuration that the row was made under. */
  readonly config_id: string
  /** How many further times the change was delivered. */
  readonly repeats: number
  /** True where its deliveries had different eventIDs, as repeats in Kinesis may. */
  readonly renamed: boolean
  /** True where deliveries of the change contradict one another. */
  readonly conflict: boolean
}

/** A change as `item-history` answers it. */
export interface HistoryChange extends ItemChange {
  readonly view_type: string | null
  readonly changed: readonly string[] | null
  readonly actor: string | null
  readonly actor_source: string
  readonly last_writer: string | null
  readonly user_identity: string | null
  /** What of it is not what its own hashes say; an image that nobody can read is null besides. */
  readonly altered: readonly Alteration[]
}
