import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { isObject } from '../transform/json.js'
import { readLines } from './lines.js'
import { itemText, type Plan } from './plan-file.js'

/**
 * How one item ended. `done`: written now; `already`: it was as wanted; `refused`: it had changed since the plan, nothing was
 * written; `failed`: DynamoDB would not take it; `altered`: it was written, and meanwhile somebody else wrote it too.
 */
export type Outcome = 'done' | 'already' | 'refused' | 'failed' | 'altered'

/** What became of one item of a plan. */
export interface ItemOutcome {
  /** Canonical DynamoDB JSON of its key. */
  readonly key: string
  readonly outcome: Outcome
  readonly reason: string | null
  /** An item that was lost by the write, in DynamoDB JSON: it is kept nowhere else but in the archive. */
  readonly lost?: string
}

/** Where the progress of a plan is kept. */
export function progressPath(planPath: string): string {
  return `${planPath}.progress`
}

/**
 * Remembers what became of each item, for good before the next is written. It saves work and tells the story; what is
 * right does not depend on it: an item that was written is found to be as wanted.
 */
export class ProgressFile {
  private readonly ended = new Set<string>()

  private constructor(
    private readonly path: string,
    private readonly file: number,
    private readonly plan: string,
  ) {}

  /** Opens the progress of a plan, of none yet too. Lines of another plan in it say nothing about this one. */
  static async open({ path, sha256 }: Pick<Plan, 'path' | 'sha256'>): Promise<ProgressFile> {
    const name = progressPath(path)
    const progress = new ProgressFile(name, openSync(name, 'a', 0o600), sha256)
    for await (const line of readLines(name)) progress.readLine(line)
    // a process that was killed may have left half a line
    writeSync(progress.file, '\n')
    return progress
  }

  /** Items that are as wanted, by what was remembered. */
  get size(): number {
    return this.ended.size
  }

  /** True where an earlier run brought the item to what was wanted. */
  isDone(key: string): boolean {
    return this.ended.has(key)
  }

  /** Remembers some outcomes for good, before it returns. */
  add(outcomes: readonly ItemOutcome[], at: Date): void {
    const lines = outcomes.map(({ key, lost, ...outcome }) => {
      const rest = JSON.stringify({ ...outcome, plan: this.plan, at: at.toISOString() })
      return `{"key":${key},${lost === undefined ? '' : `"lost":${lost},`}${rest.slice(1)}\n`
    })
    const bytes = Buffer.from(lines.join(''))
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done)
      fsyncSync(this.file)
    } catch (error) {
      throw Object.assign(error as Error, { path: this.path })
    }
  }

  close(): void {
    closeSync(this.file)
  }

  private readLine(line: string): void {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      // half a line: what it would have said is found out again
      return
    }
    if (!isObject(value) || value.plan !== this.plan) return
    if (value.outcome === 'done' || value.outcome === 'already') this.ended.add(itemText(value.key))
    else this.ended.delete(itemText(value.key))
  }
}
