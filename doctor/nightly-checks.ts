import { NIGHTLY_LATE_HOURS } from '../config/nightly.js'
import type { DeployedFact } from './deployed-facts.js'
import { type Check, judged, known } from './judgement.js'

/** What is checked of a table that is compared each night: how old is what was compared last, in milliseconds. */
export const NIGHTLY_CHECKS: readonly Check<DeployedFact<number | undefined>>[] = [
  {
    name: 'nightly comparison',
    todo: 'docs/runbook.md, reconcile-late and reconcile-differs; in the first two days after a deployment ask again later',
    judge: compared =>
      known(compared, IN_TIME, ageMs => {
        if (ageMs === undefined) return judged(false, 'none is kept', IN_TIME)
        const found = `the newest is of ${Math.round(ageMs / HOUR_MS)} hours ago`
        return judged(ageMs <= NIGHTLY_LATE_HOURS * HOUR_MS, found, IN_TIME)
      }),
  },
]

const HOUR_MS = 3_600_000
const IN_TIME = `a comparison within the last ${NIGHTLY_LATE_HOURS} hours`
