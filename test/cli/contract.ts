/** What a command's JSON is held to: `docs/cli-json.md` describes every field that it has, and no other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

/** `docs/cli-json.md`. */
export const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/cli-json.md'), 'utf8')

/** The fields that a section of the document describes, with their types. */
function fieldsOf(section: string): ReadonlyMap<string, string> {
  const text = new RegExp(`^## ${section}\n(.*?)(?=^## |$(?![^]))`, 'ms').exec(DOCUMENT)?.[1] ?? ''
  return new Map(
    [...text.matchAll(/^\| `(\S+)` \| (.*?) \| .+ \|$/gm)].map(match => [match[1], match[2]] as [string, string]),
  )
}

/** Every field in some values with the kinds of its values; what is JSON of somebody else is not looked into. */
function fieldsIn(values: readonly unknown[], fields: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>()
  const look = (value: unknown, path: string) => {
    if (path !== '' && !path.endsWith('[]')) seen.set(path, (seen.get(path) ?? new Set()).add(kindOf(value)))
    const isForeign = /JSON/.test(fields.get(path) ?? '')
    if (Array.isArray(value)) for (const element of value) look(element, `${path}[]`)
    else if (typeof value === 'object' && value !== null && !isForeign)
      for (const [name, member] of Object.entries(value)) look(member, path === '' ? name : `${path}.${name}`)
  }
  for (const value of values) look(value, '')
  return seen
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.every(element => typeof element === 'string') ? 'array of strings' : 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

const KINDS: Readonly<Record<string, readonly string[]>> = {
  string: ['string'],
  integer: ['integer'],
  number: ['number', 'integer'],
  boolean: ['boolean'],
  null: ['null'],
  // an empty array is one of anything
  array: ['array', 'array of strings'],
  object: ['object'],
  'array of strings': ['array of strings'],
  'DynamoDB JSON': ['object'],
  JSON: ['object'],
}

/**
 * Expects that the values have the documented fields, all of them but those that are named and no other, of the
 * documented types.
 */
export function expectContract(section: string, values: readonly unknown[], unseen: readonly string[] = []): void {
  const documented = fieldsOf(section)
  const seen = fieldsIn(values, documented)
  expect([...seen.keys(), ...unseen].sort()).toEqual([...documented.keys()].sort())
  for (const [field, kinds] of seen) {
    const type = documented.get(field) as string
    const allowed = type.split(' or ').flatMap(name => KINDS[name] ?? [`${name} is no type`])
    expect([field, [...kinds].filter(kind => !allowed.includes(kind))]).toEqual([field, []])
    if (type.endsWith(' or null')) expect([field, [...kinds]]).toEqual([field, expect.arrayContaining(['null'])])
  }
}
