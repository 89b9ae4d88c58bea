import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../delivery/desk.js'
import { streamsRecord } from '../factories.js'
import { fileOf, linesOf, run } from './command-line.js'

const image = (more: object) => ({ order_id: { S: 'A' }, ...more }) as never
const RECORDS = [
  streamsRecord({ NewImage: image({ user: { M: {} }, userId: { S: 'u1' } }) }),
  streamsRecord({ SequenceNumber: '2', NewImage: image({ updated_by: { S: 'alice' }, userId: { S: 'u1' } }) }),
]

describe('ingest', () => {
  const ingest = (config: object) =>
    run(
      [
        'ingest',
        '-',
        '--archive',
        temporaryFolder(),
        '--config',
        fileOf('actor.json', JSON.stringify({ tables: config })),
      ],
      { stdin: linesOf(RECORDS) },
    )

  it('says once which attribute looks like the actor where none is configured', async () => {
    const { exit, err } = await ingest({ Orders: {} })
    expect([exit, err]).toEqual([
      0,
      'Orders has no "actor" in the configuration, and "updated_by" looks like who made a change: "actor": "updated_by" keeps it with each row\n',
    ])
  })

  it('says nothing of it where one is', async () => {
    expect(await ingest({ Orders: { actor: 'order_id' } })).toMatchObject({ exit: 0, err: '' })
  })
})
