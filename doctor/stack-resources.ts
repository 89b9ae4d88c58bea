import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation'
import { attempt } from './attempt.js'
import type { Resource } from './deployed-facts.js'

/** What a stack is made of. */
export interface StackListing {
  /** Its resources, and those of nested stacks at every depth. */
  readonly resources: readonly Resource[]
  /** Nested stacks that could not be listed, each with why. */
  readonly unlisted: readonly { readonly stack: string; readonly why: string }[]
}

/** Lists a stack and what is nested in it. Throws where the stack itself cannot be listed. */
export async function listStack(client: CloudFormationClient, name: string): Promise<StackListing> {
  return listNested(client, await listResources(client, name))
}

async function listNested(client: CloudFormationClient, own: readonly Resource[]): Promise<StackListing> {
  const resources = [...own]
  const unlisted: StackListing['unlisted'][number][] = []
  for (const stack of nestedStacks(own)) {
    const found = await attempt(() => listStack(client, stack))
    if (found.kind === 'unknown') unlisted.push({ stack, why: found.why })
    else {
      resources.push(...found.value.resources)
      unlisted.push(...found.value.unlisted)
    }
  }
  return { resources, unlisted }
}

/** The stacks among resources, by what CloudFormation calls each. */
export function nestedStacks(resources: readonly Resource[]): readonly string[] {
  return resources
    .filter(({ type, physicalId }) => type === 'AWS::CloudFormation::Stack' && physicalId !== '')
    .map(({ physicalId }) => physicalId)
}

async function listResources(client: CloudFormationClient, name: string): Promise<readonly Resource[]> {
  const resources: Resource[] = []
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: name }))
    for (const {
      ResourceType: type = '',
      LogicalResourceId: logicalId = '',
      PhysicalResourceId = '',
    } of StackResourceSummaries)
      resources.push({ type, logicalId, physicalId: PhysicalResourceId })
  return resources
}
