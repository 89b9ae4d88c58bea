import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { shortened } from '../transform/table-names.js'

/** What a deployed stack says about itself. */
export type Outputs = ReadonlyMap<string, string>

/** The outputs of a stack. Throws with the words of AWS where it cannot be described. */
export async function readOutputs(client: CloudFormationClient, stack: string): Promise<Outputs> {
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation')
  const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }))
  if (found === undefined) throw new Error(`stack ${stack} is not described`)
  return new Map((found.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]))
}

/**
 * The values of an output of the construct: CDK puts its path before the name and a hash after it. Several archives
 * have several.
 */
export function outputsOf(outputs: Outputs, name: string): readonly string[] {
  const pattern = new RegExp(`${name}([0-9A-F]{8})?$`)
  return [...outputs].filter(([key]) => pattern.test(key)).map(([, value]) => value)
}

/**
 * Whether a stack captures a table: each that it does has an output of its own, whose name lacks signs. One that is
 * called alike counts, and of a stack without such outputs, every table.
 */
export function capturesTable(outputs: Outputs, table: string): boolean {
  const named = (end: string) =>
    [...outputs.keys()].flatMap(key => new RegExp(`^(.*)${end}([0-9A-F]{8})?$`).exec(key)?.[1] ?? [])
  const told = new Set(named('ReplayStream'))
  const name = shortened(table, 100).replaceAll(/[^A-Za-z0-9]/g, '')
  // CDK leaves out a step of the path that the one before ends with
  const isTold = named('ArchiveBucket').some(path => told.has(`${path}Tables${name}`) || told.has(`${path}${name}`))
  return told.size === 0 || isTold
}
