import type { Lock } from '../config/schema.js'
import {
  CHECKED_PREFIX,
  CONFIG_PREFIX,
  DATA_PREFIX,
  FACTS_PREFIX,
  LOG_PREFIX,
  REFUSED_PREFIX,
  STAGED_PREFIX,
} from '../transform/layout.js'
import { denials } from './bucket-policy.js'
import type { BucketFacts, DeployedFact, LifecycleRule, LockedObject, LockFacts } from './deployed-facts.js'
import { type Check, judged, known, ok, unchecked } from './judgement.js'

/** What is checked of every bucket. */
export const BUCKET_CHECKS: readonly Check<BucketFacts>[] = [
  {
    name: 'versioning',
    todo: 'aws s3api put-bucket-versioning --versioning-configuration Status=Enabled; look in the access log for what was overwritten meanwhile',
    judge: ({ versioning }) => known(versioning, 'Enabled', status => judged(status === 'Enabled', status, 'Enabled')),
  },
  {
    name: 'public access block',
    todo: 'aws s3api put-public-access-block, all four true; look in the access log for who read meanwhile',
    judge: ({ openTo }) =>
      known(openTo, 'all four on', settings =>
        judged(
          settings.length === 0,
          settings.length === 0 ? 'all four on' : `off: ${settings.join(', ')}`,
          'all four on',
        ),
      ),
  },
  {
    name: 'encryption',
    todo: 'deploy the stack again; objects that were written meanwhile are encrypted by another key',
    judge: ({ encryption }) => known(encryption, 'aws:kms', found => judged(found === 'aws:kms', found, 'aws:kms')),
  },
]

/** The archive's own bucket, with what the configuration asks for. */
export interface ArchiveSubject extends BucketFacts {
  readonly promisedLock: Lock | undefined
  readonly isSealed: boolean
  readonly locks: DeployedFact<readonly LockedObject[]>
}

/** What is no evidence: refused records, what a sealing was about to write, and how far the daily check was. */
const FORGOTTEN = [REFUSED_PREFIX, STAGED_PREFIX, CHECKED_PREFIX]

/** What the bucket's policy denies everybody but the roles of the stack, and how it is told that it does not. */
const DENIALS = [
  {
    when: 'always',
    actions: ['s3:PutObject'],
    form: below(DATA_PREFIX),
    what: `others than Firehose may write under ${DATA_PREFIX}`,
  },
  {
    when: 'always',
    actions: ['s3:PutObject'],
    form: below(CONFIG_PREFIX),
    what: `others than the stack may write under ${CONFIG_PREFIX}`,
  },
  {
    when: 'always',
    actions: ['s3:PutObject'],
    form: below(FACTS_PREFIX),
    what: `others than BaselineRole may write under ${FACTS_PREFIX}`,
  },
  {
    when: 'locked',
    actions: ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention'],
    form: below(''),
    what: 'somebody may delete, or go round a lock',
  },
  {
    when: 'sealed',
    actions: ['s3:PutObject'],
    form: below(LOG_PREFIX),
    what: `others than the sealer may write under ${LOG_PREFIX}`,
  },
  {
    when: 'sealed',
    actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
    form: below(LOG_PREFIX),
    what: `somebody may delete under ${LOG_PREFIX}`,
  },
  {
    when: 'sealed',
    actions: ['s3:PutObject'],
    form: below(CHECKED_PREFIX),
    what: `others than the daily check may write under ${CHECKED_PREFIX}`,
  },
] as const
const DENIES = 'deletes and writes by others are denied'

/** What is checked of the archive besides. */
export const ARCHIVE_CHECKS: readonly Check<ArchiveSubject>[] = [
  ...BUCKET_CHECKS,
  {
    name: 'object lock',
    todo: 'deploy the stack again; lock what was delivered meanwhile: aws s3api put-object-retention for each version',
    judge: ({ lock, promisedLock }) => {
      if (promisedLock === undefined) return unchecked('the configuration has no "lock"', '"lock" in the configuration')
      const promised = describeLock(toLockFacts(promisedLock))
      return known(lock, promised, found => judged(describeLock(found) === promised, describeLock(found), promised))
    },
  },
  {
    name: 'locks of objects',
    todo: 'docs/runbook.md, object-unlocked; lock what is not: aws s3api put-object-retention for each version',
    judge: ({ locks, promisedLock }) => {
      const mode = promisedLock?.mode.toUpperCase() ?? 'NONE'
      if (mode === 'NONE') return ok('not asked for', 'no lock')
      const promised = `${mode} or stricter under each prefix`
      return known(locks, promised, objects => {
        const bad = objects.filter(({ mode: found }) => found !== mode && found !== 'COMPLIANCE')
        const found = bad.map(({ key, mode: one }) => `${key} is ${one === undefined ? 'not locked' : `locked ${one}`}`)
        return judged(
          bad.length === 0,
          found.join('; ') || `the newest of ${objects.length} prefixes are locked`,
          promised,
        )
      })
    },
  },
  {
    name: 'bucket policy',
    todo: 'deploy the stack again; look in the access log and in CloudTrail for what was written or deleted meanwhile',
    judge: ({ policy, promisedLock, isSealed }) => {
      const isLocked = promisedLock !== undefined && promisedLock.mode !== 'none'
      return known(policy, DENIES, statements => {
        const missing = DENIALS.filter(({ when, actions, form }) => {
          const isAsked = when === 'always' || (when === 'locked' ? isLocked : isSealed)
          return isAsked && denials(statements, actions, form).length === 0
        })
        return judged(missing.length === 0, missing.map(({ what }) => what).join('; ') || DENIES, DENIES)
      })
    },
  },
  {
    name: 'storage classes',
    todo: 'take the transition out, and restore what moved: Athena skips objects in archive classes without a word',
    judge: ({ lifecycle }) =>
      known(lifecycle, READABLE, rules => {
        const bad = rules.flatMap(({ id, classes }) =>
          classes.filter(name => !READABLE_CLASSES.includes(name)).map(name => `rule ${id} moves objects to ${name}`),
        )
        return judged(bad.length === 0, bad.join('; ') || classesOf(rules), READABLE)
      }),
  },
  {
    name: 'expiration',
    todo: `take the rule out at once; only ${FORGOTTEN.join(', ')} may expire`,
    judge: ({ lifecycle }) =>
      known(lifecycle, EXPIRES, rules => {
        const bad = rules.filter(
          ({ prefix, expires, expiresVersions }) =>
            (expires || expiresVersions) && !FORGOTTEN.some(forgotten => prefix.startsWith(forgotten)),
        )
        const found = bad.map(({ id, prefix }) => `rule ${id} expires ${prefix === '' ? 'everything' : prefix}`)
        return judged(bad.length === 0, found.join('; ') || EXPIRES, EXPIRES)
      }),
  },
]

/** What Athena reads at once. Intelligent-Tiering may have archive tiers, which the rule does not say. */
const READABLE_CLASSES = ['STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR']
const READABLE = `only to ${READABLE_CLASSES.join(', ')}, which Athena reads`
const EXPIRES = `nothing but ${FORGOTTEN.join(', ')} expires`

/** Everything below a prefix of a bucket, as a policy names it. */
function below(prefix: string): RegExp {
  return new RegExp(`^[^/]+/${prefix}\\*$`)
}

function classesOf(rules: readonly LifecycleRule[]): string {
  return [...new Set(rules.flatMap(({ classes }) => classes))].join(', ') || 'no transitions'
}

/** What a bucket has for a lock. Locked on delivery, it has no default: a function locks each object. */
function toLockFacts(lock: Lock): LockFacts {
  if (lock.mode === 'none') return { isEnabled: false, retention: undefined }
  return {
    isEnabled: true,
    retention: lock.by === 'bucket' ? { mode: lock.mode.toUpperCase(), days: lock.days } : undefined,
  }
}

function describeLock({ isEnabled, retention }: LockFacts): string {
  if (!isEnabled) return 'off'
  return retention === undefined
    ? 'on, without a default'
    : `on, by default ${retention.mode} for ${retention.days} days`
}
