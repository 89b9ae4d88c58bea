import { inflateRawSync } from 'node:zlib'

/** The parts of a zip by their names, read by its central directory: nothing of what wrote it is used. */
export function unzip(zip: Buffer): ReadonlyMap<string, Buffer> {
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006'))
  const parts = new Map<string, Buffer>()
  let at = zip.readUInt32LE(end + 16)
  for (let i = 0; i < zip.readUInt16LE(end + 10); i++) {
    const [method, packed] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)]
    const [name, extra, comment] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)]
    const local = zip.readUInt32LE(at + 42)
    const begin = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const data = zip.subarray(begin, begin + packed)
    parts.set(zip.toString('utf8', at + 46, at + 46 + name), method === 0 ? data : inflateRawSync(data))
    at += 46 + name + extra + comment
  }
  return parts
}

/** The rows of a sheet: numbers and booleans as such, texts as Excel reads them, null for an empty cell. */
export function sheetRows(parts: ReadonlyMap<string, Buffer>, sheet: number): readonly (readonly unknown[])[] {
  const xml = parts.get(`xl/worksheets/sheet${sheet}.xml`)?.toString() ?? ''
  return [...xml.matchAll(/<row>(.*?)<\/row>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<c([^>]*?)(?:\/>|>(.*?)<\/c>)/gs)].map(([, attributes = '', inside]) => {
      if (inside === undefined) return null
      const value = inside.replaceAll(/<[^>]*>/g, '')
      if (attributes.includes('t="b"')) return value === '1'
      return attributes.includes('t="inlineStr"') ? textOf(value) : Number(value)
    }),
  )
}

function textOf(xml: string): string {
  return xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll(/_x([0-9A-F]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
