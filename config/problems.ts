import type { z } from 'zod'
import { shown } from '../transform/refusal.js'
import { editDistance } from './edit-distance.js'

/** A configuration that cannot be used, with everything that is wrong in it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly hint = 'docs/configuration.md describes every field; an editor that reads "$schema" checks while you type'

  constructor(
    path: string,
    /** Each opens with the field's path in the file. */
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    const [first, ...others] = problems
    super(
      others.length === 0
        ? `${path}: ${first}`
        : `${path} has ${problems.length} problems:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
      options,
    )
  }
}

/** Names of fields and places in arrays, from the top of the file down. */
export type FieldPath = readonly (string | number)[]

/** A path as JavaScript writes it: `tables.Orders.columns["shipping.city"]`. */
export function pathText(path: FieldPath, whole = 'the configuration'): string {
  const steps = path.map(step => (/^[A-Za-z_$][\w$]*$/.test(`${step}`) ? `.${step}` : `[${shown(step)}]`))
  return path.length === 0 ? whole : steps.join('').replace(/^\./, '')
}

/**
 * The problems behind an issue that zod found in a file's value. The issue's message is what is allowed there, see
 * `schema.ts`.
 */
export function describeIssue(issue: z.core.$ZodIssue, file: unknown, whole?: string): readonly string[] {
  const path = issue.path as FieldPath
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => `${pathText([...path, key])} is unknown, ${nameAllowed(key, issue.message)}`)
  }
  if (issue.code === 'invalid_union') {
    // the alternative of the right kind, an object where there is an object, says more than that none fits
    const close = issue.errors.find(errors => errors.every(isInside))
    if (close !== undefined)
      return close.flatMap(inner => describeIssue({ ...inner, path: [...path, ...inner.path] }, file, whole))
  }
  const value = path.reduce<unknown>((parent, step) => (parent as Record<string | number, unknown>)[step], file)
  return [`${pathText(path, whole)} is ${value === undefined ? 'missing' : shown(value)}, expected ${issue.message}`]
}

function isInside(issue: z.core.$ZodIssue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys'
}

function nameAllowed(unknown: string, allowed: string): string {
  const near = nearestName(unknown, allowed.split(', '))
  return near === undefined ? `expected one of ${allowed}` : `did you mean "${near}"?`
}

/**
 * The name that was probably meant: the same but for case and punctuation and at most two slips, a third of its length.
 */
function nearestName(wrong: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map(name => ({ name, slips: editDistance(plain(wrong), plain(name)) }))
    .filter(({ name, slips }) => slips <= Math.min(2, name.length / 3))
  return ranked.sort((a, b) => a.slips - b.slips)[0]?.name
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}
