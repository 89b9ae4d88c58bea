/** Which stream records go to Firehose together. Nothing here knows the network. */
import { BILLED_BYTES, CALL_BYTES, CALL_RECORDS, RECORD_BYTES } from '../aws/firehose-limits.js'
import { isObject } from '../transform/json.js'
import { dateOf } from '../transform/partition.js'
import { readStreamRecord } from '../transform/stream-record.js'

/**
 * A pack's bytes at most, 255 KiB: whole steps of billing. Rounding then adds about 1 % to the bill of full packs; at
 * 64 KB it would add 4 %, and one change a record is billed threefold (the bundled orders of 1.6 KB). More gains next
 * to nothing and costs more when it fails: a pack is refused whole for one document and sent again whole, and a batch
 * of the transform, which Firehose fills up to 1 MB, may end with a pack too many.
 */
export const PACK_BYTES = 51 * BILLED_BYTES

/** `{"Data":""},` around the base64 of each Firehose record. */
const ENTRY_OVERHEAD_BYTES = 12

/** Stream records that become one Firehose record: JSON documents, one a line. */
export interface Pack {
  readonly data: Uint8Array
  /** The positions of its stream records in the event, rising. */
  readonly positions: readonly number[]
}

/** An event's records, each in exactly one pack, in the order of their first records. */
export interface Packed {
  readonly packs: readonly Pack[]
  /** Single records that are larger than Firehose takes. */
  readonly oversize: readonly Pack[]
}

/** Bytes at most, of a pack and of a Firehose record. */
export interface PackLimits {
  readonly packBytes: number
  readonly recordBytes: number
}

const PACK_LIMITS: PackLimits = { packBytes: PACK_BYTES, recordBytes: RECORD_BYTES }

interface Draft {
  readonly lines: string[]
  readonly positions: number[]
  bytes: number
}

/**
 * Packs stream records, as Lambda parsed them, by table and UTC day of their own time, because Firehose has one result
 * and one partition for a record. One whose table or time cannot be read is alone, so that it takes no other with it.
 */
export function packRecords(records: readonly unknown[], { packBytes, recordBytes } = PACK_LIMITS): Packed {
  const drafts: Draft[] = []
  const open = new Map<string, Draft>()
  for (const [position, record] of records.entries()) {
    const line = JSON.stringify(record)
    const bytes = Buffer.byteLength(line)
    const partition = partitionOf(record)
    const draft = partition === undefined ? undefined : open.get(partition)
    if (draft !== undefined && draft.bytes + 1 + bytes <= packBytes) {
      draft.lines.push(line)
      draft.positions.push(position)
      draft.bytes += 1 + bytes
      continue
    }
    const opened = { lines: [line], positions: [position], bytes }
    drafts.push(opened)
    // the one with more room stays open: a large record must not close a pack that is nearly empty
    if (partition !== undefined && (draft === undefined || bytes < draft.bytes)) open.set(partition, opened)
  }
  const packs = drafts.map(({ lines, positions }) => ({ data: Buffer.from(lines.join('\n')), positions }))
  return {
    packs: packs.filter(({ data }) => data.length <= recordBytes),
    oversize: packs.filter(({ data }) => data.length > recordBytes),
  }
}

/**
 * Table and date as the transform reads them; undefined where it would refuse the record or take its arrival for its
 * time.
 */
function partitionOf(record: unknown): string | undefined {
  if (!isObject(record)) return undefined
  try {
    const { table, time } = readStreamRecord(record)
    return time === null ? undefined : `${dateOf(time.us)} ${table}`
  } catch {
    // why, the transform will say: the record reaches it alone and is kept with that reason
    return undefined
  }
}

/** How many packs from the front fit into one PutRecordBatch; at least one. */
export function countForCall(packs: readonly Pack[]): number {
  let bytes = 0
  let count = 0
  for (const { data } of packs) {
    bytes += Math.ceil(data.length / 3) * 4 + ENTRY_OVERHEAD_BYTES
    if (count === CALL_RECORDS || (count > 0 && bytes > CALL_BYTES)) break
    count++
  }
  return count
}
