import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { canonicalAttributes, canonicalItem } from '../../transform/attribute-value.js'
import { type HashedColumns, leafOf, ROW_VERSION, rowHash } from '../../transform/audit-row.js'
import { imageOf } from '../../transform/change.js'
import { canonicalForm, leafHash, leafText, type RowColumns, sha256 } from './second-implementation.js'

interface ItemVector {
  readonly about: string
  readonly item: object
  readonly canonical: string
  readonly sha256: string
}

interface LeafVector {
  readonly about: string
  readonly row: RowColumns
  readonly leaf: string
  readonly row_hash: string
}

const FOLDER = new URL('../fixtures/canonical/', import.meta.url)
const itemFiles = readdirSync(FOLDER).filter(file => file.endsWith('.json') && file !== 'leaf.json')

function readVectors<Vector>(file: string): readonly Vector[] {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as readonly Vector[]
}

for (const { about, item, canonical, sha256: expected } of itemFiles.flatMap(readVectors<ItemVector>)) {
  describe(`canonical form: ${about}`, () => {
    it('is what the transform writes', () => {
      const image = imageOf(item, 'item', 'once')
      expect(image.text).toBe(canonical)
      expect(image.hash).toBe(expected)
    })

    it('is what a second implementation writes', () => {
      expect(canonicalForm(item)).toBe(canonical)
      expect(sha256(canonical)).toBe(expected)
    })

    it('stays as it is when it is made canonical again', () => {
      expect(canonicalItem(canonicalAttributes(JSON.parse(canonical), 'item', 'once'), 'item')).toBe(canonical)
    })
  })
}

for (const { about, row, leaf, row_hash } of readVectors<LeafVector>('leaf.json')) {
  describe(`leaf: ${about}`, () => {
    it('is what the transform hashes', () => {
      const columns = withNulls(row)
      expect(leafOf(columns)).toBe(leaf)
      expect(rowHash(columns)).toBe(row_hash)
    })

    it('is what a second implementation hashes', () => {
      expect(leafText(row)).toBe(leaf)
      expect(leafHash(leaf)).toBe(row_hash)
    })
  })
}

/** The columns of a vector as the transform has them: null where absent. */
function withNulls(row: RowColumns): HashedColumns {
  const optional = [
    'source_event_id',
    'region',
    'view_type',
    'sequence',
    'old_hash',
    'new_hash',
    'actor',
    'last_writer',
    'user_identity',
    'subjects',
  ]
  const nulls = Object.fromEntries(optional.map(column => [column, null]))
  return { row_version: ROW_VERSION, ...nulls, ...row } as unknown as HashedColumns
}
