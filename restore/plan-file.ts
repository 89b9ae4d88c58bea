import { createHash, type Hash, randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { sync, writeAll } from '../store/durable.js'
import { readFileLines } from './lines.js'
import type { PlanHeader } from './plan-schema.js'
import type { PlannedItem } from './restore-plan.js'

/** How many items a plan has of each kind; `same` are those that are as they were, which have no line. */
export type PlanCounts = PlanHeader['counts']

/** A plan that cannot be read or is not whole. */
export class PlanError extends Error {
  override readonly name = 'PlanError'
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message)
  }
}

/** Writes a plan that appears whole or not at all, and is readable by this user alone: it holds items. */
export class PlanWriter {
  private readonly file: number
  private readonly sum: Hash = createHash('sha256')
  private isOpen = true

  private constructor(private readonly path: string) {
    this.file = openUnnamed(path)
  }

  /** Throws `PlanError` where a file of this name is there already: a plan that was begun is not to be lost. */
  static create(path: string): PlanWriter {
    if (existsSync(path)) throw takenError(path)
    return new PlanWriter(path)
  }

  add(item: PlannedItem): void {
    const line = `${writeItem(item)}\n`
    this.sum.update(line)
    writeAll(this.file, line, this.path)
  }

  /** Ends it: the header, which has the sum of everything else, goes first. Returns that sum. */
  async finish(header: PlanHeader): Promise<string> {
    const head = JSON.stringify(header)
    const sha256 = this.sum.update(head).digest('hex')
    const whole = `${this.path}.${randomUUID()}.part`
    const file = openSync(whole, 'wx', 0o600)
    try {
      writeAll(file, `${head.slice(0, -1)},"sha256":"${sha256}"}\n`, this.path)
      for await (const line of readFileLines(this.file)) writeAll(file, `${line}\n`, this.path)
      fsyncSync(file)
      publish(whole, this.path)
      sync(dirname(this.path))
    } finally {
      closeSync(file)
      rmSync(whole, { force: true })
      this.discard()
    }
    return sha256
  }

  /** Ends it without a plan, where it has not ended. */
  discard(): void {
    if (this.isOpen) closeSync(this.file)
    this.isOpen = false
  }
}

/** A file beside `path` that only this process sees: without a name it is gone with it, however that ends. */
export function openUnnamed(path: string): number {
  const part = `${path}.${randomUUID()}.part`
  try {
    const file = openSync(part, 'wx+', 0o600)
    rmSync(part)
    return file
  } catch (error) {
    // the name of the part is nobody's business
    throw Object.assign(error as Error, { path })
  }
}

/** Unlike a rename a link never takes the place of a file that came in the meantime; some file systems have none. */
function publish(whole: string, path: string): void {
  try {
    linkSync(whole, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw takenError(path)
    renameSync(whole, path)
  }
}

function takenError(path: string): PlanError {
  return new PlanError(`plan ${path} is there already`, `to perform it: itemtrail restore --apply --plan ${path}`)
}

/** A line of a plan. Key and item stand in it as they are: JSON of their own. */
function writeItem({ key, action, wanted, expected, confidence, reason }: PlannedItem): string {
  const rest = JSON.stringify({ expected, confidence, reason })
  return `{"key":${key},"action":"${action}","wanted":${wanted},${rest.slice(1)}`
}
