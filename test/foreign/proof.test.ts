import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatCheckpoint } from '../../proof/checkpoint.js'
import { signerOf, signNote } from '../../proof/note.js'
import { grow, TileReader } from '../../proof/tiles.js'
import { consistencyRanges, inclusionRanges } from '../../proof/tree.js'
import { temporaryFolder } from '../delivery/desk.js'
import { sealFolder } from '../journal/desk-journal.js'
import { entries, ORIGIN, SEED, VKEY } from '../proof/vectors.js'
import { buildChecker, judge, missingForChecker } from './checker.js'

const missing = missingForChecker()
const SIZES = [1, 255, 256, 257, 600, 70_000]

const folder = mkdtempSync(join(tmpdir(), 'itemtrail-foreign-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** One log that grew from size to size, and a signed checkpoint of each. */
async function writeLogs() {
  let size = 0
  for (const next of SIZES) {
    const log = join(folder, String(next))
    if (size > 0) cpSync(join(folder, String(size)), log, { recursive: true })
    const growth = await grow(readerOf(log), size, entries(next).slice(size))
    for (const { path, bytes } of growth.files) {
      mkdirSync(dirname(join(log, path)), { recursive: true })
      writeFileSync(join(log, path), bytes)
    }
    const text = formatCheckpoint({ origin: ORIGIN, size: next, root: growth.root })
    writeFileSync(join(log, 'checkpoint'), await signNote(text, [signerOf(ORIGIN, SEED)]))
    size = next
  }
}

function readerOf(log: string) {
  return async (path: string) => {
    try {
      return readFileSync(join(log, path))
    } catch {
      return undefined
    }
  }
}

const base64 = (hashes: readonly Buffer[]) => hashes.map(hash => hash.toString('base64'))

describe.skipIf(missing !== undefined)(
  `programs that are not ours${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    beforeAll(async () => {
      buildChecker()
      await writeLogs()
    })

    it.each(SIZES)('accept the files of a log of %d entries', size => {
      expect(judge('fsck', join(folder, String(size)), VKEY)).toBe('accepted')
    })

    it('accept a journal at each end that a sealer wrote, and refuse it with an edited entry', async () => {
      const root = temporaryFolder()
      const log = join(root, 'log')
      let size = 0
      // one object, then more than a tile of them, then silence
      for (const facts of [1, 400, 0, 130]) {
        mkdirSync(join(root, 'facts/Orders'), { recursive: true })
        for (let i = 0; i < facts; i++) writeFileSync(join(root, 'facts/Orders', `${size + i}.json`), `fact ${i}`)
        const { head } = await sealFolder(root)
        expect(head.size).toBe(size + facts + 1)
        size = head.size
        expect(judge('fsck', log, VKEY)).toBe('accepted')
      }
      const bundle = join(log, 'tile/entries/001')
      const bytes = readFileSync(bundle)
      const at = bytes.indexOf('"sha256":"') + 10
      bytes.write(bytes.subarray(at, at + 1).toString() === '0' ? '1' : '0', at)
      writeFileSync(bundle, bytes)
      expect(judge('fsck', log, VKEY)).toMatch(/^refused/)
    })

    it('refuse a log with a turned bit, a missing tile, another entry, another signature', () => {
      const damaged = join(folder, 'damaged')
      const damage = (path: string, change: (bytes: Buffer) => Buffer | undefined) => {
        rmSync(damaged, { recursive: true, force: true })
        cpSync(join(folder, '600'), damaged, { recursive: true })
        const bytes = change(readFileSync(join(damaged, path)))
        if (bytes === undefined) rmSync(join(damaged, path))
        else writeFileSync(join(damaged, path), bytes)
        return judge('fsck', damaged, VKEY)
      }
      const turn = (at: number) => (bytes: Buffer) => {
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
        return bytes
      }
      expect(damage('tile/0/001', turn(100))).toMatch(/^refused/)
      expect(damage('tile/1/000.p/2', turn(40))).toMatch(/^refused/)
      expect(damage('tile/1/000.p/2', () => undefined)).toMatch(/^refused/)
      expect(damage('tile/entries/000', turn(5))).toMatch(/^refused/)
      expect(damage('checkpoint', turn(ORIGIN.length + 1))).toMatch(/^refused/)
      expect(damage('checkpoint', bytes => bytes)).toBe('accepted')
    })

    it('accept that an entry is in a log, and where', async () => {
      const checkpoint = join(folder, '70000', 'checkpoint')
      const reader = new TileReader(readerOf(join(folder, '70000')), 70_000)
      for (const index of [0, 255, 256, 65_536, 69_999]) {
        const path = base64(await reader.hashesOf(inclusionRanges(index, 70_000)))
        expect(judge('inclusion', checkpoint, VKEY, String(index), `entry ${index}`, ...path)).toBe('accepted')
        expect(judge('inclusion', checkpoint, VKEY, String(index), 'entry x', ...path)).toMatch(/^refused/)
      }
    })

    it('accept that a log only grew', async () => {
      const checkpoint = join(folder, '70000', 'checkpoint')
      const reader = new TileReader(readerOf(join(folder, '70000')), 70_000)
      for (const size of SIZES.slice(0, -1)) {
        const root = (await reader.hashOf({ from: 0, to: size })).toString('base64')
        const path = base64(await reader.hashesOf(consistencyRanges(size, 70_000)))
        expect(judge('consistency', checkpoint, VKEY, String(size), root, ...path)).toBe('accepted')
        expect(judge('consistency', checkpoint, VKEY, String(size + 1), root, ...path)).toMatch(/^refused/)
      }
    })
  },
)
