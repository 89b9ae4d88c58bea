import { ProofError } from './proof-error.js'
import { HASH_BYTES, joinSubtrees, leafHash, type Range, rootOf, type Subtree, subtreesOf } from './tree.js'

/**
 * A log as files (C2SP tlog-tiles): tiles of up to 256 hashes, each the root over a full tile of the level below, and
 * bundles of up to 256 entries. Paths are relative to the log.
 */

/** Hashes of a full tile, entries of a full bundle. */
export const TILE_WIDTH = 256

/** Tile levels are 8 levels of the tree apart. */
const TILE_HEIGHT = 8

/** Hashes `index * 256` and on of a level, `width` of them: 1 to 256. */
export interface Tile {
  readonly level: number
  readonly index: number
  readonly width: number
}

/** `tile/1/x001/x234/067`, or with `.p/<width>` where it is not full. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${groupsOf(index)}${partOf(width)}`
}

/** `tile/entries/000`, or with `.p/<width>` where it is not full. */
export function bundlePath({ index, width }: Pick<Tile, 'index' | 'width'>): string {
  return `tile/entries/${groupsOf(index)}${partOf(width)}`
}

/** Digits in groups of three, each but the last begun by an `x`. */
function groupsOf(index: number): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) as string[]
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
}

function partOf(width: number): string {
  return width === TILE_WIDTH ? '' : `.p/${width}`
}

const TILE_PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** The tile of a path, of a bundle the one of level 0 over its entries; undefined for any other path. */
export function parseTilePath(path: string): Tile | undefined {
  const [, level = '', groups = '', part] = TILE_PATH.exec(path) ?? []
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const tile = { level: level === 'entries' ? 0 : Number(level), index, width: Number(part ?? TILE_WIDTH) }
  const whole = level === 'entries' ? bundlePath(tile) : tilePath(tile)
  return whole === path && tile.width <= TILE_WIDTH && Number.isSafeInteger(index) ? tile : undefined
}

/** All tiles that a log of `size` entries has besides those that one of `before` has already, level by level. */
export function tilesBetween(before: number, size: number): readonly Tile[] {
  const tiles: Tile[] = []
  for (let level = 0, [from, to] = [before, size]; to > 0; level++) {
    tiles.push(...newTiles(level, from, to))
    ;[from, to] = [Math.floor(from / TILE_WIDTH), Math.floor(to / TILE_WIDTH)]
  }
  return tiles
}

/** The tiles that are not full, one of a level at most, from level 0 upward. */
export function partialTiles(size: number): readonly Tile[] {
  const tiles: Tile[] = []
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const width = hashes % TILE_WIDTH
    if (width > 0) tiles.push({ level, index: Math.floor(hashes / TILE_WIDTH), width })
  }
  return tiles
}

function newTiles(level: number, before: number, size: number): readonly Tile[] {
  if (before === size) return []
  const tiles: Tile[] = []
  for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < size; index++)
    tiles.push({ level, index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) })
  return tiles
}

/** The tile that holds a subtree's hash, or those that it is made of, in a log of `size` entries. */
export function tileOf({ level, index }: Subtree, size: number): Tile {
  const tileLevel = Math.floor(level / TILE_HEIGHT)
  const first = index * 2 ** (level % TILE_HEIGHT)
  const tile = Math.floor(first / TILE_WIDTH)
  const hashes = Math.floor(size / TILE_WIDTH ** tileLevel)
  return { level: tileLevel, index: tile, width: Math.min(TILE_WIDTH, hashes - tile * TILE_WIDTH) }
}

/** Reads a file of a log; undefined where it is not there. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>

/** Hashes out of the tiles of a log, each file read once. */
export class TileReader {
  private readonly tiles = new Map<string, Promise<readonly Uint8Array[]>>()

  constructor(
    private readonly read: ReadFile,
    readonly size: number,
  ) {}

  /**
   * The hash of a range that the tree asks for. Throws `ProofError` for a tile that is missing or of another length.
   */
  async hashOf(range: Range): Promise<Buffer> {
    return joinSubtrees(await Promise.all(subtreesOf(range).map(subtree => this.subtree(subtree))))
  }

  /** The hashes of ranges, such as `inclusionRanges` gives. */
  hashesOf(ranges: readonly Range[]): Promise<readonly Buffer[]> {
    return Promise.all(ranges.map(range => this.hashOf(range)))
  }

  private async subtree(subtree: Subtree): Promise<Buffer> {
    const hashes = await this.tile(tileOf(subtree, this.size))
    const span = 2 ** (subtree.level % TILE_HEIGHT)
    const first = (subtree.index * span) % TILE_WIDTH
    return rootOf(hashes.slice(first, first + span))
  }

  private tile(tile: Tile): Promise<readonly Uint8Array[]> {
    const path = tilePath(tile)
    let reading = this.tiles.get(path)
    if (reading === undefined) {
      reading = readTile(this.read, tile)
      this.tiles.set(path, reading)
    }
    return reading
  }
}

/** The hashes of a tile; of a partial one that is gone, from the full one that took its place. */
export async function readTile(read: ReadFile, tile: Tile): Promise<readonly Uint8Array[]> {
  const { path, bytes, width } = await readWhole(read, tile, tilePath)
  const hashes = splitHashes(bytes, path)
  if (hashes.length !== width) throw new ProofError(`${path} has ${hashes.length} hashes, expected ${width}`)
  return hashes.slice(0, tile.width)
}

/** The entries of a bundle; of a partial one that is gone, from the full one that took its place. */
export async function readBundle(read: ReadFile, bundle: Pick<Tile, 'index' | 'width'>): Promise<readonly Buffer[]> {
  const { path, bytes, width } = await readWhole(read, bundle, bundlePath)
  const entries = decodeBundle(bytes, path)
  if (entries.length !== width) throw new ProofError(`${path} has ${entries.length} entries, expected ${width}`)
  return entries.slice(0, bundle.width)
}

/** The file of a part, else the full one that took its place: its path, and how wide it has to be. */
async function readWhole<T extends { readonly width: number }>(
  read: ReadFile,
  part: T,
  pathOf: (part: T) => string,
): Promise<{ readonly path: string; readonly bytes: Uint8Array; readonly width: number }> {
  for (const width of new Set([part.width, TILE_WIDTH])) {
    const path = pathOf({ ...part, width })
    const bytes = await read(path)
    if (bytes !== undefined) return { path, bytes, width }
  }
  throw new ProofError(`${pathOf(part)} is missing`)
}

function splitHashes(bytes: Uint8Array, path: string): readonly Uint8Array[] {
  if (bytes.length === 0 || bytes.length % HASH_BYTES !== 0 || bytes.length > TILE_WIDTH * HASH_BYTES)
    throw new ProofError(`${path} has ${bytes.length} bytes, expected 1 to ${TILE_WIDTH} hashes of ${HASH_BYTES}`)
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += HASH_BYTES) hashes.push(bytes.subarray(at, at + HASH_BYTES))
  return hashes
}

/** An entry has at most so many bytes: its length stands in two. */
export const MAX_ENTRY_BYTES = 0xffff

/** Entries, each behind its length in two bytes, big endian. Throws `ProofError` for one that is too long. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap(entry => {
      if (entry.length > MAX_ENTRY_BYTES)
        throw new ProofError(`entry has ${entry.length} bytes, at most ${MAX_ENTRY_BYTES} are allowed`)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(entry.length)
      return [length, entry]
    }),
  )
}

/** The entries of a bundle. Throws `ProofError` where it is cut off, or holds more than a bundle may. */
export function decodeBundle(bytes: Uint8Array, path: string): readonly Buffer[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Buffer[] = []
  for (let at = 0; at < buffer.length; ) {
    const end = at + 2 <= buffer.length ? at + 2 + buffer.readUInt16BE(at) : Number.POSITIVE_INFINITY
    if (end > buffer.length) throw new ProofError(`${path} ends within entry ${entries.length}`)
    entries.push(buffer.subarray(at + 2, end))
    at = end
  }
  if (entries.length > TILE_WIDTH) throw new ProofError(`${path} has ${entries.length} entries, at most ${TILE_WIDTH}`)
  return entries
}

/** A file of a log. */
export interface LogFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** What a log grows by. */
export interface Growth {
  readonly size: number
  readonly root: Buffer
  /** Tiles and bundles that are new, or fuller than before. */
  readonly files: readonly LogFile[]
}

/** Appends entries to a log of `size`, whose last tiles and bundle are read. Nothing is written. */
export async function grow(read: ReadFile, size: number, entries: readonly Uint8Array[]): Promise<Growth> {
  const files: LogFile[] = []
  const grown = size + entries.length
  let [from, to, added] = [size, grown, entries.map(leafHash) as readonly Uint8Array[]]
  for (let level = 0; to > from; level++) {
    const kept = await lastTile(read, level, from)
    const hashes = [...kept, ...added]
    const tiles = newTiles(level, from, to)
    const parts = tiles.map(({ width }, i) => hashes.slice(i * TILE_WIDTH, i * TILE_WIDTH + width))
    files.push(...tiles.map((tile, i) => ({ path: tilePath(tile), bytes: Buffer.concat(parts[i] as Uint8Array[]) })))
    added = parts.filter(part => part.length === TILE_WIDTH).map(rootOf)
    ;[from, to] = [Math.floor(from / TILE_WIDTH), Math.floor(to / TILE_WIDTH)]
  }
  files.push(...(await newBundles(read, size, entries)))
  const written = new Map(files.map(({ path, bytes }) => [path, bytes]))
  const reader = new TileReader(async path => written.get(path) ?? read(path), grown)
  return { size: grown, root: await reader.hashOf({ from: 0, to: grown }), files }
}

async function lastTile(read: ReadFile, level: number, size: number): Promise<readonly Uint8Array[]> {
  const width = size % TILE_WIDTH
  return width === 0 ? [] : readTile(read, { level, index: Math.floor(size / TILE_WIDTH), width })
}

async function newBundles(read: ReadFile, size: number, entries: readonly Uint8Array[]): Promise<readonly LogFile[]> {
  const width = size % TILE_WIDTH
  const kept = width === 0 ? [] : await readBundle(read, { index: Math.floor(size / TILE_WIDTH), width })
  const all = [...kept, ...entries]
  return newTiles(0, size, size + entries.length).map((tile, i) => ({
    path: bundlePath(tile),
    bytes: encodeBundle(all.slice(i * TILE_WIDTH, i * TILE_WIDTH + tile.width)),
  }))
}
