import type { AttributePath, ErasableSubject, ErasableValue } from '../transform/table-configuration.js'
import { toColumn, toKey, toPath } from './column-names.js'
import { type FieldPath, pathText } from './problems.js'
import type { ErasableField, TableFields } from './schema.js'

/** What is erasable of a person, normalised. */
export function toErasable({ subject, attributes }: ErasableField): ErasableSubject {
  return { subject: toPath(subject), values: attributes.map(toValue) }
}

function toValue(field: ErasableField['attributes'][number]): ErasableValue {
  if (typeof field === 'string' || Array.isArray(field)) return { path: toPath(field as string | string[]) }
  const { attribute, keep } = field as Exclude<typeof field, string | string[]>
  return { path: toPath(attribute), ...(keep !== undefined && { keep }) }
}

/** What of a file's erasable values would stay in clear elsewhere, or could not be sealed, table by table. */
export function erasableProblems(file: {
  readonly tables: Readonly<Record<string, TableFields>>
  readonly erasure?: { readonly keys: string }
}): readonly string[] {
  return Object.entries(file.tables).flatMap(([name, table]) => {
    const keys = keyProblems(['tables', name, 'keyIsPersonal'], table)
    if (table.erasable === undefined) return keys
    const missing =
      file.erasure === undefined
        ? [`${pathText(['tables', name, 'erasable'])} needs a key store, expected "erasure": {"keys": FOLDER}`]
        : []
    return [...missing, ...tableProblems(['tables', name], table), ...keys]
  })
}

/** A key whose person can not be erased would be a token for nothing; a slip in a name would leave the key in clear. */
function keyProblems(at: FieldPath, { keys = [], erasable, keyIsPersonal = [] }: TableFields): readonly string[] {
  const names = keys.map(key => toKey(key).attribute)
  const alone =
    keyIsPersonal.length > 0 && erasable === undefined
      ? [`${pathText(at)} is there without "erasable", expected what of the item can be made unreadable beside its key`]
      : []
  const strays = keyIsPersonal.flatMap((name, i) =>
    names.includes(name)
      ? []
      : [
          `${pathText([...at, i])} is ${JSON.stringify(name)}, expected one of "keys": ${names.join(', ') || 'none is said'}`,
        ],
  )
  return [...alone, ...strays]
}

interface Placed {
  readonly at: FieldPath
  readonly path: AttributePath
  readonly keep?: string
}

function tableProblems(at: FieldPath, table: TableFields): readonly string[] {
  const erasable = (table.erasable ?? []).map(toErasable)
  const values = erasable.flatMap(({ values: each }, i) =>
    each.map((value, j): Placed => ({ ...value, at: [...at, 'erasable', i, 'attributes', j] })),
  )
  return values.flatMap((value, i) => [
    ...clearPlaces(table)
      .filter(({ path }) => overlaps(path, value.path))
      .map(({ what }) => `${pathText(value.at)} is ${value.path.join('.')}, which ${what}`),
    ...Object.entries(table.columns)
      .map(([name, field]) => toColumn(name, field))
      .filter(({ path, type }) => overlaps(path, value.path) && type !== 'json' && !isKept(path, value))
      .map(
        ({ column }) =>
          `${pathText(value.at)} is ${value.path.join('.')}, of which the column ${column} can hold no value: expected type "json", no column, or with "keep" the path ${[...value.path, 'keep'].join('.')}`,
      ),
    ...values
      .slice(0, i)
      .filter(({ path }) => overlaps(path, value.path))
      .map(other => `${pathText(value.at)} is ${value.path.join('.')}, which ${pathText(other.at)} seals already`),
  ])
}

/** Paths whose values have columns of their own, or say which item it is. */
function clearPlaces({ keys = [], keyIsPersonal = [], actor, lifecycle }: TableFields) {
  return [
    ...keys.map(toKey).map(({ attribute }) => ({
      what: `the key holds ${keyIsPersonal.includes(attribute) ? 'as a token' : 'in clear'}`,
      path: [attribute] as AttributePath,
    })),
    ...(actor === undefined ? [] : [{ what: 'the actor holds in clear', path: toPath(actor) }]),
    ...(lifecycle === undefined ? [] : [{ what: 'the lifecycle holds in clear', path: toPath(lifecycle.attribute) }]),
  ]
}

function isKept(path: AttributePath, { path: sealed, keep }: Placed): boolean {
  return keep !== undefined && path.length === sealed.length + 1 && path.at(-1) === 'keep'
}

/** True where one path leads to or through the other. */
function overlaps(a: AttributePath, b: AttributePath): boolean {
  return a.slice(0, b.length).every((step, i) => step === b[i] || step === '*' || b[i] === '*')
}
