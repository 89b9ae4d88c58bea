/** By whose clock times are printed, when there are colours, and what help says on a narrow terminal. */
import { beforeAll, describe, expect, it } from 'vitest'
import { loadCommands } from '../../cli/main.js'
import { colourOf } from '../../cli/show/colour.js'
import { showMoment, wordsIn, zoneOf } from '../../cli/show/zone.js'
import { parseInstant } from '../../transform/instant.js'
import { change } from '../queries/story.js'
import { archiveOf, run } from './command-line.js'

const COMMANDS = await loadCommands()

let root: string
beforeAll(async () => {
  const at = (status: string) => ({ status: { S: status }, seen_time: { S: '2026-11-20T10:00:00Z' } })
  root = await archiveOf([
    change('A', '20T10:00:00', undefined, at('NEW')),
    change('A', '20T23:30:00', at('NEW'), at('OLD')),
  ])
})
const ask = (...argv: readonly string[]) => run([...argv, '--archive', root])

describe('--tz', () => {
  it.each([
    [['history', 'Orders', 'A'], '● 2026-11-21 00:30:00+01:00  MODIFY'],
    [['show', 'Orders', 'A'], ''],
    [['items', 'Orders'], '2026-11-21 00:30:00+01:00'],
    [['find', 'Orders', 'NEW'], '2026-11-20 11:00:00+01:00'],
    [['as-of', 'Orders', 'A', '2026-11-20T23:30:00Z'], 'as of 2026-11-21 00:30:00+01:00'],
    [['as-of', 'Orders', '2026-11-20T23:30:00Z'], '2026-11-21 00:30:00+01:00'],
    [['query', 'changes-between', 'Orders', '2026-11-20', 'now'], '2026-11-21 00:30:00+01:00'],
    [['sql', 'select event_time from orders order by event_time'], '2026-11-20 11:00:00+01:00'],
    [['diff', 'Orders', 'A', '--from', '2026-11-20T10:00:00Z', '--to', '2026-11-21'], '2026-11-21 01:00:00+01:00'],
    [['diff', 'Orders', '--from', '2026-11-20T10:00:00Z', '--to', '2026-11-21'], '2026-11-21 01:00:00+01:00'],
    [['status'], '2026-11-21 00:30:00+01:00'],
  ] as const)('prints the times of %j by the clock of a zone', async (argv, text) => {
    expect((await ask(...argv, '--tz', 'Europe/Berlin')).out).toContain(text)
  })

  it('changes nothing that an item holds, and nothing for programs', async () => {
    const { out } = await ask('history', 'Orders', 'A', '--tz', 'Asia/Tokyo')
    expect(out).toContain('"2026-11-20T10:00:00Z"')
    for (const format of ['json', 'ndjson', 'csv', 'html']) {
      const zoned = await ask('query', 'hot-items', 'Orders', '--format', format, '--tz', 'Asia/Tokyo')
      const plain = await ask('query', 'hot-items', 'Orders', '--format', format)
      const without = (text: string) => text.replaceAll(/<dt>made<\/dt><dd>[^<]*/g, '')
      expect(without(zoned.out)).toBe(without(plain.out))
    }
  })

  it('tells what explains a verdict by the same clock, and leaves what is to be typed', async () => {
    const zoned = async (...argv: readonly string[]) => (await ask(...argv, '--tz', 'Europe/Berlin')).out
    expect(await zoned('history', 'Orders', 'A')).toContain('UNBROKEN since INSERT 2026-11-20 11:00:00+01:00')
    expect(await zoned('query', 'changes-between', 'Orders', '--from', '2026-11-20', '--to', 'now')).toContain(
      'from 2026-11-20 01:00:00+01:00',
    )
    expect(await zoned('query', 'changes-between', 'Orders', '--from', '2026-11-22', '--to', 'now')).toContain(
      'its changes are from 2026-11-20 11:00:00+01:00 to 2026-11-21 00:30:00+01:00',
    )
    expect(wordsIn('GAP until 2026-11-20 10:00:00.25Z: verify --from 2026-11-20T10:00:00Z', 'Asia/Tokyo')).toBe(
      'GAP until 2026-11-20 19:00:00.250+09:00: verify --from 2026-11-20T10:00:00Z',
    )
    // a file's times are of UTC, and so is what is told of it
    const file = await ask('history', 'Orders', 'A', '--format', 'csv', '--tz', 'Europe/Berlin')
    expect(file.err).toContain('UNBROKEN since INSERT 2026-11-20 10:00:00Z')
  })

  it('is the name of a zone', async () => {
    const { exit, err } = await ask('history', 'Orders', 'A', '--tz', 'Berlin')
    expect([exit, err]).toEqual([
      2,
      'itemtrail: --tz is "Berlin", expected the name of a zone such as Europe/Berlin or UTC\n',
    ])
    expect([zoneOf(undefined, 'Asia/Tokyo'), zoneOf('UTC', 'Asia/Tokyo'), zoneOf(undefined, 'nowhere')]).toEqual([
      'Asia/Tokyo',
      'UTC',
      undefined,
    ])
  })

  it.each([
    ['2026-10-25T00:59:59.999Z', 'Europe/Berlin', '2026-10-25 02:59:59.999+02:00'],
    ['2026-10-25T01:00:00.000Z', 'Europe/Berlin', '2026-10-25 02:00:00.000+01:00'],
    ['2026-11-20T10:00:00.000Z', 'Asia/Kathmandu', '2026-11-20 15:45:00.000+05:45'],
    ['2026-11-20T10:00:00.000Z', 'America/St_Johns', '2026-11-20 06:30:00.000-03:30'],
    ['2026-07-01T10:00:00.000Z', 'Europe/London', '2026-07-01 11:00:00.000+01:00'],
    ['2026-11-20T10:00:00.000Z', 'Europe/London', '2026-11-20 10:00:00.000Z'],
  ])('shows %s in %s as %s', (text, zone, shown) => {
    expect(showMoment(parseInstant(text)?.us as number, 3, zone)).toBe(shown)
  })
})

describe('--color', () => {
  it('says whether there are colours, whatever the terminal is', async () => {
    const always = await ask('history', 'Orders', 'A', '--color', 'always')
    expect(always.out).toContain('\u001b[')
    const terminal = { columns: 80, colour: true }
    const never = await run(['history', 'Orders', 'A', '--archive', root, '--color', 'never'], terminal)
    expect(never.out).not.toContain('\u001b[')
    expect((await run(['history', 'Orders', 'A', '--archive', root], terminal)).out).toContain('\u001b[')
    const wrong = await ask('history', 'Orders', 'A', '--color', 'yes')
    expect([wrong.exit, wrong.err]).toEqual([2, 'itemtrail: --color is "yes", expected always, never or auto\n'])
  })

  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    [true, { TERM: 'dumb' }, false],
  ] as const)('on a terminal %j with %j is %j', (isTerminal, environment, expected) => {
    expect(colourOf(isTerminal, environment as never)).toBe(expected)
  })
})

describe('50 columns', () => {
  it('are enough for the help of every command, which tells the exit codes', async () => {
    for (const argv of [[], ...COMMANDS.map(({ usage }) => [usage.split(' ')[0] as string])]) {
      const { out } = await run([...argv, '--help'], { columns: 50 })
      expect(out.replaceAll(/\s+/g, ' '), argv.join()).toContain(
        'Exit codes: 0 done, 1 findings or failure, 2 used wrongly',
      )
      const long = out
        .split('\n')
        .filter(line => line.length > 50 && !/^ {2}(itemtrail|source) /.test(line) && !line.startsWith('Usage:'))
      expect(long, argv.join()).toEqual([])
    }
  })

  it('are enough for answers', async () => {
    for (const argv of [
      ['history', 'Orders', 'A'],
      ['items', 'Orders'],
      ['status'],
      ['query', 'deletions', 'Orders'],
    ]) {
      const { out } = await run([...argv, '--archive', root], { columns: 50 })
      expect(Math.max(...out.split('\n').map(line => line.length)), argv.join(' ')).toBeLessThanOrEqual(50)
    }
  })
})
