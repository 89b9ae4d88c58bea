/** A plan for people: what it takes, what it costs, what questions cost, which limit comes first. */
import { type AddedBill, figure, type Part } from '../../../cost/bill.js'
import type { Flow } from '../../../cost/flow.js'
import type { Limit } from '../../../cost/limit.js'
import { firstLimits } from '../../../cost/limits.js'
import type { CostPlan } from '../../../cost/plan.js'
import { formatBytes } from '../../../queries/engines/athena-cost.js'
import type { Io } from '../../io.js'
import { grouped } from '../../show/progress.js'
import { printTable } from '../../show/table.js'
import { paint } from '../../show/terminal.js'
import { printable, wrap } from '../../show/text.js'
import type { PlanSource } from './for-programs.js'

export function printPlan(plan: CostPlan, source: PlanSource, io: Io): void {
  io.out(`${wrap(describe(plan, source), io.columns)}\n`)
  section('What it takes', io)
  printTable(['', 'streams', 'kinesis'], capacityRows(plan), io)
  section('What a month costs, in US dollars (us-east-1)', io)
  printTable(['', ...plan.bills.map(({ capture }) => capture)], costRows(plan), io)
  section('What sealing adds a month, where the configuration says "seal": true', io)
  printTable(['', 'US dollars', ''], sealingRows(plan), io)
  section('What erasable values add a month, at most', io)
  printTable(['', 'US dollars', ''], addedRows(plan.persons), io)
  section('What comparing each night adds a month, where it has "reconcile": true', io)
  printTable(['', 'US dollars', ''], addedRows(plan.reconciliation), io)
  section('What the canary adds a month, where the configuration says "canary": true', io)
  printTable(['', 'US dollars', ''], addedRows(plan.canary), io)
  section('What a question costs on Athena, over the archive when it is as old as it gets', io)
  printTable(['question', 'saved query', 'days', 'scans at most', 'US dollars'], questionRows(plan), io)
  section('Which limit comes first', io)
  lines(limitLines(plan), io)
  printTable(['', 'limit', 'capture', 'at changes/s', 'in use'], limitRows(plan), io)
  lines(plan.limits.map(limitNote), io)
  section('Taken for granted', io)
  lines(
    plan.assumptions.map(({ assumption, value, source: from, date }) => `${assumption}: ${value} [${from}, ${date}]`),
    io,
  )
  section('Prices', io)
  lines(priceLines(plan), io)
}

function section(title: string, io: Io): void {
  io.out(`\n${paint(io, 'bold', title)}\n`)
}

/** Sentences, each broken to the width and begun anew. */
function lines(sentences: readonly string[], io: Io): void {
  for (const sentence of sentences) io.out(`${wrap(sentence, io.columns)}\n`)
}

function describe({ workload, traffic }: CostPlan, { from, table, changes }: PlanSource): string {
  const origin = {
    arguments: 'as told',
    sample: `measured in a sample of ${grouped(changes ?? 0)} changes`,
    archive: `measured in an archive of ${grouped(changes ?? 0)} changes`,
  }[from]
  const subject = table === null ? 'A table' : printable(table)
  return (
    `${subject}, ${origin}: ${figure(workload.writesPerSecond)} changes a second, ${figure(workload.peakWritesPerSecond)} at the peak; ` +
    `items of ${formatBytes(Math.round(traffic.itemBytes))}, ${percent(traffic.updates)} updates, ${percent(traffic.deletes)} deletes; ` +
    `kept for ${grouped(workload.retentionDays)} days.`
  )
}

function capacityRows(plan: CostPlan): readonly (readonly string[])[] {
  const { traffic, streams, kinesis, delivery, storage, workload } = plan
  const [packed, , direct] = plan.flows as readonly [Flow, Flow, Flow]
  const both = (what: string, text: string) => [what, text, text]
  const { directPut } = streams
  return [
    both('changes a month', figure(packed.changes)),
    ['a change, as it is carried', bytes(traffic.streamsBytes), bytes(traffic.kinesisBytes)],
    both('a row, before and in Parquet', `${bytes(traffic.rowBytes)}, ${bytes(traffic.parquetBytes)}`),
    ['shards at the peak', `${streams.shards}, DynamoDB's own`, `${kinesis.shards} (${figure(kinesis.exact)})`],
    ['changes that come together', `${figure(streams.together)}, ${figure(streams.togetherAtPeak)} at the peak`, ''],
    ['forwarder, calls at once', `${packed.forwarder?.concurrency}`, ''],
    ['transform, calls at once', `${packed.transform.concurrency}`, `${direct.transform.concurrency}`],
    ['transform, GB-seconds a month', figure(packed.transform.gbSeconds), figure(direct.transform.gbSeconds)],
    ['to Firehose at the peak, MiB/s', figure(directPut.mib), figure(kinesis.mib)],
    ['records/s', figure(directPut.records), figure(workload.peakWritesPerSecond * direct.records)],
    ['requests/s', figure(directPut.requests), ''],
    both('partitions at once', `${delivery.partitions}, about midnight ${delivery.partitions + 1}`),
    both('objects a day', `${figure(delivery.objectsADay)} of ${bytes(delivery.objectBytes)}`),
    both('the archive grows by, a month', bytes(storage.bytesAMonth)),
    both('until it has', bytes(storage.bytesAtEnd)),
  ]
}

function costRows({ bills, storage }: CostPlan): readonly (readonly string[])[] {
  const names = [...new Set(bills.flatMap(({ parts }) => parts.map(({ part }) => part)))]
  const fixed = (name: string) => bills.some(({ parts }) => parts.some(one => one.part === name && one.fixed))
  const each = (cell: (bill: CostPlan['bills'][number]) => string) => bills.map(cell)
  return [
    ...names
      .toSorted((a, b) => Number(fixed(a)) - Number(fixed(b)))
      .map(name => [name, ...each(({ parts }) => amount(parts, name))]),
    ['together', ...each(({ usdAMonth }) => usd(usdAMonth))],
    ['  of it for a million changes', ...each(({ usdAMillion }) => usd(usdAMillion))],
    ['storage, the first month', ...each(() => usd(storage.usdFirstMonth))],
    ['storage, a month at the end', ...each(() => usd(storage.usdAMonthAtEnd))],
  ]
}

function sealingRows({ sealing }: CostPlan): readonly (readonly string[])[] {
  return [...addedRows(sealing), ["the journal's files, a month at the end", usd(sealing.usdAMonthAtEnd), '']]
}

function addedRows({ parts, usdAMonth }: AddedBill): readonly (readonly string[])[] {
  return [
    ...parts.map(({ part, usd: cost, arithmetic }) => [part, usd(cost), arithmetic]),
    ['together', usd(usdAMonth), ''],
  ]
}

function amount(parts: readonly Part[], name: string): string {
  const part = parts.find(one => one.part === name)
  return part === undefined ? '' : usd(part.usd)
}

function questionRows({ questions }: CostPlan): readonly (readonly string[])[] {
  return questions.map(({ question, query, days, bytes: scanned, usd: cost, cancelled }) => [
    question,
    query,
    grouped(days),
    `${bytes(scanned)}${cancelled ? ', cancelled' : ''}`,
    usd(cost),
  ])
}

function limitLines({ limits }: CostPlan): readonly string[] {
  return (['streams', 'kinesis', 'own'] as const).map(capture => {
    const [first] = firstLimits(limits, capture) as readonly [Limit]
    const rate = Math.floor(first.writesPerSecond as number)
    const whose = capture === 'own' ? "the archive's own functions" : capture
    const what = first.onAverage ? 'the average' : 'the peak'
    return `${whose}: ${first.limit}, at ${grouped(rate)} changes a second; ${what} takes ${percent(first.used)} of it`
  })
}

function limitRows({ limits }: CostPlan): readonly (readonly string[])[] {
  return limits.map(({ limit, capture, of, writesPerSecond, used }, i) => [
    `${i + 1}`,
    of === 'item' ? `${limit} (one item)` : limit,
    capture,
    writesPerSecond === null ? 'any' : grouped(Math.floor(writesPerSecond)),
    percent(used),
  ])
}

function limitNote({ quota, remark, source, date }: Limit, i: number): string {
  return `${i + 1}: ${remark === null ? quota : `${quota}; ${remark}`} [${source}, ${date}]`
}

function priceLines({ bills, sealing, persons, reconciliation, canary }: CostPlan): readonly string[] {
  const bySource = new Map<string, Set<string>>()
  for (const { part, source, date } of [...bills, sealing, persons, reconciliation, canary].flatMap(
    ({ parts }) => parts,
  )) {
    const from = `${source}, ${date}`
    bySource.set(from, (bySource.get(from) ?? new Set()).add(part))
  }
  return [...bySource].map(([source, parts]) => `${[...parts].join('; ')} [${source}]`)
}

function bytes(value: number): string {
  return formatBytes(value < 1024 ? Math.round(value) : value)
}

/** Cents, and less than a cent with two digits that count. */
function usd(value: number): string {
  if (value === 0 || value >= 0.01)
    return value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  return value.toPrecision(2)
}

function percent(share: number): string {
  return `${figure(share * 100)} %`
}
