/** Saved questions found by a word, each with its own help; statements from files and pipes. */
import { beforeAll, describe, expect, it } from 'vitest'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { streamsRecord } from '../factories.js'
import { archiveOf, fileOf, run } from './command-line.js'

describe('queries', () => {
  it('of words are those that speak of all of them', async () => {
    const { exit, out } = await run(['queries', 'Deleted', 'gone', '--format', 'json'])
    const names = (JSON.parse(out) as { readonly name: string }[]).map(({ name }) => name)
    expect([exit, names]).toEqual([0, expect.arrayContaining(['re-created-items'])])
    expect(names.length).toBeLessThan(SAVED_QUERIES.size)
    const none = await run(['queries', 'deletion', 'zebra'])
    expect(none).toMatchObject({ exit: 1, out: '' })
    expect(none.err).toMatch(/^itemtrail: no question speaks of "deletion" and "zebra"\n/)
    expect((await run(['queries', 'hot-itms'])).err).toContain('did you mean hot-items?')
  })

  it('have each its parameters and columns in the help of query', async () => {
    for (const { name, parameters, columns, question } of SAVED_QUERIES.values()) {
      const { exit, out } = await run(['query', name, '--help'])
      expect([exit, out]).toEqual([0, expect.stringContaining(`\n${name}: ${question}\n`)])
      for (const parameter of parameters)
        if (parameter.preset !== 'facts') expect(out, name).toContain(`  ${parameter.name}=...  `)
      for (const column of columns) expect(out, name).toContain(`\n  ${column.name} (${column.type})  `)
    }
    expect((await run(['query', '--help'])).out).toContain('"itemtrail query NAME --help" tells')
  })
})

describe('a statement', () => {
  let root: string
  beforeAll(async () => {
    root = await archiveOf([streamsRecord()])
  })
  const sql = (argv: readonly string[], stdin: string | Uint8Array = '') =>
    run(['sql', ...argv, '--archive', root, '--no-verdict', '--format', 'json'], { stdin })

  it('is read from a file, or from standard input', async () => {
    const text = '\ufeff-- how many\nselect count(*) as n\nfrom orders;\n'
    for (const [argv, stdin] of [
      [['-f', fileOf('ask.sql', text)], ''],
      [['--statement', '-'], text],
      [['-'], text],
    ] as const) {
      const { exit, out } = await sql(argv, stdin)
      expect([exit, JSON.parse(out).rows]).toEqual([0, [{ n: 1 }]])
    }
  })

  it.each([
    [[], '', 'statement is missing\n  type it in quotes'],
    [['-'], '', 'statement is empty, expected SQL'],
    [['select 1', '-f', 'x.sql'], '', 'statement is typed, and named by --statement'],
    [['-f', 'nowhere.sql'], '', '--statement nowhere.sql is not there'],
    [['-'], Uint8Array.of(0xff, 0x31), 'standard input is no UTF-8'],
    [['-'], 'x'.repeat(2 ** 20 + 1), 'standard input has more than 1048576 bytes'],
  ])('%j is used wrongly', async (argv, stdin, message) => {
    const ending = await sql(argv, stdin)
    expect([ending.exit, ending.out, ending.err]).toEqual([2, '', expect.stringContaining(`itemtrail: ${message}`)])
  })

  it('from a folder, or that is too large, could not be read', async () => {
    expect(await sql(['-f', root])).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('is no file') })
  })
})
