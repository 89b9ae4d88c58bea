import type { Resource, Resources } from './archives.js'

/** A statement of a policy, as a template has it. */
export interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource?: unknown
  readonly Principal?: unknown
  readonly Condition?: Record<string, Record<string, unknown>>
}

/** One value or several, as several. */
export const many = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])

/** A logical id without its hash. */
export const named = (id: string) => id.replace(/[0-9A-F]{8}$/, '')

/** What a statement allows or denies. */
export const actionsOf = (statement: Statement) => many(statement.Action)

/** What a statement is about, with intrinsics as text and without their hashes: `<AuditArchiveBucket.Arn>/data/*`. */
export const resourcesOf = (statement: Statement) => many(statement.Resource ?? []).map(shown)

/** Whom a statement that denies everybody spares, by the logical id of their role. */
export const sparedBy = ({ Condition }: Statement) =>
  many(Condition?.ArnNotEquals?.['aws:PrincipalArn'] ?? []).map(arn => shown(arn).slice(1, -'.Arn>'.length))

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  const [[intrinsic, of]] = Object.entries(value as object) as [[string, unknown]]
  if (intrinsic === 'Ref') return of === 'AWS::Partition' ? 'aws' : `<${named(of as string)}>`
  if (intrinsic === 'Fn::GetAtt') return `<${named((of as string[])[0] as string)}.${(of as string[])[1]}>`
  return (of as [string, unknown[]])[1].map(shown).join('')
}

const statementsOf = (document: { Statement: Statement | Statement[] }): readonly Statement[] =>
  many(document.Statement)

/** What each role may do, by its logical id: the policies in it, and the policies that name it. */
export function rolesOf(resources: Resources): ReadonlyMap<string, readonly Statement[]> {
  const entries = Object.entries(resources)
  const attached = (role: string) =>
    entries.filter(
      ([, it]) => /^AWS::IAM::(Managed)?Policy$/.test(it.Type) && JSON.stringify(it.Properties.Roles).includes(role),
    )
  return new Map(
    entries
      .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
      .map(([id, { Properties }]) => {
        const policies = [...(Properties.Policies ?? []), ...attached(id).map(([, it]) => it.Properties)]
        return [named(id), policies.flatMap((policy: Resource['Properties']) => statementsOf(policy.PolicyDocument))]
      }),
  )
}

/** Whom each role trusts. */
export function trustOf(resources: Resources): ReadonlyMap<string, readonly Statement[]> {
  const roles = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role')
  return new Map(roles.map(([id, { Properties }]) => [named(id), statementsOf(Properties.AssumeRolePolicyDocument)]))
}

/** The policies of buckets, by the logical id of the bucket. */
export function bucketPolicies(resources: Resources): ReadonlyMap<string, readonly Statement[]> {
  const policies = Object.values(resources).filter(({ Type }) => Type === 'AWS::S3::BucketPolicy')
  return new Map(
    policies.map(({ Properties }) => [named(Properties.Bucket.Ref), statementsOf(Properties.PolicyDocument)]),
  )
}

/** Every statement of every policy in a template, wherever it stands. */
export function statementsIn(value: unknown, path = ''): readonly (readonly [path: string, statement: Statement])[] {
  if (typeof value !== 'object' || value === null) return []
  if ('Effect' in value && ('Action' in value || 'NotAction' in value)) return [[path, value as unknown as Statement]]
  return Object.entries(value).flatMap(([name, inner]) => statementsIn(inner, `${path}/${name}`))
}

const matches = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replaceAll(/[.+^${}()|[\]\\<>]/g, '\\$&').replaceAll('*', '.*')}$`).test(text)

/** True where a resource of a statement takes in something whose name begins so. */
export function reaches(resource: string, beginning: string): boolean {
  const [head = ''] = resource.split('*')
  return resource.includes('*') && beginning.startsWith(head) ? true : resource.startsWith(beginning)
}

/** What IAM answers, as far as these policies go: an allow of the role, and no deny of the bucket that reaches it. */
export function may(resources: Resources, role: string, action: string, resource: string): boolean {
  const about = (statement: Statement) =>
    actionsOf(statement).some(pattern => matches(pattern, action)) &&
    resourcesOf(statement).some(pattern => matches(pattern, resource))
  const allowed = rolesOf(resources)
    .get(role)
    ?.some(statement => statement.Effect === 'Allow' && about(statement))
  const denied = [...bucketPolicies(resources).values()]
    .flat()
    .filter(({ Effect, Condition }) => Effect === 'Deny' && !Condition?.Bool && !Condition?.NumericLessThan)
    .some(statement => !sparedBy(statement).includes(role) && about(statement))
  return allowed === true && !denied
}
