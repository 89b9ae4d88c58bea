import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { digestOfStates } from '../../queries/verdict/states-digest.js'
import { DiskArchive } from '../../store/folder.js'
import { comparedAsOf, type Fact, factMicroseconds, StatesDigest, writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'

/** Keeps facts in an archive, each without one with the digest of the rows that it has now. */
export async function keepFacts(root: string, table: TableConfiguration, facts: readonly Fact[]): Promise<void> {
  const engine = await DuckDbEngine.open(root, [table])
  for (const fact of facts) {
    const digest = await digestFor(engine, table, fact)
    await new DiskArchive(root).put(factKey(fact), Buffer.from(writeFact({ ...fact, ...digest } as Fact)))
  }
  engine.close()
}

async function digestFor(engine: DuckDbEngine, table: TableConfiguration, fact: Fact): Promise<object> {
  if (fact.kind === 'reconciliation') {
    if (fact.digest !== '') return {}
    const without = [...fact.differing.map(({ key }) => key), ...fact.unsettled]
    return { digest: await digestOfStates(engine, table, comparedAsOf(factMicroseconds(fact.from)), without) }
  }
  if (fact.kind !== 'baseline') return {}
  const sql = `select distinct item_key, new_hash from ${deliveriesOf(table)} where source = ?`
  const rows = [...rowsOf(await engine.run(sql, [fact.source]))]
  const digest = new StatesDigest()
  for (const { item_key, new_hash } of rows) digest.add(String(item_key), String(new_hash))
  // of a baseline that lacks rows no digest fits
  return { digest: rows.length === fact.items ? digest.hex() : 'f'.repeat(64) }
}
