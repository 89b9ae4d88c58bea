import { describe, expect, it } from 'vitest'
import { streamsRecord } from '../factories.js'
import { fileOf, linesOf, makeFolder, run } from './command-line.js'

const CONFIG = fileOf(
  'config.json',
  JSON.stringify({ tables: { Orders: { columns: { total: 'decimal(8,2)', count: 'bigint' } } } }),
)
const order = (id: string, total: object, count: object, place: number) =>
  streamsRecord({
    Keys: { order_id: { S: id } },
    NewImage: { order_id: { S: id }, total, count } as never,
    SequenceNumber: String(place),
    eventID: id,
  })
const RECORDS = [
  order('A', { N: '1.50' }, { N: '1' }, 1),
  // a text that looks like what is searched for is none
  order('B', { S: 'x","misfits":"y' }, { N: '2' }, 2),
  order('C', { N: '1.555' }, { S: 'three' }, 3),
]

describe('values that do not fit their column', () => {
  const root = makeFolder()

  it('are told by ingest, with how many, where and one of them', async () => {
    const { exit, err } = await run(['ingest', '-', '--archive', root, '--config', CONFIG], { stdin: linesOf(RECORDS) })
    expect(exit).toBe(0)
    expect(err).toContain('3 values do not fit their columns and are null there')
    expect(err).toContain('2 × new_total, such as {"S":"x\\",\\"misfits\\":\\"y"}')
    expect(err).toContain('1 × new_count, such as {"S":"three"}')
    const flags = ['--archive', makeFolder(), '--config', CONFIG, '--format', 'json']
    const { out } = await run(['ingest', '-', ...flags], { stdin: linesOf(RECORDS) })
    expect((JSON.parse(out) as [object])[0]).toMatchObject({
      misfits: [
        { column: 'new_total', values: 2, example: { S: 'x","misfits":"y' } },
        { column: 'new_count', values: 1, example: { S: 'three' } },
      ],
    })
  })

  it('are counted by status, by column', async () => {
    const flags = ['status', '--archive', root, '--config', CONFIG]
    const { out } = await run(flags)
    expect(out).toContain('Orders: new_total is null in 2 changes whose value does not fit it')
    expect(JSON.parse((await run([...flags, '--format', 'json'])).out)).toMatchObject({
      tables: [
        {
          misfits: [
            { column: 'new_count', changes: 1 },
            { column: 'new_total', changes: 2 },
          ],
        },
      ],
    })
  })

  it('leave nothing to say where every value fits', async () => {
    const { err } = await run(['ingest', '-', '--archive', makeFolder(), '--config', CONFIG], {
      stdin: linesOf(RECORDS.slice(0, 1)),
    })
    expect(err).not.toContain('fit')
  })
})
