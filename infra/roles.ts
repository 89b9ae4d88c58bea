import { Lazy, Stack } from 'aws-cdk-lib'
import {
  AccountRootPrincipal,
  Grant,
  type IGrantable,
  type IPrincipal,
  PolicyDocument,
  type PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam'
import type { IDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose'
import { Construct } from 'constructs'
import { acknowledgeWildcards } from './acknowledged-findings.js'
import { type ArchiveParts, toAsk, toCheck, toReadEvidence, toReplay } from './permissions.js'

export interface RolesProps extends ArchiveParts {
  /** Who may take a role on, if their own policies allow it besides. @default - the account */
  readonly people?: IPrincipal
}

/**
 * What people may do, apart from one another. None of them may write, lock or delete anything in the archive; each is
 * exactly what its statements list.
 */
export class Roles extends Construct {
  /** Asks questions in Athena. */
  readonly queryUser: Role
  /** Asks questions, and reads the evidence itself: versions, locks, settings. */
  readonly auditor: Role
  /** Reads what was refused and sends it again, and checks what is deployed. */
  readonly operator: Role
  private readonly replayStreams: IDeliveryStream[] = []
  private readonly props: RolesProps

  constructor(scope: Construct, id: string, props: RolesProps) {
    super(scope, id)
    this.props = props
    const stack = Stack.of(this)
    const ask = toAsk(stack, props)
    const streams = Lazy.uncachedList({ produce: () => this.replayStreams.map(stream => stream.deliveryStreamArn) })
    this.queryUser = this.role('QueryUser', 'asks questions in Athena', ask)
    this.auditor = this.role('Auditor', 'asks questions and reads the evidence', [...ask, ...toReadEvidence(props)])
    this.operator = this.role('Operator', 'sends refused records again', [
      ...toReplay(stack, props, streams),
      ...toCheck(stack, props),
    ])
  }

  /** Lets the operator send records again by a delivery stream. */
  addReplay(stream: IDeliveryStream): void {
    this.replayStreams.push(stream)
  }

  /** Lets somebody of this account do what the role for questions may, and nothing else. */
  grantQuery(grantee: IGrantable): Grant {
    return toAsk(Stack.of(this), this.props)
      .map(({ actions, resources: resourceArns, conditions }) =>
        Grant.addToPrincipal({ grantee, actions, resourceArns, conditions }),
      )
      .reduce((all, grant) => all.combine(grant))
  }

  private role(name: string, does: string, statements: PolicyStatement[]): Role {
    const made = new Role(this, name, {
      assumedBy: this.props.people ?? new AccountRootPrincipal(),
      description: `Itemtrail: ${does}`,
      inlinePolicies: { [name]: new PolicyDocument({ statements }) },
    })
    const why = 'People read whatever tables the archive has, under the prefixes listed and no others.'
    acknowledgeWildcards(made, statements, why)
    return made
  }
}
