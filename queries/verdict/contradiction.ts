import type { AuditRow } from '../../transform/audit-row.js'
import { sealedIn, withoutErasedMarks, withoutSealed } from '../../transform/sealed-field.js'

/**
 * When two rows of one change contradict one another though its values were sealed twice. `parts/contradicted.sql` says
 * the same in SQL.
 */

/** A row, as far as its hash is taken over it. */
export type StatedRow = Omit<AuditRow, 'event_time' | 'changed' | 'size_bytes' | 'arrived_at' | 'flat' | 'misfits'>

/**
 * True where rows of one change, made under one configuration from records of one eventID, cannot all be true. Of a
 * person who was erased meanwhile a record that comes again is sealed under another key, or not kept at all: then all
 * that is clear has to be the same, and what is sealed under one key, and the length of all that is sealed.
 */
export function contradictOneAnother(rows: readonly StatedRow[]): boolean {
  if (new Set(rows.map(row => row.row_hash)).size < 2) return false
  const answers = new Map<string, string>()
  return rows.flatMap(statementsOf).some(([question, answer]) => {
    const known = answers.get(question) ?? answer
    answers.set(question, known)
    return known !== answer
  })
}

type Answer = readonly [question: string, answer: string]

function statementsOf(row: StatedRow): readonly Answer[] {
  if (row.subjects === null) return [['', row.row_hash]]
  const sealed = [row.old_image, row.new_image].flatMap(image => (image === null ? [] : sealedIn(image)))
  return [['', clearOf(row)], ...sealed.flatMap(answersOf)]
}

/** All that is clear of a row, and whose the rest is: what its hash is taken over, as far as that can be compared. */
function clearOf(row: StatedRow): string {
  const clear = [
    row.row_version,
    row.table_name,
    row.region,
    row.source,
    row.view_type,
    row.event_name,
    row.sequence,
    row.event_time_us,
    row.time_precision,
    row.actor_source,
    row.item_key,
    row.actor,
    row.last_writer,
    row.user_identity,
    row.subjects && withoutErasedMarks(row.subjects),
    row.old_image && withoutSealed(row.old_image),
    row.new_image && withoutSealed(row.new_image),
  ]
  return JSON.stringify(clear)
}

/** Of a value of which nothing was kept, nothing can be compared. */
function answersOf({ key, ciphertext, keep }: ReturnType<typeof sealedIn>[number], place: number): readonly Answer[] {
  if (ciphertext === '') return []
  return [
    [`${place}`, `${ciphertext.length}${keep}`],
    [`${place} ${key}`, ciphertext],
  ]
}
