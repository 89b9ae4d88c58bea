import { looksPersonalName } from '../config/personal-paths.js'
import type { AttributePath, TableConfiguration } from '../transform/table-configuration.js'
import { type Check, noted, ok } from './judgement.js'

const PROMISED = "erasable, or not a person's"

/** What of a table's configuration looks personal by its name and stays in clear, for good. */
export const PERSONAL_CHECK: Check<TableConfiguration> = {
  name: 'personal values',
  todo: 'for a table without rows: "erasable", and "keyIsPersonal" where the key names a person, see docs/erasure.md; rows that are there stay as they are',
  judge: table => {
    const clear = clearPlaces(table)
    return clear.length === 0
      ? ok('none that a name tells', PROMISED)
      : noted(`in clear by their names: ${clear.join(', ')}`, PROMISED)
  },
}

/** Names alone are known here: of values, and of attributes without a column, `itemtrail init SAMPLE` tells. */
function clearPlaces({
  keys,
  keyIsPersonal = [],
  columns,
  actor,
  erasable = [],
}: TableConfiguration): readonly string[] {
  const sealed = erasable.flatMap(({ values }) => values.map(({ path }) => path))
  const isSealed = (path: AttributePath) =>
    sealed.some(place => place.every((step, i) => step === '*' || step === path[i]))
  const places = [
    ...keys.filter(({ attribute }) => !keyIsPersonal.includes(attribute)).map(({ attribute }) => [attribute]),
    ...columns.map(({ path }) => path),
    ...(actor === undefined ? [] : [actor]),
  ]
  const personal = places.filter(path => looksPersonalName(path) && !isSealed(path))
  return [...new Set(personal.map(path => path.join('.')))]
}
