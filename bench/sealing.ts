/** What sealing two values in each image costs the transform, by keys that are in memory, as in a container. */
import { hash } from 'node:crypto'
import { fieldKeyOf, sealText } from '../erasure/field.js'
import { sealingOf } from '../erasure/seal-image.js'
import type { SubjectKey, SubjectKeys } from '../erasure/subject-keys.js'
import { createHandler } from '../transform/handler.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { plainPath } from './contestants.js'
import { firehoseEvents } from './events.js'
import { ORDERS, orderRecords } from './orders.js'
import { compareCpu, PAIRS, type Suite, type SuiteResult, showSpread } from './suite.js'
import { over, perRound, slices, type TransformSize } from './transform.js'

const FULL: TransformSize = { records: 26_000, rounds: PAIRS }
/** Persons of the events that are about the same ones again and again. */
const FEW = 1000

export const suite: Suite = {
  name: 'sealing',
  question: 'what does a transform with two erasable values cost beside one without, and what one that has none?',
  run: note => measureSealing(FULL, note),
}

/** The suite at any size: a test runs it small. */
export async function measureSealing(
  { records, rounds }: TransformSize,
  note: (text: string) => void,
): Promise<SuiteResult> {
  note(`making ${records} records`)
  const many = slices(firehoseEvents(orderRecords({ count: records })), rounds)
  const few = slices(firehoseEvents(ofFewPersons(records)), rounds)
  note('two values sealed in each image, none, and none once more')
  const { clear, again, plain, sealed, anew } = await compareCpu(
    {
      clear: over(few, createHandler(ORDERS)),
      again: over(few, createHandler({ ...ORDERS })),
      plain: over(few, plainPath),
      sealed: over(few, createHandler(sealedOrders())),
      anew: over(many, createHandler(sealedOrders())),
    },
    rounds,
  )
  const microseconds = (ms: number) => `${((ms * 1000) / perRound(records, rounds)).toFixed(0)} µs a record`
  const cipher = await cipherOf(rounds)
  return {
    findings: [
      {
        what: 'transform of a table without erasable values',
        against: 'itself, which is the noise',
        figure: `${showSpread(again.ratio)} of its CPU, ${microseconds(clear.cpuMs.median)}`,
      },
      {
        what: 'transform with two erasable values in each image',
        against: 'without, which takes the fast path',
        figure: `${showSpread(sealed.ratio)} of its CPU, ${microseconds(sealed.cpuMs.median)}`,
      },
      {
        what: 'the same, each record of a person who was not seen before',
        against: 'without, which takes the fast path',
        figure: `${showSpread(anew.ratio)} of its CPU, ${microseconds(anew.cpuMs.median)}`,
      },
      {
        what: 'the plain path, for scale',
        against: 'the fast path',
        figure: `${showSpread(plain.ratio)} of its CPU`,
      },
      { what: 'AES-SIV of a value of 64 bytes', against: '-', figure: `${cipher.toFixed(1)} µs` },
    ],
    remarks: [
      `${records} records of about 1.9 KB, 20/70/10 INSERT/MODIFY/REMOVE; a customer's name and street are sealed, of ${FEW} customers or of a million. Keys are in memory: what DynamoDB and KMS take is in [cost.md](cost.md).`,
      'what has erasable values is not taken by the fast path: the values are found in images that were read as a whole. A value that is in both images of a change is encrypted once.',
    ],
    leftOut: [],
  }
}

/** The records of the suites, as if few customers had made all of them. */
function* ofFewPersons(count: number): Generator<string> {
  for (const record of orderRecords({ count }))
    yield record.replaceAll(/"CUST-(\d+)"/g, (_, number) => `"CUST-${Number(number) % FEW}"`)
}

/** Microseconds of CPU. */
async function cipherOf(rounds: number): Promise<number> {
  const key = fieldKeyOf(Buffer.alloc(32, 7))
  const place = { table: 'Orders', path: ['shipping', 'street'], token: '0'.repeat(32), generation: 1 }
  // filled up to 64 bytes
  const text = 'x'.repeat(60)
  const times = 2000
  const encrypt = () => {
    for (let i = 0; i < times; i++) sealText(text, key, place)
  }
  const { encrypt: measured } = await compareCpu({ encrypt }, rounds)
  return (measured.cpuMs.median * 1000) / times
}

/** Table Orders with a customer's name and street sealed. */
function sealedOrders(): TableConfiguration {
  const values = [{ path: ['shipping', 'name'] }, { path: ['shipping', 'street'] }]
  const table = { ...ORDERS, erasable: [{ subject: ['customer_id'], values }] }
  return { ...table, seal: sealingOf(table, memoryKeys()) }
}

function memoryKeys(): SubjectKeys {
  const known = new Map<string, SubjectKey>()
  return {
    tokenOf: id => hash('sha256', id).slice(0, 32),
    current: token => {
      const key = known.get(token) ?? { state: 'live', generation: 1, fieldKey: fieldKeyOf(Buffer.from(token)) }
      known.set(token, key)
      return key
    },
    find: ({ token }) => known.get(token),
  }
}
