import { archiveFlag } from '../../cli/show/archive-name.js'
import { certificateName } from '../../queries/verdict/erasures.js'
import type { ErasureFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { AddressError, linkTo } from '../address.js'
import { FactList } from '../paper/parts.js'
import type { PageAsking, Screen } from '../screen.js'
import { factsIn } from '../tables.js'

/** The certificate of an erasure: what was destroyed, when, who asked for it, and what is left to do. */
export async function certificateScreen(asking: PageAsking): Promise<Screen> {
  const name = asking.path[1] ?? ''
  if (!/^[0-9a-f]{8}$/.test(name))
    throw new AddressError(`certificate ${JSON.stringify(name)} is none, expected 8 signs, 0 to 9 and a to f`)
  const found = (await certificatesIn(asking)).filter(fact => certificateName(fact) === name)
  const [certificate] = found
  if (certificate === undefined) throw new AddressError(`certificate ${name} is not in the archive`, 404)
  const { table, pending } = certificate
  return {
    question: `What does the certificate ${name} of an erasure in ${table} say?`,
    trail: [
      [table, linkTo(['t', table])],
      [`certificate ${name}`, linkTo(['certificate', name])],
    ],
    command: `itemtrail verify objects${archiveFlag(asking.root)}${asking.keyFlag}`,
    data: { certificate: name, key: factKey(certificate), ...certificate },
    body: (
      <>
        <FactList of={factsOf(certificate)} rows />
        <h2>What is left to do</h2>
        {pending.length === 0 ? (
          <p>nothing was</p>
        ) : (
          <ul>
            {pending.map(text => (
              <li>{text}</li>
            ))}
          </ul>
        )}
      </>
    ),
  }
}

async function certificatesIn(asking: PageAsking): Promise<readonly ErasureFact[]> {
  const all = await Promise.all(asking.archive.tables().map(table => factsIn(asking, table)))
  return all.flatMap(found => found.filter(fact => fact.kind === 'erasure'))
}

function factsOf(certificate: ErasureFact): Readonly<Record<string, string>> {
  const { token, generation, asked, destroyed, effective, by, reason, ticket } = certificate
  return {
    person: token,
    key: `${generation}`,
    'asked for': asked,
    'key destroyed': destroyed,
    'effective from': effective,
    by,
    reason,
    ticket: ticket ?? 'none',
    'sealed values': `${certificate.values} in ${certificate.rows} rows of ${certificate.objects} objects`,
    fact: factKey(certificate),
  }
}
