import { Stack, Token } from 'aws-cdk-lib'
import { CfnGlobalTable, CfnTable, type ITable } from 'aws-cdk-lib/aws-dynamodb'
import type { Construct } from 'constructs'
import { ConfigurationError } from '../config/problems.js'
import { STREAM, STREAM_ARN } from '../config/schema.js'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** A DynamoDB table with what is known of it at synthesis. */
export interface SourceTable {
  readonly table: ITable
  readonly name: string
  /** The key attributes, partition key first; unknown for a table that the app does not make. */
  readonly keys?: readonly string[]
  /** Absent where the table has no stream, or an imported one was not told its stream. */
  readonly streamArn?: string
  /** Which images the stream keeps; unknown for a table that the app does not make. */
  readonly viewType?: string
  /** The table's own resource; absent for a table that the app does not make. */
  readonly resource?: CfnTable | CfnGlobalTable
}

/**
 * Finds out what can be known of a table, of either kind, made in the app or imported. Throws where its name is not
 * known: the keys of the archive's objects hold it, so it cannot wait for the deployment.
 */
export function sourceTableOf(scope: Construct, table: ITable, tableName?: string): SourceTable {
  const resource = resourceOf(table)
  if (resource === undefined && table.tableStreamArn?.endsWith('/stream/*')) {
    // for policies CDK says so of a replica; an event source has to be one stream
    const problem = `the stream of ${table.node.path}, a replica, is not known at synthesis, expected Table.fromTableAttributes with its tableStreamArn, or streamArn in the configuration: aws dynamodb describe-table --query Table.LatestStreamArn in its region`
    throw new ConfigurationError(scope.node.path, [problem])
  }
  const name = tableName ?? knownName(table, resource)
  if (name === undefined) {
    const problem = `the name of ${table.node.path} is not known at synthesis, expected a tableName on the table or in capture(): the keys of the archive's objects hold it`
    throw new ConfigurationError(scope.node.path, [problem])
  }
  if (resource === undefined) {
    const problem = strayStream(scope, name, table.tableStreamArn)
    if (problem !== undefined) throw new ConfigurationError(scope.node.path, [problem])
    return { table, name, ...(table.tableStreamArn !== undefined && { streamArn: table.tableStreamArn }) }
  }
  const keySchema = resolve<readonly { attributeName: string; keyType: string }[]>(resource, resource.keySchema) ?? []
  const keys = [...keySchema].sort((a, b) => a.keyType.localeCompare(b.keyType)).map(key => key.attributeName)
  const stream = resolve<{ streamViewType?: string }>(resource, resource.streamSpecification)
  return {
    table,
    name,
    keys,
    resource,
    // a TableV2 names a stream ARN even where it has no stream
    ...(stream !== undefined && { streamArn: resource.attrStreamArn }),
    ...(stream?.streamViewType !== undefined && { viewType: stream.streamViewType }),
  }
}

/** What is wrong with a stream that somebody named: it would deploy, and then carry nothing, or another's records. */
function strayStream(scope: Construct, name: string, streamArn: string | undefined): string | undefined {
  if (streamArn === undefined || Token.isUnresolved(streamArn)) return undefined
  const [, , , region] = streamArn.split(':')
  const table = STREAM.exec(streamArn)?.[1]
  const own = Stack.of(scope).region
  if (table === undefined) return `stream of table ${name} is ${JSON.stringify(streamArn)}, expected ${STREAM_ARN}`
  if (table !== name) return `stream ${streamArn} is of table ${table}, expected one of table ${name}`
  if (Token.isUnresolved(own) || region === own) return undefined
  return `stream ${streamArn} is of region ${region}, expected one of ${own}, where the stack is: a function reads streams of its own region only`
}

/**
 * Throws where a table is where the stack cannot capture it: `streams` reads streams of its own region, and `kinesis`
 * has the table write into a stream of its own account, too.
 */
export function requireSamePlace(
  scope: Construct,
  { name, table, resource }: SourceTable,
  capture: TableConfiguration['capture'],
): void {
  const ours = Stack.of(scope)
  const theirs = resource === undefined ? placeOf(table) : Stack.of(resource)
  const isApart = (what: 'account' | 'region') =>
    theirs !== undefined &&
    !Token.isUnresolved(ours[what]) &&
    !Token.isUnresolved(theirs[what]) &&
    ours[what] !== theirs[what]
  const refuse = (what: 'account' | 'region', why: string) => {
    const problem = `table ${name} is of ${what} ${theirs?.[what]}, expected one of ${ours[what]}, where the stack is: ${why}`
    throw new ConfigurationError(scope.node.path, [problem])
  }
  if (capture === 'kinesis') {
    const why = 'with capture "kinesis" a table writes into a stream of its own account and region'
    if (isApart('account')) refuse('account', why)
    if (isApart('region')) refuse('region', why)
    return
  }
  if (isApart('region')) refuse('region', 'a function reads streams of its own region only')
  // the ARN of a stream that is made there is known there alone
  if (resource !== undefined && isApart('account'))
    refuse('account', 'import it by fromTableAttributes with its tableStreamArn')
}

/** Where an imported table is; undefined where its ARN is known at deployment only. */
function placeOf({ tableArn }: ITable): { readonly region: string; readonly account: string } | undefined {
  if (Token.isUnresolved(tableArn)) return undefined
  const [, , , region = '', account = ''] = tableArn.split(':')
  return { region, account }
}

function resourceOf(table: ITable): CfnTable | CfnGlobalTable | undefined {
  const child = table.node.defaultChild
  return child instanceof CfnTable || child instanceof CfnGlobalTable ? child : undefined
}

function knownName(table: ITable, resource: CfnTable | CfnGlobalTable | undefined): string | undefined {
  const name = resource === undefined ? table.tableName : resource.tableName
  return Token.isUnresolved(name) ? undefined : name
}

function resolve<T>(resource: CfnTable | CfnGlobalTable, value: unknown): T | undefined {
  return Stack.of(resource).resolve(value) as T | undefined
}
