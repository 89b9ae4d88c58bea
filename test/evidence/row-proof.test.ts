import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { withDesk } from '../../evidence/evidence-desk.js'
import { eventsOfPrefix, type FoundRow, rowsOfEvents } from '../../evidence/found-rows.js'
import { readLeaf } from '../../evidence/leaf.js'
import { formatRowProof, parseRowProof, type RowProof, verifyRowProof } from '../../evidence/row-proof.js'
import { RowTree } from '../../evidence/row-tree.js'
import { openCheckpoint } from '../../proof/checkpoint.js'
import { parseVkey } from '../../proof/note.js'
import { inclusionRanges, leafHash, rootOf } from '../../proof/tree.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { DiskArchive } from '../../store/folder.js'
import { IDENTITY, sealFolder } from '../journal/desk-journal.js'
import { entries, ORIGIN, rootOfEntries } from '../proof/vectors.js'
import { ORDERS_TABLE, OTHER_VKEY, ordersArchive } from './sealed-orders.js'

const open = (text: string) => openCheckpoint(text, ORIGIN, IDENTITY.known)

describe('the tree over the rows of an object', () => {
  it.each([1, 2, 3, 7, 8, 100, 257])('gives the root and the paths of RFC 6962 for %d rows', rows => {
    const tree = new RowTree(entries(rows).map(leafHash))
    expect(tree.root).toEqual(rootOf(entries(rows).map(leafHash)))
    for (let index = 0; index < rows; index++)
      expect(tree.path(index)).toEqual(inclusionRanges(index, rows).map(({ from, to }) => rootOfEntries(from, to)))
  })
})

describe('a row proof', () => {
  let root: string
  let found: readonly FoundRow[]
  let proofs: readonly RowProof[]

  beforeAll(async () => {
    root = await ordersArchive()
    await sealFolder(root)
    await withDesk(root, IDENTITY, async ({ prover, rowsOf }) => {
      const source = await rowsOf(ORDERS_TABLE)
      found = await rowsOfEvents(source, await eventsOfPrefix(source, '8', 100))
      proofs = await Promise.all(found.map(row => prover.prove(row)))
    })
  })

  it('shows of each row that it was in its object, which was in the journal', () => {
    expect(proofs.length).toBeGreaterThan(50)
    for (const [i, proof] of proofs.entries()) {
      const { row, key, index } = found[i] as FoundRow
      const proven = verifyRowProof(parseRowProof(formatRowProof(proof)), open)
      expect(proven).toMatchObject({ row: index, entry: { key, table: 'Orders' }, checkpoint: { origin: ORIGIN } })
      expect(leafHash(Buffer.from(proven.leaf)).toString('hex')).toBe(row.row_hash)
      expect(readLeaf(proven.leaf)).toMatchObject({ event_id: row.event_id, event_name: row.event_name })
    }
  })

  it('has one text, whose every line counts', () => {
    const [first] = proofs as [RowProof]
    const text = formatRowProof(first)
    expect(formatRowProof(parseRowProof(text))).toBe(text)
    const lines = text.split('\n')
    for (const i of lines.keys()) {
      const without = lines.filter((_, at) => at !== i).join('\n')
      expect(() => verifyRowProof(parseRowProof(without), open), lines[i]).toThrow(/proof|note|checkpoint/)
    }
  })

  it('of a value with line feeds in it holds them', () => {
    const [first] = proofs as [RowProof]
    const leaf = 'a\n\n= b\n'
    expect(parseRowProof(formatRowProof({ ...first, leaf })).leaf).toBe(leaf)
  })

  it('shows nothing by another key, and nothing by another leaf', () => {
    const [first] = proofs as [RowProof]
    const foreign = (text: string) => openCheckpoint(text, ORIGIN, [parseVkey(OTHER_VKEY)])
    expect(() => verifyRowProof(first, foreign)).toThrow('signed by none')
    expect(() => verifyRowProof({ ...first, leaf: `${first.leaf}x` }, open)).toThrow('does not show')
    expect(() => verifyRowProof({ ...first, rows: first.rows + 1 }, open)).toThrow('its object has')
  })

  it('of one row in a million is under 2 KB, beside what the row itself is hashed from', () => {
    const [first] = proofs as [RowProof]
    const path = [...Array(20)].map((_, i) => leafHash(Buffer.from(String(i))))
    const journal = path.slice(0, 7)
    const million = { ...first, row: 524_287, rows: 1_000_000, path, object: { ...first.object, path: journal } }
    const bytes = Buffer.byteLength(formatRowProof(million))
    const leaf = Buffer.byteLength(first.leaf) + 3 * first.leaf.split('\n').length
    expect(bytes - leaf).toBeLessThan(2048)
  })

  it('is refused of a row that was edited since, whether its hash was made right or not', async () => {
    const edited = await ordersArchive()
    await sealFolder(edited)
    const { key, row } = found[0] as FoundRow
    const path = join(edited, (await new DiskArchive(edited).list(key.slice(0, key.lastIndexOf('/'))))[0] as string)
    const instance = await openDuckDb()
    const connection = await instance.connect()
    const edit = async (columns: string) => {
      const event = `event_id = '${row.event_id}'`
      const all = `select * replace (${columns.replaceAll('?', event)}) from read_parquet('${path}', hive_partitioning = false)`
      await connection.run(`copy (${all}) to '${path}.new' (format parquet)`)
      renameSync(`${path}.new`, path)
      return withDesk(edited, IDENTITY, async ({ prover, rowsOf }) => {
        const [again] = await rowsOfEvents(await rowsOf(ORDERS_TABLE), [String(row.event_id)])
        await prover.prove(again as FoundRow)
      })
    }
    await expect(edit(`case when ? then 'eve' else actor end as actor`)).rejects.toThrow('than its row_hash says')
    await expect(edit(`case when ? then sha256('x') else row_hash end as row_hash`)).rejects.toThrow('other rows than')
    instance.closeSync()
  })

  it('is refused of an event that is not there, and of two rows of one event takes the one that counts', async () => {
    await withDesk(root, IDENTITY, async ({ rowsOf }) => {
      expect(await rowsOfEvents(await rowsOf(ORDERS_TABLE), ['none'])).toEqual([])
      const ids = found.map(({ row }) => String(row.event_id))
      expect((await rowsOfEvents(await rowsOf(ORDERS_TABLE), ids)).length).toBe(new Set(ids).size)
    })
  })
})
