/** What only the real process shows: exit codes, pipes that close, colour on a terminal. Needs `npm run build`. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { streamsRecord } from '../factories.js'
import { archiveOf, type Ending, makeFolder, ORDERS } from './command-line.js'

const COMMAND = join(import.meta.dirname, '../../dist/cli/itemtrail.js')
const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0
const { NO_COLOR: _, FORCE_COLOR: __, ...ENVIRONMENT } = process.env

/** Runs a program to its end, whatever its exit code. */
function execute(file: string, argv: readonly string[], input?: string | Uint8Array, more: NodeJS.ProcessEnv = {}) {
  return new Promise<Ending>(resolve => {
    const child = execFile(file, argv, { env: { ...ENVIRONMENT, ...more } }, (_error, out, err) =>
      resolve({ exit: child.exitCode ?? -1, out, err }),
    )
    child.stdin?.end(input)
  })
}

function itemtrail(argv: readonly string[], input?: string | Uint8Array): Promise<Ending> {
  return execute(process.execPath, [COMMAND, ...argv], input)
}

function shell(argv: readonly string[]): string {
  return [process.execPath, COMMAND, ...argv].map(part => `'${part.replaceAll("'", "'\\''")}'`).join(' ')
}

/** Runs a command on a pseudo terminal of a width. */
async function onTerminal(columns: number, argv: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  const script = ['-qec', `stty cols ${columns} && ${shell(argv)}`, '/dev/null']
  const { out } = await execute('script', script, undefined, { TERM: 'xterm', PAGER: 'cat', ...more })
  return out.replaceAll('\r\n', '\n')
}

describe('the process', () => {
  let root: string
  let history: readonly string[]
  beforeAll(async () => {
    root = await archiveOf([streamsRecord()])
    history = ['history', 'Orders', 'ORD12345', '--archive', root]
  })

  it('runs as a command of its own, ends with its exit code, and writes no colour into a pipe', async () => {
    const done = await execute(COMMAND, history)
    expect([done.exit, done.err]).toEqual([0, ''])
    expect(done.out).toMatch(/^Orders ORD12345 {2}1 change\n/)
    expect(done.out).not.toContain('\u001b')
    expect((await itemtrail(['status', '--archive', join(root, 'nowhere')])).exit).toBe(3)
  })

  it('ingests packed records from standard input', async () => {
    const lines = gunzipSync(readFileSync(ORDERS)).toString().split('\n').slice(0, 20).join('\n')
    const { exit, out } = await itemtrail(['ingest', '-', '--archive', join(makeFolder(), 'archive')], gzipSync(lines))
    expect([exit, out]).toEqual([0, expect.stringContaining('Orders  20       20    0        2')])
  })

  // as with `itemtrail | head`
  it.each([
    ['stdout', 'stderr', ['queries', '--format', 'json']],
    ['stderr', 'stdout', []],
  ] as const)(
    'ends quietly where the reader of its %s goes away, and not as if all were done',
    async (side, other, argv) => {
      const child = spawn(process.execPath, [COMMAND, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT })
      let said = ''
      child[other].on('data', chunk => {
        said += chunk
      })
      child[side].destroy()
      const ended = await new Promise(resolve => child.on('close', resolve))
      expect([ended, said]).toEqual([3, ''])
    },
  )

  it.runIf(HAS_SCRIPT)('colours a terminal, keeps to its width, and leaves colour out where told', async () => {
    const out = await onTerminal(60, history)
    expect(out).toContain('\u001b[32mUNBROKEN\u001b[39m since INSERT 2026-11-22 10:00:00Z: each change\n')
    expect(stripVTControlCharacters(out)).toContain('    + status    "PENDING"\n')
    expect(await onTerminal(80, history, { NO_COLOR: '1' })).not.toContain('\u001b')
  })

  it.runIf(HAS_SCRIPT)('hands a terminal to PAGER, and does without where that is not there', async () => {
    const numbered = await onTerminal(60, history, { PAGER: 'nl -ba' })
    expect(stripVTControlCharacters(numbered)).toMatch(/^ +1\tOrders ORD12345 {2}1 change\n +2\tUNBROKEN since/)
    expect(await onTerminal(60, history, { PAGER: 'no-such-pager' })).toMatch(/^\S*Orders ORD12345/)
    // one that ends at once leaves the answer unread, and nothing else
    expect(await onTerminal(60, history, { PAGER: 'head -1' })).toMatch(/^\S*Orders ORD12345.*\n$/)
  })

  it.runIf(HAS_SCRIPT)('shows progress on a terminal and wipes it away', async () => {
    const out = await onTerminal(80, ['ingest', ORDERS, '--archive', join(makeFolder(), 'archive')])
    const steps = out.split('\r\u001b[K')
    expect(steps.some(step => /^[█░]{20} +\d+ % {2}[\d,]+ records?, [\d,]+\/s, \d+ s left$/.test(step))).toBe(true)
    expect(steps).toContain('writing what was read ...')
    expect(steps.at(-1)).toContain('table')
  })
})
