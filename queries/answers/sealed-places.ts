/** What questions that compare values cannot see: what is sealed is another text in each image, whoever asks. */
import type { AttributePath, TableConfiguration } from '../../transform/table-configuration.js'
import { readPath } from '../attribute-path.js'
import type { QueryEngine } from '../engines/engine.js'
import { boundariesWith } from '../verdict/erasures.js'
import type { Asked } from './asked.js'

/**
 * The configured paths at which values of a table are sealed, or ever were, in their order; of a path alone those that
 * lead to it or through it.
 */
export async function sealedPlaces(
  engine: QueryEngine,
  table: TableConfiguration,
  text?: string,
): Promise<readonly string[]> {
  const asked = text === undefined ? [] : stepsOf(text)
  const paths = await everSealed(engine, table)
  return namesOf(paths.filter(path => path.every((step, i) => i >= asked.length || isSame(step, asked[i]))))
}

/** The sealed value that holds what lies at a path; undefined where nothing there is sealed, or the very value is. */
export async function sealedAround(
  engine: QueryEngine,
  table: TableConfiguration,
  text: string,
): Promise<string | undefined> {
  const asked = stepsOf(text)
  const paths = await everSealed(engine, table)
  return namesOf(paths.filter(path => path.length < asked.length && path.every((step, i) => isSame(step, asked[i]))))[0]
}

/** What an answer of a saved query that compares values could not look into; undefined where that is nothing. */
export async function unseenSealed(
  engine: QueryEngine,
  table: TableConfiguration,
  { parameters }: Pick<Asked, 'parameters'>,
): Promise<string | undefined> {
  const comparesAll = parameters.has('value') && !parameters.has('column')
  const comparesOne = parameters.has('state') && parameters.has('attribute')
  if (!comparesAll && !comparesOne) return undefined
  const places = await sealedPlaces(engine, table, comparesOne ? String(parameters.get('attribute')) : undefined)
  return places.length === 0 ? undefined : tellUnseen(table, places)
}

/** That values at these places were not looked into. */
export function tellUnseen({ table }: Pick<TableConfiguration, 'table'>, places: readonly string[]): string {
  return `values of ${table} at ${places.join(', ')} are sealed, and were not looked into`
}

async function everSealed(engine: QueryEngine, table: TableConfiguration): Promise<readonly AttributePath[]> {
  const { erasable } = await boundariesWith(engine, table)
  return [...erasable.values(), table.erasable ?? []].flat().flatMap(({ values }) => values.map(({ path }) => path))
}

function stepsOf(text: string): AttributePath {
  return readPath(text).map(segment => ('name' in segment ? segment.name : '*'))
}

function isSame(step: string, other: string | undefined): boolean {
  return step === other || step === '*' || other === '*'
}

function namesOf(paths: readonly AttributePath[]): readonly string[] {
  return [...new Set(paths.map(path => path.join('.')))]
}
