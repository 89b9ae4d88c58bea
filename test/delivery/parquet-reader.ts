/** Reads our Parquet with a reader that we did not write it with: hyparquet, value by value and exactly. */
import { readFileSync } from 'node:fs'
import { type FileMetaData, parquetMetadata, parquetReadObjects, type SchemaElement } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

/** A value as Parquet holds it: decimals as their text, timestamps in ISO 8601. */
export type ParquetValue = string | bigint | number | boolean | readonly string[] | null
export type ParquetRow = Readonly<Record<string, ParquetValue>>

export async function readParquet(path: string): Promise<readonly ParquetRow[]> {
  const file = bytesOf(path)
  const metadata = parquetMetadata(file)
  const decimals = new Map(metadata.schema.filter(isDecimal).map(element => [element.name, element.scale ?? 0]))
  const rows = await parquetReadObjects({ file, metadata: withBareDecimals(metadata), compressors, utf8: false })
  return rows.map(row =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, readValue(value, decimals.get(name))])),
  )
}

/** Column names with their types, as the file declares them. */
export function readSchema(path: string): readonly (readonly [name: string, type: string])[] {
  const [, ...elements] = parquetMetadata(bytesOf(path)).schema
  const leaves = elements.filter(({ type }) => type !== undefined)
  return leaves.map(element => [element.name, typeOf(element)])
}

export function codecsOf(path: string): ReadonlySet<string> {
  const { row_groups: groups } = parquetMetadata(bytesOf(path))
  return new Set(groups.flatMap(group => group.columns.map(column => column.meta_data?.codec ?? 'none')))
}

function bytesOf(path: string): ArrayBuffer {
  const bytes = readFileSync(path)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

function isDecimal({ converted_type: type }: SchemaElement): boolean {
  return type === 'DECIMAL'
}

/** hyparquet makes doubles of decimals; without their type it gives the unscaled words or bytes. */
function withBareDecimals(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map(element => {
    if (!isDecimal(element)) return element
    const { converted_type: _, logical_type: __, ...bare } = element
    return bare
  })
  return { ...metadata, schema }
}

function readValue(value: unknown, scale: number | undefined): ParquetValue {
  if (value === null || value === undefined) return null
  if (scale !== undefined) return decimalText(value as number | bigint | Uint8Array, scale)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return new TextDecoder('utf-8', { fatal: true }).decode(value)
  if (Array.isArray(value)) return value.map(element => readValue(element, undefined) as string)
  return value as string | bigint | number | boolean
}

function decimalText(value: number | bigint | Uint8Array, scale: number): string {
  const unscaled = value instanceof Uint8Array ? bigEndian(value) : BigInt(value)
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const plain = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return unscaled < 0n ? `-${plain}` : plain
}

function bigEndian(bytes: Uint8Array): bigint {
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
}

function typeOf({ type, logical_type: logical, converted_type: converted, ...element }: SchemaElement): string {
  if (converted === 'DECIMAL') return `decimal(${element.precision},${element.scale ?? 0})`
  if (logical?.type === 'TIMESTAMP') return `timestamp in ${logical.unit}`
  return converted === 'UTF8' ? 'string' : String(type).toLowerCase()
}
