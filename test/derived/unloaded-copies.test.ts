/** Which statements a stack's kept answers stand for; what they answer is tested on Trino. */
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ListedArchive, listDigest, listText } from '../../derived/coverage.js'
import { UnloadedCopies } from '../../derived/unloaded-copies.js'
import { continuityOfAll, spansOfAll, statementHash } from '../../queries/each-item.js'
import { readInstead } from '../../queries/engines/derivation.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import type { ObjectEntry } from '../../store/objects.js'
import { answersFolderPrefix, coveredKey, DERIVED_VERSION, manifestKey } from '../../transform/derived.js'
import { unconfiguredTable } from '../../transform/table-configuration.js'

const TABLE = unconfiguredTable('Orders')
const DAYS = ['2026-11-21', '2026-11-22'] as const
const STATEMENT = continuityOfAll(TABLE)
const statement = statementHash(STATEMENT.sql, STATEMENT.values, deliveriesOf(TABLE))
const objectOf = (key: string): ObjectEntry => ({ key, bytes: 4, etag: 'e', modified: 0, storageClass: 'STANDARD' })
const ofDay = (day: string, name = 'a') => objectOf(`data/Orders/event_date=${day}/${name}.parquet`)

class Listed implements ListedArchive {
  constructor(readonly objects: ObjectEntry[]) {}

  async entries(prefix: string): Promise<readonly ObjectEntry[]> {
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
  let list: readonly [string, string]

  beforeEach(() => {
    const [run, answer] = [randomUUID(), randomUUID()]
    const file = objectOf(`${answersFolderPrefix('Orders', answer)}rows`)
    archive = new Listed(DAYS.map(day => ofDay(day)))
    derived = new Listed([file])
    list = [coveredKey('Orders', run), listText(archive.objects)]
    manifest = {
      version: DERIVED_VERSION,
      table: 'Orders',
      generation: 1,
      built: '2026-11-24T00:00:00Z',
      runs: [
        {
          name: run,
          digits: 1,
          rows: 1,
          deliveries: 1,
          digest: '1-1',
          files: {},
          beganUs: 1,
          sampleKey: '{"id":{"S":"A"}}',
          firstDay: DAYS[0],
          daysCopied: 2,
          days: [DAYS],
          covered: listDigest(archive.objects),
        },
      ],
      unseen: {},
      checkpoints: [],
      answers: [{ statement, name: answer, rows: 1, lacks: [], files: listDigest([file]) }],
      replaced: [],
    }
  })

  /** What a statement is answered by; undefined where that is the archive. */
  const prepare = async ({ columns, sql, values } = STATEMENT) => {
    const texts = new Map([list, [manifestKey('Orders'), JSON.stringify(manifest)]])
    const open = async (key: string) => {
      const text = texts.get(key)
      if (text === undefined) throw Object.assign(new Error(), { name: 'NoSuchKey' })
      return Buffer.from(text)
    }
    const copies = new UnloadedCopies(archive, Object.assign(derived, { open }), 'audit')
    const scope = { table: 'Orders', eachItem: columns }
    const found = await copies.rowsFor(scope, sql, values)
    if (found === undefined) return undefined
    const unite = (rows: readonly string[]) => `(${rows.join(' union all ')})`
    return { ...readInstead({ sql, values }, scope, found, unite), missing: await found.whyNotWhole() }
  }

  it('is the whole answer where nothing has come since, and the archive is not read', async () => {
    const found = await prepare()
    expect(found?.sql).toContain('"audit"."orders__answers"')
    expect(found?.sql).not.toContain('_deliveries')
    expect([found?.values, found?.missing]).toEqual([[], undefined])
  })

  it('is the answer about items without a change on other days', async () => {
    archive.objects.push(ofDay('2026-11-23'))
    const found = await prepare()
    const others = "where not (event_date between '2026-11-21' and '2026-11-22')"
    expect(found?.sql.split(others)).toHaveLength(3)
    expect(found?.values).toEqual(STATEMENT.values)
  })

  it('is the answer about items without a change on a day that has only got more', async () => {
    archive.objects.push(ofDay(DAYS[0], 'late'))
    const found = await prepare()
    expect(found?.sql.split("where not (event_date between '2026-11-22' and '2026-11-22')")).toHaveLength(3)
    expect(found?.sql).toContain('"audit"."orders__answers"')
  })

  it.each<[string, () => unknown]>([
    [
      'the list is gone that tells what a changed day had',
      () => {
        list = ['another', '']
        archive.objects.push(ofDay(DAYS[0], 'late'))
      },
    ],
    ['an object of one of its days is gone', () => archive.objects.pop()],
    ['an object of one of its days is another', () => archive.objects.splice(0, 1, { ...ofDay(DAYS[0]), etag: 'f' })],
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
    expect((await prepare())?.missing).toMatch(/^a file of .* is gone$/)
  })
})
