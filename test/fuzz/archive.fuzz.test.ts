/**
 * One file of an archive that somebody edited, moved, or time damaged: each question's answer is the right one, or it
 * is told.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ending, linesOf, run } from '../cli/command-line.js'
import { CHANGED_AT, streamsRecord } from '../factories.js'
import { alterRows } from '../store/altering.js'
import { writeExport } from '../table-export.js'
import { damage, damaged, edit, edited, FUZZ_TIMEOUT, fuzz, Place } from './harness.js'

const place = new Place()
afterAll(() => place.remove())

const CONFIG = join(place.inside, 'itemtrail.config.json')
const MORE = join(place.inside, 'more.jsonl')
const DAY = 24 * 60 * 60
const PERIOD = ['--param', 'from=2026-11-15T00:00:00Z', '--param', 'to=2100-01-01T00:00:00Z']
const LATER = '2026-11-25T00:00:00Z'

const HISTORY = ['history', 'Orders', 'A1']

/** What reads only. Each is asked of the archive as it was made, too. */
const QUESTIONS: readonly (readonly string[])[] = [
  ['status'],
  ['status', '--format', 'json'],
  HISTORY,
  ['history', 'Orders', 'A2', '--format', 'json'],
  ['as-of', 'Orders', 'A1', LATER],
  ['as-of', 'Orders', 'A3', '2026-11-21T00:00:00Z', '--format', 'json'],
  ['as-of', 'Orders', LATER, '--format', 'json'],
  ['diff', 'Orders', 'A1', '2026-11-20T23:00:00Z', LATER],
  ['query', 'changes-between', 'Orders', ...PERIOD],
  ['query', 'deletions', 'Orders', ...PERIOD, '--format', 'json'],
  ['query', 'attribute-history', 'Orders', 'A1', '--param', 'attribute=status'],
  ['sql', 'select event_name, item_key, new_image, new_status, actor from orders order by event_id'],
  ['sql', 'select count(*) as rows from orders_deliveries', '--format', 'json'],
  ['verify', 'continuity'],
  ['verify', 'rows'],
  ['compact', '--check'],
  ['redrive', 'Orders'],
  ['restore', 'Orders', '--as-of', '2026-11-21T23:00:00Z', '--against', 'archive', '--format', 'json'],
]

/** What writes into the archive. */
const WRITERS: readonly (readonly string[])[] = [
  ['compact', '--despite-refused', '--config', CONFIG],
  ['ingest', MORE, '--config', CONFIG],
  ['redrive', 'Orders', '--send', '--config', CONFIG],
]

/** Of a change's columns, what stands in their place. */
const COLUMNS: readonly (readonly [string, string])[] = [
  ['new_image', `replace(new_image, 'PAID', 'LOST')`],
  ['new_image', `'{"order_id":{"S":"\u001b[2J"}}'`],
  ['new_image', `'['`],
  ['old_image', 'null'],
  ['new_hash', 'old_hash'],
  ['item_key', `'{"order_id":{"S":"A9"}}'`],
  ['item_key', `'\u001b[1G'`],
  ['event_name', `'RENAME'`],
  ['event_time_us', 'event_time_us - 86400000000'],
  ['event_time_us', '-9223372036854775808'],
  ['sequence', `'x'`],
  ['actor', `'\u202e'`],
  ['config_id', `'../../x'`],
  ['table_name', `'Others'`],
  ['new_status', `'SHIPPED'`],
  ['changed', `['\u001b[31m']`],
  ['row_hash', `repeat('0', 64)`],
  ['row_version', `'audit-row/v9'`],
]

const HOWS = [
  'bytes',
  'bytes',
  'bytes',
  'fields',
  'fields',
  'rows',
  'empty',
  'folder',
  'link',
  'pipe',
  'hidden',
  'deeper',
] as const

const change = fc.record({
  file: fc.nat(10_000),
  how: fc.constantFrom(...HOWS),
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  damage,
  column: fc.constantFrom(...COLUMNS),
})
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

describe('an archive with one file that is another', { timeout: FUZZ_TIMEOUT }, () => {
  const whole = join(place.inside, 'whole')
  const right = new Map<readonly string[], Ending>()
  let runs = 0

  beforeAll(async () => {
    const columns = { status: 'string', total: 'decimal(12,2)' }
    writeFileSync(
      CONFIG,
      JSON.stringify({ tables: { Orders: { since: '2026-10-01', keys: ['order_id'], actor: 'by', columns } } }),
    )
    const made = [0, 1, 2].flatMap(day => ['A1', 'A2', 'A3'].map((id, i) => recordOf(id, day, day * 10 + i)))
    const bad = streamsRecord({ eventID: 'bad', ApproximateCreationDateTime: 0 })
    await run(['ingest', '-', '--archive', whole, '--config', CONFIG], { stdin: linesOf([...made, bad]) })
    writeFileSync(MORE, linesOf([recordOf('A4', 2, 90)]))
    const items = ['A1', 'A2', 'A3'].map(id => ({ Item: itemOf(id, 1) }))
    const bucket = join(place.inside, 'bucket')
    const folder = writeExport(bucket, { files: [items] })
    await run(['baseline', 'Orders', '--export', folder, '--archive', whole, '--config', CONFIG])
    await run(['compact', '--despite-refused', '--archive', whole, '--config', CONFIG])
    for (const question of QUESTIONS) right.set(question, await place.guard(at(question, whole), whole))
  })

  it('answers right, or says that it does not', () =>
    fuzz(
      fc.record({ change, questions: fc.uniqueArray(fc.constantFrom(...QUESTIONS), { minLength: 1, maxLength: 3 }) }),
      async ({ change, questions }) => {
        const root = copyOf(whole)
        await alter(root, change)
        for (const question of questions) await expectRight(question, root)
        remove(root)
      },
    ))

  it('is written to without a loss, or not at all', () =>
    fuzz(fc.record({ change, writer: fc.constantFrom(...WRITERS) }), async ({ change, writer }) => {
      const root = copyOf(whole)
      await alter(root, change)
      const before = objectsOf(root)
      const { exit } = await place.guard(at(writer, root), whole)
      expect(objectsOf(root)).toMatchObject(before)
      if (exit === 0) await expectRight(HISTORY, root)
      remove(root)
    }))

  async function expectRight(question: readonly string[], root: string): Promise<void> {
    const { exit, out } = await place.guard(at(question, root), root)
    const before = right.get(question) as Ending
    if (exit === 0) expect(endOf(question, exit, out, root)).toBe(endOf(question, before.exit, before.out, whole))
  }

  function copyOf(folder: string): string {
    const root = join(place.inside, `copy-${++runs}`)
    cpSync(folder, root, { recursive: true })
    return root
  }
})

/** A command's end in one text, where the archive's own folder is left out. */
function endOf(question: readonly string[], exit: number, out: string, root: string): string {
  const told = out.replaceAll(root, 'ARCHIVE').replaceAll(/\d+ (?:second|minute|hour|day)s? ago/g, 'AGO')
  return `${question.join(' ')}: ${exit}\n${told}`
}

function itemOf(id: string, day: number) {
  return {
    order_id: { S: id },
    status: { S: ['NEW', 'PAID', 'SENT'][day] as string },
    total: { N: `${day}.5` },
    by: { S: 'ann' },
  }
}

function recordOf(id: string, day: number, order: number) {
  return streamsRecord({
    eventID: `event-${order}`,
    eventName: day === 0 ? 'INSERT' : 'MODIFY',
    ApproximateCreationDateTime: CHANGED_AT + (day - 2) * DAY + order,
    SequenceNumber: String(1000 + order),
    Keys: { order_id: { S: id } },
    ...(day > 0 && { OldImage: itemOf(id, day - 1) }),
    NewImage: itemOf(id, day),
  })
}

function at(argv: readonly string[], root: string): readonly string[] {
  return [...argv, '--archive', root]
}

function filesOf(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** The archive's own objects, which nothing may write over. */
function objectsOf(root: string): Readonly<Record<string, string>> {
  const own = filesOf(root).filter(key => /^(data|config|facts|refused)\//.test(key))
  return Object.fromEntries(own.map(key => [key, readFileSync(join(root, key)).toString('base64')]))
}

/** Makes one file of an archive another. */
async function alter(root: string, { file, how, edits, damage, column }: Change): Promise<void> {
  const files = filesOf(root)
  const key = files[file % files.length] as string
  const path = join(root, key)
  if (how === 'rows' && key.endsWith('.parquet'))
    await alterRows([path], { [column[0]]: column[1] }, 'true').catch(() => {})
  else if (how === 'fields' && /json$|^refused\//.test(key))
    writeFileSync(path, editedLines(readFileSync(path, 'utf8'), edits))
  else if (how === 'empty') writeFileSync(path, '')
  else if (how === 'hidden') renameSync(path, join(dirname(path), `.${key.split('/').at(-1)}`))
  else if (how === 'deeper') moveDown(path)
  else if (how === 'link' || how === 'pipe' || (how === 'folder' && !key.startsWith('refused/'))) {
    const elsewhere = join(place.outside, 'moved')
    if (!existsSync(elsewhere)) writeFileSync(elsewhere, 'of somebody else')
    rmSync(path)
    // an empty folder among refused objects is as if one was removed, which nothing remembers
    if (how === 'folder') mkdirSync(path)
    else if (how === 'link') symlinkSync(elsewhere, path)
    else execFileSync('mkfifo', [path])
  } else writeFileSync(path, damaged(readFileSync(path), damage))
}

function moveDown(path: string): void {
  const folder = join(dirname(path), 'deeper')
  mkdirSync(folder)
  renameSync(path, join(folder, path.split('/').at(-1) as string))
}

/** A JSON text, or one a line, with fields edited. */
function editedLines(text: string, edits: Change['edits']): string {
  const lines = text.trimEnd().split('\n')
  try {
    return `${JSON.stringify(edited(JSON.parse(text), edits))}\n`
  } catch {
    const values = edited(
      lines.map(line => JSON.parse(line)),
      edits,
    )
    return (Array.isArray(values) ? values : [values]).map(value => `${JSON.stringify(value)}\n`).join('')
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
