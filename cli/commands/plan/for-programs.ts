/** A plan as `itemtrail plan --format json` tells it: the contract of docs/cli-json.md. */
import type { AddedBill, Part } from '../../../cost/bill.js'
import { MONTH_HOURS } from '../../../cost/capacity.js'
import type { Calls, Flow } from '../../../cost/flow.js'
import type { CostPlan } from '../../../cost/plan.js'

/** What a plan was made from. */
export interface PlanSource {
  readonly from: 'arguments' | 'sample' | 'archive'
  readonly table: string | null
  /** Changes that were measured. */
  readonly changes: number | null
}

/** A plan as one object of the contract. */
export function planJson(plan: CostPlan, source: PlanSource): object {
  return rounded({
    workload: workloadOf(plan, source),
    change: changeOf(plan),
    ...capturesOf(plan),
    functions: plan.flows.flatMap(functionsOf),
    ...archiveOf(plan),
    costs: plan.bills.map(costOf),
    sealing: sealingOf(plan.sealing),
    persons: addedOf(plan.persons),
    reconciliation: addedOf(plan.reconciliation),
    canary: addedOf(plan.canary),
    questions: plan.questions,
    limits: plan.limits.map(limitOf),
    assumptions: plan.assumptions,
  }) as object
}

function workloadOf({ workload, traffic }: CostPlan, { from, table, changes }: PlanSource): object {
  return {
    from,
    table,
    changes_measured: changes,
    writes_per_second: workload.writesPerSecond,
    peak_writes_per_second: workload.peakWritesPerSecond,
    item_bytes: traffic.itemBytes,
    updates: traffic.updates,
    deletes: traffic.deletes,
    retention_days: workload.retentionDays,
    buffer_mb: workload.buffer.mb,
    buffer_seconds: workload.buffer.seconds,
  }
}

function changeOf({ traffic }: CostPlan): object {
  return {
    streams_bytes: traffic.streamsBytes,
    kinesis_bytes: traffic.kinesisBytes,
    row_bytes: traffic.rowBytes,
    parquet_bytes: traffic.parquetBytes,
    parquet_measured: traffic.parquetMeasured,
  }
}

/** What either way of capture takes. */
function capturesOf({ streams, kinesis }: CostPlan): object {
  return {
    streams: {
      shards: streams.shards,
      together: streams.together,
      together_at_peak: streams.togetherAtPeak,
      put_mib_per_second: streams.directPut.mib,
      put_records_per_second: streams.directPut.records,
      put_requests_per_second: streams.directPut.requests,
    },
    kinesis: {
      shards: kinesis.shards,
      shards_exact: kinesis.exact,
      shards_exact_2023: kinesis.exactOf2023,
      mib_per_second: kinesis.mib,
    },
  }
}

/** What the archive is written in, and grows to. */
function archiveOf({ delivery, storage }: CostPlan): object {
  return {
    delivery: {
      partitions: delivery.partitions,
      objects_a_day: delivery.objectsADay,
      object_bytes: delivery.objectBytes,
    },
    storage: {
      bytes_a_month: storage.bytesAMonth,
      bytes_at_end: storage.bytesAtEnd,
      usd_first_month: storage.usdFirstMonth,
      usd_a_month_at_end: storage.usdAMonthAtEnd,
    },
  }
}

function costOf({ capture, parts, usdAMonth, usdAMillion }: CostPlan['bills'][number]): object {
  return {
    capture,
    usd_a_month: usdAMonth,
    usd_a_million: usdAMillion,
    parts: parts.map(partOf),
  }
}

function partOf({ part, fixed, usd, arithmetic, source, date }: Part): object {
  return { part, fixed, usd_a_month: usd, arithmetic, source, date }
}

function addedOf({ parts, usdAMonth }: AddedBill): object {
  return { usd_a_month: usdAMonth, parts: parts.map(partOf) }
}

function sealingOf(sealing: CostPlan['sealing']): object {
  const { month, usdAMonthAtEnd } = sealing
  return { ...addedOf(sealing), bytes_a_month: month.bytes, usd_a_month_at_end: usdAMonthAtEnd }
}

function limitOf(limit: CostPlan['limits'][number]): object {
  const { limit: name, capture, of, quota, writesPerSecond, onAverage, used, remark, source, date } = limit
  return {
    limit: name,
    capture,
    of,
    quota,
    writes_per_second: writesPerSecond,
    on_average: onAverage,
    used,
    remark,
    source,
    date,
  }
}

function functionsOf({ capture, forwarder, transform }: Flow): readonly object[] {
  const one = (name: string, { calls, gbSeconds, concurrency }: Calls) => ({
    capture,
    function: name,
    calls_a_month: calls,
    calls_a_second: calls / (MONTH_HOURS * 3600),
    gb_seconds_a_month: gbSeconds,
    concurrency,
  })
  return [...(forwarder === null ? [] : [one('forwarder', forwarder)]), one('transform', transform)]
}

/** Six digits that count: more would say more than is known. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(6))
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]))
}
