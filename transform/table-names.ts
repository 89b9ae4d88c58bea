import { hash } from 'node:crypto'

/**
 * What a DynamoDB table is called elsewhere. DynamoDB takes 3 to 255 of `A-Za-z0-9_.-` and tells case apart; SQL, Glue
 * and file systems take less. Folders and keys have the name as it is; every other name is made here.
 */

/** DynamoDB's own rule for the names of tables (developer guide, "Naming rules"). */
export const TABLE_NAME = /^[A-Za-z0-9_.-]{3,255}$/

/** A table, with its name in SQL where its archive has given it one. */
export interface NamedTable {
  readonly table: string
  /** From `identifiersOf`. @default - what `table` gives where it has no neighbours */
  readonly identifier?: string | undefined
}

/** What follows a table's identifier in the name of what belongs to it. */
const [DELIVERIES, BY_ITEM, CHECKPOINTS, ANSWERS] = ['_deliveries', '__by_item', '__checkpoints', '__answers'] as const

/** The name of what CloudTrail keeps of calls, which no table of DynamoDB has in SQL. */
export const CALLS_TABLE = 'cloudtrail_events'

/** Glue takes 255 bytes, whatever follows the identifier among them. */
const LONGEST = 255 - CHECKPOINTS.length

/**
 * The name of each table of an archive in SQL: in lower case, `.` and `-` as `_`, where neither that nor what belongs
 * to it could be another table's; else with 8 hex of the name's SHA-256, or with all of it where somebody looked for
 * two that share
 * 8. No two of them are alike, so that the way back is exact.
 */
export function identifiersOf(names: Iterable<string>): ReadonlyMap<string, string> {
  const tables = [...new Set(names)]
  // the last form that each table could have of which a name is
  const claims = new Map<string, Map<string, number>>()
  for (const table of tables) {
    for (const [form, identifier] of formsOf(table).entries())
      for (const name of claimsOf(identifier)) claims.set(name, (claims.get(name) ?? new Map()).set(table, form))
  }
  const isFree = (table: string, form: number, name: string) =>
    name !== CALLS_TABLE && [...(claims.get(name) ?? [])].every(([other, theirs]) => other === table || theirs < form)
  return new Map(
    tables.map(table => {
      const forms = formsOf(table)
      // as plain as can be: what another could be called in this form or in a later one is not taken
      const found = forms.findIndex((name, form) => claimsOf(name).every(claim => isFree(table, form, claim)))
      return [table, forms[found] as string]
    }),
  )
}

/** Tables with the names that they have in SQL in an archive of just these. */
export function nameTables<T extends NamedTable>(tables: Iterable<T>): readonly T[] {
  const all = [...tables]
  const identifiers = identifiersOf(all.map(({ table }) => table))
  return all.map(table => ({ ...table, identifier: identifiers.get(table.table) as string }))
}

/** The names that a table may have in SQL, whatever is beside it. */
export function possibleIdentifiers(table: string): readonly string[] {
  return [...new Set(formsOf(table))]
}

/** The name of a table in SQL: of the view that counts each of its changes once. */
export function tableIdentifier({ table, identifier }: NamedTable): string {
  return identifier ?? (possibleIdentifiers(table)[0] as string)
}

/** The name of a table's rows as they were delivered. */
export function deliveriesIdentifier(table: NamedTable): string {
  return `${tableIdentifier(table)}${DELIVERIES}`
}

/** On AWS, the name of the clustered copy. */
export function copyIdentifier(table: NamedTable): string {
  return `${tableIdentifier(table)}${BY_ITEM}`
}

/** On AWS, the name of the checkpoints. */
export function checkpointsIdentifier(table: NamedTable): string {
  return `${tableIdentifier(table)}${CHECKPOINTS}`
}

/** On AWS, the name of the kept answers. */
export function answersIdentifier(table: NamedTable): string {
  return `${tableIdentifier(table)}${ANSWERS}`
}

/**
 * A text of at most so many characters: what is cut off is told by 8 hex of its SHA-256, so that no two texts become
 * one.
 */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text
  return `${text.slice(0, longest - 9)}_${digest(text, 8)}`
}

function formsOf(table: string): readonly string[] {
  const plain = table.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
  const withHash = (digits: number) => `${plain.slice(0, LONGEST - 1 - digits)}_${digest(table, digits)}`
  return [plain.length <= LONGEST ? plain : withHash(8), withHash(8), withHash(64)]
}

function claimsOf(identifier: string): readonly string[] {
  return ['', DELIVERIES, BY_ITEM, CHECKPOINTS, ANSWERS].map(suffix => `${identifier}${suffix}`)
}

function digest(text: string, digits: number): string {
  return hash('sha256', text).slice(0, digits)
}
