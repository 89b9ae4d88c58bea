import { Stack, Token } from 'aws-cdk-lib'
import { CfnGlobalTable, CfnTable, type ITable } from 'aws-cdk-lib/aws-dynamodb'
import type { Construct } from 'constructs'
import { ConfigurationError } from '../config/problems.js'

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
  const name = tableName ?? knownName(table, resource)
  if (name === undefined) {
    const problem = `the name of ${table.node.path} is not known at synthesis, expected a tableName on the table or in capture(): the keys of the archive's objects hold it`
    throw new ConfigurationError(scope.node.path, [problem])
  }
  if (resource === undefined) {
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
