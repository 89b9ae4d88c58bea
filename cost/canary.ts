/** What the canary of an archive costs a month: its writes all the way, the function that looks for them, alarms. */
import { BUFFER } from '../aws/firehose-buffer.js'
import { GB } from '../aws/prices.js'
import { CANARY_SECONDS } from '../config/canary.js'
import { CANARY } from './assumptions.js'
import { type AddedBill, billOf, line, type Part, sum } from './bill.js'
import { MONTH_DAYS, MONTH_SECONDS } from './capacity.js'
import { DEPLOYED, SCAN_CUTOFF_GB } from './deployed.js'
import { flowOf } from './flow.js'
import { madeUpChanges } from './sample-changes.js'
import { weighTraffic } from './traffic.js'

let bill: AddedBill | undefined

/** Its bill, whatever else is captured: the same each time, so it is reckoned once. */
export function canaryBillOf(): AddedBill {
  bill ??= reckon()
  return bill
}

function reckon(): AddedBill {
  const writes = MONTH_SECONDS / CANARY_SECONDS
  const { carried, objects } = wayOfWrites()
  const { seconds, lists, gets, itemBytes, objectBytes } = CANARY
  const parts: readonly Part[] = [
    { ...line('DynamoDB, write', writes, 'units'), part: 'DynamoDB, writing the item' },
    { ...line('DynamoDB, read', writes, 'units'), part: 'DynamoDB, reading it' },
    {
      ...line('Firehose, taken in, to 500 TB a month', 0, 'GB'),
      part: 'its changes, from stream to archive',
      usd: carried,
      arithmetic: `${writes.toLocaleString('en-US')} changes of ${itemBytes} bytes, as above`,
    },
    { ...line('Lambda, requests', writes, 'requests'), part: 'canary, requests' },
    {
      ...line('Lambda, arm64', (writes * seconds * DEPLOYED.canary.memoryMb) / 1024, 'GB-seconds'),
      part: 'canary, running',
    },
    { ...line('S3, put', writes * lists, 'requests'), part: 'S3, listing its days' },
    { ...line('S3, get', writes * gets, 'requests'), part: 'S3, reading its objects' },
    { ...line('S3 Standard', (objects * objectBytes) / GB, 'GB-months'), part: 'S3, its objects of the first month' },
    {
      ...line('CloudWatch, own metric', DEPLOYED.canary.metrics + DEPLOYED.ownMetrics.streams, 'metrics'),
      part: 'metrics of the canary and its table',
    },
    { ...line('CloudWatch, alarm', DEPLOYED.alarmMetrics.canary, 'metrics'), part: 'alarms of the canary' },
  ].map(part => ({ ...part, fixed: true }))
  return { parts, usdAMonth: sum(parts) }
}

/** What its changes cost on the way that any table's take, and the objects that they make in a month. */
function wayOfWrites() {
  const changes = madeUpChanges({ itemBytes: CANARY.itemBytes, updates: 1, deletes: 0 })
  const writesPerSecond = 1 / CANARY_SECONDS
  const workload = {
    writesPerSecond,
    peakWritesPerSecond: writesPerSecond,
    peakGiven: true,
    retentionDays: 1,
    buffer: BUFFER,
    scanCutoffGb: SCAN_CUTOFF_GB,
  }
  const traffic = weighTraffic(changes)
  const flow = flowOf('streams', { workload, traffic, changes })
  const paid = billOf(flow, traffic).parts.filter(({ fixed }) => !fixed)
  return { carried: sum(paid), objects: flow.objectsADay * MONTH_DAYS }
}
