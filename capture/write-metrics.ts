/** The CloudWatch namespace of every metric that our functions count. */
export const METRICS_NAMESPACE = 'Itemtrail'

/** Counts refused objects that will soon expire. */
export const EXPIRING_METRIC = 'RefusedExpiring'

/** What is counted, by metric name; bytes where the name says so, and seconds of a lag. */
export type Counts = { readonly [metric: string]: number }

/**
 * Metrics as one line of CloudWatch's embedded metric format, by one dimension. The line has to reach the log as it is,
 * so it goes to standard output itself: Lambda rewrites what `console` writes.
 */
export function writeMetrics(dimension: { readonly [name: string]: string }, counts: Counts, now: number): void {
  const metrics = Object.keys(counts).map(name => ({ Name: name, Unit: unitOf(name) }))
  const directive = { Namespace: METRICS_NAMESPACE, Dimensions: [Object.keys(dimension)], Metrics: metrics }
  const line = { _aws: { Timestamp: now, CloudWatchMetrics: [directive] }, ...dimension, ...counts }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function unitOf(name: string): 'Bytes' | 'Seconds' | 'Count' {
  if (name.endsWith('Bytes')) return 'Bytes'
  return name.endsWith('Lag') ? 'Seconds' : 'Count'
}
