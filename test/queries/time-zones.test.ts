import { tableFromIPC } from 'apache-arrow'
import { parquetMetadata } from 'hyparquet'
import { beforeAll, describe, expect, it } from 'vitest'
import { answerQuery } from '../../queries/answers/ask.js'
import { toFile } from '../../queries/answers/file-formats.js'
import { savedQuery } from '../../queries/catalog.js'
import { toArrow } from '../../queries/engines/athena-types.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { inUtc } from '../../queries/engines/utc.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { CHANGED_AT, streamsRecord, tableConfiguration } from '../factories.js'

const SQL = `select event_time, event_time at time zone 'Europe/Berlin' as berlin, hour(event_time at time zone 'Europe/Berlin') as hour,
  timestamp '2026-11-22 10:00:00' as plain, arrived_at, timestamp '2026-11-22 10:00:00.000001' as precise from orders`
const TIME = new Date(CHANGED_AT * 1000).toISOString()

describe('a time', () => {
  let engine: DuckDbEngine
  beforeAll(async () => {
    const root = temporaryFolder()
    await ingestRecords(root, [streamsRecord()])
    engine = await DuckDbEngine.open(root)
    return () => engine.close()
  })

  it('carries its zone: it is an instant, and elsewhere it has the hour of that place', async () => {
    const answer = await engine.run(SQL)
    const [row] = [...rowsOf(answer)]
    expect(row).toMatchObject({
      event_time: TIME,
      berlin: `${new Date(CHANGED_AT * 1000 + 3_600_000).toISOString().slice(0, -1)}`,
      hour: BigInt(new Date(CHANGED_AT * 1000).getUTCHours() + 1),
      arrived_at: expect.stringMatching(/Z$/),
    })
  })

  it('is written without a zone where nobody says which', async () => {
    const [row] = [...rowsOf(await engine.run(SQL))]
    expect(row).toMatchObject({ plain: '2026-11-22T10:00:00.000', precise: '2026-11-22T10:00:00.000001' })
  })

  it('says in the types of Arrow and Parquet whether it is of UTC', async () => {
    const answer = await engine.run(SQL)
    const bytesOf = async (format: 'arrow' | 'parquet') => {
      const pieces: Uint8Array[] = []
      for await (const piece of toFile(answer, format, { question: '' })) pieces.push(piece)
      return Buffer.concat(pieces)
    }
    const { fields } = tableFromIPC(await bytesOf('arrow')).schema
    expect(fields.map(({ name, type }) => [name, type.timezone])).toEqual([
      ['event_time', 'UTC'],
      ['berlin', null],
      ['hour', undefined],
      ['plain', null],
      ['arrived_at', 'UTC'],
      ['precise', null],
    ])
    const { schema } = parquetMetadata(new Uint8Array(await bytesOf('parquet')).buffer)
    const adjusted = schema.flatMap(({ name, logical_type: type }) =>
      type?.type === 'TIMESTAMP' ? [[name, type.isAdjustedToUTC]] : [],
    )
    expect(adjusted).toEqual([
      ['event_time', true],
      ['berlin', false],
      ['plain', false],
      ['arrived_at', true],
      ['precise', false],
    ])
  })

  it('is of UTC in the answer of every saved query, on an engine whose tables cannot say so, too', async () => {
    const query = savedQuery('changes-between')
    const asked = await answerQuery(engine, query, tableConfiguration(), {
      from: '2026-11-22T00:00:00Z',
      to: '2026-11-23T00:00:00Z',
    })
    expect([...asked.rows()]).toMatchObject([{ event_time: TIME }])
    const athena = toArrow(
      [
        { Name: 't', Type: 'timestamp' },
        { Name: 'n', Type: 'bigint' },
      ],
      [
        {
          rowCount: 2,
          columns: [
            ['2026-11-22 10:00:00.000', null],
            ['1', '2'],
          ],
        },
      ],
    )
    expect([...rowsOf(athena)][0]).toEqual({ t: '2026-11-22T10:00:00.000', n: 1n })
    expect([...rowsOf(await inUtc(athena))]).toEqual([
      { t: '2026-11-22T10:00:00.000Z', n: 1n },
      { t: null, n: 2n },
    ])
  })
})
