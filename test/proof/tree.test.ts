import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  consistencyRanges,
  EMPTY_ROOT,
  inclusionRanges,
  leafHash,
  provesConsistency,
  provesInclusion,
  rootOf,
} from '../../proof/tree.js'
import { entry, rootOfEntries } from './vectors.js'

/** Leaves and roots of transparency-dev/merkle v0.0.2, testonly/constants.go. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const base64 = (hashes: readonly Buffer[]) => hashes.map(hash => hash.toString('base64'))
const hashes = (ranges: readonly { from: number; to: number }[]) =>
  ranges.map(({ from, to }) => rootOfEntries(from, to))

describe('the tree', () => {
  it.each(ROOTS.map((root, size) => ({ size, root })))('has the root of others for $size leaves', ({ size, root }) => {
    expect(rootOf(LEAVES.slice(0, size).map(hex => leafHash(Buffer.from(hex, 'hex')))).toString('hex')).toBe(root)
  })

  it('hashes an entry as a leaf', () => {
    expect(leafHash(Buffer.from('hello world')).toString('base64')).toBe('TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=')
    expect(leafHash(entry(3)).toString('hex')).toBe('61ca1139f6815841d5baf2d0d2d9bd9dfee97c898dd6f7ba0c0aa941ee6c01eb')
  })

  it('proves entry 3 of 7 by the hashes of others', () => {
    expect(base64(hashes(inclusionRanges(3, 7)))).toEqual([
      'V8efTzGuApxdS9MLBzwnyU35NDiytGl+Hh7vW8A5SkE=',
      'WkdmL9ijF9lgSaP59HxV3GfKZgUbqjaD27GbL+CaB7A=',
      'lK+4osoFHAVFjqOdzRmxvWjn4zUp8QtDnSphWlH2NuI=',
    ])
  })

  it('proves that 7 entries begin with 3 by the hashes of others', () => {
    expect(base64(hashes(consistencyRanges(3, 7)))).toEqual([
      'V8efTzGuApxdS9MLBzwnyU35NDiytGl+Hh7vW8A5SkE=',
      'YcoROfaBWEHVuvLQ0tm9nf7pfImN1ve6DAqpQe5sAes=',
      'WkdmL9ijF9lgSaP59HxV3GfKZgUbqjaD27GbL+CaB7A=',
      'lK+4osoFHAVFjqOdzRmxvWjn4zUp8QtDnSphWlH2NuI=',
    ])
  })

  it('proves each leaf where it is, and nowhere else, in every tree of up to 20', () => {
    for (let size = 1; size <= 20; size++) {
      const root = rootOfEntries(0, size)
      for (let index = 0; index < size; index++) {
        const path = hashes(inclusionRanges(index, size))
        for (let claimed = 0; claimed <= size; claimed++)
          expect(provesInclusion(leafHash(entry(index)), { index: claimed, size, path }, root)).toBe(claimed === index)
        expect(provesInclusion(leafHash(entry(size)), { index, size, path }, root)).toBe(false)
      }
    }
  })

  it('proves that every tree of up to 20 begins with each smaller one, and with no other', () => {
    for (let size = 0; size <= 20; size++) {
      for (let before = 0; before <= size; before++) {
        const path = hashes(consistencyRanges(before, size))
        const after = { size, root: rootOfEntries(0, size) }
        expect(provesConsistency({ size: before, root: rootOfEntries(0, before) }, after, path)).toBe(true)
        if (before === 0) continue
        expect(provesConsistency({ size: before, root: rootOfEntries(1, before + 1) }, after, path)).toBe(false)
        if (before < size)
          expect(provesConsistency({ size: before, root: after.root }, after, path.slice(1))).toBe(false)
      }
    }
  })

  it('refuses an empty path in a tree of more than one leaf, and any path in a tree of one', () => {
    const leaf = leafHash(entry(0))
    expect(provesInclusion(leaf, { index: 0, size: 2, path: [] }, leaf)).toBe(false)
    expect(provesInclusion(leaf, { index: 0, size: 1, path: [] }, leaf)).toBe(true)
    expect(provesInclusion(leaf, { index: 0, size: 1, path: [leaf] }, leaf)).toBe(false)
    expect(provesInclusion(leaf, { index: 0, size: 0, path: [] }, EMPTY_ROOT)).toBe(false)
    expect(provesInclusion(leaf, { index: 1.5, size: 3, path: [] }, leaf)).toBe(false)
  })

  it('refuses a path in which a bit is turned', () => {
    const cases = fc.integer({ min: 2, max: 70 }).chain(size =>
      fc.record({
        size: fc.constant(size),
        index: fc.integer({ min: 0, max: size - 1 }),
        bit: fc.integer({ min: 0, max: 32 * 8 * 7 - 1 }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ size, index, bit }) => {
        const path = hashes(inclusionRanges(index, size))
        const at = path[Math.floor(bit / 256) % path.length] as Buffer
        const byte = Math.floor(bit / 8) % 32
        at.writeUInt8(at.readUInt8(byte) ^ (1 << (bit % 8)), byte)
        expect(provesInclusion(leafHash(entry(index)), { index, size, path }, rootOfEntries(0, size))).toBe(false)
      }),
      { numRuns: 200, seed: 1 },
    )
  })
})
