/** Orders of a table with two persons in each, and an archive that seals them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { linesOf, makeFolder, run } from '../cli/command-line.js'

/** An order of Ann (`u-1`) from Bob (`u-2`). */
export function orderOf(id: string, status: string, name = 'Ann Secret', bob = 'Bob Shop') {
  return {
    id: { S: id },
    status: { S: status },
    buyer: {
      M: { id: { S: 'u-1' }, name: { S: name }, email: { S: 'ann@secret.example' }, born: { S: '1984-02-03' } },
    },
    seller: { M: { id: { S: 'u-2' }, name: { S: bob } } },
    lines: { L: [{ M: { note: { S: 'leave it at the Secret door' }, qty: { N: '1' } } }] },
  }
}

export type Order = ReturnType<typeof orderOf>

/** A stream record of one change of an order. */
export function recordOf(number: number, id: string, before: object | null, after: object | null) {
  return recordOfTable('Orders', number, { id: { S: id } }, before, after)
}

/** A stream record of one change of a table's item. */
export function recordOfTable(
  table: string,
  number: number,
  Keys: object,
  before: object | null,
  after: object | null,
) {
  return {
    eventID: `e${number}`,
    eventName: before === null ? 'INSERT' : after === null ? 'REMOVE' : 'MODIFY',
    eventSourceARN: `arn:aws:dynamodb:eu-central-1:111122223333:table/${table}/stream/2026-01-01T00:00:00.000`,
    awsRegion: 'eu-central-1',
    dynamodb: {
      ApproximateCreationDateTime: 1_790_000_000 + number,
      Keys,
      ...(before !== null && { OldImage: before }),
      ...(after !== null && { NewImage: after }),
      SequenceNumber: String(100 + number),
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  }
}

/** An order that was made, paid, and of which the name was set right. */
export const LIFE = [
  recordOf(1, 'o1', null, orderOf('o1', 'NEW')),
  recordOf(2, 'o1', orderOf('o1', 'NEW'), orderOf('o1', 'PAID')),
  recordOf(3, 'o1', orderOf('o1', 'PAID'), orderOf('o1', 'PAID', 'Ann Other')),
]
/** What came after. */
export const LATER = recordOf(4, 'o1', orderOf('o1', 'PAID', 'Ann Other'), orderOf('o1', 'SENT', 'Ann Other'))

export const ERASABLE = [
  {
    subject: 'buyer.id',
    attributes: [
      'buyer.name',
      { attribute: 'buyer.email', keep: 'domain' },
      { attribute: 'buyer.born', keep: 'year' },
      'lines.*.note',
    ],
  },
  { subject: 'seller.id', attributes: ['seller.name'] },
]

/** An archive, its key store and its configuration, in a folder of their own. */
export async function makePlace(erasable: unknown = ERASABLE) {
  const folder = makeFolder()
  const [archive, keys, config] = ['archive', 'keys', 'itemtrail.config.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const configure = (erased: unknown) =>
    writeFileSync(config, JSON.stringify({ erasure: { keys }, tables: { Orders: { keys: ['id'], erasable: erased } } }))
  configure(erasable)
  const ask = (...argv: readonly string[]) => run([...argv, '--archive', archive, '--config', config])
  const askJson = async (...argv: readonly string[]) => JSON.parse((await ask(...argv, '--format', 'json')).out)
  const ingest = (records: readonly object[]) =>
    run(['ingest', '-', '--archive', archive, '--config', config], { stdin: linesOf(records) })
  const erase = (id: string) => ask('subject', 'erase', id, '--reason', 'asked', '--format', 'json')
  expect((await ask('subject', 'init')).exit).toBe(0)
  return { folder, archive, keys, config, configure, ask, askJson, ingest, erase }
}
