import { hash } from 'node:crypto'
import { DataType, type Table } from 'apache-arrow'
import { rowsOf, type Value } from '../engines/rows.js'

/** What a page says around the table. All of it is plain text. */
export interface PageContext {
  /** The question, as the table's caption and the page's title. */
  readonly question: string
  /** Named facts above the table: the table asked, the parameters. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly sql?: string | undefined
  /** `UNBROKEN`, `GAP`, ... and the sentence that explains it. */
  readonly confidence?: { readonly word: string; readonly text: string } | undefined
  /** What it means when there are no rows. */
  readonly empty?: string | undefined
  /** Named facts below the table: a receipt's footer, the tool and the time. */
  readonly footer?: Readonly<Record<string, string>>
}

const LINES_AT_ONCE = 500

/**
 * An answer as one HTML page that stands alone: no script, nothing loaded from anywhere, everything from the archive
 * escaped, and a policy in the page that holds a browser to this. Readable in light, dark, in print and by a screen
 * reader.
 */
export function* toHtml(table: Table, context: PageContext): Generator<Uint8Array> {
  const { question, parameters = {}, sql, confidence, empty, footer = {} } = context
  const { fields } = table.schema
  const isNumber = fields.map(({ type }) => DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type))
  const rows = `${table.numRows.toLocaleString('en')} ${table.numRows === 1 ? 'row' : 'rows'}`
  const head = fields.map(({ name }, i) => `<th scope="col"${isNumber[i] ? ' class="n"' : ''}>${escapeHtml(name)}</th>`)
  yield Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(question)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<div class="scroll" role="region" aria-labelledby="question" tabindex="0">
<table>
<caption><h1 id="question">${escapeHtml(question)}</h1>${facts(parameters)}${confidenceLine(confidence)}<p>${rows}</p></caption>
<thead><tr>${head.join('')}</tr></thead>
<tbody>
`)
  let lines: string[] = []
  for (const row of rowsOf(table)) {
    lines.push(`<tr>${fields.map(({ name }, i) => cell(row[name] ?? null, isNumber[i] === true)).join('')}</tr>`)
    if (lines.length < LINES_AT_ONCE) continue
    yield Buffer.from(`${lines.join('\n')}\n`)
    lines = []
  }
  if (table.numRows === 0) {
    const nothing = escapeHtml(empty ?? 'no rows')
    lines.push(`<tr><td class="dim" colspan="${Math.max(1, fields.length)}">${nothing}</td></tr>`)
  }
  const statement =
    sql === undefined ? '' : `<details class="sql"><summary>SQL</summary><pre>${escapeHtml(sql)}</pre></details>\n`
  yield Buffer.from(`${lines.join('\n')}
</tbody>
</table>
</div>
</main>
<footer>
${statement}${facts(footer)}</footer>
</body>
</html>
`)
}

function facts(named: Readonly<Record<string, string>>): string {
  const entries = Object.entries(named)
  if (entries.length === 0) return ''
  return `<dl>${entries.map(([name, text]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd></div>`).join('')}</dl>\n`
}

const LEVELS: Readonly<Record<string, string>> = { COMPLETE: 'good', UNBROKEN: 'good', GAP: 'bad', CONFLICT: 'bad' }

function confidenceLine(confidence: PageContext['confidence']): string {
  if (confidence === undefined) return ''
  const { word, text } = confidence
  return `<p class="confidence"><strong class="${LEVELS[word] ?? 'fair'}">${escapeHtml(word)}</strong> ${escapeHtml(text)}</p>\n`
}

/** A text of a longer line, or of more lines, is folded, so that a row stays a row. */
const FOLDED = { characters: 100, lines: 20 } as const
/** Up to here a text without spaces is kept on one line. */
const UNBROKEN = 40

function cell(value: Value, isNumber: boolean): string {
  if (value === null) return '<td class="dim">null</td>'
  const text = typeof value === 'object' ? value.map(element => element ?? 'null').join(', ') : String(value)
  if (isNumber) return `<td class="n">${escapeHtml(text)}</td>`
  if (text === '') return '<td class="dim">""</td>'
  // a date or an identifier breaks at its hyphens otherwise
  const lines = text.split('\n')
  if (lines.length <= FOLDED.lines && lines.every(line => line.length <= FOLDED.characters))
    return `<td${classOf(text)}><bdi>${escapeHtml(text)}</bdi></td>`
  const start = [...text.slice(0, FOLDED.characters)].slice(0, -20).join('')
  return `<td><details><summary><bdi>${escapeHtml(start)}…</bdi></summary><pre>${escapeHtml(text)}</pre></details></td>`
}

/** Lines stand under one another, and a word or a moment on one line. */
function classOf(text: string): string {
  if (text.includes('\n')) return ' class="m"'
  const isOne = (!/\s/.test(text) && text.length <= UNBROKEN) || /^\d{4}-\d{2}-\d{2} [\d:.]+Z$/.test(text)
  return isOne ? ' class="t"' : ''
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Text for HTML. What cannot be seen and could deceive (controls, directions, lone surrogates) is shown as `\u202e`.
 */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, sign => ENTITIES[sign] as string)
    .replaceAll(/(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, sign => {
      const code = (sign.codePointAt(0) as number).toString(16)
      return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
    })
}

/** Every pair of text and ground is at least 4.5 to 1 (WCAG 2.2, 1.4.3), in both schemes; a test computes it. */
const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--dim:#57606a;--head:#f1f3f5;--line:#8c959f;--good:#1a6b34;--fair:#7a5200;--bad:#a11d1d;--focus:#0550ae}
@media (prefers-color-scheme:dark){:root{--ground:#12161b;--text:#e6e9ec;--dim:#a3adb8;--head:#1f252d;--line:#6b7682;--good:#6fd08c;--fair:#e5b64c;--bad:#ff9c94;--focus:#79b8ff}}
body{margin:0;padding:1.5rem;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.25rem;margin:0 0 .5rem}
caption{text-align:left;padding:0 0 .75rem}
caption p{margin:0;color:var(--dim)}
caption .confidence{margin-bottom:.5rem;color:var(--text)}
dl{display:flex;flex-wrap:wrap;gap:.25rem 2rem;margin:0 0 .5rem}
dl div{display:flex;gap:.5rem;min-width:0}
dt{color:var(--dim)}
dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
table{border-collapse:collapse;font-size:.9375rem}
th,td{padding:.375rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{background:var(--head);white-space:nowrap}
td{overflow-wrap:break-word;max-width:60ch;white-space:pre-wrap}
.t{white-space:nowrap}
.m{font:.8125rem/1.5 ui-monospace,monospace}
td details{min-width:30ch}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.dim{color:var(--dim);font-style:italic}
.good{color:var(--good)}.fair{color:var(--fair)}.bad{color:var(--bad)}
summary{cursor:pointer}
td summary{max-width:60ch;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
pre{margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere;font:.875rem/1.4 ui-monospace,monospace}
footer{margin-top:1.5rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.875rem}
.sql{margin-bottom:1rem}
@media print{body{padding:0}.scroll{overflow:visible}thead{display:table-header-group}tr{break-inside:avoid}}
`
const STYLE_HASH = hash('sha256', STYLE, 'base64')
