import type { BoundValue, Derivation, Scope } from './engine.js'
import { deliveriesOf } from './literal.js'
import { readStatement } from './statement.js'

/** A statement with the values for its `?`. */
export interface BoundStatement {
  readonly sql: string
  readonly values: readonly BoundValue[]
}

/** An answer that names no items has no order. */
const orderOf = ({ eachItem = ['item_key'] }: Scope) => (eachItem.includes('item_key') ? '\norder by item_key' : '')

/**
 * The statement that reads what was derived under the name of its table, which it calls by no other. `unite` makes one
 * relation, in brackets, of several SELECTs. `before` are table expressions that both may name.
 */
export function readInstead(
  { sql, values }: BoundStatement,
  scope: Scope,
  { rows, known, before }: Pick<Derivation, 'rows' | 'known'> & { readonly before?: string | undefined },
  unite: (rows: readonly string[]) => string,
): BoundStatement {
  const expressions = before === undefined ? [] : [before]
  const columns = scope.eachItem?.join(', ')
  const named = `select ${columns} from (${known}) as known`
  // what has no rows to read has none in its answer, and need not be planned
  if (known !== undefined && rows.length === 0)
    return { sql: `${withOf(expressions)}${columns === undefined ? known : named}${orderOf(scope)}`, values: [] }
  const instead = withOf([...expressions, `${deliveriesOf(scope)} as ${unite(rows)}`])
  if (known !== undefined) {
    const answer = `select ${columns} from (\n${sql}\n) as answer`
    return { sql: `${instead}${named}\nunion all\n${answer}${orderOf(scope)}`, values }
  }
  const { text } = readStatement(sql)
  return {
    sql: /^with\s/i.test(text) ? `${instead.trimEnd()},${text.slice('with'.length)}` : `${instead}${text}`,
    values,
  }
}

function withOf(expressions: readonly string[]): string {
  return expressions.length === 0 ? '' : `with ${expressions.join(',\n')}\n`
}
