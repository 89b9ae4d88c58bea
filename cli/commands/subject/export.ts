import { type Unsealing, unsealImage, unsealingOf } from '../../../erasure/reveal.js'
import { isOfSubject } from '../../../erasure/subject-rows.js'
import type { StoredRow } from '../../../queries/verdict/stored-rows.js'
import { keptConfigurations } from '../../../store/kept-configurations.js'
import { EXIT, type ExitCode, type Io, type Options } from '../../io.js'
import { openSubject } from './place.js'

/**
 * Every row of a person, one JSON object a line, with what is sealed under the person's own keys readable: what
 * somebody asks for who asks what is kept of him. Other persons in the same rows stay sealed.
 */
export async function exportCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const { archive, rows, reveal, token, tables } = await openSubject(id, options)
  const keys = await reveal()
  let [count, closed] = [0, 0]
  for (const table of tables) {
    const unseal = unsealingOf(await keptConfigurations(archive, table), keys)
    const ownOnly: Unsealing = (field, ...at) => {
      if (field.token !== token) return undefined
      const value = unseal(field, ...at)
      if (value === undefined && keys.find(field)?.state === 'live') closed++
      return value
    }
    for await (const { row } of rows(table, token)) {
      if (!isOfSubject(row, token)) continue
      io.out(`${JSON.stringify(describe(row, ownOnly))}\n`)
      count++
    }
  }
  io.err(`${count} ${count === 1 ? 'row' : 'rows'} of ${token}\n`)
  if (closed === 0) return EXIT.done
  io.err(`${closed} values did not open: no configuration that the archive keeps has them\n`)
  return EXIT.findings
}

function describe(row: StoredRow, unseal: Unsealing): object {
  const image = (text: unknown) => (typeof text === 'string' ? JSON.parse(unsealImage(text, unseal)) : null)
  return {
    table: row.table_name,
    event_id: row.event_id,
    event_name: row.event_name,
    event_time: row.event_time,
    item_key: JSON.parse(String(row.item_key)),
    old_image: image(row.old_image),
    new_image: image(row.new_image),
  }
}
