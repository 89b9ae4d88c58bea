import type { SavedQuery } from './catalog.js'

/** A parameter that whoever asks may give, and whether they must. */
export interface AskedParameter {
  readonly name: string
  readonly isNeeded: boolean
}

/** The parameters of a question in the order in which their values are typed. Those of the archive's facts are none. */
export function askedParameters({ asksForColumn, parameters }: SavedQuery): readonly AskedParameter[] {
  const given = parameters.filter(({ preset }) => preset !== 'facts')
  return [
    ...(asksForColumn ? [{ name: 'column', isNeeded: true }] : []),
    ...given.map(({ name, default: value, preset }) => ({
      name,
      isNeeded: value === undefined && preset === undefined,
    })),
  ]
}

/** How a question is typed: `itemtrail query changes-by-actor TABLE ACTOR [FROM] [TO]`. */
export function usageOf(saved: SavedQuery): string {
  const words = askedParameters(saved).map(({ name, isNeeded }) => {
    const word = name.toUpperCase()
    return isNeeded ? word : `[${word}]`
  })
  return ['itemtrail query', saved.name, 'TABLE', ...words].join(' ')
}

/** What a question has in place of what was typed. */
export function hasOnly(saved: SavedQuery): string {
  const known = askedParameters(saved).map(({ name }) => `${name}=...`)
  return `query ${saved.name} has ${known.length === 0 ? 'no parameter' : `only ${known.join(', ')}`}`
}
