import { RemovalPolicy } from 'aws-cdk-lib'
import { AnyPrincipal, ArnPrincipal, Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'

/** To make signatures and to check them by oneself. */
const SIGN = 'kms:Sign'
const VERIFY = ['kms:DescribeKey', 'kms:GetPublicKey']

/** The key that signs a journal. Old signatures are verified without it, but nothing new can be sealed, so it stays. */
export class SealKey extends Key {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      description: 'Itemtrail: signs the journal of the audit archive, its sealer alone may use it',
      keySpec: KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
    })
  }

  /** Leaves signing to one role: whatever somebody's own policies or grants say, the key denies it. */
  onlySigner(role: IRole): void {
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Sign',
        principals: [new ArnPrincipal(role.roleArn)],
        actions: [SIGN, ...VERIFY, 'kms:GetKeyLastUsage'],
        resources: ['*'],
      }),
    )
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'DenySigning',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: [SIGN],
        resources: ['*'],
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': role.roleArn } },
      }),
    )
  }

  /** Lets a role fetch the public half. */
  letVerify(role: IRole): void {
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Verify',
        principals: [new ArnPrincipal(role.roleArn)],
        actions: VERIFY,
        resources: ['*'],
      }),
    )
  }
}

/** What a role has to be allowed itself where the key is another account's, whose policy has to allow it besides. */
export function foreignKeyStatement(keyArn: string, may: 'sign' | 'verify'): PolicyStatement {
  return new PolicyStatement({ actions: may === 'sign' ? [SIGN, ...VERIFY] : VERIFY, resources: [keyArn] })
}
