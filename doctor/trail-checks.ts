import type { DeployedFact, DriftFacts, TrailSettings } from './deployed-facts.js'
import { type Check, judgeAge, judged, known } from './judgement.js'

/** The trail that keeps who called, and the tables whose writes it has to log. */
export interface TrailSubject {
  readonly settings: DeployedFact<TrailSettings>
  /** How old its newest digest is, in milliseconds. */
  readonly delivered: DeployedFact<number | undefined>
  readonly tables: readonly string[]
}

/** CloudTrail delivers a digest for each hour, also one in which nobody called (user guide, "Empty digest files"). */
const DIGEST_LATE_HOURS = 3

const LOOK_AT_TRAIL = 'docs/runbook.md, trail-touched; in the first hours after a deployment ask again later'

/** What is checked of the trail: one that logs no more looks like a table that nobody writes to. */
export const TRAIL_CHECKS: readonly Check<TrailSubject>[] = [
  {
    name: 'logging',
    todo: LOOK_AT_TRAIL,
    judge: ({ settings }) =>
      known(settings, 'on', ({ isLogging }) => judged(isLogging, isLogging ? 'on' : 'off', 'on')),
  },
  {
    name: 'writes that are logged',
    todo: 'deploy the stack again: the selectors of the trail are not those of its template',
    judge: ({ settings, tables }) => {
      const promised = 'all writes of every captured table'
      return known(settings, promised, ({ tableArns }) => {
        const missing = tables.filter(table => !tableArns.some(arn => arn.endsWith(`:table/${table}`)))
        return judged(missing.length === 0, missing.length === 0 ? promised : `not of ${missing.join(', ')}`, promised)
      })
    },
  },
  {
    name: 'delivery',
    todo: LOOK_AT_TRAIL,
    judge: ({ delivered }) =>
      judgeAge(delivered, {
        mostMs: DIGEST_LATE_HOURS * HOUR_MS,
        promised: `a digest file within the last ${DIGEST_LATE_HOURS} hours`,
        none: 'none came yesterday or today',
        found: ageMs => `the newest digest file is ${Math.round(ageMs / 60_000)} minutes old`,
      }),
  },
]

const HOUR_MS = 3_600_000

/** What the trail of a stack logs, as drift detection found it. */
export function trailSettings(drifts: readonly DeployedFact<DriftFacts>[]): DeployedFact<TrailSettings> {
  const [value] = drifts.flatMap(drift => (drift.kind === 'found' ? drift.value.trails : []))
  if (value !== undefined) return { kind: 'found', value }
  return { kind: 'unknown', why: 'what the trail logs is told by drift detection, which did not look at it' }
}

/** Reads a trail's settings as CloudFormation has them; only a selector that leaves no write out counts. */
export function readTrailSettings(properties: Readonly<Record<string, unknown>>): TrailSettings {
  const selectors = (properties.AdvancedEventSelectors ?? []) as readonly {
    readonly FieldSelectors?: FieldSelector[]
  }[]
  return {
    isLogging: properties.IsLogging === true || properties.IsLogging === 'true',
    tableArns: selectors.flatMap(({ FieldSelectors = [] }) => {
      const narrowing = FieldSelectors.filter(({ Field, ...by }) => !WIDE.has(JSON.stringify([Field, by])))
      const [arns, ...others] = narrowing
      return arns?.Field === 'resources.ARN' && others.length === 0 ? (arns.Equals ?? []) : []
    }),
  }
}

interface FieldSelector {
  readonly Field?: string
  readonly Equals?: readonly string[]
}

/** What a selector may say beside the tables. */
const WIDE: ReadonlySet<string> = new Set(
  Object.entries({ eventCategory: 'Data', 'resources.type': 'AWS::DynamoDB::Table', readOnly: 'false' }).map(
    ([field, value]) => JSON.stringify([field, { Equals: [value] }]),
  ),
)
