import { createHash, type Hash, randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PlannedAction, PlannedItem } from '../queries/restore-plan.js'
import { canonicalAttributes, canonicalItem } from '../transform/attribute-value.js'
import { isObject, type JsonObject } from '../transform/json.js'
import { readLines } from './lines.js'

export const PLAN_VERSION = 'itemtrail-restore-plan/v1'

/** How many items a plan has of each kind; `same` are those that are as they were, which have no line. */
export type PlanCounts = Readonly<Record<PlannedAction | 'same', number>>

/** The table that a plan is for. */
export interface PlanTarget {
  readonly table: string
  readonly arn: string
  /** Another one when the table was deleted and made again; null where the server has none. */
  readonly id: string | null
}

/** The first line of a plan: everything that the lines after it have in common. */
export interface PlanHeader {
  readonly plan: typeof PLAN_VERSION
  /** The table whose past is wanted. */
  readonly table: string
  /** ISO 8601 in UTC, six digits. */
  readonly as_of: string
  /** Canonical DynamoDB JSON of the only item that it is about; null for the whole table. */
  readonly key: string | null
  readonly archive: string
  /** What "now" is: the table itself, or the newest states in the archive. */
  readonly against: 'table' | 'archive'
  /** The table that is written; null where none was looked at. */
  readonly target: PlanTarget | null
  readonly counts: PlanCounts
  /** When it was made. */
  readonly made: string
  readonly tool: string
}

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
    const part = `${path}.${randomUUID()}.part`
    this.file = openSync(part, 'wx+', 0o600)
    // without a name it is gone with this process, however that ends
    rmSync(part)
  }

  /** Throws `PlanError` where a file of this name is there already: a plan that was begun is not to be lost. */
  static create(path: string): PlanWriter {
    if (existsSync(path)) throw takenError(path)
    try {
      return new PlanWriter(path)
    } catch (error) {
      // the name of the part is nobody's business
      throw Object.assign(error as Error, { path })
    }
  }

  add(item: PlannedItem): void {
    const line = `${writeItem(item)}\n`
    this.sum.update(line)
    this.write(this.file, line)
  }

  /** Ends it: the header, which has the sum of everything else, goes first. Returns that sum. */
  async finish(header: PlanHeader): Promise<string> {
    const head = JSON.stringify(header)
    const sha256 = this.sum.update(head).digest('hex')
    const whole = `${this.path}.${randomUUID()}.part`
    const file = openSync(whole, 'wx', 0o600)
    try {
      this.write(file, `${head.slice(0, -1)},"sha256":"${sha256}"}\n`)
      for await (const line of readLines(this.file)) this.write(file, `${line}\n`)
      fsyncSync(file)
      publish(whole, this.path)
      syncFolder(dirname(this.path))
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

  private write(file: number, text: string): void {
    const bytes = Buffer.from(text)
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    } catch (error) {
      throw Object.assign(error as Error, { path: this.path })
    }
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

/** A new name in a folder is durable once the folder is. */
function syncFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** A line of a plan. Key and item stand in it as they are: JSON of their own. */
function writeItem({ key, action, wanted, expected, confidence, reason }: PlannedItem): string {
  const rest = JSON.stringify({ expected, confidence, reason })
  return `{"key":${key},"action":"${action}","wanted":${wanted},${rest.slice(1)}`
}

/** A plan that was read and found whole. */
export interface Plan {
  readonly path: string
  readonly header: PlanHeader
  readonly sha256: string
}

/** Reads a plan's header and checks its sum: over the lines after it, then the header without the sum. Throws `PlanError`. */
export async function openPlan(path: string): Promise<Plan> {
  let first: string | undefined
  const sum = createHash('sha256')
  for await (const line of readLines(path)) {
    if (first !== undefined) sum.update(`${line}\n`)
    else {
      checkVersion(line, path)
      first = line
    }
  }
  if (first === undefined) throw new PlanError(`plan ${path} is empty`)
  const [, head, sha256] = /^(.*),"sha256":"([0-9a-f]{64})"\}$/.exec(first) ?? []
  if (head === undefined || sha256 === undefined || sum.update(`${head}}`).digest('hex') !== sha256)
    throw new PlanError(`plan ${path} was changed after it was made: it does not have the sum in its first line`)
  return { path, header: JSON.parse(`${head}}`) as PlanHeader, sha256 }
}

function checkVersion(line: string, path: string): void {
  const header = parse(line)
  if (!isObject(header) || header.plan !== PLAN_VERSION)
    throw new PlanError(`file ${path} is no plan, expected a first line with "plan":"${PLAN_VERSION}"`)
}

/** The items of a plan that was opened, in its order. */
export async function* readPlan({ path }: Plan): AsyncGenerator<PlannedItem> {
  let first = true
  for await (const line of readLines(path)) {
    if (!first) yield readItem(line)
    first = false
  }
}

function readItem(line: string): PlannedItem {
  // the sum was right, so this is what `writeItem` wrote
  const { key, wanted, ...rest } = parse(line) as JsonObject
  return {
    ...(rest as unknown as Omit<PlannedItem, 'key' | 'wanted'>),
    key: itemText(key),
    wanted: wanted === null ? null : itemText(wanted),
  }
}

/** Canonical DynamoDB JSON of an item or a key that was read from a line: `JSON.parse` puts names such as "10" first. */
export function itemText(item: unknown): string {
  return canonicalItem(canonicalAttributes(item, 'item', 'once'), 'item')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
