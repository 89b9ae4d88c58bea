/** What people ask, as `docs/asking.md` has it: each line is played, on terminals of two widths and in a pipe. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/asking.md'), 'utf8')
const SECTION = /^## What people ask\n(.*?)^## /ms.exec(DOCUMENT)?.[1] ?? ''
const LINES = [...SECTION.matchAll(/^\| (.+) \| `(.+)` \| `(.+)` \|$/gm)].map(
  ([, question, command, answer]) => [question, command, answer] as [string, string, string],
)

/** As a shell takes words apart, double quotes being all that the document has. */
function words(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)
}

describe('what people ask', () => {
  const root = join(makeFolder(), 'archive')
  const place = ['--archive', root, '--config', ORDERS_CONFIG]
  beforeAll(async () => {
    expect((await run(['ingest', ORDERS, ...place])).exit).toBe(0)
  })

  it('is at least forty questions', () => {
    expect(LINES.length).toBeGreaterThanOrEqual(40)
    expect(new Set(LINES.map(([, command]) => command)).size).toBe(LINES.length)
  })

  it.each(LINES)('%s', async (_, command, answer) => {
    // what can be asked by name is the same of every archive
    const argv = command.startsWith('queries') ? words(command) : [...words(command), ...place]
    for (const terminal of [{ columns: 80 }, { columns: 120 }, {}]) {
      const { exit, out, err } = await run(argv, terminal)
      expect([exit, err]).toEqual([0, expect.not.stringContaining('itemtrail:')])
      expect(out.replaceAll(/\s+/g, ' ')).toContain(answer)
      if (terminal.columns !== undefined)
        expect(Math.max(...out.split('\n').map(line => line.length))).toBeLessThan(400)
    }
  })
})
