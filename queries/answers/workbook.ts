import { strToU8, Zip, ZipDeflate } from 'fflate'

/** A cell of a sheet; what is null is empty. A moment is in microseconds since 1970, as the clock of UTC shows it. */
export type SheetCell =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'moment'; readonly us: number; readonly hasZone: boolean }
  | null

/** A sheet of a workbook: its first row is a header, which stays where the others scroll. */
export interface Sheet {
  readonly name: string
  readonly widths: readonly number[]
  readonly rows: () => Iterable<readonly SheetCell[]>
}

/** What a sheet of Excel holds at most; other programs follow it. */
export const SHEET_LIMITS = { rows: 1_048_576, columns: 16_384, characters: 32_767 } as const

/** Cells of a sheet in the order of `cellXfs`. */
const STYLES = { plain: 0, header: 1, zoned: 2, local: 3, lines: 4 } as const

/**
 * A workbook (Office Open XML), piece by piece, whose bytes the sheets alone decide: each is read when the one before
 * is written. Nothing in it is a formula.
 */
export function* workbookOf(sheets: readonly Sheet[]): Generator<Uint8Array> {
  const parts: Readonly<Record<string, Iterable<string>>> = {
    '[Content_Types].xml': [contentTypes(sheets)],
    '_rels/.rels': [relations([['officeDocument', 'xl/workbook.xml']])],
    'xl/workbook.xml': [workbook(sheets)],
    'xl/_rels/workbook.xml.rels': [
      relations([
        ...sheets.map((_, i) => ['worksheet', `worksheets/sheet${i + 1}.xml`] as const),
        ['styles', 'styles.xml'],
      ]),
    ],
    'xl/styles.xml': [STYLE_SHEET],
    ...Object.fromEntries(sheets.map((sheet, i) => [`xl/worksheets/sheet${i + 1}.xml`, worksheet(sheet)])),
  }
  const written: Uint8Array[] = []
  const zip = new Zip((error, bytes) => {
    if (error) throw error
    written.push(bytes)
  })
  for (const [name, pieces] of Object.entries(parts)) {
    // the least time that a zip can say
    const file = Object.assign(new ZipDeflate(name), { mtime: new Date(1980, 0, 1) })
    zip.add(file)
    file.push(strToU8(XML))
    for (const piece of pieces) {
      file.push(strToU8(piece))
      yield* written.splice(0)
    }
    file.push(new Uint8Array(0), true)
  }
  zip.end()
  yield* written
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATION = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml'

/** A moment shows its zone: the cell itself has none. */
const STYLE_SHEET = `<styleSheet xmlns="${MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000&quot;Z&quot;"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="5"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/><xf xfId="0" numFmtId="164" applyNumberFormat="1"/><xf xfId="0" numFmtId="165" applyNumberFormat="1"/><xf xfId="0" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`

function contentTypes(sheets: readonly Sheet[]): string {
  const parts = [
    ['/xl/workbook.xml', 'sheet.main'],
    ...sheets.map((_, i) => [`/xl/worksheets/sheet${i + 1}.xml`, 'worksheet']),
    ['/xl/styles.xml', 'styles'],
  ].map(([part, type]) => `<Override PartName="${part}" ContentType="${TYPE}.${type}+xml"/>`)
  return `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${parts.join('')}</Types>`
}

function relations(targets: readonly (readonly [type: string, target: string])[]): string {
  const all = targets.map(
    ([type, target], i) => `<Relationship Id="rId${i + 1}" Type="${RELATION}/${type}" Target="${target}"/>`,
  )
  return `<Relationships xmlns="${PACKAGE}/relationships">${all.join('')}</Relationships>`
}

function workbook(sheets: readonly Sheet[]): string {
  const all = sheets.map(({ name }, i) => `<sheet name="${escapeXml(name)}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`)
  return `<workbook xmlns="${MAIN}" xmlns:r="${RELATION}"><sheets>${all.join('')}</sheets></workbook>`
}

const ROWS_AT_ONCE = 500

function* worksheet({ rows, widths }: Sheet): Generator<string> {
  const cols = widths.map((width, i) => `<col min="${i + 1}" max="${i + 1}" width="${width}" customWidth="1"/>`)
  const pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
  yield `<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0">${pane}</sheetView></sheetViews><cols>${cols.join('')}</cols><sheetData>`
  let count = 0
  let lines: string[] = []
  for (const cells of rows()) {
    lines.push(`<row>${cells.map(cell => cellXml(cell, count === 0)).join('')}</row>`)
    if (++count % ROWS_AT_ONCE !== 0) continue
    yield lines.join('\n')
    lines = []
  }
  yield `${lines.join('\n')}</sheetData></worksheet>`
}

function cellXml(cell: SheetCell, isHeader: boolean): string {
  if (cell === null) return '<c/>'
  if (cell.kind === 'number') return `<c><v>${cell.text}</v></c>`
  if (cell.kind === 'boolean') return `<c t="b"><v>${cell.value ? 1 : 0}</v></c>`
  if (cell.kind === 'moment')
    return `<c s="${cell.hasZone ? STYLES.zoned : STYLES.local}"><v>${serialOf(cell.us)}</v></c>`
  const style = isHeader ? STYLES.header : cell.text.includes('\n') ? STYLES.lines : STYLES.plain
  return `<c s="${style}" t="inlineStr"><is><t xml:space="preserve">${escapeXml(cell.text)}</t></is></c>`
}

const DAY_US = 86_400_000_000
/** 1970-01-01 in days, as Excel counts them. */
const DAYS_TO_1970 = 25_569
/** Before March 1900 days are counted by a leap day that there was not; after the year 9999 there are none. */
const SERIALS = { least: 61, end: 2_958_466 } as const

/** True for a moment that a sheet can hold as such. */
export function isSheetMoment(us: number): boolean {
  const serial = serialOf(us)
  return serial >= SERIALS.least && serial < SERIALS.end
}

function serialOf(us: number): number {
  return us / DAY_US + DAYS_TO_1970
}

/** A text as XML holds it: what XML cannot hold as `_x0001_`, as Excel writes it, and what looks like that likewise. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replaceAll(UNFIT, sign => `_x${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** Controls, what XML has no sign for, and halves of pairs without the other half. */
const UNFIT = /(?![\t\n])\p{Cc}|[\ufffe\uffff]|\p{Cs}/gu
