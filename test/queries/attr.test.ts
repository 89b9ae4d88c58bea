import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenArchive, openArchive } from '../../index.js'
import { withoutAttr } from '../../queries/attr.js'
import { ParameterError } from '../../queries/parameters.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { change } from './story.js'

const ITEM = {
  total: { N: '12.50' },
  paid: { BOOL: true },
  gone: { NULL: true },
  empty: { S: '' },
  "o'clock": { S: "five, it's" },
  'a.b': { S: 'whole name' },
  shipping: { M: { city: { S: 'Köln' }, zip: { N: '50667' } } },
  lines: { L: [{ M: { sku: { S: 'TEA' }, qty: { N: '2' } } }, { M: { sku: { S: 'CUP' } } }] },
  tags: { SS: ['b', 'a'] },
  raw: { B: 'AAE=' },
}

describe("attr(image, 'path')", () => {
  let archive: OpenArchive
  beforeAll(async () => {
    const root = temporaryFolder()
    await ingestRecords(root, [change('A', '20T10:00:00', undefined, ITEM as never)])
    archive = await openArchive(root)
  })
  afterAll(() => archive.close())

  const askValue = async (call: string) => {
    const [row] = [...(await archive.sql(`select ${call} as v from orders`))]
    return row?.v
  }

  it.each([
    ['total', '12.5'],
    ['paid', 'true'],
    ['gone', null],
    ['never', null],
    ['empty', ''],
    ["o''clock", "five, it's"],
    ['a.b', 'whole name'],
    ['shipping.city', 'Köln'],
    ['shipping.zip', '50667'],
    ['lines[0].qty', '2'],
    ['lines[sku=CUP].sku', 'CUP'],
    ['lines[7].qty', null],
    ['raw', 'AAE='],
    ['tags', '{"SS":["a","b"]}'],
    ['shipping', '{"M":{"city":{"S":"Köln"},"zip":{"N":"50667"}}}'],
  ])('of %s is %j', async (path, value) => {
    expect(await askValue(`attr(new_image, '${path}')`)).toBe(value)
  })

  it('stands anywhere, of any image, and comes with rows as they stream', async () => {
    const sql = `-- attr(1)
      select 'attr(x)' as said, ATTR ( o.new_image , 'total' ) || '!' as v from orders as o
      where cast(attr(o.new_image, 'total') as decimal(10, 2)) > 12 and attr(o.old_image, 'total') is null`
    expect([...(await archive.sql(sql))]).toEqual([{ said: 'attr(x)', v: '12.5!' }])
    const rows: unknown[] = []
    for await (const row of archive.stream(sql)) rows.push(row)
    expect(rows).toHaveLength(1)
    expect(await askValue(`attr(coalesce(old_image, new_image), 'shipping.city')`)).toBe('Köln')
  })

  it('leaves every other statement as it is', () => {
    for (const sql of [
      "select 'attr(a, b)' from t",
      'select attr from t',
      'select x.attr(1) from t',
      'select 1 -- attr(1',
      'select attr(',
    ])
      expect(withoutAttr(sql)).toBe(sql)
  })

  it.each([
    'attr(new_image)',
    'attr(new_image, path)',
    "attr(new_image, '')",
    "attr(new_image, 'a', 'b')",
    "attr(?, 'a')",
    "attr(new_image, 'a' || 'b')",
  ])('is refused as %s', async call => {
    await expect(archive.sql(`select ${call} from orders`)).rejects.toThrow(ParameterError)
  })
})
