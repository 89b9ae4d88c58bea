/** Which rows of a table may have in clear what is erasable by now. */
import { readKept } from '../store/kept-configurations.js'
import type { Objects } from '../store/objects.js'
import { type AttributePath, configurationId, type TableConfiguration } from '../transform/table-configuration.js'

/** Those of a table that an archive keeps, with how it is configured today: see `sealedWhole`. */
export async function sealedWholeIn(
  archive: Objects,
  table: string,
  today: TableConfiguration | undefined,
): Promise<ReadonlySet<string>> {
  // rows of one that cannot be read are of none that is known
  const { versions } = await readKept(archive, table)
  return sealedWhole([...versions, ...(today === undefined ? [] : [today])])
}

/**
 * The ids of those configurations of a table under which every value was sealed that any of them seals, under whose key
 * ever. Rows of any other may have some of it in clear.
 */
export function sealedWhole(configurations: readonly TableConfiguration[]): ReadonlySet<string> {
  const wanted = configurations.flatMap(pathsOf)
  const isWhole = (table: TableConfiguration) => {
    const sealed = pathsOf(table)
    return wanted.every(path => sealed.some(one => covers(one, path)))
  }
  return new Set(configurations.filter(isWhole).map(configurationId))
}

function pathsOf({ erasable = [] }: TableConfiguration): readonly AttributePath[] {
  return erasable.flatMap(({ values }) => values).map(({ path }) => path)
}

/** A value is sealed with all that is in it. */
function covers(sealed: AttributePath, path: AttributePath): boolean {
  return sealed.every((step, i) => path[i] === step || (step === '*' && path[i] !== undefined))
}
