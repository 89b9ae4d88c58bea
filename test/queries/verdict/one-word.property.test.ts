/** Every way of asking how sure something is gives one word, which is never stronger than what truly happened. */

import { describe, expect, it } from 'vitest'
import type { OpenArchive } from '../../../library/archive.js'
import { openArchive } from '../../../library/open-archive.js'
import { DiskArchive } from '../../../store/folder.js'
import type { AuditRow } from '../../../transform/audit-row.js'
import { factInstant, writeFact } from '../../../transform/fact.js'
import { formatInstant } from '../../../transform/instant.js'
import { factKey } from '../../../transform/layout.js'
import { run } from '../../cli/command-line.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { tableConfiguration } from '../../factories.js'
import {
  BASELINES,
  type CleanItem,
  cleanItem,
  Dice,
  type Image,
  imageAt,
  rowOf,
  takeBaseline,
} from '../clean-history.js'
import { BEGIN } from '../random-archive.js'

/** `ITEMTRAIL_SEEDS=100` for more archives. */
const SEEDS = Number(process.env.ITEMTRAIL_SEEDS ?? 2)
const table = tableConfiguration()
const us = (second: number) => (BEGIN + second) * 1_000_000

interface Scene {
  readonly root: string
  readonly items: readonly CleanItem[]
}

/** Items that came and stayed while the stream lost everything, some of which a baseline saw, and one that never was. */
function makeItems(dice: Dice): readonly CleanItem[] {
  const whole = Array.from({ length: 3 }, (_, i) => cleanItem(`I${i}`, 'streams', dice))
  const ghosts = Array.from({ length: 3 }, (_, i) => ({
    name: `G${i}`,
    capture: 'streams' as const,
    events: [{ before: null, after: 1, second: 10 + dice.roll(2400), place: 0, timeToLive: false }],
  }))
  return [...whole, ...ghosts, { name: 'never', capture: 'streams', events: [] }]
}

/** What the stream lost is a stretch with a fact; baselines tell the truth, and each may be left out. */
async function makeScene(seed: number): Promise<Scene> {
  const dice = new Dice(seed)
  const root = temporaryFolder()
  const items = makeItems(dice)
  const losses = Array.from({ length: dice.roll(3) }, () => {
    const from = dice.roll(2300)
    return [from, from + 20 + dice.roll(400)] as const
  })
  const rows: AuditRow[] = []
  for (const second of Object.values(BASELINES))
    if (dice.roll(3) > 0) rows.push(...(await takeBaseline(root, items, second)))
  for (const [from, to] of losses) {
    const fact = {
      version: 'fact/v1',
      kind: 'gap',
      table: table.table,
      recorded: factInstant(us(to)),
      source: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/x',
      shard: `shardId-${from}`,
      after: null,
      before: null,
      from: dice.roll(3) === 0 ? null : factInstant(us(from)),
      to: factInstant(us(to)),
      reason: 'forgotten',
    } as const
    await new DiskArchive(root).put(factKey(fact), Buffer.from(writeFact(fact)))
  }
  const isLost = (second: number) => losses.some(([from, to]) => second > from && second < to)
  const other = { name: 'other', capture: 'streams' as const }
  rows.push(rowOf(other, { before: null, after: 0, second: 5, place: 0, timeToLive: false }))
  rows.push(
    ...items.flatMap(item => item.events.filter(event => !isLost(event.second)).map(event => rowOf(item, event))),
  )
  await writeRows(root, rows, table)
  return { root, items }
}

const isClaim = (word: string) => word === 'UNBROKEN' || word === 'COMPLETE'

/** The word of the command line: of an item never seen in the hint of its message, else in its JSON. */
async function wordOf(args: readonly string[], root: string): Promise<string | undefined> {
  const { out, err } = await run([...args, '--archive', root, '--format', 'json'])
  if (out !== '') return (JSON.parse(out) as { confidence: string }).confidence
  return /^ {2}([A-Z-]+): /m.exec(err)?.[1]
}

async function checkMoment(archive: OpenArchive, { root, items }: Scene, name: string, second: number): Promise<void> {
  const at = us(second) + 500_000
  const text = formatInstant(at, 6)
  const alone = await archive.asOf(table.table, name, at)
  const saved = await archive.run('item-as-of', table.table, { item_key: name, at: text } as never)
  const words: Record<string, string | undefined> = { 'item-as-of': (await saved.verdict())?.confidence }
  for await (const each of archive.tableAsOf(table.table, at))
    if ((each.key.order_id as { S?: string }).S === name) words.table = each.confidence
  if (name !== 'I1' && alone.state !== 'unknown') words.cli = await wordOf(['as-of', table.table, name, text], root)
  for (const [way, word] of Object.entries(words)) expect([way, word]).toEqual([way, alone.confidence])
  const item = items.find(one => one.name === name) as CleanItem
  // what is claimed of an item that is not there rests on a look, or on its first change, and nothing lost since
  if (isClaim(alone.confidence) && alone.state === 'not there yet')
    expect([name, second, alone.confidence, imageAt(item, second + 0.5)]).toEqual([
      name,
      second,
      alone.confidence,
      null,
    ])
}

async function checkHistory(archive: OpenArchive, { root, items }: Scene, name: string, end: number): Promise<void> {
  const all = await archive.history(table.table, name)
  for (const query of ['item-history', 'blame'] as const) {
    const answer = await archive.run(query, table.table, { item_key: name } as never)
    expect([query, (await answer.verdict())?.confidence]).toEqual([query, all.confidence])
  }
  if (name !== 'I1') expect(await wordOf(['history', table.table, name], root)).toBe(all.confidence)
  const item = items.find(one => one.name === name) as CleanItem
  if (isClaim(all.confidence) && all.changes.length === 0) {
    const now: Image = imageAt(item, end)
    expect([name, all.confidence, now]).toEqual([name, all.confidence, null])
  }
  // a difference is no better known than either of its sides
  const [from, to] = [us(Math.floor(end / 3)), us(end)]
  const { before, confidence } = await archive.diff(table.table, name, { from, to })
  if (!isClaim(before.confidence)) expect(isClaim(confidence)).toBe(false)
}

describe('how sure an answer is', () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'is one word in every way of asking, and not too much of one (seed %i)',
    async seed => {
      const scene = await makeScene(seed)
      const archive = await openArchive(scene.root, { tables: [table] })
      const dice = new Dice(seed + 1000)
      try {
        for (const { name } of scene.items) {
          await checkHistory(archive, scene, name, 2600)
          for (let i = 0; i < 2; i++) await checkMoment(archive, scene, name, dice.roll(2600))
        }
      } finally {
        await archive.close()
      }
    },
  )
})
