/** Compares what an archive answers with what a workload saw. */

import { expect } from 'vitest'
import { readHistory } from '../../queries/answers/read-history.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { rowsOf } from '../../queries/engines/rows.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import { stateAt } from '../../queries/verdict/state-at.js'
import { itemsAt } from '../../queries/verdict/table-at.js'
import { DiskArchive } from '../../store/folder.js'
import { keptTable } from '../../store/tables.js'
import type { Version, Workload } from './workload.js'

/** An archive under judgement, opened for questions. */
export class Judge {
  private readonly histories = new Map<string, ItemHistory>()

  private constructor(
    private readonly root: string,
    private readonly engine: DuckDbEngine,
  ) {}

  static async open(root: string): Promise<Judge> {
    return new Judge(root, await DuckDbEngine.open(root, []))
  }

  close(): void {
    this.engine.close()
  }

  /** Each item went through the very versions that the workload saw, in their order, none missing and none twice. */
  async expectVersions(table: string, versions: readonly Version[]): Promise<void> {
    const byItem = new Map<string, Version[]>()
    for (const version of versions) byItem.set(version.itemKey, [...(byItem.get(version.itemKey) ?? []), version])
    expect(await this.itemKeys(table)).toEqual([...byItem.keys()].sort())
    for (const [itemKey, ofItem] of byItem) {
      const { changes, confidence } = await this.history(table, itemKey)
      const seen = changes.map(({ old_image, new_image }) => [old_image, new_image])
      expect(seen).toEqual(ofItem.map(({ before, after }) => [before, after]))
      expect([itemKey, confidence]).toEqual([itemKey, 'UNBROKEN'])
    }
  }

  /** The times of an item's changes are up to that of their operation, and above that of the one before. */
  async expectTimes(
    table: string,
    versions: readonly Version[],
    timeBefore: (operation: number) => number,
  ): Promise<void> {
    for (const itemKey of new Set(versions.map(version => version.itemKey))) {
      const { changes } = await this.history(table, itemKey)
      for (const [i, { operation, at }] of versions.filter(version => version.itemKey === itemKey).entries()) {
        const time = changes[i]?.event_time_us as number
        expect(time).toBeLessThanOrEqual(at)
        expect(time).toBeGreaterThan(timeBefore(operation))
      }
    }
  }

  /** The table at a moment, and each of its items, is what the workload saw. */
  async expectState(table: string, workload: Workload, us: number): Promise<void> {
    const expected = workload.stateAt(table, us)
    const answered = new Map<string, string | null>()
    for await (const { itemKey, image } of itemsAt(this.engine, await keptTable(new DiskArchive(this.root), table), {
      us,
    }))
      answered.set(itemKey, image)
    expect(sorted(answered)).toEqual(sorted(expected))
    for (const itemKey of await this.itemKeys(table)) {
      const { state } = stateAt(await this.history(table, itemKey), { us }, 0)
      expect([itemKey, state.kind === 'present' ? state.image : null]).toEqual([itemKey, expected.get(itemKey) ?? null])
    }
  }

  /** The rows of a table that are in the archive, repeats among them. */
  async countRows(table: string): Promise<number> {
    const answer = await this.engine.run(`select count(*) as n from ${deliveriesOf({ table })}`)
    return Number([...rowsOf(answer)][0]?.n)
  }

  private async history(table: string, itemKey: string): Promise<ItemHistory> {
    const known = this.histories.get(`${table} ${itemKey}`)
    if (known !== undefined) return known
    const history = await readHistory(this.engine, await keptTable(new DiskArchive(this.root), table), itemKey)
    this.histories.set(`${table} ${itemKey}`, history)
    return history
  }

  private async itemKeys(table: string): Promise<readonly string[]> {
    const answer = await this.engine.run(`select distinct item_key from ${deliveriesOf({ table })}`)
    return [...rowsOf(answer)].map(({ item_key }) => String(item_key)).sort()
  }
}

function sorted(items: ReadonlyMap<string, string | null>): readonly (readonly [string, string | null])[] {
  return [...items].sort(([a], [b]) => (a < b ? -1 : 1))
}
