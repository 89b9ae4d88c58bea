/** Items of which the archive has a row by a moment, and a change of the stream that was made before a later one. */
import type { AuditRow } from '../../transform/audit-row.js'
import { formatInstant } from '../../transform/instant.js'
import { rowsOfRecord } from '../delivery/desk.js'
import { baselineDocument, STREAM_ARN, type StreamsFields, streamsRecord } from '../factories.js'
import { BEGIN } from './random-archive.js'

/** In microseconds since 1970; no row is of this moment. */
export const MOMENT = (BEGIN + 1) * 1_000_000

const image = (name: string, v: string) => ({ order_id: { S: name }, v: { S: v } })

/** The `place`th change of a stream, made so many seconds after the beginning. */
function change(
  name: string,
  place: number,
  second: number,
  [before, after]: readonly [string | undefined, string | undefined],
  fields: StreamsFields = {},
): AuditRow {
  const record = streamsRecord({
    eventName: before === undefined ? 'INSERT' : 'MODIFY',
    Keys: { order_id: { S: name } },
    eventID: `${name}-${place}`,
    eventSourceARN: STREAM_ARN,
    SequenceNumber: String(1000 + place),
    ApproximateCreationDateTime: BEGIN + second,
    OldImage: before === undefined ? undefined : image(name, before),
    NewImage: after === undefined ? undefined : image(name, after),
    ...fields,
  })
  return rowsOfRecord(record)[0] as AuditRow
}

function seen(name: string, second: number, v: string): AuditRow {
  const time = formatInstant((BEGIN + second) * 1_000_000, 6)
  return rowsOfRecord(baselineDocument({ time, Item: image(name, v) }))[0] as AuditRow
}

const keysOnly = { StreamViewType: 'KEYS_ONLY', OldImage: undefined, NewImage: undefined } as const

/** By what each item is; `BEGIN` and `MOMENT` are a second apart. */
export const BEFORE_FIRST_CHANGE: Readonly<Record<string, readonly AuditRow[]>> = {
  'made after it': [change('made after it', 0, 2, [undefined, 'a']), change('made after it', 1, 3, ['a', 'b'])],
  'older than its first change': [
    change('older than its first change', 0, 2, ['a', 'b']),
    change('older than its first change', 1, 3, ['b', 'c']),
  ],
  'older than its REMOVE': [change('older than its REMOVE', 0, 2, ['a', undefined], { eventName: 'REMOVE' })],
  // its second change counts by then, and its first one does not
  'back in time': [change('back in time', 0, 2, ['a', 'b']), change('back in time', 1, 0, ['b', 'c'])],
  // what led from a to x is missing, just before the change that counts by then
  'gap, back in time': [
    change('gap, back in time', 0, 2, [undefined, 'a']),
    change('gap, back in time', 1, 0, ['x', 'c']),
  ],
  'keys only, back in time': [
    seen('keys only, back in time', 1.5, 'a'),
    change('keys only, back in time', 0, 2, ['a', 'b']),
    change('keys only, back in time', 1, 0, ['b', 'c'], { ...keysOnly, eventName: 'MODIFY' }),
  ],
  'keys only before it': [
    change('keys only before it', 0, 2, ['a', 'b'], { ...keysOnly, eventName: 'MODIFY' }),
    change('keys only before it', 1, 0, ['b', 'c']),
  ],
  'baseline ahead': [seen('baseline ahead', 0, 'b'), change('baseline ahead', 0, 2, ['a', 'b'])],
  'baseline ahead of its beginning': [
    seen('baseline ahead of its beginning', 0, 'a'),
    change('baseline ahead of its beginning', 0, 2, [undefined, 'a']),
  ],
}
