import { eraseSubject } from '../../../erasure/erase.js'
import type { Hold } from '../../../erasure/holds.js'
import { certificateName } from '../../../queries/verdict/erasures.js'
import type { ErasureFact } from '../../../transform/fact.js'
import { factKey } from '../../../transform/layout.js'
import { EXIT, type ExitCode, type Io, type Options } from '../../io.js'
import { formatOf } from '../../show/choose-format.js'
import { printable } from '../../show/text.js'
import { openSubject, required, whoActs } from './place.js'

/** Destroys a person's key, unless a case holds that back. */
export async function eraseCommand(id: string | undefined, options: Options, io: Io): Promise<ExitCode> {
  const format = formatOf(options)
  const reason = required(options, 'reason', 'why the person is erased')
  const ticket = typeof options.ticket === 'string' ? options.ticket : null
  const place = await openSubject(id, options)
  const { token } = place
  const outcome = await eraseSubject(place, { id: place.id, reason, ticket, by: whoActs(options) })
  if (outcome.kind === 'held') {
    const page = () => printHolds(token, outcome.holds, io)
    await format.print({ page, whole: () => ({ token, erased: false, holds: outcome.holds, certificates: [] }) }, io)
    return EXIT.findings
  }
  const { certificates } = outcome
  const page = () => printCertificates(token, certificates, io)
  const whole = () => ({ token, erased: true, holds: [], certificates: certificates.map(describeCertificate) })
  await format.print({ page, whole }, io)
  if (options.stack !== undefined)
    io.err(
      'records on their way can still be refused, and kept in clear: run it again in a day, with Kinesis in a week; status tells which came\n',
    )
  return certificates.some(({ pending }) => pending.length > 0) ? EXIT.findings : EXIT.done
}

function printHolds(token: string, holds: readonly Hold[], io: Io): void {
  io.out(`${token} is not erased, held by ${holds.length} ${holds.length === 1 ? 'case' : 'cases'}:\n`)
  for (const hold of holds)
    io.out(`${printable(`  ${hold.case}  since ${hold.since}  by ${hold.by}: ${hold.reason}`)}\n`)
}

function printCertificates(token: string, certificates: readonly ErasureFact[], io: Io): void {
  const [first] = certificates
  io.out(`${token} is erased: destroyed ${first?.destroyed}, effective ${first?.effective}\n`)
  for (const certificate of certificates) {
    const { table, rows, values, objects } = certificate
    io.out(`  ${printable(table)}: ${values} values in ${rows} rows of ${objects} objects are unreadable`)
    io.out(`, certificate ${certificateName(certificate)}\n`)
  }
  const pending = new Set(certificates.flatMap(({ pending: left }) => left))
  if (pending.size > 0) io.out('still to be done, then run it again:\n')
  for (const left of pending) io.out(`${printable(`  ${left}`)}\n`)
  if (certificates.every(({ rows }) => rows === 0))
    io.err('no row is of this person: if there were to be any, the id was not typed as items have it\n')
  io.err('itemtrail seal puts the certificates into the journal\n')
}

/** A certificate as answers have it. */
export function describeCertificate(certificate: ErasureFact): object {
  return { certificate: certificateName(certificate), key: factKey(certificate), ...certificate }
}
