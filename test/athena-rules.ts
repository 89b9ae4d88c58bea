/** The `?` whose nearest clause keyword, at its own depth of parentheses or further out, is not WHERE. */
export function misplacedParameters(sql: string): readonly string[] {
  const clauses: string[] = ['']
  const misplaced: string[] = []
  for (const [token] of withoutStrings(sql)
    .toLowerCase()
    .matchAll(/[a-z_]+|[()?]/g)) {
    if (token === '(') clauses.push(clauses.at(-1) as string)
    else if (token === ')') clauses.pop()
    else if (token === '?' && clauses.at(-1) !== 'where') misplaced.push(token)
    else if (['select', 'from', 'where', 'group', 'having', 'order', 'limit', 'on'].includes(token))
      clauses[clauses.length - 1] = token
  }
  return misplaced
}

export function withoutStrings(sql: string): string {
  return sql.replaceAll(/'(?:[^']|'')*'/g, "''")
}
