import { escapeControls } from '../transform/escape-controls.js'
import { readLeaf } from './leaf.js'
import type { ProvenRow } from './row-proof.js'

/** What a proof shows, for people. */
export function showProven({ leaf, row, rows, entry, checkpoint }: ProvenRow): string {
  const columns = readLeaf(leaf)
  const lines: readonly (readonly [string, string | number | undefined])[] = [
    ['event', columns?.event_id],
    ['kind', columns?.event_name],
    ['table', entry.table],
    ['made', columns === undefined ? undefined : timeOf(columns.event_time_us)],
    ['before', columns?.old_hash],
    ['after', columns?.new_hash],
    ['item', columns?.item_key],
    ['lies in', `${entry.key}, row ${row} of ${rows}, SHA-256 ${entry.sha256}`],
    ['journal', `${checkpoint.origin}, size ${checkpoint.size}, root ${checkpoint.root.toString('base64')}`],
  ]
  const shown = lines.filter(([, value]) => value !== undefined && value !== '-')
  return [
    ...shown.map(([name, value]) => `${name.padEnd(9)}${value}`),
    'PROVEN: this row was in the archive when the checkpoint was signed, by the key given',
    'before, after and item are the SHA-256 of old_image, new_image and item_key',
    '',
  ]
    .map(escapeControls)
    .join('\n')
}

function timeOf(us: string): string {
  return /^\d{1,15}\d$/.test(us) ? new Date(Math.floor(Number(us) / 1000)).toISOString() : us
}
