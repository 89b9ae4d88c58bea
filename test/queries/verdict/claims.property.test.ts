/** Random archives with random damage: no answer claims more than what truly happened bears out. */

import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { OpenArchive } from '../../../library/archive.js'
import type { ItemAt } from '../../../library/archive-answers.js'
import { openArchive } from '../../../library/open-archive.js'
import { type AuditRow, rowHash } from '../../../transform/audit-row.js'
import { formatInstant } from '../../../transform/instant.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { tableConfiguration } from '../../factories.js'
import { askAny } from '../ask-any.js'
import { type Capture, type CleanItem, Dice, type Event, imageAt, takeBaseline } from '../clean-history.js'
import { rowsOf } from '../faults.js'
import { listQuestions, type Question, rowsText } from '../list-questions.js'
import { BEGIN, shuffle } from '../random-archive.js'

/** Archives; `ITEMTRAIL_SEEDS=300` for more of them, `ITEMTRAIL_SEED` for the first. */
const SEEDS = Number(process.env.ITEMTRAIL_SEEDS ?? 2)
const FIRST = Number(process.env.ITEMTRAIL_SEED ?? 1)
const ITEMS = 5
/** A day and a half. */
const SPAN = 130_000
const table = tableConfiguration()

/**
 * No state of an item comes back, but that it may be deleted at last: of a closed loop that is lost nobody could know,
 * as every verdict says.
 */
function straightItem(name: string, dice: Dice): CleanItem {
  const capture: Capture = dice.roll(2) === 0 ? 'streams' : 'kinesis'
  const count = 2 + dice.roll(6)
  const events: Event[] = []
  let [second, before]: [number, Event['before']] = [10, null]
  for (let place = 0; place < count; place++) {
    const isGone = place > 0 && place === count - 1 && dice.roll(3) === 0
    const after = isGone ? null : place
    second += 1 + dice.roll(Math.floor(SPAN / count) - 20)
    events.push({ before, after, second, place, timeToLive: isGone && dice.roll(2) === 0 })
    before = after
  }
  return { name, capture, events }
}

type Damage = (rows: readonly AuditRow[], dice: Dice) => readonly AuditRow[]

const some = (rows: readonly AuditRow[], dice: Dice): AuditRow => rows[dice.roll(rows.length)] as AuditRow

/** One row, as somebody made it. */
const edit =
  (change: (row: AuditRow, dice: Dice) => AuditRow): Damage =>
  (rows, dice) => {
    const edited = some(rows, dice)
    return rows.map(row => (row === edited ? change(row, dice) : row))
  }

function moved(row: AuditRow, seconds: number): AuditRow {
  const us = row.event_time_us + seconds * 1_000_000
  return { ...row, event_time_us: us, event_time: formatInstant(us, 3).replace('T', ' ').replace('Z', '') }
}

const FORGED = '{"order_id":{"S":"forged"},"v":{"S":"forged"}}'

const DAMAGES: Readonly<Record<string, Damage>> = {
  nothing: rows => rows,
  'drop rows': (rows, dice) => {
    const dropped = [some(rows, dice), some(rows, dice)]
    return rows.filter(row => !dropped.includes(row))
  },
  'remove a stretch of time': (rows, dice) => {
    const from = some(rows, dice).event_time_us
    const to = from + dice.roll(40_000) * 1_000_000
    return rows.filter(({ event_time_us: us }) => us < from || us > to)
  },
  'remove a day': (rows, dice) => {
    const day = (row: AuditRow) => formatInstant(row.event_time_us, 0).slice(0, 10)
    const removed = day(some(rows, dice))
    return rows.filter(row => day(row) !== removed)
  },
  duplicate: (rows, dice) => [...rows, some(rows, dice), some(rows, dice)],
  'duplicate under another configuration': (rows, dice) => {
    const again = { ...some(rows, dice), config_id: 'another' }
    return [...rows, { ...again, row_hash: rowHash(again) }]
  },
  reorder: (rows, dice) => shuffle(rows, dice.roll(1000)),
  delay: edit(row => ({ ...row, arrived_at: '2026-12-01 00:00:00.000' })),
  'edit an image': edit(row => ({ ...row, new_image: FORGED })),
  'edit the actor': edit(row => ({ ...row, actor: 'mallory', actor_source: 'new_image' })),
  'edit the time': edit((row, dice) => moved(row, (dice.roll(2) === 0 ? -1 : 1) * (1 + dice.roll(SPAN)))),
  'edit the key': edit(row => ({ ...row, item_key: '{"order_id":{"S":"I0"}}' })),
  'edit the kind': edit(row => ({ ...row, event_name: row.event_name === 'MODIFY' ? 'REMOVE' : 'MODIFY' })),
  'a row beside the true one': (rows, dice) => {
    const other = { ...some(rows, dice), actor: 'somebody else', actor_source: 'new_image' as const }
    return [...rows, { ...other, row_hash: rowHash(other) }]
  },
}

/**
 * What truly happened, what is left of it, and what of that nobody can see: that the last changes of an item are lost.
 */
interface Scene {
  readonly items: readonly CleanItem[]
  readonly truth: OpenArchive
  readonly damaged: OpenArchive
  /** As if the lost last changes had never been made. */
  readonly cut: OpenArchive
  readonly kept: ReadonlyMap<string, readonly AuditRow[]>
}

async function makeScene(seed: number, damages: readonly Damage[]): Promise<Scene> {
  const dice = new Dice(seed)
  const items = Array.from({ length: ITEMS }, (_, i) => straightItem(`I${i}`, dice))
  const roots = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const
  const rows = items.flatMap(item => rowsOf(item))
  const baselines: AuditRow[] = []
  if (dice.roll(2) === 0)
    for (const second of [0, Math.floor(SPAN / 2), SPAN + 1000])
      baselines.push(...(await takeBaseline(roots[0], items, second)))
  const all = [...rows, ...baselines]
  const damaged = damages.reduce<readonly AuditRow[]>((left, damage) => damage(left, dice), all)
  const there = new Set(damaged.map(row => row.event_id))
  const kept = new Map(items.map(item => [item.name, keptOf(rowsOf(item), there)]))
  const cut = [...[...kept.values()].flat(), ...baselines]
  for (const [root, some] of [all, damaged, cut].map((some, i) => [roots[i] as string, some] as const)) {
    if (root !== roots[0] && existsSync(join(roots[0], 'facts')))
      cpSync(join(roots[0], 'facts'), join(root, 'facts'), { recursive: true })
    await writeRows(root, some, table)
  }
  const [a, b, c] = await Promise.all(roots.map(root => openArchive(root, { tables: [table] })))
  return { items, truth: a as OpenArchive, damaged: b as OpenArchive, cut: c as OpenArchive, kept }
}

/** Up to the last that is there: nobody sees that there were more. */
function keptOf(rows: readonly AuditRow[], there: ReadonlySet<string>): readonly AuditRow[] {
  return rows.slice(0, rows.findLastIndex(row => there.has(row.event_id)) + 1)
}

async function checkList({ truth, damaged, cut }: Scene, [name, parameters]: Question): Promise<void> {
  const ask = async (archive: OpenArchive) => {
    const isEmpty = archive.tables().length === 0
    return isEmpty ? undefined : askAny(archive, name, table.table, parameters)
  }
  const answer = await ask(damaged)
  const verdict = await answer?.verdict()
  if (answer === undefined || verdict === undefined || verdict.isDoubtful) return
  const rows = rowsText(answer)
  const right = rowsText((await ask(truth)) ?? [])
  // whatever was lost at the end of an item shows in nothing, and COMPLETE excludes it
  const allowed = verdict.confidence === 'COMPLETE' || rows === right ? right : rowsText((await ask(cut)) ?? [])
  expect({ name, parameters, confidence: verdict.confidence, rows }).toEqual({
    name,
    parameters,
    confidence: verdict.confidence,
    rows: allowed,
  })
}

async function checkCount({ truth, damaged, cut }: Scene): Promise<void> {
  const sql = `select event_name, count(*) as n, count(distinct item_key) as items from orders group by 1 order by 1`
  const answer = await damaged.sql(sql)
  const verdict = await answer.verdict()
  if (verdict === undefined || verdict.isDoubtful) return
  const archives = verdict.confidence === 'COMPLETE' ? [truth] : [truth, cut]
  const allowed = await Promise.all(archives.map(async archive => rowsText(await archive.sql(sql))))
  expect(allowed).toContain(rowsText(answer))
}

const isClaim = (word: string) => word === 'UNBROKEN' || word === 'COMPLETE'

/** The item's `v` at a moment: of what truly happened, and of what is left of it. */
function statesAt(item: CleanItem, kept: readonly AuditRow[], second: number) {
  const left = { ...item, events: item.events.slice(0, kept.length) }
  return [item, left].map(one => imageAt(one, second + 0.5)) as [Event['after'], Event['after']]
}

async function checkItem({ damaged, kept }: Scene, item: CleanItem, second: number): Promise<void> {
  const left = kept.get(item.name) ?? []
  const history = await damaged.history(table.table, item.name)
  if (isClaim(history.confidence)) {
    const shown = history.changes.filter(({ eventName }) => eventName !== 'BASELINE')
    const expected = history.confidence === 'COMPLETE' ? rowsOf(item) : left
    expect(shown.map(({ eventId, after }) => [eventId, after?.v])).toEqual(
      expected.map((row, i) => [row.event_id, attributeOf(item.events[i]?.after ?? null)]),
    )
  }
  const at = await damaged.asOf(table.table, item.name, (BEGIN + second) * 1_000_000)
  expectState(at, statesAt(item, left, second), second)
  const from = Math.floor(second / 2)
  const diff = await damaged.diff(table.table, item.name, {
    from: (BEGIN + from) * 1_000_000,
    to: (BEGIN + second) * 1_000_000,
  })
  if (!isClaim(diff.confidence)) return
  const ends = [from, second].map(end => statesAt(item, left, end)[diff.confidence === 'COMPLETE' ? 0 : 1])
  expect([diff.before.item?.v, diff.after.item?.v]).toEqual(ends.map(attributeOf))
}

const attributeOf = (image: Event['after'] | undefined) =>
  image === null || image === undefined ? undefined : { S: String(image) }

function expectState(
  at: Pick<ItemAt, 'item' | 'confidence' | 'key'>,
  [truly, left]: readonly [Event['after'], Event['after']],
  second: number,
): void {
  if (!isClaim(at.confidence)) return
  const allowed = at.confidence === 'COMPLETE' ? [truly] : [truly, left]
  const claim = JSON.stringify({ key: at.key, second, confidence: at.confidence })
  expect(allowed.map(attributeOf), claim).toContainEqual(at.item?.v)
}

async function checkTable({ damaged, items, kept }: Scene, second: number): Promise<void> {
  for await (const each of damaged.tableAsOf(table.table, (BEGIN + second) * 1_000_000)) {
    const item = items.find(({ name }) => name === (each.key.order_id as { S?: string }).S)
    if (item === undefined) expect(isClaim(each.confidence), JSON.stringify(each)).toBe(false)
    else expectState(each, statesAt(item, kept.get(item.name) ?? [], second), second)
  }
}

describe('an answer', () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => FIRST + i))(
    'claims no more than what happened bears out (seed %i)',
    async seed => {
      const dice = new Dice(seed * 7919)
      const names = Object.keys(DAMAGES)
      const chosen = Array.from({ length: 1 + dice.roll(2) }, () => names[dice.roll(names.length)] as string)
      const scene = await makeScene(
        seed,
        chosen.map(name => DAMAGES[name] as Damage),
      )
      const end = 1 + dice.roll(SPAN)
      const [from, to] = [dice.roll(end), end].map(second => formatInstant((BEGIN + second) * 1_000_000, 6)) as [
        string,
        string,
      ]
      const questions = listQuestions(from, to)
      const asked = shuffle(questions, seed).slice(0, 8)
      try {
        for (const question of asked) await checkList(scene, question)
        if (scene.damaged.tables().length > 0) {
          await checkCount(scene)
          for (const item of scene.items) await checkItem(scene, item, end)
          await checkTable(scene, end)
        }
      } catch (error) {
        throw new Error(`after ${chosen.join(' and ')}: ${(error as Error).message}`, { cause: error })
      } finally {
        await Promise.all([scene.truth, scene.damaged, scene.cut].map(archive => archive.close()))
      }
    },
  )
})
