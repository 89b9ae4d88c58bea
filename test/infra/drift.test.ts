/** CloudFormation looks for drift with the rights of who asked, so `doctor` sees as much as the operator may read. */
import { App, Stack } from 'aws-cdk-lib'
import { describe, expect, it } from 'vitest'
import { toSeeDrift } from '../../infra/drift-reading.js'
import { ENVIRONMENT, ORDERS, type Resource, TABLE_KINDS, templateOf } from './archives.js'
import { may, named } from './policies.js'
import { NOT_ASKED, READ_HANDLERS } from './read-handlers.js'

const TABLE = { ...ORDERS, keys: ['order_id'], table: TABLE_KINDS.imported }
const ALL = { compact: true, seal: true, canary: true, callers: true, notify: ['oncall@example.com'] } as const
const { resources } = templateOf(
  {
    Orders: { ...TABLE, reconcile: true },
    Carts: { ...TABLE, capture: 'kinesis' },
    Members: { ...TABLE, erasable: [{ subject: 'order_id', attributes: ['name'] }] },
  },
  ALL,
)
const OPERATOR = 'AuditRolesOperator'
const HERE = `${ENVIRONMENT.region}:${ENVIRONMENT.account}`

/** What a resource is once it is deployed: named after its stack, unless the template names it. */
function arnOf(id: string, { Type, Properties }: Resource, stack = 'Stack'): string {
  const name = `${stack}-${id.slice(0, 24)}-1A2B3C4D5E6F`
  const own = `<${named(id)}.Arn>`
  const arns: { readonly [type: string]: string } = {
    'AWS::Athena': `arn:aws:athena:${HERE}:workgroup/<AuditWorkgroup>${`${Properties.Name ?? ''}`.replace(/^audit/, '')}`,
    'AWS::CloudTrail': `arn:aws:cloudtrail:${HERE}:trail/audit`,
    'AWS::CloudWatch::Alarm': `arn:aws:cloudwatch:${HERE}:alarm:${name}`,
    'AWS::CloudWatch::Dashboard': `arn:aws:cloudwatch::${ENVIRONMENT.account}:dashboard/${name}`,
    'AWS::DynamoDB': `arn:aws:dynamodb:${HERE}:table/${name}`,
    'AWS::Events': `arn:aws:events:${HERE}:rule/${name}`,
    'AWS::Glue': `arn:aws:glue:${HERE}:database/audit`,
    'AWS::IAM::ManagedPolicy': `arn:aws:iam::${ENVIRONMENT.account}:policy/${name}`,
    'AWS::IAM::Role': `arn:aws:iam::${ENVIRONMENT.account}:role/${name}`,
    'AWS::KMS': own,
    'AWS::Kinesis::': `arn:aws:kinesis:${HERE}:stream/${name}`,
    'AWS::KinesisFirehose': `arn:aws:firehose:${HERE}:deliverystream/${name}`,
    'AWS::Lambda::EventSourceMapping': `arn:aws:lambda:${HERE}:event-source-mapping:0b1c2d3e`,
    'AWS::Lambda': `arn:aws:lambda:${HERE}:function:${name}`,
    'AWS::Logs': `arn:aws:logs:${HERE}:log-group:${name}:*`,
    'AWS::S3': `arn:aws:s3:::${name.toLowerCase()}`,
    'AWS::SNS': `arn:aws:sns:${HERE}:${name}`,
    'AWS::SQS': `arn:aws:sqs:${HERE}:${name}`,
  }
  return Object.entries(arns).find(([type]) => Type.startsWith(type))?.[1] ?? Type
}

/** One of each type, and all keys and workgroups, which the role names one by one. */
const deployed = Object.entries(resources).filter(
  ([, { Type }], i, all) =>
    Type.startsWith('AWS::') &&
    (/::(Key|WorkGroup)$/.test(Type) || all.findIndex(([, other]) => other.Type === Type) === i),
)

/** What is asked of a stack's resources for drift, and whether the operator may ask it. */
const asked = (stack?: string) =>
  deployed.flatMap(([id, resource]) =>
    (READ_HANDLERS[resource.Type] ?? ['what its schema lists'])
      .filter(action => NOT_ASKED[action] === undefined)
      .map(action => ({ action, arn: arnOf(id, resource, stack) }))
      .map(({ action, arn }) => ({ action, arn, isAllowed: may(resources, OPERATOR, action, arn) })),
  )

describe('drift of what a stack is made of', () => {
  it('is seen by the operator, with whose rights CloudFormation reads', () => {
    expect(asked().filter(({ isAllowed }) => !isAllowed)).toEqual([])
    // and so it is in a nested stack
    expect(asked('Stack-AuditTablesOrdersNest').filter(({ isAllowed }) => !isAllowed)).toEqual([])
  })

  it('is read of nothing that others deployed, but for tables, and what can only be listed', () => {
    const read = asked('Another').filter(({ arn, isAllowed }) => isAllowed && /another/i.test(arn))
    const actions = new Set(read.map(({ action }) => action).filter(action => !action.startsWith('dynamodb:')))
    expect([...actions].sort()).toEqual([
      'cloudwatch:DescribeAlarms',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
    ])
  })

  it('is seen where names are too long to hold the whole name of the stack', () => {
    const stack = new Stack(new App(), 'Itemtrail-production-of-the-shop', { env: ENVIRONMENT })
    const arns = toSeeDrift(stack, 'audit').flatMap(statement => stack.resolve(statement.resources))
    expect(arns.filter(arn => JSON.stringify(arn).includes('function:Itemtrail-production*'))).toHaveLength(1)
  })
})
