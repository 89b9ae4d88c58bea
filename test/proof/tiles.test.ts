import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  bundlePath,
  decodeBundle,
  encodeBundle,
  grow,
  type LogFile,
  parseTilePath,
  partialTiles,
  TileReader,
  tilePath,
  tilesBetween,
} from '../../proof/tiles.js'
import { consistencyRanges, inclusionRanges, leafHash, provesConsistency, provesInclusion } from '../../proof/tree.js'
import { CHECKPOINTS, entries, entry, rootOfEntries } from './vectors.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A log in memory. */
function memory() {
  const files = new Map<string, Uint8Array>()
  return {
    files,
    read: async (path: string) => files.get(path),
    put: (written: readonly LogFile[]) => {
      for (const { path, bytes } of written) files.set(path, bytes)
    },
  }
}

async function logOf(size: number) {
  const log = memory()
  const { files, root } = await grow(log.read, 0, entries(size))
  log.put(files)
  return { ...log, root }
}

describe('tiles', () => {
  it.each([
    [tilePath({ level: 15, index: 455_667, width: 256 }), 'tile/15/x455/667'],
    [tilePath({ level: 15, index: 123_456_789, width: 41 }), 'tile/15/x123/x456/789.p/41'],
    [tilePath({ level: 0, index: 0, width: 256 }), 'tile/0/000'],
    [tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067'],
    [bundlePath({ index: 0, width: 255 }), 'tile/entries/000.p/255'],
    [bundlePath({ index: 1, width: 1 }), 'tile/entries/001.p/1'],
    [bundlePath({ index: 1000, width: 256 }), 'tile/entries/x001/000'],
  ])('have the path %s', (path, expected) => {
    expect(path).toBe(expected)
  })

  it.each(CHECKPOINTS)('give $size entries the root of others', async ({ size, root }) => {
    expect((await grow(memory().read, 0, entries(size))).root.toString('hex')).toBe(root)
  })

  it('are the files of others for 600 entries', async () => {
    const { files } = await logOf(600)
    expect([...files.keys()].sort()).toEqual(
      [
        'tile/0/000',
        'tile/0/001',
        'tile/0/002.p/88',
        'tile/1/000.p/2',
        'tile/entries/000',
        'tile/entries/001',
        'tile/entries/002.p/88',
      ].sort(),
    )
    expect(sha256(files.get('tile/0/000') as Buffer)).toBe(
      'b0f6ca2ff42508faf8c6bb4ea8bb9c74243b19d4174fdc4fd17bdad9099e605e',
    )
    expect(Buffer.from(files.get('tile/1/000.p/2') as Buffer).toString('hex')).toBe(
      'da6596d95369f5fef322ab8e4e0da3b0b50236aa9c8a3b1d246f7411c9e2e32eaf8345866548b5a3cd58f5654383ef704cf0ea8198271d2fa172765fea5cd6e3',
    )
  })

  it('are the files of others for 70,000 entries', async () => {
    const { files } = await logOf(70_000)
    expect(sha256(files.get('tile/1/000') as Buffer)).toBe(
      '44f879be76da41edaf37c0d67303fbd25f2ea44be93285b320561fbaaaaabbfa',
    )
    expect(Buffer.from(files.get('tile/2/000.p/1') as Buffer).toString('hex')).toBe(
      '07b1a377960a4e12e3348d6e9329ae6316a95b02fb1c22e909231b3aa44861a7',
    )
  })

  it('come out the same in whatever pieces a log grows', async () => {
    const whole = await logOf(1000)
    for (const steps of [
      [1, 255, 256, 1000],
      [7, 600, 1000],
      [0, 512, 513, 1000],
    ]) {
      const log = memory()
      for (const [i, size] of steps.entries()) {
        const from = steps[i - 1] ?? 0
        const growth = await grow(log.read, from, entries(size).slice(from))
        log.put(growth.files)
        expect(growth.root).toEqual(rootOfEntries(0, size))
      }
      for (const [path, bytes] of whole.files)
        expect([path, sha256(log.files.get(path) as Buffer)]).toEqual([path, sha256(bytes)])
    }
  })

  it('are told by their paths, and no other path is one', () => {
    for (const tile of [...tilesBetween(0, 70_000), { level: 15, index: 123_456_789, width: 41 }]) {
      expect(parseTilePath(tilePath(tile))).toEqual(tile)
      expect(parseTilePath(bundlePath(tile))).toEqual({ ...tile, level: 0 })
    }
    for (const path of [
      'tile/0/00',
      'tile/0/1000',
      'tile/00/000',
      'tile/0/x000/001',
      'tile/0/000.p/0',
      'tile/0/000.p/257',
      'tile/0/000.p/256',
      'tile',
      'tile/entries/000/',
    ])
      expect([path, parseTilePath(path)]).toEqual([path, undefined])
    const partial = tilesBetween(0, 70_000).filter(({ width }) => width < 256)
    expect(partialTiles(70_000)).toEqual(partial)
    expect([partialTiles(0), partialTiles(65_536)]).toEqual([[], [{ level: 2, index: 0, width: 1 }]])
  })

  it('are named for what a log grew by', async () => {
    const { files } = await logOf(70_000)
    const named = tilesBetween(0, 70_000).map(tilePath)
    expect(named.sort()).toEqual([...files.keys()].filter(path => !path.startsWith('tile/entries/')).sort())
    expect(tilesBetween(600, 600)).toEqual([])
  })

  it('prove entries and growth', async () => {
    const log = await logOf(700)
    for (const size of [1, 255, 256, 257, 600, 700]) {
      // what the log was before is in its tiles of later
      const reader = new TileReader(log.read, 700)
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        const path = await reader.hashesOf(inclusionRanges(index, size))
        expect(provesInclusion(leafHash(entry(index)), { index, size, path }, rootOfEntries(0, size))).toBe(true)
      }
    }
    const now = { size: 700, root: log.root }
    for (const before of [1, 255, 256, 300, 699]) {
      const path = await new TileReader(log.read, 700).hashesOf(consistencyRanges(before, 700))
      expect(provesConsistency({ size: before, root: rootOfEntries(0, before) }, now, path)).toBe(true)
    }
  })

  it('are refused where one is missing or of another length', async () => {
    const log = await logOf(600)
    const root = () => new TileReader(log.read, 600).hashOf({ from: 0, to: 600 })
    const tile = log.files.get('tile/1/000.p/2') as Buffer
    log.files.set('tile/1/000.p/2', tile.subarray(0, 32))
    await expect(root()).rejects.toThrow('tile/1/000.p/2 has 1 hashes, expected 2')
    log.files.set('tile/1/000.p/2', tile.subarray(0, 31))
    await expect(root()).rejects.toThrow('tile/1/000.p/2 has 31 bytes')
    // as many as a full one has are too many for one that is not
    log.files.set('tile/1/000.p/2', Buffer.concat([tile, Buffer.alloc(254 * 32)]))
    await expect(root()).rejects.toThrow('tile/1/000.p/2 has 256 hashes, expected 2')
    log.files.delete('tile/1/000.p/2')
    await expect(root()).rejects.toThrow('tile/1/000.p/2 is missing')
  })
})

describe('entry bundles', () => {
  it('put its length in two bytes before each entry', () => {
    expect(encodeBundle(entries(2)).toString('hex')).toBe('0007656e74727920300007656e7472792031')
    expect(decodeBundle(encodeBundle(entries(256)), 'tile/entries/000')).toEqual(entries(256))
  })

  it('are refused where they are cut off, or too many', () => {
    const bytes = encodeBundle(entries(2))
    for (const end of [1, 8, 10, 17])
      expect(() => decodeBundle(bytes.subarray(0, end), 'tile/entries/000')).toThrow('ends within entry')
    expect(() => decodeBundle(encodeBundle(entries(257)), 'tile/entries/000')).toThrow('257 entries, at most 256')
    expect(() => encodeBundle([Buffer.alloc(65_536)])).toThrow('65536 bytes, at most 65535')
  })
})
