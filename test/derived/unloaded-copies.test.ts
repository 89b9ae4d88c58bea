/** Which statements a stack's kept answers stand for; what they answer is tested on Trino. */
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { answerHash } from '../../derived/unload-answers.js'
import { UnloadedCopies } from '../../derived/unloaded-copies.js'
import { type ListedObject, listDigest, UNLOADED_VERSION } from '../../derived/unloaded-manifest.js'
import { continuityOfAll, spansOfAll } from '../../queries/each-item.js'
import { answersFolderPrefix } from '../../transform/derived.js'
import { unconfiguredTable } from '../../transform/table-configuration.js'

const TABLE = unconfiguredTable('Orders')
const DAYS = ['2026-11-21', '2026-11-22']
const STATEMENT = continuityOfAll(TABLE)
const objectOf = (key: string): ListedObject => ({ key, bytes: 4, etag: 'e' })
const ofDay = (day: string, name = 'a') => objectOf(`data/Orders/event_date=${day}/${name}.parquet`)

class Listed {
  constructor(readonly objects: ListedObject[]) {}

  async entries(prefix: string): Promise<readonly ListedObject[]> {
    return this.objects.filter(({ key }) => key.startsWith(prefix))
  }

  async folders(): Promise<readonly string[]> {
    return [...new Set(this.objects.map(({ key }) => key.slice(0, key.lastIndexOf('/') + 1)))]
  }
}

describe('what a stack keeps of each item', () => {
  let archive: Listed
  let derived: Listed
  let manifest: object

  beforeEach(() => {
    const [run, answer] = [randomUUID(), randomUUID()]
    const file = objectOf(`${answersFolderPrefix('Orders', answer)}rows`)
    archive = new Listed(DAYS.map(day => ofDay(day)))
    derived = new Listed([file])
    manifest = {
      version: UNLOADED_VERSION,
      table: 'Orders',
      generation: 1,
      built: '2026-11-24T00:00:00Z',
      runs: [{ name: run, digits: 1, files: {}, beganUs: 1, sampleKey: '{"id":{"S":"A"}}', firstDay: DAYS[0] }],
      days: Object.fromEntries(DAYS.map(day => [day, { run, bytes: 4, files: listDigest([ofDay(day)]) }])),
      unseen: {},
      checkpoints: [],
      answers: [
        { statement: answerHash(STATEMENT, TABLE), name: answer, rows: 1, bytes: 4, files: listDigest([file]) },
      ],
      replaced: [],
    }
  })

  const prepare = ({ columns, sql, values } = STATEMENT) => {
    const open = async () => Buffer.from(JSON.stringify(manifest))
    const copies = new UnloadedCopies(archive, Object.assign(derived, { open }), 'audit')
    return copies.prepare({ table: 'Orders', eachItem: columns }, sql, values)
  }

  it('is the whole answer where nothing has come since, and the archive is not read', async () => {
    const found = await prepare()
    expect(found?.sql).toContain('"audit"."orders__answers"')
    expect(found?.sql).not.toContain('_deliveries')
    expect([found?.values, await found?.isWhole()]).toEqual([[], true])
  })

  it('is the answer about items without a change on other days', async () => {
    archive.objects.push(ofDay('2026-11-23'))
    const found = await prepare()
    const others = "where not (event_date between '2026-11-21' and '2026-11-22')"
    expect(found?.sql.split(others)).toHaveLength(3)
    expect(found?.values).toEqual(STATEMENT.values)
  })

  it.each<[string, () => unknown]>([
    ['a late object came to one of its days', () => archive.objects.push(ofDay(DAYS[0] as string, 'late'))],
    ['an object of one of its days is gone', () => archive.objects.pop()],
    [
      'an object of one of its days is another',
      () => archive.objects.splice(0, 1, { ...ofDay(DAYS[0] as string), etag: 'f' }),
    ],
  ])('is not used where %s', async (_, act) => {
    act()
    expect(await prepare()).toBeUndefined()
  })

  it('is not used for a statement that it is not of', async () => {
    expect(await prepare(spansOfAll(TABLE))).toBeUndefined()
    expect(await prepare({ ...STATEMENT, sql: `${STATEMENT.sql} ` })).toBeUndefined()
  })

  it('is told from one that lost a file', async () => {
    derived.objects.pop()
    expect(await (await prepare())?.isWhole()).toBe(false)
  })
})
