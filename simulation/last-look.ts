/**
 * An archive at rest, read as its owner reads it: in a folder, as Parquet, by the real engine, with its facts. Its
 * histories, and the real `reconcile` with the table itself, may say no more than what truly happened bears out.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { toldItem } from '../capture/told-states.js'
import { ParquetConverter } from '../delivery/parquet-conversion.js'
import { groupBy } from '../delivery/redrive.js'
import { DuckDbEngine } from '../queries/engines/duckdb.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import { readHistories } from '../queries/verdict/histories.js'
import { findingsOf } from '../restore/reconcile-findings.js'
import type { ReconcileSource } from '../restore/reconcile-source.js'
import { StateStore } from '../restore/state-store.js'
import { DiskArchive } from '../store/folder.js'
import { columnsOf } from '../transform/audit-row.js'
import { configurationKey } from '../transform/layout.js'
import { rowConfiguration, type TableConfiguration } from '../transform/table-configuration.js'
import { makeFastFolder } from './fast-folder.js'
import { keyOf } from './judge-versions.js'
import type { Attributes } from './workload.js'

/** An archive in memory: its row lines and its facts, each by key, and the moment at which it is looked at. */
export interface ArchiveAtRest {
  readonly table: TableConfiguration
  readonly rows: readonly (readonly [string, Uint8Array])[]
  readonly facts: readonly (readonly [string, Uint8Array])[]
  /** Microseconds since 1970; every change was before. */
  readonly atUs: number
  /** What the table holds. */
  readonly items: readonly Attributes[]
  /** All items that the table ever had. */
  readonly names: readonly string[]
}

/** What its owner is told of it. */
export interface LastLook {
  readonly histories: ReadonlyMap<string, ItemHistory>
  /** What `reconcile` finds, by the item's key. */
  readonly findings: ReadonlyMap<string, string>
}

/** Reads it in a folder that is gone afterwards. */
export async function lookAtLast(rest: ArchiveAtRest): Promise<LastLook> {
  const root = makeFastFolder('rest')
  try {
    await fillAtRest(new DiskArchive(root), rest)
    const engine = await DuckDbEngine.open(root, [rest.table])
    try {
      const histories = await readHistories(engine, rest.table, rest.names.map(keyOf))
      return { histories, findings: rest.rows.length === 0 ? new Map() : await reconcile(rest, engine) }
    } finally {
      engine.close()
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Writes it into a folder. The objects of a day become one, as it makes no difference to a reader. */
export async function fillAtRest(
  archive: DiskArchive,
  { table, rows, facts }: Pick<ArchiveAtRest, 'table' | 'rows' | 'facts'>,
): Promise<void> {
  CONVERTER.made ??= ParquetConverter.create()
  const converter = await CONVERTER.made
  for (const [folder, objects] of groupBy(rows, ([key]) => dirname(key))) {
    const lines = Buffer.concat(objects.map(([, bytes]) => bytes)).toString()
    const [staged, parquet] = [archive.stage('.ndjson'), archive.stage('.parquet')]
    writeFileSync(staged.path, lines)
    await converter.convert(staged.path, parquet.path, columnsOf(table), lines.split('\n').length - 1)
    await archive.put(`${folder}/rows.parquet`, parquet)
    rmSync(staged.path)
  }
  for (const [key, bytes] of facts) await archive.put(key, bytes)
  await archive.put(configurationKey(table), Buffer.from(rowConfiguration(table)))
}

/** One for all worlds: to make it takes longer than what it is for. */
const CONVERTER: { made?: Promise<ParquetConverter> } = {}

/** Compares it with an export of the table of that moment. */
async function reconcile(
  { table, items, atUs }: ArchiveAtRest,
  engine: DuckDbEngine,
): Promise<ReadonlyMap<string, string>> {
  const store = await StateStore.open()
  const source: ReconcileSource = {
    kind: 'full export',
    source: 'export',
    fromUs: atUs,
    toUs: () => atUs,
    keys: undefined,
    tellsBefore: false,
    fill: async () => {},
    lookAgain: undefined,
  }
  try {
    for (const item of items) store.add(toldItem({ text: JSON.stringify(item), where: 'export' }, table))
    store.seal()
    const found = new Map<string, string>()
    // whoever opened it closes it
    const lent = Object.assign(Object.create(engine) as DuckDbEngine, { close: () => {} })
    const archived = { open: async () => lent, store, waitMs: 0, onComparing: () => {} }
    for await (const { finding } of findingsOf(source, table, archived, () => {}))
      found.set(finding.itemKey, finding.kind)
    return found
  } finally {
    store.remove()
  }
}
