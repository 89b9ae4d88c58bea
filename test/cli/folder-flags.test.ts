/** Flags that only an archive in a folder takes, on every command that is asked of a stack. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadCommands } from '../../cli/main.js'
import { run } from './command-line.js'

const COMMANDS = await loadCommands()

/** What is typed for each: all that is wrong is the flag. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  archive: ['elsewhere'],
  cloudtrail: ['AWSLogs'],
  files: [],
  memory: ['4GB'],
}

/** Arguments that each command wants before it looks at its flags. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'as-of': ['Orders', 'now'],
  diff: ['Orders', '--from', '2026-11-01'],
  find: ['Orders', 'ann'],
  history: ['Orders', 'A'],
  items: ['Orders'],
  query: ['deletions', 'Orders', '--from', '2026-11-01'],
  reconcile: ['Orders', '--export', 'nowhere'],
  rerun: [join(import.meta.dirname, '../fixtures/kept/bag/data/receipt.json')],
  show: ['ed5f5aa2'],
  sql: ['select 1'],
  subject: ['find', 'ann'],
  who: ['Orders', 'A'],
}

const names = (options: (typeof COMMANDS)[number]['options']) =>
  options.flatMap(([flags]) => /--([a-z-]+)/.exec(flags)?.[1] ?? [])

const CASES = COMMANDS.filter(({ options }) => names(options).includes('stack')).flatMap(({ usage, options }) => {
  const [command = ''] = usage.split(' ')
  return names(options)
    .filter(name => name in VALUES)
    .map(name => [command, name] as const)
})

describe('a flag of an archive in a folder', () => {
  it('is known of all commands that are asked of a stack', () => {
    expect(CASES.length).toBeGreaterThan(25)
    expect(new Set(CASES.map(([, flag]) => flag))).toEqual(new Set(Object.keys(VALUES)))
  })

  it.each(CASES)('%s refuses --%s with --stack, before anything is sent', async (command, flag) => {
    const argv = [
      command,
      ...(ARGUMENTS[command] ?? []),
      '--stack',
      'Stack',
      `--${flag}`,
      ...(VALUES[flag] as string[]),
    ]
    expect(await run(argv)).toMatchObject({ exit: 2, out: '', err: expect.stringMatching(`^itemtrail: --${flag} `) })
  })

  it.each([
    ['verify', 'objects', '--memory', '4GB'],
    ['verify', 'log', '--memory', '4GB'],
    ['subject', 'find', 'ann', '--region', 'eu-west-1'],
    ['verify', 'proof', 'x', '--workgroup', 'w'],
  ])('%s %s refuses what it would not look at, on a desk, too', async (...argv) => {
    expect(await run(argv)).toMatchObject({ exit: 2, out: '' })
  })
})
