import { CANARY_LATE_SECONDS } from '../config/canary.js'
import type { DeployedFact } from './deployed-facts.js'
import { type Check, judged, known } from './judgement.js'

/** What is checked of the canary: the age of its newest object in milliseconds, undefined where there is none. */
export const CANARY_CHECKS: readonly Check<DeployedFact<number | undefined>>[] = [
  {
    name: 'canary',
    todo: 'docs/runbook.md, canary-silent and canary-late; in the first hour after a deployment ask again later',
    judge: arrived =>
      known(arrived, IN_TIME, ageMs => {
        if (ageMs === undefined) return judged(false, 'nothing of it arrived yesterday or today', IN_TIME)
        const found = `its newest object is ${Math.round(ageMs / 60_000)} minutes old`
        return judged(ageMs <= CANARY_LATE_SECONDS * 1000, found, IN_TIME)
      }),
  },
]

const IN_TIME = `an object within the last ${CANARY_LATE_SECONDS / 60} minutes`
