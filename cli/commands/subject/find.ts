import { factsOf } from '../../../erasure/erase.js'
import { countSubject, type SubjectCount } from '../../../erasure/subject-rows.js'
import { findFacts } from '../../../store/kept-facts.js'
import type { ErasureFact } from '../../../transform/fact.js'
import { EXIT, type ExitCode, type Io, type Options } from '../../io.js'
import { formatOf } from '../../show/choose-format.js'
import { printable } from '../../show/text.js'
import { describeCertificate } from './erase.js'
import { openSubject } from './place.js'

/** What the archive has of a person, and what became of the person's keys. */
export async function findCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  const place = await openSubject(id, options)
  const { archive, keys, token, tables } = place
  const counts: SubjectCount[] = []
  const certificates: ErasureFact[] = []
  for (const table of tables) {
    counts.push(await countSubject(place, table, place))
    certificates.push(...factsOf((await findFacts(archive, table)).facts, 'erasure', { token }))
  }
  const key = await keys.newest(token)
  const state = key === undefined ? 'never seen' : key.state === 'live' ? 'readable' : 'erased'
  const holds = await keys.holdsOf(token)
  const page = () => {
    io.out(`${token}  ${state}${key === undefined ? '' : `, key ${key.generation}`}\n`)
    for (const count of counts) io.out(`${printable(`  ${describeCount(count)}`)}\n`)
    for (const hold of holds)
      io.out(`${printable(`  held by case ${hold.case} since ${hold.since}: ${hold.reason}`)}\n`)
    for (const { table, destroyed, reason } of certificates)
      io.out(`${printable(`  ${table}: erased ${destroyed}: ${reason}`)}\n`)
  }
  const whole = () => ({
    token,
    state,
    generation: key?.generation ?? null,
    tables: counts,
    holds,
    certificates: certificates.map(describeCertificate),
  })
  await format.print({ page, whole }, io)
  return EXIT.done
}

function describeCount({ table, rows, objects, values, clear, first, last }: SubjectCount): string {
  const older = clear === 0 ? '' : `; ${clear} older rows name the person in clear`
  if (rows === 0) return `${table}: no rows${older}`
  return `${table}: ${rows} rows in ${objects} objects, ${values} sealed values, ${first} to ${last}${older}`
}
