import { expect, it } from 'vitest'
import { readCheckpoint, type TailCheckpoint, writeCheckpoint } from '../../capture/tail-checkpoint.js'

const CHECKPOINT: TailCheckpoint = {
  table: 'Orders',
  stream: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-11-22T00:00:00.000',
  finished: false,
  saved: Date.UTC(2026, 10, 22, 10),
  shards: {
    a: { parent: null, state: 'ended', after: '000000000000000000100', madeAt: Date.UTC(2026, 10, 22), emptyAt: null },
    b: { parent: 'a', state: 'waiting', after: null, madeAt: null, emptyAt: Date.UTC(2026, 10, 22, 9) },
  },
}

it('comes back as it was written, with times for people', () => {
  const text = writeCheckpoint(CHECKPOINT)
  expect(readCheckpoint(text, 'Orders.json')).toEqual(CHECKPOINT)
  expect(text).toContain('"saved": "2026-11-22T10:00:00.000Z"')
})

const FIELDS = JSON.parse(writeCheckpoint(CHECKPOINT))

it.each([
  ['', 'is no JSON'],
  ['null', 'it is null, expected an object'],
  [{ version: 'tail-checkpoint/v2' }, 'version is "tail-checkpoint/v2", expected "tail-checkpoint/v1"'],
  [{ table: 7 }, 'table is 7, expected a text that is not empty'],
  [{ saved: null }, 'saved is null, expected ISO 8601 in UTC'],
  [{ saved: 'yesterday' }, 'saved is "yesterday", expected ISO 8601 in UTC'],
  [{ shards: { a: 1 } }, 'shards.a is 1, expected an object'],
  [
    { shards: { a: { ...FIELDS.shards.a, state: 'begun' } } },
    'shards.a.state is "begun", expected "waiting" or "reading" or "ended"',
  ],
  [{ shards: { a: { ...FIELDS.shards.a, parent: 1 } } }, 'shards.a.parent is 1'],
  [
    { shards: { a: { ...FIELDS.shards.a, after: 'LATEST' } } },
    'shards.a.after is "LATEST", expected a sequence number or null',
  ],
  // one digit further: the record between would be passed over
  [
    { shards: { ...FIELDS.shards, a: { ...FIELDS.shards.a, after: '000000000000000000101' } } },
    'sha256 is not that of its content',
  ],
])('refuses %j and says why', (damage, message) => {
  const text = typeof damage === 'string' ? damage : JSON.stringify({ ...FIELDS, ...damage })
  expect(() => readCheckpoint(text, 'Orders.json')).toThrow(message)
})
