import { denials, strangers } from './bucket-policy.js'
import type { DeployedFact, KeyFacts } from './deployed-facts.js'
import { type Check, judged, known, unchecked } from './judgement.js'

/** What is checked of every key of an archive. */
export const EVERY_KEY: readonly Check<DeployedFact<KeyFacts>>[] = [
  {
    name: 'key state',
    todo: 'at once: aws kms cancel-key-deletion, then aws kms enable-key; find out who did it (CloudTrail)',
    judge: key => known(key, 'Enabled', ({ state }) => judged(state === 'Enabled', state, 'Enabled')),
  },
  {
    name: 'key policy',
    todo: 'take the principals out of the policy of the key, and find out who let them in (CloudTrail, PutKeyPolicy)',
    judge: key =>
      known(key, NO_STRANGER, ({ policy, account }) =>
        known(policy, NO_STRANGER, statements => {
          const found = strangers(statements, account)
          return judged(
            found.length === 0,
            found.length === 0 ? NO_STRANGER : `lets in ${found.join(', ')}`,
            NO_STRANGER,
          )
        }),
      ),
  },
]

const NO_STRANGER = 'nobody of another account'

/** What is checked of the key that the archive is encrypted with: whoever deletes it destroys the archive. */
export const ARCHIVE_KEY_CHECKS: readonly Check<DeployedFact<KeyFacts>>[] = EVERY_KEY

/** The key that signs, with the name of the sealer's role. */
export interface SealKeySubject {
  readonly key: DeployedFact<KeyFacts>
  /** Undefined where the stack has none. */
  readonly sealerRole: string | undefined
}

/** What is checked of the key that signs the journal. */
export const SEAL_KEY_CHECKS: readonly Check<SealKeySubject>[] = [
  ...EVERY_KEY.map(check => ({ ...check, judge: ({ key }: SealKeySubject) => check.judge(key) })),
  {
    name: 'kind of key',
    todo: 'name a key of this kind as seal.key; what was sealed stays verifiable by the old one',
    judge: ({ key }) => known(key, ED25519, ({ spec }) => judged(spec === ED25519, spec, ED25519)),
  },
  {
    name: 'who may sign',
    todo: 'deploy again, revoke the grants, and look who signed: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=Sign',
    judge: ({ key, sealerRole }) =>
      known(key, SEALER_ONLY, ({ policy, signingGrants }) => {
        if (sealerRole === undefined) return unchecked('the stack has no role of a sealer', SEALER_ONLY)
        return known(policy, SEALER_ONLY, statements =>
          known(signingGrants, SEALER_ONLY, grants => {
            const denied = denials(statements, ['kms:Sign'], /^\*$/).filter(({ spared }) =>
              spared.every(arn => arn.endsWith(`:role/${sealerRole}`)),
            )
            const wrong = [
              ...(denied.length === 0 ? ['the policy does not deny it to others'] : []),
              ...grants.map(grantee => `a grant lets ${grantee}`),
            ]
            return judged(wrong.length === 0, wrong.join('; ') || SEALER_ONLY, SEALER_ONLY)
          }),
        )
      }),
  },
]

const ED25519 = 'ECC_NIST_EDWARDS25519'
const SEALER_ONLY = 'the sealer alone'
