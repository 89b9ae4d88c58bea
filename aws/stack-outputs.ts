import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'

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
