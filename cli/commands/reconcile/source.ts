import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type FoundItem, itemOfLine } from '../../../capture/baseline.js'
import { readUnderKeys } from '../../../capture/batches.js'
import type { ExportSummary } from '../../../capture/export-layout.js'
import { openExport, readExport, type TableExport } from '../../../capture/export-reader.js'
import type { ScannedTable } from '../../../capture/table-scan.js'
import { lookedAt, toldChange, toldItem } from '../../../capture/told-states.js'
import type { ReconcileSource } from '../../../restore/reconcile-source.js'
import type { SecondLook } from '../../../restore/reconciliation.js'
import type { StateStore } from '../../../restore/state-store.js'
import { parseInstant } from '../../../transform/instant.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { checkExportOf, openScan, verifyFiles } from '../../ask/table-source.js'
import { callAws } from '../../failures.js'
import type { Io, Options } from '../../io.js'
import { Progress } from '../../show/progress.js'

/** Opens an export, full or incremental, its files verified. Throws `ExportError`, `CommandError`. */
export async function openExportSource(table: string, folder: string, io: Io): Promise<ReconcileSource> {
  const source = await openExport(folder)
  checkExportOf(table, source, folder)
  await verifyFiles(source, io)
  const { summary } = source
  const [fromUs, toUs] = instantsOf(summary)
  const incremental = summary.exportType === 'INCREMENTAL_EXPORT'
  return {
    kind: incremental ? 'incremental export' : 'full export',
    source: summary.exportArn,
    fromUs,
    toUs: () => toUs,
    keys: undefined,
    tellsBefore: incremental && summary.outputView === 'NEW_AND_OLD_IMAGES',
    fill: incremental
      ? (store, configuration) => fillChanges(source, store, configuration, io)
      : (store, configuration) => fillItems(source, store, configuration, io),
    lookAgain: undefined,
  }
}

function instantsOf(summary: ExportSummary): readonly [number, number] {
  const us = (text: string) => parseInstant(text)?.us as number
  if (summary.exportType === 'FULL_EXPORT') return [us(summary.exportTime), us(summary.exportTime)]
  return [us(summary.exportFromTime), us(summary.exportToTime)]
}

function fillItems(source: TableExport, store: StateStore, table: TableConfiguration, io: Io): Promise<void> {
  const read = (line: FoundItem, sealing: TableConfiguration) => toldItem(itemOfLine(line), sealing)
  return eachLine(source, table, io, read, state => store.add(state))
}

function fillChanges(source: TableExport, store: StateStore, table: TableConfiguration, io: Io): Promise<void> {
  return eachLine(source, table, io, toldChange, ({ before, after }) => {
    store.add(after)
    store.add(before, 'told_before')
  })
}

async function eachLine<Told>(
  source: TableExport,
  table: TableConfiguration,
  io: Io,
  read: (line: FoundItem, table: TableConfiguration) => Told,
  take: (told: Told) => void,
): Promise<void> {
  const progress = new Progress(io, 'item')
  let [bytes, count] = [0, 0]
  const lines = readExport(source, done => {
    bytes = done
  })
  try {
    for await (const [, told] of readUnderKeys(lines, table, read)) {
      take(told)
      count++
      progress.update(count, bytes, source.bytes)
    }
  } finally {
    progress.end()
  }
}

/** Prepares the scan of a live table. Throws `CommandError` for what the service refuses. */
export async function openScanSource(table: string, options: Options, io: Io): Promise<ReconcileSource> {
  const { origin, keys, items, progress, toUs, client, live } = await openScan(table, options, io)
  return {
    kind: 'scan',
    source: origin.source,
    fromUs: origin.fromUs,
    toUs,
    keys,
    tellsBefore: false,
    fill: async (store, configuration) => {
      const shown = new Progress(io, 'item')
      let count = 0
      try {
        for await (const [, state] of readUnderKeys(items(), configuration, toldItem)) {
          store.add(state)
          const { done, total } = progress()
          shown.update(++count, done, total)
        }
      } finally {
        shown.end()
      }
    },
    lookAgain: (itemKey, configuration) => lookAgain(client, live, itemKey, configuration),
  }
}

async function lookAgain(
  client: DynamoDBClient,
  live: ScannedTable,
  itemKey: string,
  table: TableConfiguration,
): Promise<SecondLook> {
  const subject = `table ${JSON.stringify(live.name)}`
  const { readItem } = await import('../../../capture/table-scan.js')
  const text = await callAws(`${subject} cannot be read`, () => readItem(client, live, itemKey))
  return lookedAt(text, itemKey, table)
}
