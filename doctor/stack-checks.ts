import type { DeployedFact, DriftFacts, StackFacts } from './deployed-facts.js'
import { type Check, judged, known, ok, unchecked } from './judgement.js'

/** What is checked of the stack itself. */
export const STACK_CHECKS: readonly Check<StackFacts>[] = [
  {
    name: 'deployment',
    todo: 'look at the events of the stack, then deploy again',
    judge: ({ status }) => {
      const promised = 'CREATE_COMPLETE, UPDATE_COMPLETE or IMPORT_COMPLETE'
      if (/_IN_PROGRESS$/.test(status)) return unchecked(`${status}: ask again when it is done`, promised)
      return judged(/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status), status, promised)
    },
  },
  {
    name: 'termination protection',
    todo: 'aws cloudformation update-termination-protection --enable-termination-protection',
    judge: ({ isProtected, tags }) => {
      const found = isProtected ? 'on' : 'off'
      // only our own app promises it: the stack of another is not ours to protect, and the demo is there to be removed
      const isOurs = tags.get('application') === 'itemtrail' && tags.get('environment') !== 'demo'
      return isOurs ? judged(isProtected, found, 'on') : ok(found, 'nothing, it is not a stack of the app itself')
    },
  },
]

/** What is checked of a stack, and of each that is nested in it. */
export const DRIFT_CHECKS: readonly Check<DeployedFact<DriftFacts>>[] = [
  {
    name: 'drift',
    todo: 'find out who changed it (CloudTrail), then bring it back: deploy, or change it back by hand',
    judge: fact =>
      known(fact, 'as the template has it', ({ status, drifted }) => {
        const promised = 'as the template has it'
        if (drifted.length > 0) return judged(false, drifted.map(describeDrift).join('; '), promised)
        return status === 'IN_SYNC' ? ok('as the template has it', promised) : unchecked(status, promised)
      }),
  },
]

function describeDrift({ logicalId, type, status, properties }: DriftFacts['drifted'][number]): string {
  return `${type} ${logicalId} is ${status}${properties.length === 0 ? '' : `: ${properties.join(', ')}`}`
}
