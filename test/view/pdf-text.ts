import { inflateSync } from 'node:zlib'

/**
 * The text of a PDF that Chromium printed, its blanks left out: of each page the glyphs in the order in which they are
 * drawn, by the tables that the file has for copying.
 */
export function pdfText(pdf: Buffer): string {
  const objects = objectsOf(pdf)
  const fonts = new Map<string, ReadonlyMap<string, string>>()
  for (const { text } of objects.values()) {
    const [, unicode] = /\/ToUnicode (\d+) 0 R/.exec(text) ?? []
    if (unicode === undefined) continue
    const cmap = objects.get(unicode)?.stream?.toString('latin1') ?? ''
    for (const [id, object] of objects) if (object.text === text) fonts.set(id, glyphsOf(cmap))
  }
  let found = ''
  for (const { text, stream } of objects.values()) {
    if (stream === undefined || /\/(Subtype|ToUnicode|Length1)\b/.test(text.slice(0, 200))) continue
    found += textOf(stream.toString('latin1'), fontsOf(text, objects), fonts)
  }
  return found
}

interface PdfObject {
  readonly text: string
  readonly stream: Buffer | undefined
}

function objectsOf(pdf: Buffer): ReadonlyMap<string, PdfObject> {
  const latin = pdf.toString('latin1')
  const objects = new Map<string, PdfObject>()
  for (const match of latin.matchAll(/(?:^|\n)(\d+) 0 obj\n?/g)) {
    const start = match.index + match[0].length
    const end = latin.indexOf('endobj', start)
    const text = latin.slice(start, end)
    const at = text.indexOf('stream\n')
    if (at === -1) {
      objects.set(match[1] as string, { text, stream: undefined })
      continue
    }
    const head = text.slice(0, at)
    const length = Number(/\/Length (\d+)/.exec(head)?.[1])
    const bytes = pdf.subarray(start + at + 7, start + at + 7 + length)
    objects.set(match[1] as string, { text: head, stream: head.includes('FlateDecode') ? inflateSync(bytes) : bytes })
  }
  return objects
}

/** From the code of a glyph in hex to its text. */
function glyphsOf(cmap: string): ReadonlyMap<string, string> {
  const glyphs = new Map<string, string>()
  const decode = (hex: string) => Buffer.from(hex, 'hex').swap16().toString('utf16le')
  for (const [, block = ''] of cmap.matchAll(/beginbfchar(.*?)endbfchar/gs))
    for (const [, code = '', text = ''] of block.matchAll(/<([0-9A-F]+)> <([0-9A-F]+)>/gi))
      glyphs.set(code.toUpperCase(), decode(text))
  for (const [, block = ''] of cmap.matchAll(/beginbfrange(.*?)endbfrange/gs))
    for (const [, from = '', to = '', text = ''] of block.matchAll(/<([0-9A-F]+)> <([0-9A-F]+)> <([0-9A-F]+)>/gi))
      for (
        let code = Number.parseInt(from, 16), n = Number.parseInt(text, 16);
        code <= Number.parseInt(to, 16);
        code++, n++
      )
        glyphs.set(code.toString(16).toUpperCase().padStart(from.length, '0'), String.fromCodePoint(n))
  return glyphs
}

/** The fonts that any page names: Chromium numbers them through the whole file. */
function fontsOf(_: string, objects: ReadonlyMap<string, PdfObject>): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { text } of objects.values())
    for (const [, name = '', id = ''] of text.matchAll(/\/(F\d+) (\d+) 0 R/g)) names.set(name, id)
  return names
}

function textOf(
  content: string,
  names: ReadonlyMap<string, string>,
  fonts: ReadonlyMap<string, ReadonlyMap<string, string>>,
): string {
  let font: ReadonlyMap<string, string> | undefined
  let text = ''
  for (const [, name, drawn] of content.matchAll(/\/(F\d+) [\d.]+ Tf|(<[0-9A-F]+>|\[[^\]]*\]) *T[jJ]/gi)) {
    if (name !== undefined) font = fonts.get(names.get(name) ?? '')
    for (const [, codes = ''] of (drawn ?? '').matchAll(/<([0-9A-F]+)>/gi))
      for (const code of codes.match(/.{4}/g) ?? []) text += font?.get(code.toUpperCase()) ?? ''
  }
  return text.replaceAll(/\s/g, '')
}
