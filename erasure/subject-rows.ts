import { type StoredRow, StoredRows, storedFiles } from '../queries/verdict/stored-rows.js'
import type { DiskArchive } from '../store/folder.js'

/** A row, and the object that it lies in. */
export interface KeptRow {
  readonly object: string
  readonly row: StoredRow
}

/** Every row of a table as it was delivered, repeats too. Throws what DuckDB says of an object that it cannot read. */
export async function* keptRows(archive: DiskArchive, table: string): AsyncGenerator<KeptRow> {
  const rows = await StoredRows.open(archive)
  try {
    for (const file of await storedFiles(archive, table)) {
      if (file.passedOver !== null) continue
      for await (const batch of rows.rowsOf(file)) for (const row of batch) yield { object: file.key, row }
    }
  } finally {
    rows.close()
  }
}

/** Where a person's rows are found. */
export interface SubjectRows {
  /** The rows of a table that may be of a person: at least those with the token. */
  readonly rows: (table: string, token: string) => AsyncIterable<KeptRow>
  /** By id the configurations of a table whose rows have nothing in clear that is erasable: see `sealedWhole`. */
  readonly sealed: (table: string) => Promise<ReadonlySet<string>>
}

/** What a table's rows hold of a person. */
export interface SubjectCount {
  readonly table: string
  readonly objects: number
  readonly rows: number
  /** Values in their images that are sealed under the person's keys. */
  readonly values: number
  /** Rows that name the person and were made before all was sealed that is erasable: they are clear for good. */
  readonly clear: number
  /** The times of the first and the last row. */
  readonly first: string | null
  readonly last: string | null
}

/** Counts what rows of a table hold of the person with this token, and under this id in clear. */
export async function countSubject(
  place: SubjectRows,
  table: string,
  { token, id }: { readonly token: string; readonly id: string | undefined },
): Promise<SubjectCount> {
  const sealed = await place.sealed(table)
  const objects = new Set<string>()
  let [rows, values, clear] = [0, 0, 0]
  let first: string | null = null
  let last: string | null = null
  const quoted = id === undefined ? undefined : JSON.stringify(id)
  for await (const { object, row } of place.rows(table, token)) {
    const images = imagesOf(row)
    const mayBeClear = row.subjects === null || !sealed.has(String(row.config_id))
    if (mayBeClear && quoted !== undefined && images.some(image => image.includes(quoted))) clear++
    if (!isOfSubject(row, token)) continue
    objects.add(object)
    rows++
    values += images.reduce((sum, image) => sum + image.split(`.${token}.`).length - 1, 0)
    const time = String(row.event_time)
    if (first === null || time < first) first = time
    if (last === null || time > last) last = time
  }
  return { table, objects: objects.size, rows, values, clear, first, last }
}

/** True for a row of a person. */
export function isOfSubject({ subjects }: StoredRow, token: string): boolean {
  return Array.isArray(subjects) && subjects.includes(token)
}

/** The images that a row has, the one before the change first. */
export function imagesOf({ old_image: before, new_image: after }: StoredRow): readonly string[] {
  return [before, after].filter(image => typeof image === 'string')
}
