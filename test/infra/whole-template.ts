import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import type { IConstruct } from 'constructs'
import type { Resource, Resources } from './archives.js'

interface Part {
  readonly Resources: Resources
  readonly Outputs?: { readonly [id: string]: { readonly Value: unknown } }
}

/** A nested stack as resources of the one that it is nested in, and what its outputs are there. */
interface Unfolded {
  readonly resources: readonly (readonly [id: string, resource: Resource])[]
  readonly output: (name: string) => unknown
}

/**
 * A stack with its nested ones as one template: what CloudFormation makes of them, whatever the cut. Ids are those that
 * an uncut stack would give, so a promise is checked where it holds and not where it happens to stand.
 */
export function wholeTemplate(stack: Stack): Template {
  const whole = Template.fromStack(stack).toJSON() as Part
  const nested = nestedStacks(stack)
  const parts = new Map(nested.map(inner => unfold(whole, stack, inner)))
  const outer = Object.entries(whole.Resources).filter(([id]) => !parts.has(id))
  const all = [...outer, ...[...parts.values()].flatMap(({ resources }) => resources)]
  const resources = all.map(([id, { DependsOn, ...resource }]) => {
    const before = many(DependsOn).flatMap(other => parts.get(other)?.resources.map(([inner]) => inner) ?? [other])
    return [id, { ...resource, ...(before.length > 0 && { DependsOn: before }) }] as const
  })
  const told = replaced({ ...whole, Resources: Object.fromEntries(resources) }, (intrinsic, of) => {
    if (intrinsic !== 'Fn::GetAtt') return undefined
    const [id, attribute] = of as [string, string]
    return parts.get(id)?.output(attribute.slice('Outputs.'.length))
  })
  return Template.fromJSON(told as object)
}

/** The stacks that are nested in one. */
export function nestedStacks(root: IConstruct): readonly Stack[] {
  return root.node.findAll().filter((child): child is Stack => child instanceof Stack && child.nested)
}

/** What the ids of a nested stack's resources have before their own in the whole template. */
export function prefixOf(stack: Stack, nested: Stack): string {
  return nested.node.path.slice(stack.node.path.length).replaceAll(/[^A-Za-z0-9]/g, '')
}

function unfold(whole: Part, stack: Stack, nested: Stack): readonly [id: string, unfolded: Unfolded] {
  const id = stack.resolve(nested.nestedStackResource?.logicalId) as string
  const { Properties, DependsOn } = whole.Resources[id] as Resource
  const part = Template.fromStack(nested).toJSON() as Part
  const prefix = prefixOf(stack, nested)
  const given = (Properties.Parameters ?? {}) as Record<string, unknown>
  const renamed = (value: unknown): unknown =>
    replaced(value, (intrinsic, of) => {
      if (intrinsic === 'Fn::GetAtt') {
        const [name, attribute] = of as [string, string]
        return { 'Fn::GetAtt': [prefix + name, attribute] }
      }
      if (intrinsic !== 'Ref') return undefined
      const name = of as string
      if (Object.hasOwn(given, name)) return given[name]
      return Object.hasOwn(part.Resources, name) ? { Ref: prefix + name } : undefined
    })
  const resources = Object.entries(part.Resources).map(([name, resource]) => {
    const before = [...many(resource.DependsOn).map(other => prefix + other), ...many(DependsOn)]
    return [prefix + name, { ...(renamed(resource) as Resource), DependsOn: before }] as const
  })
  return [id, { resources, output: name => renamed(part.Outputs?.[name]?.Value) }]
}

const many = (value: string | readonly string[] | undefined) => (value === undefined ? [] : [value].flat())

/** A copy in which some intrinsics are something else. */
function replaced(value: unknown, put: (intrinsic: string, of: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(one => replaced(one, put))
  const entries = Object.entries(value)
  const [[intrinsic, of] = ['', undefined]] = entries
  const other = entries.length === 1 ? put(intrinsic, of) : undefined
  return other ?? Object.fromEntries(entries.map(([name, inner]) => [name, replaced(inner, put)]))
}
