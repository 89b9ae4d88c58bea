import { describe, expect, it } from 'vitest'
import { ARCHIVE_CHECKS, type ArchiveSubject } from '../../doctor/bucket-checks.js'
import { parseStatements } from '../../doctor/bucket-policy.js'
import { ORDERS, ofType, type Resource, templateOf } from './archives.js'
import { bucketPolicies, resourcesOf } from './policies.js'

/** What one can have, all of it; a lock as it is checked. */
const LOCK = { mode: 'governance', days: 30 } as const
const SEALED = templateOf({ Orders: ORDERS }, { lock: LOCK, compact: true, seal: true, callers: true, canary: true })
const PLAIN = templateOf({ Orders: ORDERS }, { lock: { mode: 'none' } })

const found = <T>(value: T) => ({ kind: 'found', value }) as const

/** The archive's bucket as AWS would describe it once the template is deployed, but for a statement of its policy. */
function deployed({ resources }: typeof SEALED, promisedLock: ArchiveSubject['promisedLock'], lacking?: string) {
  const [, { Properties }] = ofType(resources, 'AWS::S3::Bucket').find(([id]) =>
    id.startsWith('AuditArchiveBucket'),
  ) as readonly [string, Resource]
  const statements = (bucketPolicies(resources).get('AuditArchiveBucket') ?? [])
    .filter(({ Sid }) => Sid !== lacking)
    .map(one => ({ ...one, Resource: resourcesOf(one).map(it => it.replace(/^<[^>]*>/, 'arn:aws:s3:::archive')) }))
  const encryption = Properties.BucketEncryption.ServerSideEncryptionConfiguration
  const subject: ArchiveSubject = {
    name: 'archive',
    versioning: found(Properties.VersioningConfiguration.Status),
    openTo: found([]),
    encryption: found(encryption[0].ServerSideEncryptionByDefault.SSEAlgorithm),
    lock: found({ isEnabled: Properties.ObjectLockEnabled === true, retention: undefined }),
    lifecycle: found(Properties.LifecycleConfiguration.Rules.map(ruleOf)),
    policy: found(parseStatements(JSON.stringify({ Statement: statements }))),
    locks: found([]),
    promisedLock,
    isSealed: promisedLock?.mode !== 'none',
  }
  return ARCHIVE_CHECKS.map(({ name, judge }) => ({ name, ...judge(subject) }))
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ name, found: what }) => `${name}: ${what}`)
}

function ruleOf(rule: Resource['Properties']) {
  return {
    id: rule.Id,
    prefix: rule.Prefix ?? '',
    classes: (rule.Transitions ?? []).map(({ StorageClass }: { StorageClass: string }) => StorageClass),
    expires: rule.ExpirationInDays !== undefined,
    expiresVersions: rule.NoncurrentVersionExpiration !== undefined,
    days: rule.ExpirationInDays,
    versionDays: rule.NoncurrentVersionExpiration?.NoncurrentDays,
  }
}

describe('what doctor asks of the bucket of an archive', () => {
  it('is what is deployed, with everything and with nothing switched on', () => {
    expect(deployed(SEALED, { ...LOCK, by: 'delivery' })).toEqual([])
    expect(deployed(PLAIN, { mode: 'none' })).toEqual([])
  })

  it.each([
    ['DenyWritingChecked', 'others than the daily check may write under checked/'],
    ['DenySealing', 'others than the sealer may write under log/'],
    ['DenyUnsealing', 'somebody may delete under log/'],
  ])('is missed where its policy lacks %s', (sid, what) => {
    expect(deployed(SEALED, { ...LOCK, by: 'delivery' }, sid)).toEqual([`bucket policy: ${what}`])
  })
})
