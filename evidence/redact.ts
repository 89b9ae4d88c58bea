import type { Table } from 'apache-arrow'
import { readPath } from '../queries/attribute-path.js'
import { SAVED_QUERIES } from '../queries/catalog.js'
import { parseItem, valueAt } from '../transform/attribute-value.js'
import { AUDIT_COLUMNS } from '../transform/audit-row.js'
import type { AttributePath, TableConfiguration } from '../transform/table-configuration.js'
import { EvidenceError } from './evidence-error.js'
import type { EvidenceRow } from './leaf.js'

/** What is left out of a bundle: the images that have a value at one of these paths, and what was taken from there. */
export interface Redaction {
  /** As they were asked for. */
  readonly texts: readonly string[]
  readonly paths: readonly AttributePath[]
  /** Flat columns at one of the paths, by any configuration that the archive keeps. */
  readonly columns: ReadonlySet<string>
  /** True where the actor was read from one of the paths. */
  readonly hidesActor: boolean
}

/**
 * Reads the paths that are to be left out, as `customer.email`. Throws an `EvidenceError` for one that leads into a
 * list, or to a key attribute: the question, the verdict and the files' names tell of keys.
 */
export function redactionOf(texts: readonly string[], kept: readonly TableConfiguration[]): Redaction | undefined {
  if (texts.length === 0) return undefined
  const paths = texts.flatMap(pathsOf)
  const isHidden = (path: AttributePath) => paths.some(hidden => overlaps(hidden, path))
  const columns = new Set<string>()
  for (const table of kept) {
    for (const { attribute } of table.keys)
      if (isHidden([attribute]))
        throw new EvidenceError(
          `path ${JSON.stringify(attribute)} is a key attribute, which every part of a bundle names`,
        )
    for (const { column, path } of table.columns)
      if (isHidden(path)) for (const side of ['old', 'new']) columns.add(`${side}_${column}`)
  }
  return { texts, paths, columns, hidesActor: kept.some(({ actor }) => actor !== undefined && isHidden(actor)) }
}

/** The path that a text names, and the attribute that has all of it for its name. */
function pathsOf(text: string): readonly AttributePath[] {
  const path = readPath(text).map(segment => {
    if ('name' in segment) return segment.name
    throw new EvidenceError(`path ${JSON.stringify(text)} leads into a list, expected names such as customer.email`)
  })
  return path.length === 1 ? [path] : [path, [text]]
}

/** Of how many rows an image is left out for each path that was asked for. */
export function countLeftOut(rows: readonly EvidenceRow[], { texts }: Redaction): ReadonlyMap<string, number> {
  return new Map(
    texts.map(text => {
      const paths = pathsOf(text)
      const has = (image: unknown) => typeof image === 'string' && hasValueAt(image, paths)
      return [text, rows.filter(row => has(row.old_image) || has(row.new_image)).length]
    }),
  )
}

function overlaps(a: AttributePath, b: AttributePath): boolean {
  return a.slice(0, b.length).every((name, i) => name === b[i])
}

/** A row without what is to be left out, its `left_out` naming each column. */
export function redactRow(row: EvidenceRow, { paths, columns, hidesActor }: Redaction): EvidenceRow {
  const hidden = (name: string) => {
    const value = row[name]
    if (name === 'old_image' || name === 'new_image') return hasValueAt(String(value), paths)
    if (name === 'misfits') return [...columns].some(column => String(value).includes(JSON.stringify(column)))
    return columns.has(name) || (hidesActor && (name === 'actor' || name === 'last_writer'))
  }
  const leftOut = Object.keys(row).filter(hidden)
  if (leftOut.length === 0) return row
  return { ...Object.fromEntries(Object.entries(row).filter(([name]) => !leftOut.includes(name))), left_out: leftOut }
}

/** An image that cannot be read may hold anything. */
function hasValueAt(image: string, paths: readonly AttributePath[]): boolean {
  try {
    const item = parseItem(image)
    return paths.some(path => valueAt(item, path) !== undefined)
  } catch {
    return true
  }
}

/**
 * The columns of an answer that can stay: those that are `plain`, and in the answer of a saved query those of the row
 * that nothing was taken from and, where it asks for no column of its own, numbers. In SQL of one's own any value may
 * stand under any name; an event's id has its row in the bundle.
 */
export function redactAnswer(
  table: Table,
  query: string | undefined,
  plain: readonly string[],
  { hidesActor }: Redaction,
): Table {
  const saved = SAVED_QUERIES.get(query ?? '')
  const countsOnly = saved !== undefined && !saved.asksForColumn
  const isKept = (name: string) => (saved === undefined ? name === 'event_id' : KEPT.has(name))
  const names = table.schema.fields
    .filter(({ name, type }) => isKept(name) || plain.includes(name) || (countsOnly && COUNTS.test(String(type))))
    .filter(({ name }) => !hidesActor || (name !== 'actor' && name !== 'last_writer'))
    .map(({ name }) => name)
  return table.select(names)
}

const COUNTS = /^(Int|Uint|Bool)/
const KEPT: ReadonlySet<string> = new Set(
  AUDIT_COLUMNS.map(({ name }) => name).filter(name => name !== 'old_image' && name !== 'new_image'),
)
