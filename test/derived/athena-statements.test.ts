import { TrinoSQL } from 'dt-sql-parser/dist/parser/trino/index.js'
import { describe, expect, it } from 'vitest'
import {
  answerAfter,
  answerBefore,
  answerStatement,
  checkpointStatement,
  checkStatement,
  disagreeingStatement,
  statesAfter,
  statesBefore,
  unloadStatements,
} from '../../derived/athena-statements.js'
import { AthenaTables } from '../../derived/athena-tables.js'
import { daysSql } from '../../derived/days-sql.js'
import type { BucketsMeant } from '../../derived/reader.js'
import { keptStatements } from '../../queries/each-item.js'
import { answersTable, folderOf, foldersOf } from '../../transform/derived.js'
import { unconfiguredTable } from '../../transform/table-configuration.js'
import { misplacedParameters } from '../athena-rules.js'

const tables = new AthenaTables('audit', { table: 'Orders' })
const DAYS = ['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-05']
const run = (digits: number) => ({ name: 'run', digits, days: DAYS })
const meant = (digits: 1 | 2, bucket: string) =>
  ({ run: run(digits), days: DAYS, isWhole: true, buckets: [bucket] }) as unknown as BucketsMeant

describe('statements of the clustered copy', () => {
  it.each([1, 2, 3])('write each bucket of %i digits once, at most a hundred in a statement', digits => {
    const ranges = foldersOf(run(digits)).map(({ from, to }) => [
      Number.parseInt(from, 16),
      to === undefined ? 16 ** digits : Number.parseInt(to, 16),
    ])
    expect(ranges[0]?.[0]).toBe(0)
    expect(ranges.at(-1)?.[1]).toBe(16 ** digits)
    for (const [i, [from = 0, to = 0]] of ranges.entries()) {
      expect(to - from).toBeLessThanOrEqual(100)
      if (i > 0) expect(from).toBe(ranges[i - 1]?.[1])
    }
  })

  it('look for a bucket in the folder that has it', () => {
    for (const bucket of ['00', '54', '55', 'a9', 'aa', 'ff']) {
      const [folder] = foldersOf(run(2)).filter(({ from, to }) => from <= bucket && (to === undefined || bucket < to))
      expect(folderOf(run(2), bucket)).toBe(folder?.folder)
      expect(tables.ofRuns([meant(2, bucket)])[0]).toContain(`folder = '${folder?.folder}'`)
    }
  })

  it('are Trino SQL by its own grammar', () => {
    const unloaded = unloadStatements(tables, run(2), 'Orders', "s3://it's/").map(sql => {
      const [, query, target] = /^unload \(\n([\s\S]*)\n\) to '(.*)' with \(.*\)$/.exec(sql) as unknown as string[]
      expect(target).toMatch(/^s3:\/\/it''s\/derived\/Orders\/changes\/folder=run-\d\/$/)
      return query as string
    })
    const planned = { name: 'second', day: '2026-03-05', previous: { name: 'first', day: '2026-02-28' } }
    const all = [
      ...unloaded,
      checkStatement(tables, run(2)),
      disagreeingStatement(tables, DAYS),
      ...tables.ofRuns([meant(1, 'a'), meant(2, 'aa')]),
      ...tables.ofArchive({ not: DAYS }),
      /^unload \(\n([\s\S]*)\n\) to /.exec(
        checkpointStatement(tables, planned, 'Orders', 's3://derived/'),
      )?.[1] as string,
      tables.ofCheckpoint('first'),
      ...tables.ofArchive({ after: '2026-02-28', upTo: '2026-04-01' }),
    ]
    for (const { sql } of [statesBefore(tables, planned), statesAfter(tables, planned)]) {
      expect(misplacedParameters(sql)).toEqual([])
      all.push(sql)
    }
    expect(unloaded).toHaveLength(3)
    for (const sql of all) expect(new TrinoSQL().validate(sql)).toEqual([])
  })

  it('keep answers in Trino SQL whose ? stand where Athena takes them, in columns that the table has', () => {
    const table = unconfiguredTable('Orders')
    const names = answersTable(table).columns.map(({ name }) => name)
    for (const statement of keptStatements(table)) {
      const planned = { name: 'kept', days: DAYS, statement }
      const written = answerStatement(tables, planned, table, "s3://it's/")
      const [, query = '', target] = /^unload \(\n([\s\S]*)\n\) to '(.*)' with \(.*\)$/.exec(written.sql) ?? []
      expect(target).toBe("s3://it''s/derived/Orders/answers/folder=kept/")
      for (const { sql, values } of [
        { sql: query, values: written.values },
        answerBefore(tables, planned, table),
        answerAfter(tables, planned),
      ]) {
        expect(new TrinoSQL().validate(sql)).toEqual([])
        expect(misplacedParameters(sql)).toEqual([])
        expect(sql.replaceAll(/--[^\n]*/g, '').split('?')).toHaveLength(values.length + 1)
      }
      expect(names).toEqual(expect.arrayContaining([...statement.columns]))
    }
  })

  it('name days by ranges, across the ends of months', () => {
    expect(daysSql(DAYS)).toBe(
      "(event_date between '2026-02-27' and '2026-03-01' or event_date between '2026-03-05' and '2026-03-05')",
    )
    expect(daysSql([])).toBe('(false)')
  })
})
