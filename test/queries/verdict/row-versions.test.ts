import { hash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { RowCheck } from '../../../queries/verdict/verify-rows.js'
import type { Column, HashedColumns } from '../../../transform/audit-row.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../../delivery/desk.js'
import { kinesisDocument, streamsRecord, tableConfiguration } from '../../factories.js'
import { parquetUnder, rewriteRows } from '../../store/altering.js'

/** A made-up version 2: a column more, and a hash of its own. */
vi.mock('../../../transform/row-versions.js', async original => {
  const real = await original<typeof import('../../../transform/row-versions.js')>()
  const [[, first]] = [...real.ROW_VERSIONS] as [[string, import('../../../transform/row-versions.js').RowVersion]]
  const colour: Column = { name: 'colour', type: 'string', required: true, meaning: 'made up' }
  const second: typeof first = {
    ...first,
    columns: [...first.columns, colour],
    hash: row => hashAsSecond(row),
    make: (...args) => {
      const row = { ...first.make(...args), row_version: 'audit-row/v2' as never, colour: 'blue' }
      return { ...row, row_hash: hashAsSecond(row) }
    },
  }
  return { ...real, ROW_VERSIONS: new Map([...real.ROW_VERSIONS, ['audit-row/v2', second]]) }
})

function hashAsSecond({ row_version: version, event_id: id }: HashedColumns): string {
  return hash('sha256', `${version} ${id}`)
}

/** An archive of which some rows were made anew as version 2. */
async function mixed(where: string, colour = `'blue'`): Promise<string> {
  const root = join(temporaryFolder(), 'archive')
  const rows = [streamsRecord(), kinesisDocument()].flatMap(record => rowsOfRecord(record, tableConfiguration()))
  await writeRows(root, rows)
  const hashed = `sha256('audit-row/v2 ' || event_id)`
  await rewriteRows(
    parquetUnder(join(root, 'data')),
    `select * replace (if(${where}, 'audit-row/v2', row_version) as row_version, if(${where}, ${hashed}, row_hash) as row_hash),
     if(${where}, ${colour}, null) as colour from object`,
    'true',
  )
  return root
}

async function check(root: string) {
  const rows = new RowCheck(root, 'Orders')
  const found: object[] = []
  for await (const finding of rows.findings()) found.push(finding)
  return { found, versions: Object.fromEntries(rows.tally.versions), rows: rows.tally.rows }
}

describe('rows of two versions', () => {
  it('are each made again as their own version says, in one object too', async () => {
    expect(await check(await mixed('sequence is null'))).toEqual({
      found: [],
      rows: 2,
      versions: { 'audit-row/v1': 1, 'audit-row/v2': 1 },
    })
  })

  it('are altered where a column of their version is another than it is made', async () => {
    const { found } = await check(await mixed('sequence is null', `'red'`))
    expect(found).toMatchObject([{ column: 'colour', held: 'red', found: 'blue' }])
  })

  it('are altered where one claims to be of the other', async () => {
    const root = await mixed('false')
    const claim = `select * replace ('audit-row/v2' as row_version) from object`
    await rewriteRows(parquetUnder(join(root, 'data')), claim, 'true')
    const { found } = await check(root)
    expect(found).toHaveLength(4)
    expect(found).toContainEqual(expect.objectContaining({ column: 'row' }))
  })

  it('of the older one need no column of the newer one; of the newer they do', async () => {
    const root = join(temporaryFolder(), 'archive')
    await writeRows(root, rowsOfRecord(streamsRecord(), tableConfiguration()))
    expect(await check(root)).toMatchObject({ found: [], rows: 1 })
    const claim = `select * replace ('audit-row/v2' as row_version) from object`
    await rewriteRows(parquetUnder(join(root, 'data')), claim, 'true')
    expect(await check(root)).toMatchObject({ found: [{ kind: 'file', reason: 'it lacks colour', rows: 1 }], rows: 0 })
  })
})
