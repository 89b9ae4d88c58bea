import type { ParameterType } from './parameters.js'

/**
 * The saved queries by name: each parameter with its type, and a row of the answer.
 * Made from the headers in `queries/sql/` by `npx tsx queries/write-docs.ts`; do not edit.
 */
export interface QueryTypes {
  /** What happened on each day: how many changes, items and actors? */
  readonly 'activity-by-day': {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly day: string | null
      readonly changes: bigint | null
      readonly inserts: bigint | null
      readonly modifies: bigint | null
      readonly removes: bigint | null
      readonly items: bigint | null
      readonly actors: bigint | null
    }
  }
  /** Which rows are no longer what their hashes say? */
  readonly 'altered-rows': {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly altered: string | null
      readonly item_key: string | null
      readonly event_id: string | null
      readonly event_name: string | null
      readonly event_time: string | null
      readonly expected_hash: string | null
      readonly found_hash: string | null
      readonly arrived_at: string | null
      readonly event_time_us: bigint | null
    }
  }
  /** By how much did each actor change an amount, in sum? */
  readonly 'amounts-by-actor': {
    readonly parameters: {
      readonly attribute: 'attribute'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly actor: string | null
      readonly changes: bigint | null
      readonly items: bigint | null
      readonly increase: string | null
      readonly decrease: string | null
      readonly difference: string | null
      readonly not_summed: bigint | null
    }
  }
  /** Does each item of a complete baseline fit its changes, and do they say of no other that it was there? */
  readonly anchors: {
    readonly parameters: {
      readonly source: 'text'
      readonly time: 'instant'
      readonly until: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly finding: string | null
      readonly missing: string | null
      readonly item_key: string | null
      readonly event_id: string | null
      readonly event_time: string | null
      readonly expected_state: string | null
      readonly found_state: string | null
      readonly event_time_us: bigint | null
    }
  }
  /** Which attributes do the items have, of which types, and since when? */
  readonly 'attribute-catalogue': {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly attribute: string | null
      readonly attribute_type: string | null
      readonly changes: bigint | null
      readonly items: bigint | null
      readonly first_time: string | null
      readonly last_time: string | null
    }
  }
  /** How did one attribute of one item change over time? */
  readonly 'attribute-history': {
    readonly parameters: {
      readonly item_key: 'item'
      readonly attribute?: 'attribute'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly attribute: string | null
      readonly old_value: string | null
      readonly new_value: string | null
      readonly actor: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /**
   * Is anything missing, whatever the order of changes? Each state that was entered must have been left, but for the
   * last.
   */
  readonly balance: {
    readonly parameters: {
      readonly to?: 'instant'
    }
    readonly row: {
      readonly finding: string | null
      readonly item_key: string | null
      readonly state: string | null
      readonly entered: bigint | null
      readonly departed: bigint | null
      readonly event_id: string | null
      readonly event_time: string | null
      readonly missing: bigint | null
      readonly event_time_us: bigint | null
    }
  }
  /** For each attribute of an item: who changed it last, and when? */
  readonly blame: {
    readonly parameters: {
      readonly item_key: 'item'
      readonly attribute?: 'attribute'
      readonly at?: 'instant'
    }
    readonly row: {
      readonly attribute: string | null
      readonly value: string | null
      readonly event_time: string | null
      readonly event_name: string | null
      readonly actor: string | null
      readonly actor_source: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Which changes moved an amount by more than so much? */
  readonly 'changes-above': {
    readonly parameters: {
      readonly attribute: 'attribute'
      readonly amount: 'amount'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly old_value: string | null
      readonly new_value: string | null
      readonly difference: string | null
      readonly actor: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** What changed in the table between two moments? */
  readonly 'changes-between': {
    readonly parameters: {
      readonly from: 'instant'
      readonly to: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly changed: readonly (string | null)[] | null
      readonly actor: string | null
      readonly actor_source: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
      readonly old_image: string | null
      readonly new_image: string | null
      readonly old_hash: string | null
      readonly new_hash: string | null
    }
  }
  /** What did one actor change between two moments? */
  readonly 'changes-by-actor': {
    readonly parameters: {
      readonly actor: 'text'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly changed: readonly (string | null)[] | null
      readonly actor_source: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Who changed one attribute, from what to what, between two moments? */
  readonly 'changes-by-attribute': {
    readonly parameters: {
      readonly attribute?: 'attribute'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly old_value: string | null
      readonly new_value: string | null
      readonly actor: string | null
      readonly actor_source: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** What changed of the items that concern one person? */
  readonly 'changes-of-subject': {
    readonly parameters: {
      readonly subject: 'text'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly changed: readonly (string | null)[] | null
      readonly actor: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
      readonly subjects: readonly (string | null)[] | null
    }
  }
  /** Which changes were made outside working hours? */
  readonly 'changes-outside-hours': {
    readonly parameters: {
      readonly opens?: 'clock'
      readonly closes?: 'clock'
      readonly zone?: 'zone'
      readonly days?: 'days'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly changed: readonly (string | null)[] | null
      readonly actor: string | null
      readonly actor_source: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Who called for each change, by the calls that CloudTrail keeps? */
  readonly 'changes-with-caller': {
    readonly parameters: {
      readonly key?: 'text'
      readonly from: 'instant'
      readonly to: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly verdict: string | null
      readonly callers: bigint | null
      readonly caller: string | null
      readonly fit: string | null
      readonly actor: string | null
      readonly operation: string | null
      readonly call_time: string | null
      readonly error: string | null
      readonly calls: bigint | null
      readonly role: string | null
      readonly source_identity: string | null
      readonly invoked_by: string | null
      readonly source_ip: string | null
      readonly user_agent: string | null
      readonly request_id: string | null
      readonly call_id: string | null
      readonly changed: readonly (string | null)[] | null
      readonly actor_source: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Which changes between two moments does nobody answer for? */
  readonly 'changes-without-actor': {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly changed: readonly (string | null)[] | null
      readonly last_writer: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Is anything missing? Each change must leave the state that the item's change before it entered. */
  readonly continuity: {
    readonly parameters: {
      readonly to?: 'instant'
    }
    readonly row: {
      readonly finding: string | null
      readonly item_key: string | null
      readonly event_id: string | null
      readonly event_time: string | null
      readonly expected_state: string | null
      readonly found_state: string | null
      readonly changes: bigint | null
      readonly event_time_us: bigint | null
      readonly since_us: bigint | null
      readonly until_us: bigint | null
    }
  }
  /** Which items were deleted between two moments, and by whom or what? */
  readonly deletions: {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly item_key: string | null
      readonly deleted_by: string | null
      readonly last_writer: string | null
      readonly old_image: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Which items differ between two moments, and in what? */
  readonly 'diff-of-table': {
    readonly parameters: {
      readonly from: 'instant'
      readonly to: 'instant'
    }
    readonly row: {
      readonly item_key: string | null
      readonly difference: string | null
      readonly attributes: readonly (string | null)[] | null
      readonly before: string | null
      readonly after: string | null
    }
  }
  /** Which changes were delivered more than once? */
  readonly duplicates: {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly item_key: string | null
      readonly deliveries: bigint | null
      readonly distinct_rows: bigint | null
      readonly configurations: bigint | null
      readonly first_arrival: string | null
      readonly last_arrival: string | null
      readonly event_id: string | null
    }
  }
  /** When was each item first and last seen, and how often did it change? */
  readonly 'first-and-last-seen': {
    readonly parameters: {
      readonly to?: 'instant'
    }
    readonly row: {
      readonly item_key: string | null
      readonly first_event: string | null
      readonly first_time: string | null
      readonly last_event: string | null
      readonly last_time: string | null
      readonly changes: bigint | null
    }
  }
  /** Who changed the table for the first time, between two moments? */
  readonly 'first-time-actors': {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly actor: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly changes: bigint | null
      readonly items: bigint | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Which items changed most between two moments? */
  readonly 'hot-items': {
    readonly parameters: {
      readonly limit?: 'integer'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly place: bigint | null
      readonly item_key: string | null
      readonly changes: bigint | null
      readonly actors: bigint | null
      readonly first_time: string | null
      readonly last_time: string | null
    }
  }
  /** Which items took a step from status to status that their life cycle forbids? */
  readonly 'illegal-transitions': {
    readonly parameters: {
      readonly attribute?: 'attribute'
      readonly allowed?: 'steps'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly item_key: string | null
      readonly from_status: string | null
      readonly to_status: string | null
      readonly actor: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** What was one item at a moment? */
  readonly 'item-as-of': {
    readonly parameters: {
      readonly item_key: 'item'
      readonly at: 'instant'
    }
    readonly row: {
      readonly item_key: string | null
      readonly state: string | null
      readonly image: string | null
      readonly image_hash: string | null
      readonly event_id: string | null
      readonly event_name: string | null
      readonly event_time: string | null
      readonly event_time_us: bigint | null
      readonly time_precision: string | null
      readonly actor: string | null
      readonly unresolved: boolean | null
    }
  }
  /** What happened to one item, change by change, oldest first? */
  readonly 'item-history': {
    readonly parameters: {
      readonly item_key: 'item'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly step: bigint | null
      readonly event_id: string | null
      readonly event_name: string | null
      readonly event_time: string | null
      readonly event_time_us: bigint | null
      readonly time_precision: string | null
      readonly sequence: string | null
      readonly source: string | null
      readonly view_type: string | null
      readonly changed: readonly (string | null)[] | null
      readonly actor: string | null
      readonly actor_source: string | null
      readonly last_writer: string | null
      readonly user_identity: string | null
      readonly old_image: string | null
      readonly new_image: string | null
      readonly old_hash: string | null
      readonly new_hash: string | null
      readonly source_event_id: string | null
      readonly table_name: string | null
      readonly region: string | null
      readonly config_id: string | null
      readonly subjects: readonly (string | null)[] | null
      readonly row_version: string | null
      readonly row_hash: string | null
      readonly repeats: bigint | null
      readonly renamed: boolean | null
      readonly conflict: boolean | null
    }
  }
  /** Which items had a given value in a configured column at a moment? */
  readonly 'items-as-of': {
    readonly parameters: {
      readonly column: 'column'
      readonly at: 'instant'
      readonly value: 'text'
    }
    readonly row: {
      readonly item_key: string | null
      readonly event_time: string | null
      readonly actor: string | null
      readonly image: string | null
      readonly image_hash: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** In which items did a value ever stand, whatever the attribute? */
  readonly 'items-with-value': {
    readonly parameters: {
      readonly value: 'text'
    }
    readonly row: {
      readonly item_key: string | null
      readonly changes: bigint | null
      readonly first_time: string | null
      readonly last_time: string | null
    }
  }
  /** Which items does the archive know, how often did each change, and was it there at a moment? */
  readonly items: {
    readonly parameters: {
      readonly key?: 'text'
      readonly at: 'instant'
      readonly limit?: 'integer'
    }
    readonly row: {
      readonly item_key: string | null
      readonly state: string | null
      readonly event_time: string | null
      readonly event_name: string | null
      readonly actor: string | null
      readonly changes: bigint | null
      readonly event_id: string | null
      readonly event_time_us: bigint | null
      readonly time_precision: string | null
      readonly known: bigint | null
    }
  }
  /** Which changes arrived long after they were made? */
  readonly 'late-arrivals': {
    readonly parameters: {
      readonly seconds?: 'integer'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly arrived_at: string | null
      readonly seconds_late: number | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly event_id: string | null
    }
  }
  /** Were there bursts: many deletes, or one attribute changed in many items, within a minute? */
  readonly 'mass-changes': {
    readonly parameters: {
      readonly at_least?: 'integer'
      readonly attribute?: 'attribute'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly minute: string | null
      readonly event_name: string | null
      readonly attribute: string | null
      readonly changes: bigint | null
      readonly items: bigint | null
      readonly actors: readonly (string | null)[] | null
    }
  }
  /** Which values did not fit the type that their column declares? */
  readonly misfits: {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly flat_column: string | null
      readonly found_type: string | null
      readonly changes: bigint | null
      readonly items: bigint | null
      readonly first_time: string | null
      readonly last_time: string | null
      readonly example: string | null
    }
  }
  /** What happened to the items of one partition, change by change in time, oldest first? */
  readonly 'partition-history': {
    readonly parameters: {
      readonly key: 'text'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly event_name: string | null
      readonly item_key: string | null
      readonly changed: readonly (string | null)[] | null
      readonly actor: string | null
      readonly actor_source: string | null
      readonly step: bigint | null
      readonly event_time_us: bigint | null
      readonly time_precision: string | null
      readonly event_id: string | null
      readonly old_image: string | null
      readonly new_image: string | null
      readonly old_hash: string | null
      readonly new_hash: string | null
    }
  }
  /** Which items were deleted and inserted again, and how long were they gone? */
  readonly 're-created-items': {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly item_key: string | null
      readonly deleted_at: string | null
      readonly created_at: string | null
      readonly seconds_gone: number | null
      readonly deleted_by: string | null
      readonly last_writer: string | null
      readonly created_by: string | null
      readonly event_id: string | null
    }
  }
  /** Which items were brought into a state by the very actor who inserted them? */
  readonly 'self-approvals': {
    readonly parameters: {
      readonly state: 'text'
      readonly attribute?: 'attribute'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly item_key: string | null
      readonly found: string | null
      readonly actor: string | null
      readonly inserted_by: string | null
      readonly inserted_time: string | null
      readonly event_name: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** Which steps did items take from status to status, and how long did they stay in each? */
  readonly 'status-transitions': {
    readonly parameters: {
      readonly attribute?: 'attribute'
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly event_time: string | null
      readonly item_key: string | null
      readonly from_status: string | null
      readonly to_status: string | null
      readonly seconds_in_status: number | null
      readonly actor: string | null
      readonly event_time_us: bigint | null
      readonly event_id: string | null
    }
  }
  /** What did the whole table hold at a moment? */
  readonly 'table-as-of': {
    readonly parameters: {
      readonly at: 'instant'
    }
    readonly row: {
      readonly item_key: string | null
      readonly state: string | null
      readonly image: string | null
      readonly image_hash: string | null
      readonly event_id: string | null
      readonly event_name: string | null
      readonly event_time: string | null
      readonly event_time_us: bigint | null
      readonly time_precision: string | null
      readonly actor: string | null
      readonly unresolved: boolean | null
    }
  }
  /** How many changes, and how many bytes, came in each hour? */
  readonly 'volume-by-hour': {
    readonly parameters: {
      readonly from?: 'instant'
      readonly to?: 'instant'
    }
    readonly row: {
      readonly hour: string | null
      readonly changes: bigint | null
      readonly inserts: bigint | null
      readonly modifies: bigint | null
      readonly removes: bigint | null
      readonly recorded_bytes: bigint | null
      readonly image_characters: bigint | null
    }
  }
  /** Which calls wrote to the table, or tried to, with a change and without, by what CloudTrail keeps? */
  readonly 'write-calls': {
    readonly parameters: {
      readonly from: 'instant'
      readonly to: 'instant'
      readonly caller?: 'text'
      readonly table?: 'text'
    }
    readonly row: {
      readonly call_time: string | null
      readonly caller: string | null
      readonly operation: string | null
      readonly called_key: string | null
      readonly error: string | null
      readonly changes: bigint | null
      readonly event_id: string | null
      readonly table_arn: string | null
      readonly role: string | null
      readonly source_identity: string | null
      readonly invoked_by: string | null
      readonly source_ip: string | null
      readonly user_agent: string | null
      readonly request_id: string | null
      readonly call_id: string | null
      readonly entry: bigint | null
    }
  }
}

/** The name of a saved query. */
export type QueryName = keyof QueryTypes

/** What the type of a parameter is called, that of a configured column among them. */
export type TypeOfParameter = ParameterType | 'column'
