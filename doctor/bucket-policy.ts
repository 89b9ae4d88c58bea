import { isObject } from '../transform/json.js'

/** A statement of a policy, as far as its promises go. */
export interface PolicyStatement {
  readonly isDeny: boolean
  /** ARNs, account numbers, services; `*` is everybody. */
  readonly principals: readonly string[]
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  /** Whom a denial of everybody spares, by ARN. */
  readonly spared: readonly string[]
  /** True where it holds only under other conditions than who asks. */
  readonly isConditional: boolean
  /** Its conditions as texts, in order: `StringNotEquals aws:PrincipalTag/x a,b`. */
  readonly conditions: readonly string[]
}

/** The statements of a policy's text. Throws a `SyntaxError` for what is no JSON. */
export function parseStatements(text: string): readonly PolicyStatement[] {
  const policy: unknown = JSON.parse(text)
  const statements = isObject(policy) ? many(policy.Statement) : []
  return statements.filter(isObject).map(statement => {
    const { Principal, Condition } = statement
    const conditions = Object.entries(isObject(Condition) ? Condition : {})
    const about = conditions.flatMap(([test, keys]) =>
      Object.entries(isObject(keys) ? keys : {}).map(([key, value]) => ({ rule: `${test} ${key}`, value })),
    )
    return {
      isDeny: statement.Effect === 'Deny',
      principals: texts(isObject(Principal) ? Object.values(Principal).flatMap(many) : Principal),
      actions: texts(statement.Action),
      resources: texts(statement.Resource),
      spared: about.filter(({ rule }) => rule === SPARES).flatMap(({ value }) => texts(value)),
      isConditional: about.some(({ rule }) => rule !== SPARES),
      conditions: about.map(({ rule, value }) => `${rule} ${[...texts(value)].sort().join()}`).sort(),
    }
  })
}

const SPARES = 'ArnNotEquals aws:PrincipalArn'

function many(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}

function texts(value: unknown): readonly string[] {
  return many(value).filter(one => typeof one === 'string')
}

/** The statements that deny everybody, but for those spared, all of these actions on a resource of this form. */
export function denials(
  policy: readonly PolicyStatement[],
  actions: readonly string[],
  form: RegExp,
): readonly PolicyStatement[] {
  return policy.filter(
    statement =>
      statement.isDeny &&
      !statement.isConditional &&
      statement.principals.includes('*') &&
      actions.every(action => statement.actions.includes(action)) &&
      statement.resources.some(resource => form.test(resource)),
  )
}

/** Principals outside of an account that a policy lets in. */
export function strangers(policy: readonly PolicyStatement[], account: string): readonly string[] {
  const allowed = policy.filter(({ isDeny, isConditional }) => !isDeny && !isConditional)
  return allowed
    .flatMap(({ principals }) => principals)
    .filter(one => one === '*' || (/^(arn:|\d{12}$)/.test(one) && !one.includes(account)))
}
