/** Changes of orders by the minute. Each comes after all that the same one made before. */
import { CHANGED_AT, type StreamsFields, streamsRecord } from '../factories.js'

/** What makes changes, of which the sequence begins anew: files of tests share what is loaded. */
export function orderChanges() {
  let sequence = 0

  /** A change of an order, so many minutes after 2026-11-22T10:00:00Z. */
  function change(id: string, minute: number, fields: StreamsFields) {
    sequence++
    return streamsRecord({
      eventID: `event-${sequence}`,
      SequenceNumber: String(sequence),
      ApproximateCreationDateTime: CHANGED_AT + minute * 60,
      Keys: { order_id: { S: id } },
      ...fields,
    })
  }

  /** The same, by what the order was before and after. */
  function changeOfTexts(id: string, minute: number, before: Texts, after: Texts, more: StreamsFields = {}) {
    const item = (texts: Texts) =>
      texts === null
        ? undefined
        : { order_id: { S: id }, ...Object.fromEntries(Object.entries(texts).map(([name, S]) => [name, { S }])) }
    return change(id, minute, { NewImage: item(after), OldImage: item(before), ...more })
  }

  return { change, changeOfTexts }
}

/** An order's attributes beside its key, all of them texts; null for no order. */
type Texts = Readonly<Record<string, string>> | null
