import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FROM_INSTANT, SAVED_QUERIES, type SavedQuery } from './catalog.js'
import type { Parameter } from './parameters.js'
import { askedParameters } from './question-usage.js'

/** What the example of each answers, by `examples/orders/answers.ts`. */
const ANSWERS: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL('../examples/orders/answers.json', import.meta.url), 'utf8'),
)

/** `docs/queries.md`, made from the saved queries themselves. Run by `npx tsx queries/write-docs.ts`. */
export function queriesDocument(): string {
  const queries = [...SAVED_QUERIES.values()]
  const index = queries.map(({ name, question }) => `- [${name}](#${name}): ${question}`)
  return `# Saved queries

Made from the files in \`queries/sql/\` by \`npx tsx queries/write-docs.ts\`; do not edit.

Each question is one SQL text for DuckDB, Trino and Athena. Ask it with \`itemtrail query NAME TABLE\` and its
parameters, in their order or as \`name=value\`; \`--from\` and \`--to\` give a period. An
\`instant\` is ISO 8601 with a zone, to the microsecond, in the console as on the command line; in SQL it becomes microseconds by

    ${FROM_INSTANT.us('?')}

SQL reads rows, and none of the facts that lie beside them. That an item was gone which a complete baseline since its last
change lacks, \`table-as-of\`, \`items-as-of\` and \`diff-of-table\` are told by parameters that \`itemtrail query\` and the library fill in
from the archive's facts, and that nobody else gives; \`item-as-of\` and \`first-and-last-seen\` get a remark that names such items, and
the exit code is 1. In the Athena console nobody does either: the defaults stand for an archive without baselines, so ask
\`itemtrail as-of\` and \`diff\`, which know it. Rows of baselines are no changes, and are not counted as such.
An \`attribute\` is an attribute's name, a path as \`history\` and \`diff\` print it (\`shipping.city\`, \`lines[sku=TEA].qty\`,
\`lines[0].qty\`), or a configured column; what no item ever had is refused. An attribute that has the whole text for its name
goes before what lies at the path. In the Athena console it is the name of a top-level attribute.

A period is [from, to), and one that runs backwards is refused; "as of" counts changes at the moment itself. Columns marked *detail* are left out of tables on a
terminal; \`--format json\` has them. A \`timestamp\` is of UTC, to the microsecond where that is known; any value may be null.

${index.join('\n')}

${queries.map(describeQuery).join('\n')}`
}

/** `queries/query-types.ts`: the names, parameters and rows of the saved queries, as the compiler knows them. */
export function queryTypes(): string {
  const lines = [
    "import type { ParameterType } from './parameters.js'",
    '',
    '/**',
    ' * The saved queries by name: each parameter with its type, and a row of the answer.',
    ' * Made from the headers in `queries/sql/` by `npx tsx queries/write-docs.ts`; do not edit.',
    ' */',
    'export interface QueryTypes {',
    ...[...SAVED_QUERIES.values()].map(typeOfQuery),
    '}',
    '',
    '/** The name of a saved query. */',
    'export type QueryName = keyof QueryTypes',
    '',
    '/** What the type of a parameter is called, that of a configured column among them. */',
    "export type TypeOfParameter = ParameterType | 'column'",
  ]
  return `${lines.join('\n')}\n`
}

function typeOfQuery({ name, question, parameters, asksForColumn, columns }: SavedQuery): string {
  const given = parameters.filter(({ preset }) => preset !== 'facts')
  const fields = [
    ...(asksForColumn ? [`column: 'column'`] : []),
    ...given.map(
      ({ name, type, default: value, preset }) =>
        `${name}${value === undefined && preset === undefined ? '' : '?'}: '${type}'`,
    ),
  ]
  const cells = columns.map(({ name, type }) => `${name}: ${ROW_TYPES[type]} | null`)
  const block = (lines: readonly string[]) => `{\n${lines.map(line => `      readonly ${line}\n`).join('')}    }`
  return `${docComment(question)}
  readonly ${name.includes('-') ? `'${name}'` : name}: {
    readonly parameters: ${block(fields)}
    readonly row: ${block(cells)}
  }`
}

/** A sentence as a comment of a member, on more lines where it is longer than 120 columns. */
function docComment(sentence: string): string {
  const line = `  /** ${sentence} */`
  if (line.length <= 120) return line
  const lines = sentence.match(/.{1,114}(?: |$)/g) ?? []
  return ['  /**', ...lines.map(part => `   * ${part.trimEnd()}`), '   */'].join('\n')
}

/** As `rowsOf` gives them. */
const ROW_TYPES = {
  varchar: 'string',
  timestamp: 'string',
  bigint: 'bigint',
  double: 'number',
  'decimal(38,10)': 'string',
  boolean: 'boolean',
  'array(varchar)': 'readonly (string | null)[]',
} as const

function describeQuery(saved: SavedQuery): string {
  const { name, question, empty, parameters, asksForColumn, columns } = saved
  const column = asksForColumn ? ['| `column` | column | | one of the columns that the table configures |'] : []
  const rows = [...column, ...parameters.map(describeParameter)]
  const given = exampleValues(saved)
  return `## ${name}

${question}

No rows: ${empty}.

| parameter | type | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

| column | type | meaning |
| --- | --- | --- |
${columns.map(({ name, type, detail, meaning }) => `| \`${name}\` | ${type} | ${escapeCell(meaning)}${detail ? ' *(detail)*' : ''} |`).join('\n')}

\`itemtrail query ${name} Orders${given.map(text => ` ${quoteForShell(text)}`).join('')}\` on the bundled orders:

${answerBlock(ANSWERS[name])}
`
}

/** As text: nothing in an answer is Markdown. */
function answerBlock(answer = ''): string {
  return answer
    .split('\n')
    .map(line => `    ${line}`.trimEnd())
    .join('\n')
}

const PRESETS = { facts: 'archive’s facts', lifecycle: 'configured life cycle', table: 'table’s name' } as const

function describeParameter({ name, type, default: value, preset, meaning }: Parameter): string {
  const otherwise = value === undefined ? '' : `, else \`${value}\``
  const shown =
    preset !== undefined
      ? `the ${PRESETS[preset]}${otherwise}`
      : value === undefined || value === ''
        ? ''
        : `\`${value}\``
  return `| \`${name}\` | ${type} | ${shown} | ${escapeCell(meaning)} |`
}

/** A value for each parameter that needs one; by its name where one before it is left out. */
export function exampleValues(saved: SavedQuery): readonly string[] {
  const asked = askedParameters(saved)
  const needed = asked.filter(({ name }) => exampleOf(saved, name)?.default === undefined)
  return needed.map(({ name }, i) => {
    const example = exampleOf(saved, name)?.example ?? 'status'
    return asked[i]?.name === name ? example : `${name}=${example}`
  })
}

function exampleOf({ parameters }: SavedQuery, name: string): Parameter | undefined {
  return parameters.find(parameter => parameter.name === name)
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function quoteForShell(text: string): string {
  return /^[\w=.:@-]+$/.test(text) ? text : `'${text}'`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../docs/queries.md', import.meta.url), queriesDocument())
  writeFileSync(new URL('./query-types.ts', import.meta.url), queryTypes())
}
