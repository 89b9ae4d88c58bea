import { KEY_BACKUP_DAYS, KEY_USE_TAG, type KeyUse, PURPOSE } from '../config/key-store.js'
import type { PolicyStatement } from './bucket-policy.js'
import type { DeployedFact, PersonKeyFacts } from './deployed-facts.js'
import { type Check, type Judgement, judged, known } from './judgement.js'
import { EVERY_KEY } from './key-checks.js'

const DAYS = `${KEY_BACKUP_DAYS} days`
const NO_COPY = 'none besides'
const LET_IN = 'only roles with their tag, and nobody removes an entry'

/** What is checked of the keys of persons: they are there for good, and an erasure is for good, too. */
export const PERSON_KEY_CHECKS: readonly Check<PersonKeyFacts>[] = [
  {
    name: 'key table protected',
    todo: 'deploy again, and find out who took the protection away (CloudTrail, UpdateTable)',
    judge: ({ isProtected }) =>
      known(isProtected, 'on', isOn => judged(isOn, isOn ? 'on' : 'off: one call deletes every key', 'on')),
  },
  {
    name: 'key table backup',
    todo: `deploy again: without it a mistake is for good, and with more than ${DAYS} certificates say too early when an erasure is effective`,
    judge: ({ backupDays }) =>
      known(backupDays, DAYS, days => judged(days === KEY_BACKUP_DAYS, days === 0 ? 'off' : `${days} days`, DAYS)),
  },
  {
    name: 'key table copies',
    todo: 'delete the backups: persons who were erased since have their keys in them',
    judge: ({ backups }) =>
      known(backups, NO_COPY, found => judged(found.length === 0, found.join() || NO_COPY, NO_COPY)),
  },
  {
    name: 'key table policy',
    todo: 'deploy again, and find out who changed the policy (CloudTrail, PutResourcePolicy)',
    judge: ({ policy }) => judgeDenials(policy, TABLE_DENIALS),
  },
  ...EVERY_KEY.map(check => ({ ...check, judge: ({ key }: PersonKeyFacts) => check.judge(key) })),
  {
    name: 'who may open keys',
    todo: 'deploy again, and find out who changed the policy of the key (CloudTrail, PutKeyPolicy)',
    judge: ({ key }) => known(key, LET_IN, ({ policy }) => judgeDenials(policy, KEY_DENIALS)),
  },
]

/** Denials of everybody, and under which conditions. */
interface Denial {
  readonly action: string
  readonly conditions: readonly string[]
}

const unless = (...uses: readonly KeyUse[]) =>
  `StringNotEquals aws:PrincipalTag/${KEY_USE_TAG} ${[...uses].sort().join()}`

const TABLE_DENIALS: readonly Denial[] = [
  { action: 'dynamodb:DeleteItem', conditions: [] },
  { action: 'dynamodb:BatchWriteItem', conditions: [] },
  { action: 'dynamodb:PutItem', conditions: [unless('seal', 'erase', 'make')] },
  { action: 'dynamodb:UpdateItem', conditions: [unless('erase')] },
]

const KEY_DENIALS: readonly Denial[] = [
  { action: 'kms:GenerateDataKey*', conditions: [unless('make')] },
  { action: 'kms:CreateGrant', conditions: [unless('make')] },
  { action: 'kms:Decrypt', conditions: [unless('seal', 'erase', 'reveal')] },
  {
    action: 'kms:Decrypt',
    conditions: [unless('seal', 'reveal'), `StringNotEquals kms:EncryptionContext:${PURPOSE} tokens`],
  },
]

function judgeDenials(policy: DeployedFact<readonly PolicyStatement[]>, denials: readonly Denial[]): Judgement {
  return known(policy, LET_IN, statements => {
    const missing = denials.filter(denial => !statements.some(statement => denies(statement, denial)))
    const found = missing.map(
      ({ action, conditions }) => `${action} is not denied ${conditions.join(' and ') || 'to all'}`,
    )
    return judged(found.length === 0, found.join('; ') || LET_IN, LET_IN)
  })
}

function denies(statement: PolicyStatement, { action, conditions }: Denial): boolean {
  const same = statement.conditions.join('\n') === [...conditions].sort().join('\n')
  const everybody = statement.principals.includes('*') && statement.resources.includes('*')
  return statement.isDeny && everybody && statement.actions.includes(action) && same
}
