import { hash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CertainRows } from '../../../queries/verdict/certain-rows.js'
import { checkRow } from '../../../queries/verdict/row-check.js'
import { StoredRows, storedFiles } from '../../../queries/verdict/stored-rows.js'
import { RowCheck } from '../../../queries/verdict/verify-rows.js'
import { DiskArchive } from '../../../store/folder.js'
import { readKept } from '../../../store/kept-configurations.js'
import { type AuditRow, rowHash } from '../../../transform/audit-row.js'
import { configurationKey } from '../../../transform/layout.js'
import {
  configurationId,
  rowConfiguration,
  type TableConfiguration,
  unconfiguredTable,
} from '../../../transform/table-configuration.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { readRecord, recordNames, runRecord } from '../../fixtures/build.js'
import { type Random, randomOf } from '../../random.js'
import { mutate } from '../../transform/mutations.js'

interface Made {
  readonly table: TableConfiguration
  readonly rows: readonly AuditRow[]
}

/** The rows of every golden record, by the configuration that they were made under. */
function goldenRows(): readonly Made[] {
  const made = new Map<string, { table: TableConfiguration; rows: AuditRow[] }>()
  for (const name of recordNames()) {
    const record = readRecord(name)
    const { table = unconfiguredTable('Orders') } = record
    const outcome = runRecord(record)
    if (outcome.kind === 'refused') continue
    const id = configurationId(table)
    const known = made.get(id) ?? { table, rows: [] as AuditRow[] }
    known.rows.push(...outcome.rows)
    made.set(id, known)
  }
  return [...made.values()]
}

async function archiveOf({ table, rows }: Made): Promise<string> {
  const root = join(temporaryFolder(), 'archive')
  const configuration = join(root, configurationKey(table))
  mkdirSync(dirname(configuration), { recursive: true })
  writeFileSync(configuration, rowConfiguration(table))
  await writeRows(root, rows, table)
  return root
}

async function foundIn(root: string, table: string): Promise<readonly object[]> {
  const found: object[] = []
  for await (const finding of new RowCheck(root, table).findings()) {
    if (finding.kind === 'file') throw new Error(finding.reason)
    found.push({ object: finding.object, column: finding.column, held: finding.held, found: finding.found })
  }
  return found
}

async function keptIn(archive: DiskArchive, table: string): Promise<readonly TableConfiguration[]> {
  return (await readKept(archive, table)).versions
}

/** What `checkRow` says of every row. */
async function plainlyFoundIn(root: string, table: string): Promise<readonly object[]> {
  const archive = new DiskArchive(root)
  const configurations = new Map((await keptIn(archive, table)).map(kept => [configurationId(kept), kept]))
  const reader = await StoredRows.open(archive)
  const found: object[] = []
  for (const file of await storedFiles(archive, table))
    for await (const rows of reader.rowsOf(file))
      for (const row of rows)
        for (const altered of checkRow(row, file.folder, configurations).altered)
          found.push({ object: file.key, ...altered })
  reader.close()
  return found
}

/** How many rows of an archive are certain, and of which the plain code is asked. */
async function siftedIn(root: string, table: string) {
  const archive = new DiskArchive(root)
  const reader = await StoredRows.open(archive)
  const certain = new CertainRows(reader, await keptIn(archive, table), 'false')
  const sifted = await certain.sift(await storedFiles(archive, table), () => {})
  reader.close()
  const sum = (of: 'certain' | 'blind') => [...sifted.values()].reduce((total, each) => total + each[of], 0)
  return { certain: sum('certain'), blind: sum('blind'), others: [...sifted.values()].flatMap(each => each.others) }
}

const pick = <T>(values: readonly T[], random: Random) => values[Math.floor(random() * values.length)] as T

/** Something else in one column of a row, or in several; in half of them the hashes say what stands there by now. */
function alter(row: AuditRow, all: readonly AuditRow[], random: Random): AuditRow {
  const altered: Record<string, unknown> = { ...row, flat: new Map(row.flat) }
  for (let left = 1 + Math.floor(random() * 2); left > 0; left--) {
    const name = pick(ALTERABLE, random)
    const other = pick(all, random)[name]
    const held = altered[name]
    if (name === 'event_time_us') altered[name] = row.event_time_us + pick([1, -1, 1000, 86_400_000_000], random)
    else if (name === 'event_time') altered[name] = pick([other, null], random)
    else if (name === 'changed' || name === 'subjects')
      altered[name] = pick([other, null, [], ['status', 'x"\n']], random)
    else altered[name] = pick([other, null, '-', '', mutate(Buffer.from(String(held)), random).toString()], random)
  }
  const flat = altered.flat as Map<string, unknown>
  const column = pick([...flat.keys(), 'misfits'], random)
  if (random() < 0.2 && typeof flat.get(column) === 'string') flat.set(column, `${flat.get(column)}0`)
  return (random() < 0.5 ? altered : rehashed(altered)) as unknown as AuditRow
}

const ALTERABLE = [
  ...(['event_id', 'source_event_id', 'event_name', 'event_time_us', 'time_precision', 'sequence'] as const),
  ...(['region', 'source', 'view_type', 'item_key', 'old_image', 'new_image', 'old_hash', 'new_hash'] as const),
  ...(['changed', 'actor', 'actor_source', 'last_writer', 'user_identity', 'config_id', 'row_version'] as const),
  ...(['row_hash', 'subjects', 'misfits', 'event_time'] as const),
] as const

function rehashed(row: Record<string, unknown>): Record<string, unknown> {
  const hashOf = (image: unknown) => (typeof image === 'string' ? hash('sha256', image) : null)
  const images = { old_hash: hashOf(row.old_image), new_hash: hashOf(row.new_image) }
  const whole = { ...row, ...images }
  try {
    return { ...whole, row_hash: rowHash(whole as never) }
  } catch {
    return whole
  }
}

describe('rows that are certain by their bytes', () => {
  const golden = goldenRows()

  it('are those of every golden record, but for numerals in no usual form', async () => {
    let [certain, others] = [0, 0]
    for (const made of golden) {
      const root = await archiveOf(made)
      expect(await foundIn(root, made.table.table)).toEqual([])
      const sifted = await siftedIn(root, made.table.table)
      certain += sifted.certain
      others += sifted.others.length
    }
    expect({ certain, others }).toEqual({ certain: 54, others: 3 })
  })

  it('hide nothing that the plain code finds, however rows were altered', async () => {
    let findings = 0
    for (const [i, made] of golden.entries()) {
      const random = randomOf(i + 1)
      const rows = Array.from({ length: 40 }, () => {
        const row = pick(made.rows, random)
        return random() < 0.3 ? row : alter(row, made.rows, random)
      })
      const root = await archiveOf({ ...made, rows })
      const plainly = await plainlyFoundIn(root, made.table.table)
      expect(await foundIn(root, made.table.table)).toEqual(plainly)
      findings += plainly.length
    }
    expect(findings).toBeGreaterThan(400)
  })
})
