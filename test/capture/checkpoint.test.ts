import { expect, it } from 'vitest'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../capture/checkpoint.js'

const CHECKPOINT: Checkpoint = {
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
  expect(readCheckpoint(text)).toEqual(CHECKPOINT)
  expect(text).toContain('"saved": "2026-11-22T10:00:00.000Z"')
})

it.each([
  ['', 'it is no JSON'],
  ['null', 'version is null, expected "tail-checkpoint/v1"'],
  ['{"version":"tail-checkpoint/v2"}', 'version is "tail-checkpoint/v2", expected "tail-checkpoint/v1"'],
  [{ table: 7 }, 'table, stream, finished or shards are missing'],
  [{ saved: null }, 'saved is missing'],
  [{ saved: 'yesterday' }, 'saved is "yesterday", expected ISO 8601'],
  [{ shards: { a: 1 } }, 'shard a is 1'],
  [{ shards: { a: { state: 'begun' } } }, 'shard a has state "begun", expected waiting, reading or ended'],
  [{ shards: { a: { state: 'ended', parent: 1 } } }, 'shard a has parent 1'],
  [
    { shards: { a: { state: 'ended', parent: null, after: 'LATEST' } } },
    'shard a has after "LATEST", expected a sequence number',
  ],
])('refuses %j and says why', (damage, message) => {
  const text =
    typeof damage === 'string' ? damage : JSON.stringify({ ...JSON.parse(writeCheckpoint(CHECKPOINT)), ...damage })
  expect(() => readCheckpoint(text)).toThrow(message)
})
