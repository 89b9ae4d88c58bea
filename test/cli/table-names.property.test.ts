import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { tableIdentifier } from '../../transform/table-names.js'
import { streamsRecord } from '../factories.js'
import { askAny } from '../queries/ask-any.js'
import { runs } from '../transform/arbitraries.js'
import { tableNames } from '../transform/table-name-arbitraries.js'
import { linesOf, makeFolder, run } from './command-line.js'

/** Two changes of one item of each table, each delivered twice. */
function recordsOf(names: readonly string[]): readonly unknown[] {
  const arn = (name: string) => `arn:aws:dynamodb:eu-west-1:111122223333:table/${name}/stream/2026-11-01T00:00:00.000`
  return names.flatMap((name, table) => {
    const records = [0, 1].map(n =>
      streamsRecord({
        eventID: `e${table}-${n}`,
        eventSourceARN: arn(name),
        SequenceNumber: `${100 + n}`,
      }),
    )
    return [...records, ...records]
  })
}

it('tables of any names are ingested, compacted, verified, asked and planned each for itself', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(tableNames, { minLength: 3, maxLength: 4 }), async names => {
      const root = join(makeFolder(), 'archive')
      const ask = (argv: readonly string[], stdin = '') => run([...argv, '--archive', root], { stdin })
      expect(await ask(['ingest', '-'], linesOf(recordsOf(names)))).toMatchObject({ exit: 0 })
      const told = async () => {
        await using archive = await openArchive(root)
        expect(archive.tables()).toEqual([...names].sort())
        const answers: unknown[] = []
        for (const name of names) {
          const identifier = tableIdentifier(archive.table(name))
          const count = async (view: string) =>
            [...(await archive.sql(`select count(*) as n, min(table_name) as name from "${view}"`))][0]
          expect(await count(identifier)).toEqual({ n: 2n, name })
          expect(await count(`${identifier}_deliveries`)).toEqual({ n: 4n, name })
          for (const query of SAVED_QUERIES.values()) {
            if (query.asksForColumn) continue
            const given = query.parameters.filter(one => one.default === undefined && one.type !== 'item')
            // these items have no attribute but this one
            const valued = given.map(({ name, type, example }) => [name, type === 'attribute' ? 'status' : example])
            const parameters = Object.fromEntries(valued)
            const item = query.parameters.find(({ type }) => type === 'item')
            const key = item === undefined ? {} : { [item.name]: '{"order_id":{"S":"ORD12345"}}' }
            const answer = await askAny(archive, query.name, name, { ...parameters, ...key })
            answers.push([name, query.name, [...answer].length])
          }
        }
        return answers
      }
      const before = await told()
      expect(await ask(['compact'])).toMatchObject({ exit: 0 })
      expect(await told()).toEqual(before)
      expect(await ask(['compact', '--check'])).toMatchObject({ exit: 0 })
      expect(await ask(['verify', 'rows'])).toMatchObject({ exit: 0 })
      expect((await ask(['verify', 'continuity'])).exit).toBeLessThan(2)
      expect(await ask(['status'])).toMatchObject({ exit: 0 })
      for (const name of names) {
        const planned = await ask(['plan', '--from-archive', name, '--writes-per-second', '9', '--format', 'json'])
        expect([name, planned.exit, planned.err]).toEqual([name, 0, expect.not.stringContaining('itemtrail:')])
        expect(() => JSON.parse(planned.out)).not.toThrow()
      }
    }),
    { ...runs(2), endOnFailure: true },
  )
}, 300_000)
