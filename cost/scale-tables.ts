/** The tables of docs/scale.md: what grows at three rates, what each question takes, and what is met first. */
import { GB } from '../aws/prices.js'
import { SAVED_QUERIES } from '../queries/catalog.js'
import { formatBytes } from '../queries/engines/athena-cost.js'
import { figure } from './bill.js'
import { MIB } from './capacity.js'
import { DEPLOYED } from './deployed.js'
import type { Flow } from './flow.js'
import type { Limit } from './limit.js'
import { SEALER_SECONDS } from './own-limits.js'
import { columnsRead, everyQuestionOf } from './questions.js'
import { type Scale, scaleAt } from './scale.js'
import { table } from './table.js'

/** Changes a second that the document tells of. */
const RATES = [10, 1000, 40_000] as const

export function scaleTables(): Readonly<Record<string, string>> {
  const scales = RATES.map(scaleAt)
  const tableOf = (rows: readonly Row[]) =>
    table(
      ['', ...RATES.map(rate => `${figure(rate)} a second`), 'formula'],
      rows.map(([what, cell, formula]) => [what, ...scales.map(cell), formula]),
    )
  return {
    scaleCapture: tableOf(CAPTURE),
    scaleArchive: tableOf(ARCHIVE),
    scaleCompaction: tableOf(COMPACTION),
    scaleJournal: tableOf(JOURNAL_ROWS),
    scaleQuestions: questionsTable(scales),
    scaleFirst: firstTable(scales),
  }
}

type Row = readonly [what: string, cell: (scale: Scale) => string, formula: string]

const usd = (value: number) => `$${value < 10 ? value.toFixed(2) : figure(value)}`
const seconds = (value: number) => `${figure(value)} s`

const CAPTURE: readonly Row[] = [
  ['shards of the stream', ({ plan }) => figure(plan.streams.shards), 'peak × write units / 1,000, at least 4'],
  [
    'forwarder, calls at once',
    ({ plan }) => figure((plan.flows[0] as Flow).forwarder?.concurrency ?? 0),
    'calls a second at the peak × seconds of a call',
  ],
  [
    'transform, calls at once',
    ({ plan }) => figure((plan.flows[0] as Flow).transform.concurrency),
    'MiB a second at the peak × seconds of a MiB',
  ],
  [
    'to Firehose at the peak, MiB/s',
    ({ plan }) => figure(plan.streams.directPut.mib),
    'peak × bytes of a change, packed; direct PUT takes 5 at first, elsewhere 1',
  ],
  ['Kinesis, shards', ({ plan }) => figure(plan.kinesis.shards), 'peak × (4 + share of updates) × item / 1,024²'],
  ['capture by streams, a month', ({ plan }) => usd(plan.bills[0]?.usdAMonth ?? 0), 'cost.md'],
  ['capture by Kinesis, a month', ({ plan }) => usd(plan.bills[2]?.usdAMonth ?? 0), 'cost.md'],
]

const ARCHIVE: readonly Row[] = [
  [
    'objects a day',
    ({ plan }) => figure(plan.delivery.objectsADay),
    'row lines of a day / 128 MiB, at least one in 15 minutes',
  ],
  ['an object', ({ plan }) => formatBytes(plan.delivery.objectBytes), 'rows × bytes of a row in Parquet, and 7,500'],
  ['objects after seven years', ({ objects }) => figure(objects), 'objects a day × 2,557'],
  ['bytes after seven years', ({ plan }) => formatBytes(plan.storage.bytesAtEnd), 'bytes a day × 2,557'],
  ['keeping it, a month then', ({ plan }) => usd(plan.storage.usdAMonthAtEnd), 'cost.md, by class of storage'],
]

const COMPACTION: readonly Row[] = [
  ['a day of the archive', ({ compaction }) => formatBytes(compaction.bytesADay), 'objects a day × bytes of one'],
  [
    'to be written and compared within 7 minutes, at',
    ({ compaction }) => `${formatBytes(compaction.bytesASecond)} a second`,
    'a day / ((900 s − 60 s) / 2): a day is copied whole or not at all',
  ],
  [
    'days that wait after a day',
    ({ compaction }) => (compaction.bytesADay <= DEPLOYED.compaction.runGb * GB ? '0' : '1, unless Athena can'),
    `0 where a day has at most ${DEPLOYED.compaction.runGb} GB, for which a run is made`,
  ],
]

const days = (value: number) => (Number.isFinite(value) ? `${figure(value)} days` : 'never')

const JOURNAL_ROWS: readonly Row[] = [
  ['entries after seven years', ({ journal }) => figure(journal.entries), 'objects, and a seal an hour'],
  [
    'bytes after seven years',
    ({ journal }) => formatBytes(journal.bytes),
    '516 an object, 34 of hashes, half a bundle a seal',
  ],
  [
    'sealer, the longest call then',
    ({ journal }) => seconds(journal.sealerSeconds),
    `3.5 s + two days and ${DEPLOYED.seal.bundles} of 256 entries (0.03 each, 0.3 a 1,000 objects) + of an hour 0.1 an object and 15 a GB; has ${SEALER_SECONDS}`,
  ],
  ['so it is at its end after', ({ journal }) => days(journal.sealerDays), 'the formula above, solved for the age'],
  [
    'what comes late to an old day is sealed within',
    ({ journal }) => days(journal.listedDays),
    `a day, and an hour for each ${DEPLOYED.seal.bundles} of 256 entries`,
  ],
  [
    'daily check, what it does each day then',
    ({ journal }) => seconds(journal.checkSeconds),
    `3 s + the list of the journal, 0.3 a 1,000 files + eight days, as above + 0.15 a seal + of 64 objects; has ${DEPLOYED.check.seconds}`,
  ],
  [
    'daily check, memory then',
    ({ journal }) => formatBytes(journal.checkBytes),
    `2,300 bytes an entry of 8 days, or of ${figure(DEPLOYED.check.bundles)} × 256; 2 an entry and 200 a file of all; has ${formatBytes(DEPLOYED.check.memoryMb * MIB)}`,
  ],
  ['so it is at its end after', ({ journal }) => days(journal.checkDays), 'whichever comes first'],
  [
    'all is verified again, and held against it, within',
    ({ journal }) => days(journal.checkedDays),
    `0.15 s a seal and 0.06 for 256 entries, ${DEPLOYED.check.againSeconds} s a day; days as above, ${DEPLOYED.check.daysSeconds} s`,
  ],
  ['a desk reads it, the first time, in', ({ journal }) => seconds(journal.deskSeconds), '0.01 ms an entry'],
  [
    'and for each answer about 30 days in',
    ({ journal }) => seconds(journal.answerSeconds),
    'the same, of these days; about all days as the first time',
  ],
]

function questionsTable(scales: readonly Scale[]): string {
  const asked = scales.map(({ plan }) => everyQuestionOf(SAVED_QUERIES.values(), plan))
  const rows = [...SAVED_QUERIES.values()].map((query, i) => [
    `\`${query.name}\``,
    columnsRead(query),
    figure(asked[0]?.[i]?.days ?? 0),
    ...asked.map(questions => {
      const { bytes, usd: cost, cancelled } = questions[i] as (typeof questions)[number]
      return `${formatBytes(bytes)}, ${usd(cost)}${cancelled ? ' ✕' : ''}`
    }),
  ])
  return table(['question', 'reads', 'days', ...RATES.map(rate => `${figure(rate)} a second`)], rows)
}

/** The limits of a whole table that a rate is over, the first to be met before the others. */
function firstTable(scales: readonly Scale[]): string {
  const over = (limits: readonly Limit[]) => limits.filter(({ of, used }) => of === 'table' && used > 1)
  const rows = scales.flatMap(({ writesPerSecond, plan }) =>
    over(plan.limits).map(({ limit, capture, writesPerSecond: at, used }) => [
      figure(writesPerSecond),
      limit,
      capture,
      at === null ? '' : figure(Math.floor(at)),
      `${figure(used)} ×`,
    ]),
  )
  return table(['changes a second', 'over the limit of', 'capture', 'met at', 'needs'], rows)
}
