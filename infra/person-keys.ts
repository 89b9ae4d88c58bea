import { CustomResource, Duration, RemovalPolicy } from 'aws-cdk-lib'
import { type IMetric, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import { KEY_BACKUP_DAYS, KEY_TABLE_KEYS, KEY_USE_TAG, type KeyUse, PURPOSE, STORE_ENTRY } from '../config/key-store.js'
import { acknowledgeKeyBackups } from './acknowledged-findings.js'
import { BundledFunction } from './bundled-function.js'
import { READ_KEY } from './permissions.js'

const TAG = `aws:PrincipalTag/${KEY_USE_TAG}`
const READ = ['dynamodb:BatchGetItem', 'dynamodb:DescribeTable']

export interface PersonKeysProps {
  /** Encrypts the log of the function that makes the store. */
  readonly key: IKey
}

/**
 * The keys of persons: a table of its own and the one key of KMS that opens what is in it. Both stay whatever becomes
 * of the stack, because without them nothing that was sealed opens again. Whatever somebody's own policies say, only
 * roles with the tag are let in, and nobody removes an entry: a name that was used stays taken.
 */
export class PersonKeys extends Construct {
  readonly table: Table
  /** The key of KMS. */
  readonly secretsKey: Key
  /** The store in the table, without which nothing can be sealed. */
  readonly store: CustomResource

  constructor(scope: Construct, id: string, { key }: PersonKeysProps) {
    super(scope, id)
    this.table = new Table(this, 'Table', {
      partitionKey: { name: KEY_TABLE_KEYS.partition, type: AttributeType.STRING },
      sortKey: { name: KEY_TABLE_KEYS.sort, type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        // a backup has the keys that were destroyed since, so each day of it is one more until an erasure is effective
        recoveryPeriodInDays: KEY_BACKUP_DAYS,
      },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      resourcePolicy: new PolicyDocument({ statements: tableDenials() }),
    })
    acknowledgeKeyBackups(this.table)
    this.secretsKey = new Key(this, 'Key', {
      description: 'Itemtrail: opens the keys of persons; whoever deletes this key erases everybody',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    for (const statement of keyDenials()) this.secretsKey.addToResourcePolicy(statement)
    const maker = new BundledFunction(this, 'Maker', {
      bundle: 'make-key-store',
      description: 'Itemtrail: makes the store of the keys of persons, once',
      timeout: Duration.minutes(2),
      memoryMb: 256,
      key,
      environment: {
        ITEMTRAIL_KEY_TABLE: this.table.tableName,
        ITEMTRAIL_SUBJECT_KEY: this.secretsKey.keyArn,
      },
      statements: this.toMake(),
      tags: { [KEY_USE_TAG]: 'make' satisfies KeyUse },
    })
    this.store = new CustomResource(this, 'Store', {
      resourceType: 'Custom::ItemtrailKeyStore',
      serviceToken: maker.functionArn,
      properties: { Table: this.table.tableName },
      removalPolicy: RemovalPolicy.RETAIN,
    })
  }

  /** To seal values: keys are read, and made for who was never seen. */
  toSeal(): PolicyStatement[] {
    return [this.onTable(...READ, 'dynamodb:PutItem'), this.onKey('kms:Decrypt')]
  }

  /** To open what was sealed. */
  toReveal(): PolicyStatement[] {
    return [this.onTable(...READ, 'dynamodb:Query'), this.onKey('kms:Decrypt')]
  }

  /** To destroy keys and hold that back, by a person's token alone: what opens keys is not among it. */
  toErase(): PolicyStatement[] {
    const tokens = { StringEquals: { [`kms:EncryptionContext:${PURPOSE}`]: 'tokens' } }
    return [
      this.onTable(...READ, 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'),
      this.onKey('kms:Decrypt', tokens),
    ]
  }

  /** To look how they are kept. */
  toCheck(): PolicyStatement[] {
    return [
      this.onTable('dynamodb:DescribeContinuousBackups', 'dynamodb:GetResourcePolicy'),
      new PolicyStatement({ actions: ['dynamodb:ListBackups'], resources: ['*'] }),
      new PolicyStatement({ actions: READ_KEY, resources: [this.secretsKey.keyArn] }),
    ]
  }

  private toMake(): PolicyStatement[] {
    const own = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [STORE_ENTRY.subject] } }
    return [
      this.onTable('dynamodb:DescribeTable'),
      new PolicyStatement({ actions: ['dynamodb:PutItem'], resources: [this.table.tableArn], conditions: own }),
      this.onKey('kms:GenerateDataKey'),
    ]
  }

  /** What DynamoDB turned away, of reads and writes. */
  metricThrottles(): IMetric {
    const metric = (name: string) => this.table.metric(name, { statistic: Stats.SUM, period: Duration.minutes(1) })
    return new MathExpression({
      expression: 'FILL(reads, 0) + FILL(writes, 0)',
      usingMetrics: { reads: metric('ReadThrottleEvents'), writes: metric('WriteThrottleEvents') },
      period: Duration.minutes(1),
    })
  }

  private onTable(...actions: string[]): PolicyStatement {
    return new PolicyStatement({ actions, resources: [this.table.tableArn] })
  }

  private onKey(action: string, conditions?: Record<string, unknown>): PolicyStatement {
    return new PolicyStatement({
      actions: [action],
      resources: [this.secretsKey.keyArn],
      ...(conditions && { conditions }),
    })
  }
}

/** Nobody removes an entry, and only who is let in writes one. */
function tableDenials(): PolicyStatement[] {
  return [
    deny('Removing', [
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:PartiQLDelete',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
    ]),
    deny('Making', ['dynamodb:PutItem'], unless('seal', 'erase', 'make')),
    deny('Destroying', ['dynamodb:UpdateItem'], unless('erase')),
  ]
}

/** Only who is let in opens a secret, and what opens keys not for who erases. */
function keyDenials(): PolicyStatement[] {
  const [condition] = [`kms:EncryptionContext:${PURPOSE}`]
  return [
    deny('Using', ['kms:CreateGrant', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'], unless('make')),
    deny('Opening', ['kms:Decrypt'], unless('seal', 'erase', 'reveal')),
    deny('OpeningKeys', ['kms:Decrypt'], {
      StringNotEquals: { [TAG]: ['seal', 'reveal'] satisfies KeyUse[], [condition]: 'tokens' },
    }),
  ]
}

/** Also of a role without the tag: a condition that negates holds where there is nothing. */
function unless(...uses: readonly KeyUse[]): Record<string, unknown> {
  return { StringNotEquals: { [TAG]: uses } }
}

function deny(sid: string, actions: string[], conditions?: Record<string, unknown>): PolicyStatement {
  return new PolicyStatement({
    sid: `Deny${sid}`,
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions,
    resources: ['*'],
    ...(conditions && { conditions }),
  })
}
