/** What it costs a month, at most, that a table is compared with its archive each night. */
import { BYTES_OF_EXPORT, GB } from '../aws/prices.js'
import { NIGHTLY_MINUTES } from '../config/nightly.js'
import { PARQUET, RECONCILIATION } from './assumptions.js'
import { type AddedBill, line, type Part, sum } from './bill.js'
import { MONTH_DAYS, MONTH_HOURS } from './capacity.js'
import { DEPLOYED } from './deployed.js'
import type { Flow } from './flow.js'
import type { Traffic } from './traffic.js'

/** The bill of a table's comparisons: at most, as if no item changed twice in a day. */
export function reconciliationBillOf(
  { changes }: Pick<Flow, 'changes'>,
  { itemBytes }: Pick<Traffic, 'itemBytes'>,
): AddedBill {
  const { seconds, itemsASecond, packed, days } = RECONCILIATION
  const calls = (MONTH_HOURS * 60) / NIGHTLY_MINUTES
  const exported = Math.max(changes * itemBytes, MONTH_DAYS * BYTES_OF_EXPORT)
  const running = calls * seconds.call + MONTH_DAYS * seconds.comparison + changes / itemsASecond
  const { memoryMb, metrics } = DEPLOYED.reconciliation
  const parts: readonly Part[] = [
    { ...line('DynamoDB, export', exported / GB, 'GB'), part: 'DynamoDB, exporting what changed' },
    { ...line('Athena, scanned', (changes * PARQUET.rowBytes) / GB, 'GB'), part: 'Athena, rows without images' },
    { ...line('Lambda, requests', calls, 'requests'), part: 'comparison, requests' },
    { ...line('Lambda, arm64', (running * memoryMb) / 1024, 'GB-seconds'), part: 'comparison, running' },
    {
      ...line('S3 Standard', ((changes * 2 * itemBytes * packed) / GB / MONTH_DAYS) * days, 'GB-months'),
      part: 'S3, exports of a week',
    },
    { ...line('CloudWatch, own metric', metrics, 'metrics'), part: 'metrics of the comparison', fixed: true },
    {
      ...line('CloudWatch, alarm', DEPLOYED.alarmMetrics.reconciliation, 'metrics'),
      part: 'alarms of the comparison',
      fixed: true,
    },
  ]
  return { parts, usdAMonth: sum(parts) }
}
