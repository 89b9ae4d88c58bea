import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch'

/** `page` wakes somebody, `warn` can wait for the morning. */
export type Severity = 'warn' | 'page'

/** One alarm as data. Its name is also a heading in `docs/runbook.md`. */
export interface AlarmRule<Station> {
  readonly name: string
  readonly severity: Severity
  /** What it says when it goes off. */
  readonly meaning: string
  readonly metric: (station: Station) => IMetric
  /** It goes off above this, or below where `below` is set. */
  readonly threshold: number | ((station: Station) => number)
  readonly below?: true
  /** What it means that nothing is measured. @default - all is well: most count what went wrong */
  readonly silence?: 'alarm'
  /** So many periods, which are minutes but for what is counted once a day or over hours, of the last so many. */
  readonly minutes: readonly [number, number]
}
