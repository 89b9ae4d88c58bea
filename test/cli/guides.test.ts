/** The guides under `docs/guides/`: each line that says what it answers is played on the bundled archive. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './command-line.js'

const GUIDES = join(import.meta.dirname, '../../docs/guides')
const LINE = /^npx itemtrail (.+?) +# -> (.+)$/gm

/** As a shell takes words apart, double quotes being all that the guides have. */
function words(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)
}

describe.each(readdirSync(GUIDES))('the guide %s', name => {
  const text = readFileSync(join(GUIDES, name), 'utf8')
  const lines = [...text.matchAll(LINE)].map(([, command, answer]) => [command, answer] as [string, string])
  const before = process.cwd()
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'itemtrail-guide-'))
    process.chdir(folder)
    expect((await run(['demo'])).exit).toBe(0)
  })
  afterAll(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true, force: true })
  })

  it('has lines that are played', () => {
    expect(lines.length).toBeGreaterThanOrEqual(4)
  })

  // one after the other, as a reader types them
  it.each(lines)('%s', async (command, answer) => {
    const { exit, out, err } = await run(words(command))
    expect([exit, err]).toEqual([0, expect.not.stringContaining('itemtrail:')])
    expect(`${out}${err}`.replaceAll(/\s+/g, ' ')).toContain(answer)
  })
})
