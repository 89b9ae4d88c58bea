import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import {
  AttributeType,
  type ITable,
  StreamViewType,
  Table,
  type TableOptionsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb'
import type { IConstruct } from 'constructs'
import type { AuditArchiveProps, CaptureProps } from '../../infra/archive-props.js'
import { AuditArchive } from '../../infra/audit-archive.js'
import { nestedStacks, wholeTemplate } from './whole-template.js'

// CDK's own check of templates takes seconds to load; `cdk synth` in app.test.ts runs it, and fails on what it finds
process.env.CDK_VALIDATION ??= 'false'

export const STREAM_ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/Orders/stream/2026-11-22T10:00:00.000'

type Tables = { readonly [name: string]: CaptureProps & { readonly table?: (stack: Stack, name: string) => ITable } }

type Recovery = Pick<TableOptionsV2, 'pointInTimeRecoverySpecification'>

/** The kinds of table that can be captured, each with the stream that capture `streams` reads. */
export const TABLE_KINDS = {
  Table: (stack: Stack, name: string, recovery: Recovery = {}) =>
    new Table(stack, name, {
      tableName: name,
      partitionKey: { name: 'order_id', type: AttributeType.STRING },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      ...recovery,
    }) as ITable,
  TableV2: (stack: Stack, name: string, recovery: Recovery = {}) =>
    new TableV2(stack, name, {
      tableName: name,
      partitionKey: { name: 'order_id', type: AttributeType.STRING },
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      ...recovery,
    }) as ITable,
  imported: (stack: Stack, name: string) =>
    Table.fromTableAttributes(stack, name, {
      tableArn: STREAM_ARN.slice(0, STREAM_ARN.indexOf('/stream')).replace('Orders', name),
      tableStreamArn: STREAM_ARN.replace('Orders', name),
    }) as ITable,
} as const

export const ENVIRONMENT = { account: '111122223333', region: 'eu-central-1' }

/** A stack with an archive of tables, as somebody's app would make it. */
export function archiveOf(tables: Tables, props: Partial<AuditArchiveProps> = {}, app = new App()) {
  const stack = new Stack(app, 'Stack', { env: ENVIRONMENT })
  const archive = new AuditArchive(stack, 'Audit', {
    lock: { mode: 'governance', days: 2557 },
    name: 'audit',
    ...props,
  })
  for (const [name, { table = TABLE_KINDS.Table, ...capture }] of Object.entries(tables)) {
    archive.capture(table(stack, name), capture)
  }
  return { app, stack, archive }
}

export type Resource = {
  readonly Type: string
  // biome-ignore lint/suspicious/noExplicitAny: what a template holds is what the tests find out
  readonly Properties: any
  readonly DependsOn?: readonly string[]
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
}

export type Resources = { readonly [logicalId: string]: Resource }

/** The template of an archive, and its resources of one type. */
export function templateOf(tables: Tables, props: Partial<AuditArchiveProps> = {}) {
  const { stack, archive } = archiveOf(tables, props)
  const template = wholeTemplate(stack)
  return { stack, archive, template, resources: template.toJSON().Resources as Resources }
}

/** The templates of nested stacks below a construct. */
export function nestedTemplates(root: IConstruct): readonly Template[] {
  return nestedStacks(root).map(stack => Template.fromStack(stack))
}

export const ORDERS: CaptureProps = {
  since: '2026-11-22',
  actor: 'updated_by',
  columns: {
    status: 'string',
    total: 'decimal(12,2)',
    version: 'bigint',
    weight: 'double',
    paid: 'boolean',
    placedAt: { type: 'timestamp', unit: 'ms' },
    city: { attribute: 'shipping.city', type: 'string' },
    exact: 'number',
    anything: 'json',
  },
  lifecycle: { attribute: 'status', allowed: [['PENDING', 'PROCESSING']] },
}

/** The resources of one type, with their ids. */
export function ofType(resources: Resources, type: string): readonly (readonly [id: string, resource: Resource])[] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type)
}
