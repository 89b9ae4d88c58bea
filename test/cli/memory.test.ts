import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeChained } from '../../bench/chained-orders.js'
import { type ProgramCost, runAlone, runProgram } from '../../bench/child.js'
import { orderOf } from '../../bench/orders.js'
import { createRandom } from '../../bench/random.js'
import { linkArchive, makeSyntheticArchive } from '../../bench/synthetic-archive.js'
import { ExportWriter } from '../../restore/export-files.js'
import { temporaryFolder } from '../delivery/desk.js'

const CLI = join(import.meta.dirname, '../../dist/cli/itemtrail.js')

/** What questions of a whole table hold: images of 100,000 changes are 180 MB, and no question may hold them all. */
const QUESTIONS: readonly (readonly [string, ...string[]])[] = [
  ['verify', 'continuity', 'Orders'],
  ['as-of', 'Orders', '2026-01-10T12:00:00Z', '--format', 'ndjson'],
  ['diff', 'Orders', '--from', '2026-01-03T12:00:00Z', '--to', '2026-01-10T12:00:00Z', '--format', 'ndjson'],
  ['query', 'attribute-catalogue', 'Orders'],
]

let root: string
beforeAll(async () => {
  root = temporaryFolder()
  await makeSyntheticArchive(root, { items: 20_000, versions: 5, days: 10, objectsPerDay: 8 })
})

it.each(QUESTIONS)('%s %s takes no more memory than it is given, and some for itself', async (...question) => {
  const { peakMb, output } = await runAlone(
    process.execPath,
    `process.argv.splice(1, Infinity, 'itemtrail', ...${JSON.stringify([...question, '--archive', root, '--memory', '256MB'])})
     await import(${JSON.stringify(CLI)})`,
  )
  expect(output.length).toBeGreaterThan(100)
  expect(peakMb).toBeLessThan(550)
})

it('diff of a table whose images are several times what it is given reads them in slices', async () => {
  const args = [
    'diff',
    'Orders',
    '--from',
    '2026-01-03T12:00:00Z',
    '--to',
    '2026-01-10T12:00:00Z',
    '--format',
    'ndjson',
  ]
  // without slices DuckDB has too little, and the command ends with 3
  const { peakMb } = await runProgram(CLI, [...args, '--archive', root, '--memory', '64MB'])
  expect(peakMb).toBeLessThan(480)
})

it.each([
  ['where nothing is said', [], 850],
  ['given 256 MB', ['--memory', '256MB'], 550],
])('compact, %s, takes no more than that and some for itself', async (_, given, mostMb) => {
  const copy = join(temporaryFolder(), 'archive')
  linkArchive(root, copy)
  const { peakMb } = await runProgram(CLI, ['compact', 'Orders', '--archive', copy, ...given])
  expect(peakMb).toBeLessThan(mostMb)
})

describe('of an export, a few items at a time', () => {
  let given: readonly string[]
  let baseline: ProgramCost
  beforeAll(async () => {
    const folder = temporaryFolder()
    const exported = await writeExport(join(folder, 'export'), 60_000)
    const config = join(folder, 'itemtrail.config.json')
    writeFileSync(config, JSON.stringify({ tables: { Orders: { keys: ['order_id'] } } }))
    given = ['Orders', '--export', exported, '--archive', join(folder, 'archive'), '--config', config]
    baseline = await runProgram(CLI, ['baseline', ...given])
  })

  // 50 MB of JSON, which take 140 MB and more where they are held as objects
  it('are held by baseline', () => {
    expect(baseline.peakMb).toBeLessThan(390)
  })

  it('are held by reconcile', async () => {
    const { peakMb } = await runProgram(CLI, ['reconcile', ...given, '--memory', '128MB'])
    expect(peakMb).toBeLessThan(445)
  })
})

/** Exports so many orders as DynamoDB does, and gives the folder of the export. */
async function writeExport(root: string, items: number): Promise<string> {
  const [tableId, time] = ['12345a12-abcd-123a-ab12-1234abc12345', '2026-11-22T00:00:00.000Z']
  const tableArn = 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders'
  const writer = ExportWriter.create(root, { tableArn, tableId, exportTime: time, startTime: time })
  const random = createRandom(3)
  for (let i = 0; i < items; i++) await writer.add(JSON.stringify(orderOf(`ORD-${i}`, random)))
  await writer.finish(time)
  const exports = join(root, 'AWSDynamoDB')
  return join(exports, readdirSync(exports)[0] as string)
}

it.each([
  ['of one day after the other', 60_000, (lines: readonly string[]) => lines],
  ['of many days at a time', 120_000, mixed],
])('ingest with two threads holds a few blocks of its input, an object a thread, %s', async (_, changes, inOrder) => {
  const folder = temporaryFolder()
  const file = join(folder, 'changes.jsonl')
  // some 110 MB or 220 MB
  await writeChained(file, { changes, items: 10_000, days: 12, breaks: 0, repeats: 0, late: 0 })
  writeFileSync(file, inOrder(readFileSync(file, 'utf8').trimEnd().split('\n')).join('\n'))
  const args = ['ingest', file, '--threads', '2', '--archive', join(folder, 'archive')]
  const { peakMb } = await runProgram(CLI, args)
  expect(peakMb).toBeLessThan(600)
})

/** Lines far from one another side by side. */
function mixed(lines: readonly string[]): readonly string[] {
  const step = Math.ceil(lines.length / 12)
  return lines.map((_, i) => lines[(i % 12) * step + Math.floor(i / 12)]).filter(line => line !== undefined)
}
