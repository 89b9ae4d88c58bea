import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { FileError } from '../config/gate.js'
import { writeAll, writeAllDurably } from '../store/durable.js'
import { LineLengthError, readFileLines } from './lines.js'
import { PlanError } from './plan-file.js'
import type { Plan } from './plan-reader.js'
import { MAX_LINE, readProgress } from './plan-schema.js'

/**
 * How one item ended. `done`: written now; `already`: it was as wanted; `refused`: it had changed since the plan,
 * nothing was written; `failed`: DynamoDB would not take it; `altered`: it was written, and meanwhile somebody else
 * wrote it too.
 */
export type Outcome = 'done' | 'already' | 'refused' | 'failed' | 'altered'

/** What became of one item of a plan. */
export interface ItemOutcome {
  /** Canonical DynamoDB JSON of its key. */
  readonly key: string
  readonly outcome: Outcome
  readonly reason: string | null
  /**
   * SHA-256 of the item as it was written, in canonical DynamoDB JSON; null of a delete. Absent where nothing was
   * written.
   */
  readonly hash?: string | null
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
  private readonly writes = new Map<string, string | null>()
  private firstAt: string | undefined

  private constructor(
    private readonly path: string,
    private readonly file: number,
    private readonly plan: string,
  ) {}

  /** Opens the progress of a plan, of none yet too. Lines of another plan in it say nothing about this one. */
  static async open({ path, sha256 }: Pick<Plan, 'path' | 'sha256'>): Promise<ProgressFile> {
    const name = progressPath(path)
    const progress = new ProgressFile(name, openOwn(name), sha256)
    try {
      await progress.read()
      // a process that was killed may have left half a line
      writeAll(progress.file, '\n', name)
    } catch (error) {
      progress.close()
      throw error
    }
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

  /** What this plan has written until now, in all its runs: the hashes of items by their keys, null of a delete. */
  get written(): ReadonlyMap<string, string | null> {
    return this.writes
  }

  /** Before the first of these writes, ISO 8601 in UTC; undefined where there is none. */
  get began(): string | undefined {
    return this.firstAt
  }

  /** Remembers some outcomes for good, before it returns. `at` is before the first of them was written. */
  add(outcomes: readonly ItemOutcome[], at: Date): void {
    for (const { key, hash } of outcomes) this.note(key, hash, at.toISOString())
    const lines = outcomes.map(({ key, lost, ...outcome }) => {
      const rest = JSON.stringify({ ...outcome, plan: this.plan, at: at.toISOString() })
      return `{"key":${key},${lost === undefined ? '' : `"lost":${lost},`}${rest.slice(1)}\n`
    })
    writeAllDurably(this.file, lines.join(''), this.path)
  }

  close(): void {
    closeSync(this.file)
  }

  private async read(): Promise<void> {
    let number = 0
    try {
      for await (const line of readFileLines(this.file, MAX_LINE)) {
        this.readLine(line, `line ${++number}`)
      }
    } catch (error) {
      if (!(error instanceof FileError || error instanceof LineLengthError)) throw error
      throw new PlanError(
        `file ${this.path} is no progress of a plan: ${error.message}`,
        'without this file the plan is performed from its beginning; what is as wanted is found to be so',
      )
    }
  }

  /** Half a line is passed over: what it would have said is found out again. */
  private readLine(line: string, where: string): void {
    const found = readProgress(line, where)
    if (found?.plan !== this.plan) return
    if (found.outcome === 'done' || found.outcome === 'already') this.ended.add(found.key)
    else this.ended.delete(found.key)
    this.note(found.key, found.hash, found.at)
  }

  private note(key: string, hash: string | null | undefined, at: string): void {
    if (hash === undefined) return
    this.writes.set(key, hash)
    if (this.firstAt === undefined || at < this.firstAt) this.firstAt = at
  }
}

/** Opens a file of our own to read and to add to. What a link leads to is not ours, nor is a pipe or a device. */
function openOwn(path: string): number {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  let file: number
  try {
    file = openSync(path, O_RDWR | O_APPEND | O_CREAT | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0), 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw notOurs(path)
    throw error
  }
  if (fstatSync(file).isFile()) return file
  closeSync(file)
  throw notOurs(path)
}

function notOurs(path: string): PlanError {
  return new PlanError(`${path} is a link or no file, expected the progress of the plan or nothing`)
}
