import { createContext, Script } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { baselineRecords, ORDERS, orderRecords } from '../../../bench/orders.js'
import { createRandom } from '../../../bench/random.js'
import { decodeChange } from '../../../transform/change.js'
import { FastTransform } from '../../../transform/fast/transform.js'
import { splitDocuments } from '../../../transform/json.js'
import { readStreamRecord } from '../../../transform/stream-record.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { transformRecord } from '../../../transform/transform.js'
import { ARRIVAL } from '../../factories.js'
import { baseline, changeDocument, runs, typedTable } from '../arbitraries.js'
import { mutate } from '../mutations.js'

/** `FUZZ_CASES=200000` is the full count; `FUZZ_SEED` another set of cases. */
const CASES = Number(process.env.FUZZ_CASES ?? 8_000)
const SEED = Number(process.env.FUZZ_SEED ?? 20261122)

/** Far more than any batch takes: it ends a loop that does not end by itself. */
const BATCH = 500
const BATCH_MS = 60_000

const DAY_AFTER = ARRIVAL + 24 * 60 * 60 * 1000

type Outcome = 'same' | 'declined' | 'both refuse'

const bytesOf = (texts: Iterable<string>) => Array.from(texts, text => Buffer.from(text))
const sample = (documents: fc.Arbitrary<object>) =>
  bytesOf(fc.sample(documents, runs(400)).map(document => JSON.stringify(document)))

const orders = bytesOf(orderRecords({ count: 200, seed: SEED }))
const oddItems = sample(changeDocument)
const oddBaselines = sample(baseline)
const baselines = bytesOf(baselineRecords({ count: 200, seed: SEED }))

/** Not in the order of their names, and one of them is a text with an escape in most records. */
const twoKeys = [{ column: 'string', attribute: 'string' }, ...typedTable.keys]

interface Kind {
  readonly table: TableConfiguration
  readonly records: readonly Buffer[]
}

const kinds: Readonly<Record<string, Kind>> = {
  orders: { table: ORDERS, records: orders },
  'odd items': { table: typedTable, records: oddItems },
  'odd items, Kinesis': { table: { ...typedTable, capture: 'kinesis' }, records: oddItems },
  'no configuration': { table: { table: 'Orders', capture: 'streams', keys: [], columns: [] }, records: oddItems },
  baselines: { table: ORDERS, records: baselines },
  'baselines, Kinesis': { table: { ...ORDERS, capture: 'kinesis' }, records: [...baselines, ...orders] },
  'odd baselines, Kinesis': { table: { ...typedTable, capture: 'kinesis' }, records: oddBaselines },
  'odd baselines, two keys': { table: { ...typedTable, keys: twoKeys }, records: oddBaselines },
}

const CASES_OF_KIND = CASES / Object.keys(kinds).length

describe.each(Object.keys(kinds))('a record that was tampered with: %s', name => {
  it(`gives the same bytes on both paths, or the fast path declines (${CASES_OF_KIND} cases)`, {
    timeout: 1_800_000,
  }, () => {
    const { table, records } = kinds[name] as Kind
    const fastPath = new FastTransform(table)
    const random = createRandom(SEED)
    const counts: Record<Outcome, number> = { same: 0, declined: 0, 'both refuse': 0 }
    for (let done = 0; done < CASES_OF_KIND; done += BATCH) {
      const cases = Array.from({ length: Math.min(BATCH, CASES_OF_KIND - done) }, () =>
        mutate(records[Math.floor(random() * records.length)] as Buffer, random),
      )
      watched(cases, bytes => counts[outcomeOf(fastPath, bytes, table)]++)
    }
    if (process.env.FUZZ_CASES !== undefined) console.log(`${name}: ${JSON.stringify(counts)}`)
    // else nothing was compared
    expect(counts.same).toBeGreaterThan(CASES_OF_KIND / 25)
    expect(counts['both refuse']).toBeGreaterThan(CASES_OF_KIND / 25)
  })
})

/** Runs a batch with a time limit that ends endless loops, too. */
function watched(cases: readonly Buffer[], run: (bytes: Buffer) => void): void {
  let current: Buffer = Buffer.alloc(0)
  const all = () => {
    for (const bytes of cases) {
      current = bytes
      run(bytes)
    }
  }
  try {
    new Script('all()').runInContext(createContext({ all }), { timeout: BATCH_MS })
  } catch (cause) {
    throw new Error(`case ${current.toString('base64')} failed`, { cause })
  }
}

function outcomeOf(fastPath: FastTransform, bytes: Buffer, table: TableConfiguration): Outcome {
  const fast = fastPath.transform(bytes.toString('base64'), DAY_AFTER)
  const plain = transformRecord(bytes, DAY_AFTER, table)
  expectSameState(fastPath, bytes.toString(), table)
  if (fast.kind === 'declined') return plain.kind === 'refused' ? 'both refuse' : 'declined'
  if (plain.kind === 'refused') throw new Error(`the fast path took what the plain path refuses: ${plain.reason}`)
  expect({ lines: Buffer.from(fast.data, 'base64').toString(), date: fast.date }).toEqual({
    lines: plain.lines,
    date: plain.partition.date,
  })
  return 'same'
}

/** What is told of an item by its bytes is what its row has. */
function expectSameState(fastPath: FastTransform, document: string, table: TableConfiguration): void {
  const fast = fastPath.itemState(document)
  if (fast === undefined) return
  const [first, ...others] = splitDocuments(document)
  const { keys, newImage } = decodeChange(readStreamRecord(first?.value ?? {}), table)
  expect([fast, others]).toEqual([{ itemKey: keys.text, image: newImage?.text, hash: newImage?.hash }, []])
}
