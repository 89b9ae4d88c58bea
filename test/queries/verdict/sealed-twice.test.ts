import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compactTable } from '../../../derived/desk-compactor.js'
import { totalsOf } from '../../../derived/manifest.js'
import { openDesk } from '../../../library/open-archive.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { removeRepeats } from '../../../queries/verdict/reconstruct.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { manifestIn } from '../../derived/manifest-in.js'
import { findingsTold, historiesTold } from './ask-sealed-twice.js'
import { SEALED_TWICE, TWICE } from './sealed-twice.js'

const EXPECTED = SEALED_TWICE.map(({ said, isConflict, rows }) => ({
  said,
  conflict: isConflict,
  repeats: rows.length - 1,
}))

describe('rows of one change that were sealed under different keys', () => {
  let root: string
  let engine: DuckDbEngine
  beforeAll(async () => {
    root = temporaryFolder()
    await writeRows(
      root,
      SEALED_TWICE.flatMap(({ rows }) => rows),
      TWICE,
    )
    engine = await DuckDbEngine.open(root, [TWICE])
  })
  afterAll(() => engine.close())

  it('are repeats in the fold, unless anything that can be compared is another', () => {
    const folded = SEALED_TWICE.map(({ said, rows }) => {
      const [change, ...more] = removeRepeats(rows)
      expect(more).toEqual([])
      return { said, conflict: change?.conflict, repeats: change?.repeats }
    })
    expect(folded).toEqual(EXPECTED)
    const reversed = SEALED_TWICE.map(({ rows }) => removeRepeats([...rows].reverse())[0]?.conflict)
    expect(reversed).toEqual(EXPECTED.map(({ conflict }) => conflict))
  })

  it('are the same in SQL', async () => {
    expect(await historiesTold(engine)).toEqual(EXPECTED)
  })

  it('are told as repeats by continuity, by whatever way it is asked', async () => {
    const expected = SEALED_TWICE.map(({ said, isConflict, rows }) => ({
      said,
      finding: isConflict ? 'CONFLICT' : 'DUPLICATE',
      changes: isConflict ? rows.length : rows.length - 1,
    }))
    const { byItem, queried, pasted } = await findingsTold(engine)
    expect(byItem).toEqual(expected)
    expect(queried).toEqual(expected)
    // without what images tell, each that differs is doubted
    expect(pasted.map(({ finding }) => finding)).toEqual(['DUPLICATE', ...expected.slice(1).map(() => 'CONFLICT')])
  })

  it('are counted, and told the same, in the copy', async () => {
    await compactTable(root, TWICE.table)
    const { conflicts } = totalsOf(manifestIn(root, TWICE.table).runs)
    expect(conflicts).toBe(SEALED_TWICE.filter(({ isConflict }) => isConflict).length)
    const desk = await openDesk(root, [TWICE])
    try {
      expect(await historiesTold(desk)).toEqual(EXPECTED)
    } finally {
      desk.close()
    }
  })
})
