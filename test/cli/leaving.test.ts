/** What leaves for a terminal, wherever it comes from: nothing steers it but what is our own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters, styleText } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Command } from '../../cli/io.js'
import { loadCommands } from '../../cli/main.js'
import { escapeForeign, paint, WIPE_LINE } from '../../cli/show/terminal.js'
import { printable } from '../../cli/show/text.js'
import { streamsRecord } from '../factories.js'
import { runs } from '../transform/arbitraries.js'
import { archiveOf, fileOf, run } from './command-line.js'

const COMMANDS = await loadCommands()

const STEERING = /[^\P{Cc}\n]|[\u2028\u2029]|(?![\u200c\u200d])\p{Cf}/u
const COLOURED = { colour: true }

/** What tries to steer: sequences, halves of them, turns of direction, a zero, and what looks like our own marks. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\u001b',
        '[31m',
        ']0;x',
        '\u0007',
        '\r',
        '\u0008',
        '\0',
        '\u009b2J',
        '\u202e',
        '\u2066',
        '\ufeff',
      ),
      fc.constantFrom('\u001b]', '\u001b]0000;\u001b[2J\u0007', '\u2028', '\u{e0041}'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 8 },
  )
  .map(parts => parts.join(''))

describe('a text that leaves', () => {
  it('keeps our own colours and the wiping of a line, and nothing of anybody else', () => {
    const text = `${WIPE_LINE}${paint(COLOURED, 'red', 'bad \u001b[2J')} \u001b[31mred\n`
    expect(escapeForeign(text)).toBe('\r\u001b[K\u001b[31mbad \\u001b[2J\u001b[39m \\u001b[31mred\n')
    expect(paint({ colour: false }, 'red', 'x')).toBe('x')
    const styles = ['bold', 'dim', 'yellow'] as const
    for (const style of styles)
      expect(escapeForeign(paint(COLOURED, style, 'x'))).toBe(styleText(style, 'x', { validateStream: false }))
  })

  it('steers nothing, whatever it holds, and is the same escaped twice', () => {
    fc.assert(
      fc.property(hostile, hostile, (text, painted) => {
        const left = escapeForeign(`${text.replaceAll('\n', '')}${paint(COLOURED, 'red', painted)}`)
        expect(stripVTControlCharacters(left.replace('\u001b[31m', '').replace('\u001b[39m', ''))).not.toMatch(STEERING)
        expect(escapeForeign(escapeForeign(text))).toBe(escapeForeign(text))
        expect(printable(text)).not.toMatch(STEERING)
      }),
      runs(1000),
    )
  })
})

describe('files beside the rows', () => {
  const EVIL = '\u001b]0;OWNED\u0007\u202e\nOrders: COMPLETE'

  it('are told with their escapes, each on its line: the reason of a gap, the source of a baseline', async () => {
    const root = await archiveOf([streamsRecord()])
    const facts = join(root, 'facts', 'Orders')
    mkdirSync(facts, { recursive: true })
    const gap = {
      version: 'fact/v1',
      kind: 'gap',
      table: 'Orders',
      recorded: '2026-11-23T00:00:00.000000Z',
      source: 's',
      shard: 'x',
      after: null,
      before: null,
      from: null,
      to: '2026-11-23T00:00:00.000000Z',
      reason: EVIL,
    }
    writeFileSync(join(facts, '20261123T000000.000000Z-gap.json'), JSON.stringify(gap))
    for (const argv of [
      ['history', 'Orders', 'ORD12345'],
      ['verify', 'continuity', 'Orders'],
      ['as-of', 'Orders', 'ORD12345', 'now'],
      ['status'],
    ]) {
      const { out, err } = await run([...argv, '--archive', root])
      expect(out + err).not.toMatch(STEERING)
      expect(out + err).not.toMatch(/^Orders: COMPLETE/m)
    }
  })

  it('are told with their escapes: the name of a column', async () => {
    const root = await archiveOf([streamsRecord()])
    const sql = `select 1 as "${EVIL}", item_key as "\u009b2J" from orders`
    for (const format of ['table', 'json', 'ndjson']) {
      const { out, err } = await run(['sql', sql, '--archive', root, '--format', format])
      expect(out + err).not.toMatch(STEERING)
      expect(out).toContain('\\u001b]0;OWNED\\u0007\\u202e')
    }
    const { out } = await run(['sql', sql, '--archive', root, '--no-verdict'])
    expect(out.split('\n').slice(2)).toEqual([expect.stringContaining('not judged'), ''])
  })

  it('are told with their escapes by every command that is given one in place of anything', async () => {
    const file = fileOf('evil.json', `{"${EVIL.replaceAll('\n', '')}": "\u009b2J`)
    const root = await archiveOf([streamsRecord()])
    const uses = COMMANDS.filter(({ usage }) => !/^(tail|demo|doctor|plan)/.test(usage)).map(
      ({ usage }) => usage.split(' ')[0],
    )
    for (const command of uses) {
      for (const more of [
        [file],
        ['Orders', file],
        ['Orders', '--config', file],
        ['--plan', file, '--apply'],
        [EVIL],
      ]) {
        const { out, err, exit } = await run([command as string, ...more, '--archive', root])
        expect(out + err, `${command} ${more}`).not.toMatch(STEERING)
        expect(err, `${command} ${more}`).not.toMatch(/^ {4}at /m)
        expect(exit).toBeLessThan(4)
      }
    }
  })
})

describe('what nobody foresaw', () => {
  it('is one escaped sentence and exit 3, and a trace where one is asked for', async () => {
    const root = await archiveOf([streamsRecord()])
    const broken = () => {
      throw new TypeError('\u001b[2J is broken\nat line 2')
    }
    const command = COMMANDS.find(({ usage }) => usage === 'status') as { run: Command['run'] }
    const { run: before } = command
    command.run = broken
    try {
      const { exit, err, out } = await run(['status', '--archive', root])
      expect([exit, out]).toEqual([3, ''])
      expect(err).toBe(
        'itemtrail: the command could not go on: TypeError: \\u001b[2J is broken\n  ITEMTRAIL_DEBUG=1 shows where that was\n',
      )
      process.env.ITEMTRAIL_DEBUG = '1'
      expect((await run(['status', '--archive', root])).err).toMatch(/^ {4}at /m)
    } finally {
      delete process.env.ITEMTRAIL_DEBUG
      command.run = before
    }
  })
})
