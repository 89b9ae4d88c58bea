/**
 * What the row's hash is taken over stands in TypeScript and in SQL: whoever adds a version, or a column, is told here
 * where it is said again.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LEAF_COLUMNS, ROW_VERSION } from '../../transform/audit-row.js'
import { ROW_VERSIONS } from '../../transform/row-versions.js'

const textOf = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const namesIn = (text: string | undefined) => new Set(text?.match(/\b[a-z_]+\b/g))

describe('a version of the row', () => {
  it('is one of those whose rows can be made again, and today’s is among them', () => {
    expect([...ROW_VERSIONS.keys()]).toContain(ROW_VERSION)
  })

  it.each([...ROW_VERSIONS.keys()])('%s is known to altered-rows, and as what the docs keep for good', version => {
    expect(textOf('queries/sql/altered-rows.sql')).toContain(`'${version}'`)
    expect(textOf('docs/archive-format.md')).toContain(version)
  })

  it('has its leaf in the same columns and order in altered-rows', () => {
    const [, hashed = ''] = /lower\(to_hex\(sha256\(to_utf8\(new_image\).*?\n(.*?)as hashed_columns/s.exec(
      textOf('queries/sql/altered-rows.sql'),
    ) as RegExpExecArray
    const columns = hashed.split(/^ *(?:\|\| )?chr\(10\) \|\| /m).slice(1)
    const [, ...behindVersion] = LEAF_COLUMNS
    expect(columns.map(text => behindVersion.find(name => namesIn(text).has(name)))).toEqual(behindVersion)
  })

  it('has its leaf whole in what a history reads, alone and of many items, but for the key that is asked for', () => {
    const one = namesIn(/\nselect\n(.*?)\nfrom /s.exec(textOf('queries/sql/item-history.sql'))?.[1])
    const many = namesIn(/const COLUMNS = \[(.*?)\]/s.exec(textOf('queries/verdict/histories.ts'))?.[1])
    expect(LEAF_COLUMNS.filter(name => !one.has(name))).toEqual(['item_key'])
    expect(LEAF_COLUMNS.filter(name => !many.has(name))).toEqual([])
  })
})
