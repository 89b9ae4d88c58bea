import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { FileError } from '../config/gate.js'
import { writeAll } from '../store/durable.js'
import { parseItem } from '../transform/attribute-value.js'
import { compareUtf8 } from '../transform/json.js'
import { LineLengthError, readFileLines } from './lines.js'
import { openUnnamed, PlanError } from './plan-file.js'
import { MAX_LINE, PLAN_VERSION, type PlanHeader, readHeader, readPlanned } from './plan-schema.js'
import type { PlannedAction, PlannedItem } from './restore-plan.js'

/** A plan that was read and found whole. */
export interface Plan {
  readonly path: string
  readonly header: PlanHeader
  readonly sha256: string
  /** The names of the key attributes, which all its items have; empty where it has no item. */
  readonly keys: readonly string[]
  /** Its items, in a file that nobody else sees: what was checked is what is performed, whatever becomes of `path`. */
  readonly items: number
}

/**
 * Reads a plan to its end and checks it: its sum (over the lines after the first, then the first without the sum),
 * every field of every line, and that its counts are those of its lines. Throws `PlanError`.
 */
export async function openPlan(path: string): Promise<Plan> {
  const items = openUnnamed(path)
  try {
    return { path, items, ...(await checkPlan(path, items)) }
  } catch (error) {
    closeSync(items)
    if (!(error instanceof FileError || error instanceof LineLengthError)) throw error
    throw new PlanError(`file ${path} is no plan: ${error.message}`)
  }
}

/** Ends the use of a plan: its items cannot be read any more. */
export function closePlan({ items }: Plan): void {
  closeSync(items)
}

/** The items of a plan that was opened, in its order. */
export async function* readPlan({ items }: Plan): AsyncGenerator<PlannedItem> {
  let number = 1
  for await (const line of readFileLines(items)) yield readPlanned(line, `line ${++number}`)
}

async function checkPlan(path: string, copy: number): Promise<Omit<Plan, 'path' | 'items'>> {
  const sum = createHash('sha256')
  const check = new ItemsCheck()
  let first: string | undefined
  for await (const line of readFileLines(path, MAX_LINE)) {
    if (first === undefined) {
      if (!line.startsWith(`{"plan":"${PLAN_VERSION}"`)) throw noPlan(path)
      first = line
      continue
    }
    sum.update(`${line}\n`)
    writeAll(copy, `${line}\n`, path)
    check.add(line)
  }
  if (first === undefined) throw new PlanError(`plan ${path} is empty`)
  const [, head, sha256] = /^(.*),"sha256":"([0-9a-f]{64})"\}$/.exec(first) ?? []
  if (head === undefined || sha256 === undefined || sum.update(`${head}}`).digest('hex') !== sha256)
    throw new PlanError(`plan ${path} was changed after it was made: it does not have the sum in its first line`)
  const header = readHeader(`${head}}`)
  check.end(header)
  return { header, sha256, keys: check.keys }
}

function noPlan(path: string): PlanError {
  return new PlanError(`file ${path} is no plan, expected a first line that begins with {"plan":"${PLAN_VERSION}"`)
}

/** What must hold of the lines of a plan together. What is wrong is kept until the sum is known, which says more. */
class ItemsCheck {
  keys: readonly string[] = []
  private readonly counts: Record<PlannedAction, number> = { put: 0, update: 0, delete: 0, leave: 0, skip: 0 }
  private problem: FileError | undefined
  private last: string | undefined
  private lines = 1
  private inPart = 0

  add(line: string): void {
    this.lines++
    if (this.problem !== undefined) return
    try {
      this.take(readPlanned(line, this.where))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.problem = error
    }
  }

  /** Throws `FileError` for the first thing that is wrong, and for a header that says another thing than the lines. */
  end({ counts, key, undo, actor_attribute: actor }: PlanHeader): void {
    if (this.problem !== undefined) throw this.problem
    for (const [action, found] of Object.entries(this.counts) as [PlannedAction, number][])
      if (counts[action] !== found)
        throw new FileError('line 1', [`counts.${action} is ${counts[action]}, the lines after it have ${found}`])
    if ((undo?.in_part ?? 0) !== this.inPart)
      throw new FileError('line 1', [`undo.in_part is ${undo?.in_part ?? 0}, the lines after it have ${this.inPart}`])
    if (actor !== null && this.keys.includes(actor[0] as string))
      throw new FileError('line 1', [`actor_attribute is ${JSON.stringify(actor)}, which is in the key of its items`])
    if (key !== null && this.last !== undefined && (this.lines > 2 || this.last !== key))
      throw new FileError('line 1', [`key is ${key}, which is not that of the lines after it`])
  }

  private get where(): string {
    return `line ${this.lines}`
  }

  private take({ key, action, reason }: PlannedItem): void {
    // in order, so no item is there twice
    if (this.last !== undefined && compareUtf8(this.last, key) >= 0)
      throw new FileError(this.where, ['key does not come after the key of the line before'])
    const names = Object.keys(parseItem(key)).sort()
    if (this.last !== undefined && names.join('\n') !== this.keys.join('\n'))
      throw new FileError(this.where, ['key has other attributes than the key of the line before'])
    this.keys = names
    this.last = key
    this.counts[action]++
    if (action === 'update' && reason !== null) this.inPart++
  }
}
