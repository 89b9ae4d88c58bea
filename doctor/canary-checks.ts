import { CANARY_LATE_SECONDS } from '../config/canary.js'
import type { DeployedFact } from './deployed-facts.js'
import { type Check, judgeAge } from './judgement.js'

/** What is checked of the canary: the age of its newest object in milliseconds, undefined where there is none. */
export const CANARY_CHECKS: readonly Check<DeployedFact<number | undefined>>[] = [
  {
    name: 'canary',
    todo: 'docs/runbook.md, canary-silent and canary-late; in the first hour after a deployment ask again later',
    judge: arrived =>
      judgeAge(arrived, {
        mostMs: CANARY_LATE_SECONDS * 1000,
        promised: `an object within the last ${CANARY_LATE_SECONDS / 60} minutes`,
        none: 'nothing of it arrived yesterday or today',
        found: ageMs => `its newest object is ${Math.round(ageMs / 60_000)} minutes old`,
      }),
  },
]
