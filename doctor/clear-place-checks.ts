import { REFUSED_PREFIX } from '../transform/layout.js'
import type { BucketFacts, DeployedFact, Facts, LifecycleRule } from './deployed-facts.js'
import { type Check, judged, known, unchecked } from './judgement.js'

/** What holds records as they came, or is told of them, beside the archive's rows: for so long it may. */
export interface ClearPlaces extends Pick<Facts, 'archive' | 'refused' | 'drift' | 'stack'> {
  /** Of the configuration. */
  readonly refusedDays: number
}

/** As `docs/erasure.md` tells it, and the stack makes it. */
const LOG_DAYS = 365
const QUEUE_DAYS = 14
/** Days for which the version of a refused object is left that expired. */
const VERSION_DAYS = 1

const FOR_EVER = 'for ever'

const LET_REFUSED_EXPIRE =
  'deploy again; itemtrail subject erase names what is there of a person, which is to be redriven or deleted'

/** What is checked of places that may hold something of who was erased: none keeps it longer than is documented. */
export const CLEAR_PLACE_CHECKS: readonly Check<ClearPlaces>[] = [
  {
    name: 'refused records in the archive',
    todo: LET_REFUSED_EXPIRE,
    judge: ({ archive, refusedDays }) => judgeRefused(archive, REFUSED_PREFIX, refusedDays),
  },
  {
    name: 'what Lambda gave up',
    todo: LET_REFUSED_EXPIRE,
    judge: ({ refused, refusedDays }) => judgeRefused(refused, '', refusedDays),
  },
  {
    name: 'logs',
    todo: 'deploy again, or: aws logs put-retention-policy --retention-in-days 365',
    judge: places => judgeKept(places, 'AWS::Logs::LogGroup', LOG_DAYS),
  },
  {
    name: 'queues',
    todo: 'deploy again, or: aws sqs set-queue-attributes --attributes MessageRetentionPeriod=1209600',
    judge: places => judgeKept(places, 'AWS::SQS::Queue', QUEUE_DAYS),
  },
]

function judgeRefused(bucket: DeployedFact<BucketFacts>, prefix: string, refusedDays: number) {
  const promised = `${refusedDays} days, and old versions ${VERSION_DAYS}`
  return known(bucket, promised, ({ lifecycle }) =>
    known(lifecycle, promised, rules => {
      const covering = rules.filter(rule => prefix.startsWith(rule.prefix))
      const [days, versions] = [fewest(covering, 'days'), fewest(covering, 'versionDays')]
      const found = `${days ?? FOR_EVER}${days === undefined ? '' : ' days'}, and old versions ${versions ?? FOR_EVER}`
      return judged(
        days !== undefined && days <= refusedDays && versions !== undefined && versions <= VERSION_DAYS,
        found,
        promised,
      )
    }),
  )
}

/** The rule that ends it first counts. */
function fewest(rules: readonly LifecycleRule[], field: 'days' | 'versionDays'): number | undefined {
  const days = rules.map(rule => rule[field]).filter(one => one !== undefined)
  return days.length === 0 ? undefined : Math.min(...days)
}

/** How long things of a kind keep what they hold, which drift detection tells. */
function judgeKept({ drift, stack }: ClearPlaces, type: string, most: number) {
  const promised = `at most ${most} days`
  const kept = drift.flatMap(({ found }) => (found.kind === 'found' ? found.value.kept : []))
  const ofType = kept.filter(one => one.type === type)
  const long = ofType.filter(({ days }) => days === undefined || days > most)
  if (long.length > 0) {
    const found = long.map(({ logicalId, days }) => `${logicalId} ${days === undefined ? FOR_EVER : `${days} days`}`)
    return judged(false, found.join(', '), promised)
  }
  const missing = stack.resources.filter(resource => resource.type === type).length - ofType.length
  if (missing > 0) return unchecked(`drift detection did not look at ${missing} of them`, promised)
  return judged(true, ofType.length === 0 ? 'none' : promised, promised)
}
