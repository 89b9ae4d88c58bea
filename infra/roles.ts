import { Lazy, Stack } from 'aws-cdk-lib'
import {
  AccountRootPrincipal,
  Grant,
  type IGrantable,
  type IPrincipal,
  ManagedPolicy,
  PolicyDocument,
  type PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam'
import type { IDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose'
import { Construct } from 'constructs'
import { ConfigurationError } from '../config/problems.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { acknowledgeWildcards } from './acknowledged-findings.js'
import { throughService } from './archive-key.js'
import { toSeeDrift } from './drift-reading.js'
import {
  type ArchiveParts,
  toAsk,
  toCheck,
  toCopy,
  toCopyTheRest,
  toKeepFacts,
  toLookAtItems,
  toReadCalls,
  toReadEvidence,
  toReadRefused,
  toReadTables,
  toReplay,
  toSeeExports,
  toWriteTables,
} from './permissions.js'
import type { SourceTable } from './source-table.js'

export interface RolesProps extends ArchiveParts {
  /** Who may take a role on, if their own policies allow it besides. @default - the account */
  readonly people?: IPrincipal
}

/** A table, and what its records are sent again by. */
interface CapturedSource {
  readonly source: SourceTable
  readonly configuration: Pick<TableConfiguration, 'erasable' | 'keyIsPersonal'>
  readonly replay: { readonly stream: IDeliveryStream }
}

/** ARNs that one managed policy lists. */
interface Page {
  readonly arns: string[]
  characters: number
}

/** Four fifths of what a managed policy takes, its actions left out. */
const PAGE_CHARACTERS = 4400
/** Around a table's name, in the longest partition and region. */
const TABLE_ARN_CHARACTERS = 65
const STREAM_ARN_CHARACTERS = 125
/** Managed policies that a role can have, less the one about drift. */
const MAX_PAGES = 10 - 1

/**
 * What people may do, apart from one another. None of them may write, lock or delete anything in the archive, but for
 * facts, which one role adds; each is exactly what its statements list.
 */
export class Roles extends Construct {
  /** Asks questions in Athena. */
  readonly queryUser: Role
  /** Asks questions, in a workgroup of its own, and reads the evidence itself: versions, locks, settings. */
  readonly auditor: Role
  /** Reads what was refused and sends it again, checks what is deployed and how it is, and asks questions. */
  readonly operator: Role
  /** Reads tables, sends baselines, compares the archive with its tables, and keeps the facts of both. It asks, too. */
  readonly baseliner: Role
  /** Writes items of the tables, to put them back to what the archive says that they were. */
  readonly restorer: Role
  private readonly streams: Page[] = []
  private readonly tables: Page[] = []
  private readonly looked: Page[] = []
  private readonly props: RolesProps

  constructor(scope: Construct, id: string, props: RolesProps) {
    super(scope, id)
    this.props = props
    const stack = Stack.of(this)
    const ask = toAsk(stack, props)
    this.queryUser = this.role('QueryUser', 'asks questions in Athena', ask)
    this.auditor = this.role('Auditor', 'asks questions and reads the evidence', [
      ...toAsk(stack, props, props.workgroup.auditors),
      ...toReadEvidence(stack, props),
      ...toReadCalls(props),
    ])
    this.operator = this.role('Operator', 'sends refused records again, checks what is deployed, asks questions', [
      ...ask,
      ...toReadRefused(props),
      ...toCopyTheRest(props),
      ...toCheck(stack, props),
    ])
    this.letSeeDrift(stack)
    this.baseliner = this.role('Baseline', 'takes baselines and compares the archive with its tables', [
      ...ask,
      ...toCopyTheRest(props),
      ...toKeepFacts(stack, props),
      ...toSeeExports(stack),
    ])
    this.restorer = this.role('Restorer', 'writes items of the tables, to put them back', toCopy(stack, props))
  }

  /** Lets the roles do with a table, and with its replay stream, what each is for. */
  addTable({ source, replay, configuration }: CapturedSource): void {
    const { operator, baseliner, restorer } = this
    // whoever asks sees the same items in the archive, but where that seals them
    const isSealed = configuration.erasable !== undefined || configuration.keyIsPersonal !== undefined
    this.openTable(source, [baseliner, restorer, ...(isSealed ? [] : [operator])])
    this.list(this.streams, replay.stream.deliveryStreamArn, STREAM_ARN_CHARACTERS, (page, streams) => {
      this.policy(`Replay${page}`, [operator, baseliner], toReplay(streams))
    })
    const characters = TABLE_ARN_CHARACTERS + source.name.length
    if (!isSealed)
      this.list(this.looked, source.table.tableArn, characters, (page, tables) => {
        this.policy(`Look${page}`, [operator], toLookAtItems(tables))
      })
    this.list(this.tables, source.table.tableArn, characters, (page, tables) => {
      this.policy(`Read${page}`, [baseliner], toReadTables(tables))
      this.policy(`Write${page}`, [restorer], toWriteTables(tables))
    })
    if (this.streams.length + this.tables.length > MAX_PAGES) {
      const problem = `table ${source.name} is one too many for the ${MAX_PAGES} policies of a role that can be for tables, expected another archive for it`
      throw new ConfigurationError(this.node.path, [problem])
    }
  }

  /** Adds an ARN to the last page, or to a new one where that is full. */
  private list(pages: Page[], arn: string, characters: number, open: (page: number, arns: string[]) => void): void {
    const last = pages.at(-1)
    const isFull = last === undefined || last.characters + characters > PAGE_CHARACTERS
    const page = isFull ? { arns: [], characters: 0 } : last
    page.arns.push(arn)
    page.characters += characters
    if (!isFull) return
    pages.push(page)
    open(pages.length - 1, Lazy.uncachedList({ produce: () => page.arns }))
  }

  /** Lets somebody of this account do what the role for questions may, and nothing else. */
  grantQuery(grantee: IGrantable): Grant {
    return toAsk(Stack.of(this), this.props)
      .map(({ actions, resources: resourceArns, conditions }) =>
        Grant.addToPrincipal({ grantee, actions, resourceArns, conditions }),
      )
      .reduce((all, grant) => all.combine(grant))
  }

  /** A table with a key of its own is read and written by way of that. */
  private openTable({ table }: SourceTable, roles: readonly Role[]): void {
    const { encryptionKey } = table
    if (encryptionKey === undefined) return
    for (const role of roles) role.addToPolicy(throughService(this, 'dynamodb', encryptionKey, ['kms:Decrypt']))
  }

  /** A policy of its own: with it the role's would be longer than AWS takes. */
  private letSeeDrift(stack: Stack): void {
    const statements = toSeeDrift(stack, this.props.workgroup.resource.ref)
    const policy = new ManagedPolicy(this, 'Drift', { roles: [this.operator], statements })
    acknowledgeWildcards(policy, statements, 'It reads settings, of whatever is named after the stack.')
  }

  private policy(id: string, roles: Role[], statements: PolicyStatement[]): void {
    new ManagedPolicy(this, id, { roles, statements })
  }

  private role(name: string, does: string, statements: PolicyStatement[]): Role {
    return peopleRole(this, name, does, statements, this.props.people)
  }
}

/** A role for people: exactly what its statements list. @default people - the account */
export function peopleRole(
  scope: Construct,
  name: string,
  does: string,
  statements: PolicyStatement[],
  people: IPrincipal = new AccountRootPrincipal(),
): Role {
  const made = new Role(scope, name, {
    assumedBy: people,
    description: `Itemtrail: ${does}`,
    inlinePolicies: { [name]: new PolicyDocument({ statements }) },
  })
  const why = 'People read whatever tables the archive has, under the prefixes listed and no others.'
  acknowledgeWildcards(made, statements, why)
  return made
}
