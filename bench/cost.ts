/** What changes cost by their size and by the way they are captured, with the real packer on generated records. */

import { BUFFER } from '../aws/firehose-buffer.js'
import { type Bill, billOf } from '../cost/bill.js'
import { RETENTION_DAYS, SCAN_CUTOFF_GB } from '../cost/deployed.js'
import { CAPTURES, type CaptureKind, flowOf, type Subject } from '../cost/flow.js'
import { madeUpChanges } from '../cost/sample-changes.js'
import { type Traffic, weighTraffic } from '../cost/traffic.js'
import { RANGES } from '../cost/workload.js'
import type { Finding, Suite } from './suite.js'

/** Most changes of an audited table are updates. */
const SHARES = { updates: 0.7, deletes: 0.1 }

/** Enough for full batches, and so few that most changes are alone. */
const [BUSY, QUIET] = [2000, 0.1]

const ALONE: CaptureKind = 'streams, unpacked'

const [RECORDS, ITEMS] = [
  [0.5, 1, 4, 16],
  [0.5, 1, 4, 16],
]

/** Packing has to make Firehose so many times cheaper for records up to 1 KB. */
const [FACTOR, UP_TO_KB] = [4, 1]

export const suite: Suite = {
  name: 'cost',
  question: 'What do a million changes cost, and what does packing save?',
  run: async note => {
    note('packing generated changes')
    const byRecord = RECORDS.flatMap(kb => compare(`record of ${kb} KB`, subjectOf(itemBytesOf(kb * 1024)), kb))
    const byItem = ITEMS.flatMap(kb => compare(`item of ${kb} KB`, subjectOf(kb * 1024), undefined))
    const quiet = compare('record of 1 KB, a change in ten seconds', subjectOf(itemBytesOf(1024), QUIET), undefined)
    return {
      findings: [...byRecord, ...byItem, ...quiet],
      remarks: [
        `US dollars for a million changes, us-east-1, by the prices in docs/cost.md, without what is paid for no change at all and without storage; ${BUSY.toLocaleString('en-US')} changes a second, ${SHARES.updates * 100} % updates and ${SHARES.deletes * 100} % deletes.`,
        'Firehose is what it bills for taking in, converting and partitioning; all is that with the functions, the requests, the logs, and the Kinesis stream where there is one.',
        'The size of a record is what the stream hands over: both images as DynamoDB JSON and an envelope of about 500 bytes. The size of an item is as DynamoDB counts it; an update of 1 KB is a record of about 3 KB, which rounding to 5 KB makes dearer by less.',
        'Billed bytes are those of the packs that capture/packing.ts makes of the changes, each rounded up to 5 KB; nothing here is timed, so the figures are the same on any machine.',
      ],
      leftOut: [
        'kinesis, packed: DynamoDB itself writes one record a change, and nothing of ours stands before Firehose',
      ],
    }
  },
}

/** A workload of made-up changes; storage and buffers are not asked for here. */
export function subjectOf(itemBytes: number, writesPerSecond = BUSY): Subject {
  const changes = madeUpChanges({ itemBytes, ...SHARES })
  const workload = {
    writesPerSecond,
    peakWritesPerSecond: writesPerSecond,
    peakGiven: true,
    retentionDays: RETENTION_DAYS,
    buffer: BUFFER,
    scanCutoffGb: SCAN_CUTOFF_GB,
  }
  return { workload, changes, traffic: weighTraffic(changes) }
}

/** The size of item whose stream records are so large on average, or the least that there is. */
function itemBytesOf(recordBytes: number): number {
  let [low, high] = [RANGES.itemBytes.least as number, recordBytes]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (weigh(middle).streamsBytes <= recordBytes) low = middle
    else high = middle - 1
  }
  return low
}

function weigh(itemBytes: number): Traffic {
  return weighTraffic(madeUpChanges({ itemBytes, ...SHARES }).slice(0, 100))
}

function compare(what: string, subject: Subject, recordKb: number | undefined): readonly Finding[] {
  const bills = new Map(CAPTURES.map(capture => [capture, billOf(flowOf(capture, subject), subject.traffic)]))
  const alone = bills.get(ALONE) as Bill
  return [...bills].map(([capture, bill]) => {
    const saved = alone.firehoseUsdAMillion / bill.firehoseUsdAMillion
    const measured: Finding = {
      what: `${what}, ${capture === 'streams' ? 'streams, packed' : capture}`,
      against: capture === ALONE ? '' : 'one record a change',
      figure: `Firehose $${bill.firehoseUsdAMillion.toFixed(3)}, all $${bill.usdAMillion.toFixed(3)}${capture === ALONE ? '' : `; Firehose ${times(saved)}`}`,
    }
    const aimed = capture === 'streams' && recordKb !== undefined && recordKb <= UP_TO_KB
    return aimed ? { ...measured, target: `≥ ${FACTOR} × less`, reached: saved >= FACTOR } : measured
  })
}

function times(factor: number): string {
  return `${factor.toFixed(1)} × less`
}
