import { describe, expect, it } from 'vitest'
import { rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { STREAM_ARN, streamsRecord, tableConfiguration } from '../factories.js'
import { linesOf, run } from './command-line.js'

const OTHER = { eventSourceARN: STREAM_ARN.replace('us-east-1', 'eu-west-1'), awsRegion: 'eu-west-1' }

describe('two regions of a global table', () => {
  it('in one archive are told by verify and by an item’s history', async () => {
    const root = temporaryFolder()
    await writeRows(
      root,
      [streamsRecord(), streamsRecord(OTHER)].flatMap(record => rowsOfRecord(record)),
      tableConfiguration(),
    )
    const several = 'changes are of the streams of several regions, eu-west-1 and us-east-1'
    const verified = await run(['verify', 'continuity', '--archive', root])
    expect([verified.exit, verified.out]).toEqual([1, expect.stringContaining(`✗ ${several}`)])
    const json = await run(['verify', 'continuity', '--archive', root, '--format', 'json'])
    expect(JSON.parse(json.out)).toMatchObject([{ regions: ['eu-west-1', 'us-east-1'] }])
    const history = await run(['history', 'Orders', 'ORD12345', '--archive', root])
    expect([history.exit, history.out]).toEqual([1, expect.stringContaining(`its ${several}`)])
    const list = await run(['query', 'deletions', 'Orders', '--archive', root])
    expect([list.exit, list.out.replaceAll(/\s+/g, ' ')]).toEqual([1, expect.stringContaining(several)])
    const rows = await run(['query', 'deletions', 'Orders', '--archive', root, '--format', 'json'])
    expect(JSON.parse(rows.out)).toMatchObject({
      verdict: { doubtful: true, tables: [{ regions: ['eu-west-1', 'us-east-1'] }] },
    })
  })

  it('are not taken into one archive, and status says why', async () => {
    const root = temporaryFolder()
    expect((await run(['ingest', '-', '--archive', root], { stdin: linesOf([streamsRecord(OTHER)]) })).exit).toBe(0)
    const again = await run(['ingest', '-', '--archive', root], { stdin: linesOf([streamsRecord()]) })
    expect(again.exit).toBe(1)
    expect(again.err).toContain('1 × region is "us-east-1", the archive holds changes of Orders from eu-west-1: ')
    const status = await run(['status', '--archive', root])
    expect(status.out).toContain(
      '1 × Orders: region is "us-east-1", the archive holds changes of Orders from eu-west-1: ',
    )
  })
})
