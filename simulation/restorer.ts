/**
 * Somebody who restores the table while others write it: what the archive says of a moment by then, the real plan for
 * each item, and the real writes, each on a condition. A run dies as every process may; the next one goes on by the
 * progress that is kept.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { applyItems, isActing } from '../restore/apply.js'
import { comparableHash } from '../restore/comparable.js'
import { LiveTable } from '../restore/live-table.js'
import { Pace } from '../restore/pace.js'
import { type ItemOutcome, ProgressFile } from '../restore/progress-file.js'
import { ABSENT, type PlannedItem, planItems } from '../restore/restore-plan.js'
import { canonicalJson } from '../transform/json.js'
import { type AskedArchive, pastOf } from './archived-past.js'
import { dynamoDbClientOf } from './dynamodb-client.js'
import { makeFastFolder } from './fast-folder.js'
import { type JudgedPlan, wrongPlan } from './judge-restores.js'
import { heldSince, type Identity, keyOf } from './judge-versions.js'
import { Process, runBy, timeOf } from './process.js'
import type { SimulatedTable } from './table.js'
import { HOUR_MS } from './times.js'
import type { Attributes } from './workload.js'
import type { World } from './world.js'

const OPTIONS = { deletes: true, accepted: new Set<string>(), actorAttribute: null } as const

/** A write of a restore: what the item was, what it became, and the plan for it. */
interface Written {
  readonly planned: PlannedItem
  readonly before: Attributes | undefined
  readonly after: Attributes | null
}

/** A plan, and what became of it. */
interface Restore {
  readonly items: ReadonlyMap<string, PlannedItem>
  readonly path: string
  readonly sinceUs: number
  readonly judged: JudgedPlan
  readonly written: Written[]
  readonly outcomes: Map<string, ItemOutcome[]>
}

export class Restorer {
  private readonly folder = makeFastFolder('restorer')
  private readonly restores: Restore[] = []
  /** Files of all runs: one that died closes none. */
  private readonly opened: ProgressFile[] = []

  constructor(
    private readonly world: World,
    private readonly table: SimulatedTable,
    /** The archive as it is when it is asked. */
    private readonly archive: () => AskedArchive,
    private readonly identity: Identity,
  ) {}

  /** Restores the table to what it was some hours before, now and then until a moment, in milliseconds since 1970. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, dice } = this.world
    for (;;) {
      await scheduler.sleep(dice.between(HOUR_MS, 8 * HOUR_MS))
      if (scheduler.now >= endMs) return
      const toUs = (scheduler.now - dice.between(0, 6 * HOUR_MS)) * 1000
      await runBy('restorer', 'plan', this.world, process => this.plan(process, toUs))
      const restore = this.restores.at(-1)
      // between a plan and its writes it is read, or there is lunch
      for (let tries = dice.between(1, 4); tries > 0 && restore !== undefined; tries--) {
        await scheduler.sleep(dice.between(100, HOUR_MS))
        await runBy('restorer', 'restore', this.world, process => this.apply(process, restore))
      }
    }
  }

  private open(process: Process, restore?: Restore): Promise<LiveTable> {
    const time = timeOf(process)
    const pace = new Pace({ ...time, concurrency: 4, now: process.now })
    const client = dynamoDbClientOf(process, this.table, (item, before, after) => {
      const planned = restore?.items.get(keyOf(item))
      if (planned === undefined) throw new Error(`restore wrote ${item}, which is in no plan`)
      restore?.written.push({ planned, before, after })
    })
    return LiveTable.open(client, 'Orders', pace)
  }

  private async plan(process: Process, toUs: number): Promise<string> {
    const sinceUs = process.world.scheduler.now * 1000
    const versions = [...this.table.versions]
    const past = pastOf(this.archive(), toUs)
    if (past === undefined) return 'is refused: the archive begins later'
    const present = new Map<string, string>()
    for await (const { key, image } of (await this.open(process)).scan()) present.set(key, image)
    const keys = new Set([...past.rows.map(({ item_key }) => item_key), ...present.keys()])
    const both = [...keys].sort().map(key => ({ key, was: past.was(key), now: present.get(key) ?? null }))
    const planned = (await planItems(both, { ...OPTIONS, late: past.late })).filter(item => item !== undefined)
    const items = new Map(planned.filter(isActing).map(item => [item.key, item]))
    const path = join(this.folder, `plan-${this.restores.length}`)
    const judged = { toUs, past, versions, present, planned: new Map(planned.map(item => [item.key, item])) }
    this.restores.push({ items, path, sinceUs, judged, written: [], outcomes: new Map() })
    return `has ${items.size} items, and leaves ${planned.length - items.size}`
  }

  private async apply(process: Process, restore: Restore): Promise<string> {
    const table = await this.open(process, restore)
    const progress = await process.work(ProgressFile.open({ path: restore.path, sha256: 'a'.repeat(64) }))
    const counts = new Map<string, number>()
    const onOutcome = (outcome: ItemOutcome) => {
      restore.outcomes.set(outcome.key, [...(restore.outcomes.get(outcome.key) ?? []), outcome])
      counts.set(outcome.outcome, (counts.get(outcome.outcome) ?? 0) + 1)
    }
    this.opened.push(progress)
    const now = () => new Date(process.now())
    await applyItems(one(restore.items), { table, progress, actor: null, onOutcome, now })
    return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')
  }

  /** What is wrong with what was restored: each a sentence. Every plan is performed once more, without a fault. */
  async finish(): Promise<readonly string[]> {
    for (const restore of this.restores) await this.apply(new Process(this.world, 'last restore'), restore)
    return this.restores.flatMap(restore => [
      ...wrongPlan(restore.judged, this.identity),
      ...overwritten(restore),
      ...this.claimed(restore),
    ])
  }

  /** What a run says is so was so, at some moment since the plan. */
  private claimed({ items, outcomes, sinceUs }: Restore): readonly string[] {
    return [...outcomes].flatMap(([key, told]) => {
      const wanted = items.get(key)?.wanted ?? null
      const isClaimed = told.some(({ outcome }) => outcome === 'done' || outcome === 'already')
      const all = this.table.versions.filter(({ item }) => keyOf(item) === key)
      const wasSo = heldSince(all, sinceUs).some(({ after }) => isSame(after, wanted))
      return isClaimed && !wasSo ? [`restore says of ${key} that it is as wanted, and it never was`] : []
    })
  }

  remove(): void {
    for (const progress of this.opened) progress.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A write over anything else than was planned for, or of anything else, is told as such. */
function overwritten({ written, outcomes }: Restore): readonly string[] {
  return written.flatMap(({ planned, before, after }) => {
    const found = before === undefined ? ABSENT : comparableHash(canonicalJson(before))
    if (found === planned.expected && isSame(textOf(after), planned.wanted)) return []
    const told = outcomes.get(planned.key)?.some(({ outcome }) => outcome === 'altered' || outcome === 'refused')
    return told === true ? [] : [`restore overwrote ${planned.key}, which was another than planned, and does not tell`]
  })
}

function textOf(item: Attributes | null): string | null {
  return item === null ? null : canonicalJson(item)
}

function isSame(a: string | null, b: string | null): boolean {
  return a === null || b === null ? a === b : comparableHash(a) === comparableHash(b)
}

async function* one(items: ReadonlyMap<string, PlannedItem>): AsyncGenerator<PlannedItem> {
  yield* items.values()
}
