import { TRANSFORM_BUFFER } from '../aws/firehose-buffer.js'
import { BUNDLES_A_RUN } from '../journal/new-objects.js'
import { SEALER_RESERVE_MS } from '../journal/seal.js'

/**
 * What the stack in `infra/` deploys, as far as a plan reckons with it. `test/infra/plan.test.ts` holds each figure
 * against a synthesised template, because a plan cannot import what needs CDK.
 */
export const DEPLOYED = {
  forwarder: { memoryMb: 512, batchRecords: 1000, windowSeconds: 5, parallelization: 1 },
  transform: { memoryMb: 1024, bufferMb: TRANSFORM_BUFFER.mb },
  lock: { memoryMb: 256 },
  /** The sealer keeps some of its seconds for writing what it described; bundles whose days a run lists. */
  seal: { bundles: BUNDLES_A_RUN, memoryMb: 1769, everyHours: 1, seconds: 900, keptSeconds: SEALER_RESERVE_MS / 1000 },
  /** Of its seconds those in which it verifies again, and holds days before the last ones; bundles held at once. */
  check: { memoryMb: 3008, everyHours: 24, seconds: 900, againSeconds: 480, daysSeconds: 300, days: 7, bundles: 1024 },
  /** Each run may take half of what is left of a call, less a minute. */
  compaction: { everyHours: 6, seconds: 900, runGb: 8 },
  kinesisRetentionDays: 7,
  lifecycle: { infrequentAccessDays: 90, instantRetrievalDays: 365 },
  /** Metrics that alarms look at, each of which is billed; of an alarm by a query, which finds them, one is counted. */
  alarmMetrics: { streams: 27, kinesis: 18, archive: 7, journal: 8, canary: 3, reconciliation: 3, persons: 2 },
  /** What the functions of a journal count. */
  journalMetrics: 10,
  canary: { memoryMb: 256, metrics: 2 },
  reconciliation: { memoryMb: 2048, metrics: 4 },
  ownMetrics: { streams: 8, kinesis: 1, archive: 1 },
} as const

/** Where Athena cancels a query, unless the configuration says otherwise. */
export const SCAN_CUTOFF_GB = 100

/** Seven years, which many rules about records ask for. */
export const RETENTION_DAYS = 2557
