import { factsOf } from '../../../erasure/erase.js'
import { CASE } from '../../../erasure/holds.js'
import type { KeyName } from '../../../erasure/subject-keys.js'
import { readFacts } from '../../../store/kept-facts.js'
import type { Objects } from '../../../store/objects.js'
import { CommandError, EXIT, type ExitCode, type Io, type Options } from '../../io.js'
import { formatOf } from '../../show/choose-format.js'
import { openSubject, required, whoActs } from './place.js'

/** Holds a person's erasure back for a case. */
export async function holdCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  const { token, keys, archive, tables } = await openSubject(id, options)
  const name = caseOf(options)
  const reason = required(options, 'reason', 'why the data is to stay readable')
  const by = whoActs(options)
  if (!(await keys.placeHold({ token, case: name, reason, by, since: new Date().toISOString() })))
    throw new CommandError(`case ${name} is known of ${token} already`, EXIT.findings, 'a case has one name for good')
  const newest = await keys.newest(token)
  const fences = newest && (await fencesOf(archive, tables, { token, generation: newest.generation }))
  if (newest?.state === 'erased' || fences?.isErased)
    throw new CommandError(
      `person ${token} was erased before case ${name}: there is nothing left to hold`,
      EXIT.findings,
    )
  if (fences?.isErasing) io.err(`an erasure of ${token} has begun, and stops at this case if it comes before its end\n`)
  const cases = (await keys.holdsOf(token)).length
  const page = () => io.out(`${token} is held by ${cases} ${cases === 1 ? 'case' : 'cases'}\n`)
  await format.print({ page, whole: () => ({ token, case: name, cases }) }, io)
  return EXIT.done
}

/** How far the archive's facts say that an erasure has come. */
async function fencesOf(archive: Objects, tables: readonly string[], name: KeyName) {
  const facts = (await Promise.all(tables.map(table => readFacts(archive, table)))).flat()
  return {
    isErasing: factsOf(facts, 'erasing', name).length > 0,
    isErased: factsOf(facts, 'erasure', name).length > 0,
  }
}

/** Ends a case; when the last has ended, the person can be erased. */
export async function releaseCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  const { token, keys } = await openSubject(id, options)
  const name = caseOf(options)
  if (!(await keys.releaseHold(token, name, whoActs(options), new Date().toISOString())))
    throw new CommandError(`case ${name} does not hold ${token}`, EXIT.findings)
  const cases = (await keys.holdsOf(token)).length
  const page = () => io.out(`${token} is held by ${cases} ${cases === 1 ? 'case' : 'cases'}\n`)
  await format.print({ page, whole: () => ({ token, case: name, cases }) }, io)
  return EXIT.done
}

function caseOf(options: Options): string {
  const name = required(options, 'case', 'the name of the case')
  if (CASE.test(name)) return name
  throw new CommandError(`--case is ${JSON.stringify(name)}, expected at most 64 letters, digits, "-" or "_"`)
}
