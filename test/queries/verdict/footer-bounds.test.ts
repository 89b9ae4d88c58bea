import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDuckDb } from '../../../queries/engines/duckdb-instance.js'
import { RowCheck } from '../../../queries/verdict/verify-rows.js'
import { ORDERS, ORDERS_CONFIG, run } from '../../cli/command-line.js'
import { temporaryFolder } from '../../delivery/desk.js'

/** The last occurrence of a text, which is in the footer, as another of its length. */
function replaceLast(path: string, text: string, other: string): void {
  const bytes = readFileSync(path)
  const at = bytes.lastIndexOf(text)
  expect(at).toBeGreaterThan(0)
  bytes.write(other, at)
  writeFileSync(path, bytes)
}

describe('an object whose footer has other bounds than its rows', () => {
  const root = temporaryFolder()
  const day = join(root, 'data/Orders/event_date=2026-11-20')
  let path: string
  beforeAll(async () => {
    await run(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
    path = join(day, readdirSync(day).find(name => name.endsWith('.parquet')) as string)
    copyFileSync(path, join(root, 'good'))
  })
  const check = async () => {
    const found = []
    for await (const finding of new RowCheck(root, 'Orders').findings()) found.push(finding)
    return found
  }

  it('is found, because a filter passes over its rows', async () => {
    expect(await check()).toEqual([])
    // its greatest key is less than that of rows which it has
    replaceLast(path, '{"order_id":{"S":"ORD12345"}}', '{"order_id":{"S":"ORD10000"}}')
    const history = await run(['history', 'Orders', 'ORD12345', '--archive', root, '--format', 'json'])
    expect(JSON.parse(history.out).changes).toHaveLength(9)
    expect(await check()).toEqual([
      expect.objectContaining({
        kind: 'file',
        object: expect.stringContaining('event_date=2026-11-20/'),
        reason: 'its footer has other bounds of item_key than its rows: who filters by them may miss some',
      }),
    ])
    expect((await run(['verify', 'rows', '--archive', root])).exit).toBe(1)
    copyFileSync(join(root, 'good'), path)
  })

  it('is not passed for one of which that cannot be said', async () => {
    const database = await openDuckDb()
    const connection = await database.connect()
    await connection.run(
      `copy (select *, 1 as file_row_number from read_parquet('${join(root, 'good')}')) to '${path}' (format parquet)`,
    )
    connection.closeSync()
    database.closeSync()
    // each row has a column that none has, too
    expect((await check()).filter(({ kind }) => kind === 'file')).toEqual([
      expect.objectContaining({ isUnreadable: true, reason: expect.stringMatching(/^its footer could not be held/) }),
    ])
    expect((await run(['verify', 'rows', '--archive', root])).exit).toBe(3)
    copyFileSync(join(root, 'good'), path)
    expect(await check()).toEqual([])
  })
})
