/** What an input takes of memory, whatever it holds. Needs `npm run build`. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { streamsRecord } from '../factories.js'
import { temporaryFolder } from './desk.js'

const DIST = new URL('../../dist/', import.meta.url).href
const MEGABYTE = 1024 * 1024
const BOUND = 2 * MEGABYTE

/**
 * Ingests a record, so many times a piece of a megabyte, and another record; tells how much higher the peak of memory
 * is than after a third of that, which has loaded whatever is loaded once and filled what the engine keeps.
 */
const CHILD = `
const [root, table, head, piece, times, tail, records] = JSON.parse(process.argv[1])
const [{ ingest }, { DiskArchive }] = await Promise.all(['delivery/ingest', 'store/folder'].map(name => import('${DIST}' + name + '.js')))
const { unconfiguredTable } = await import('${DIST}transform/table-configuration.js')
const block = Buffer.from(piece.repeat(Math.floor(${MEGABYTE} / piece.length)))
async function* input(count) {
  yield Buffer.from(records[0] + '\\n' + head)
  for (let i = 0; i < count; i++) yield block
  yield Buffer.from(tail + records[1] + '\\n')
}
const options = { archive: new DiskArchive(root), configurationOf: unconfiguredTable, bounds: { most: ${BOUND}, kept: 65536 } }
await ingest(input(times / 3), Date.now(), options)
const before = process.resourceUsage().maxRSS
const summaries = await ingest(input(times), Date.now(), options)
const grown = (process.resourceUsage().maxRSS - before) * 1024
console.log(JSON.stringify({ grown, rows: summaries.map(({ table, rows, refused }) => [table, rows, refused]) }))
`

const ofTable = (table: string) =>
  JSON.stringify(streamsRecord({ eventSourceARN: `arn:aws:dynamodb:us-east-1:1:table/${table}/stream/x` }))

describe('memory stays bounded', () => {
  it.each([
    ['a line without end', '', 'y', '\n'],
    ['many short lines of an object without end', '{', '"a":1,\n', ''],
    ['open brackets', '{"a":', '[', '\n'],
    ['a text without end', '{"a":"', 'x', '\n'],
    ['white space', '', ' ', '\n'],
  ])(
    'for %s of 96 MB, and what stands behind is archived',
    (_, head, piece, tail) => {
      const root = join(temporaryFolder(), 'archive')
      const about = [root, 'Orders', head, piece, 96, tail, [ofTable('Orders'), ofTable('Customers')]]
      const { stdout, stderr } = spawnSync(
        process.execPath,
        ['--max-old-space-size=128', '--input-type=module', '-e', CHILD, JSON.stringify(about)],
        { encoding: 'utf8' },
      )
      expect(stderr).toBe('')
      const { grown, rows } = JSON.parse(stdout) as { grown: number; rows: [string, number, number][] }
      expect(grown).toBeLessThan(40 * MEGABYTE)
      expect(rows.filter(([table]) => table !== '-')).toEqual([
        ['Orders', 1, 0],
        ['Customers', 1, 0],
      ])
      expect(readdirSync(join(root, 'data')).sort()).toEqual(['Customers', 'Orders'])
    },
    120_000,
  )

  it('for an array of five million objects, which are taken one by one', () => {
    const child = `
      const { recordsOf } = await import('${DIST}capture/wrapped-records.js')
      let records = 0
      for (const _ of recordsOf(Buffer.from('[' + '{},'.repeat(5_000_000) + '{}]'))) records++
      console.log(records)
    `
    const argv = ['--max-old-space-size=128', '--input-type=module', '-e', child]
    const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
    expect([stdout, stderr]).toEqual(['5000001\n', ''])
  }, 120_000)
})
