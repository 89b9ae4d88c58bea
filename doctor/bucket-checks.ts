import type { Lock } from '../config/schema.js'
import { REFUSED_PREFIX } from '../transform/layout.js'
import type { BucketFacts, LifecycleRule, LockFacts } from './facts.js'
import { type Check, judged, known, unchecked } from './judgement.js'

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

/** The archive's own bucket, with the lock that the configuration asks for. */
export interface ArchiveSubject extends BucketFacts {
  readonly promisedLock: Lock | undefined
}

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
    todo: `take the rule out at once; only ${REFUSED_PREFIX} may expire`,
    judge: ({ lifecycle }) =>
      known(lifecycle, EXPIRES, rules => {
        const bad = rules.filter(
          ({ prefix, expires, expiresVersions }) => (expires || expiresVersions) && !prefix.startsWith(REFUSED_PREFIX),
        )
        const found = bad.map(({ id, prefix }) => `rule ${id} expires ${prefix === '' ? 'everything' : prefix}`)
        return judged(bad.length === 0, found.join('; ') || EXPIRES, EXPIRES)
      }),
  },
]

/** What Athena reads at once. Intelligent-Tiering may have archive tiers, which the rule does not say. */
const READABLE_CLASSES = ['STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR']
const READABLE = `only to ${READABLE_CLASSES.join(', ')}, which Athena reads`
const EXPIRES = `nothing but ${REFUSED_PREFIX} expires`

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
