import * as zlib from 'node:zlib'
import type { AsyncBuffer, Compressors, FileMetaData, parquetScan } from 'hyparquet'
import type { RowHashes } from './archive-objects.js'

/** A file of which parts can be read: `from` to `to - 1`. */
export interface PartialFile {
  readonly bytes: number
  read(from: number, to: number): Promise<Uint8Array>
}

const COLUMNS = ['row_hash', 'event_time_us'] as const

/**
 * What Parquet files of an archive are compressed with: Snappy by Firehose, Zstandard on a desk. hyparquet knows the
 * first; Node the second, since 22.15.
 */
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }
export const PARQUET_COMPRESSORS: Compressors = {
  GZIP: bytes => zlib.gunzipSync(bytes),
  BROTLI: bytes => zlib.brotliDecompressSync(bytes),
  ...(zstdDecompressSync && { ZSTD: bytes => zstdDecompressSync(bytes) }),
}

/**
 * `row_hash` and the times of a Parquet file's rows, as `rowHashesOfFile` gives them, without DuckDB: for a function on
 * AWS. It reads the two columns only, a row group at a time. Undefined where they cannot be read, as there, and where
 * the file is compressed as nobody of ours does it. Throws for Zstandard where this Node cannot read it: another can.
 */
export async function rowHashesOfParquet(file: PartialFile): Promise<RowHashes | undefined> {
  const remote = new RemoteFile(file)
  // few commands read a file without DuckDB, and each that might would load it
  const reader = await import('hyparquet')
  const columns = await remote.attempt(() => openColumns(remote, reader))
  if (columns === undefined) return undefined
  if (PARQUET_COMPRESSORS.ZSTD === undefined) refuseZstandard(columns.metadata)
  return remote.attempt(() => readRows(columns))
}

/** The file as hyparquet wants it. What goes wrong in reading it is told apart from what is wrong in it. */
class RemoteFile implements AsyncBuffer {
  readonly byteLength: number
  private failure: { readonly error: unknown } | undefined

  constructor(private readonly file: PartialFile) {
    this.byteLength = file.bytes
  }

  async slice(start: number, end = this.byteLength): Promise<ArrayBuffer> {
    try {
      const bytes = await this.file.read(start, end)
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    } catch (error) {
      this.failure = { error }
      throw error
    }
  }

  /** Undefined where the file is not what it should be. */
  async attempt<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch {
      if (this.failure !== undefined) throw this.failure.error
      return undefined
    }
  }
}

type Columns = Awaited<ReturnType<typeof parquetScan>>

async function openColumns(file: AsyncBuffer, reader: typeof import('hyparquet')): Promise<Columns> {
  const metadata = await reader.parquetMetadataAsync(file)
  return reader.parquetScan({
    file,
    metadata,
    columns: [...COLUMNS],
    compressors: PARQUET_COMPRESSORS,
    useOffsetIndex: false,
  })
}

function refuseZstandard({ row_groups: groups }: FileMetaData): void {
  const codecs = groups.flatMap(({ columns }) => columns.map(({ meta_data: column }) => column?.codec))
  if (codecs.includes('ZSTD'))
    throw new Error(`Parquet is compressed by Zstandard, which Node ${process.versions.node} cannot read, 22.15 can`)
}

async function readRows({ metadata, readColumn }: Columns): Promise<RowHashes | undefined> {
  const hashes: Uint8Array[] = []
  let [minUs, maxUs]: [number | undefined, number | undefined] = [undefined, undefined]
  for (const { num_rows: count } of metadata.row_groups) {
    const range = { rowStart: hashes.length, rowEnd: hashes.length + Number(count) }
    const texts = await readColumn({ column: 'row_hash', ...range })
    const times = await readColumn({ column: 'event_time_us', ...range })
    const packed = Buffer.allocUnsafe(32 * texts.length)
    for (let i = 0; i < texts.length; i++) {
      const [text, us] = [texts[i], Number(times[i] ?? 0)]
      if (typeof text !== 'string' || !/^[0-9a-f]{64}$/.test(text)) return undefined
      packed.write(text, 32 * i, 'hex')
      hashes.push(packed.subarray(32 * i, 32 * i + 32))
      if (minUs === undefined || us < minUs) minUs = us
      if (maxUs === undefined || us > maxUs) maxUs = us
    }
  }
  return { hashes, minUs, maxUs }
}
