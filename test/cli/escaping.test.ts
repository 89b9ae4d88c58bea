import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import stringWidth from 'string-width'
import { beforeAll, describe, expect, it } from 'vitest'
import { printTable } from '../../cli/show/table.js'
import { cut, pad, printable, widthOf, wrap } from '../../cli/show/text.js'
import { type Attributes, streamsRecord } from '../factories.js'
import { archiveOf, fileOf, linesOf, makeFolder, run } from './command-line.js'

/**
 * What items can hold to steer a terminal: clear it, retitle it, link, go back over what was printed, turn it round.
 */
const EVIL =
  '\u001b[2J\u001b]0;owned\u0007\u001b]8;;http://x\u001b\\\r\u0008\u009b31m\u202e\u2066\u200b\ufeff\u2028\u{e0041}'
const STEERING = /[^\P{Cc}\n]|[\u2028\u2029]|(?![\u200c\u200d])\p{Cf}/u

describe('items that would steer a terminal', () => {
  const id = `id${EVIL}`
  const item: Attributes = {
    id: { S: id },
    [`name${EVIL}`]: { S: EVIL },
    map: { M: { [EVIL]: { L: [{ S: EVIL }, { M: { id: { S: EVIL }, [EVIL]: { N: '1' } } }] } } },
    set: { SS: [EVIL, `${EVIL}2`] },
    updated_by: { S: `actor${EVIL}` },
  }
  const changed: Attributes = {
    ...item,
    map: { M: { [EVIL]: { L: [{ S: 'other' }, { M: { id: { S: EVIL }, [EVIL]: { N: '2' } } }] } } },
    set: { SS: [EVIL, `${EVIL}3`] },
  }
  const config = fileOf(
    'config.json',
    JSON.stringify({ tables: { Orders: { actor: 'updated_by', columns: { updated_by: 'string' } } } }),
  )
  let root: string
  beforeAll(async () => {
    const Keys = { id: { S: id } }
    root = await archiveOf(
      [
        streamsRecord({ eventID: 'a', SequenceNumber: '1', Keys, NewImage: item }),
        streamsRecord({ eventID: 'b', SequenceNumber: '2', Keys, OldImage: item, NewImage: changed }),
      ],
      ['--config', config],
    )
    await run(['ingest', '-', '--archive', root], {
      stdin: linesOf([
        `no json ${EVIL}`,
        { ...streamsRecord({ Keys }), eventName: EVIL },
        streamsRecord({ Keys, NewImage: { [EVIL]: { X: EVIL } as never } }),
      ]),
    })
    mkdirSync(join(root, 'data', `Table${EVIL.replaceAll('/', '')}`))
  })

  const key = JSON.stringify({ id })
  it.each([
    [['history', 'Orders', key]],
    [['as-of', 'Orders', key, 'now']],
    [['as-of', 'Orders', 'now']],
    [['diff', 'Orders', key, '--from', '2026-11-22T10:00:00Z']],
    [['status']],
    [['query', 'changes-between', 'Orders', '--param', 'from=2026-11-22T00:00:00Z', '--param', 'to=now']],
    [['query', 'deletions', EVIL]],
    [['query', EVIL, 'Orders']],
    [['query', 'deletions', 'Orders', '--param', EVIL]],
    [['query', 'deletions', 'Orders', '--param', `${EVIL}=1`]],
    [['sql', 'select actor, new_image, item_key from orders']],
    [['sql', `select ${EVIL}`]],
    [['history', 'Orders', `near ${EVIL}`]],
    [['history', EVIL, 'x']],
    [['history', 'Orders', key, '--format', EVIL]],
    [['as-of', 'Orders', EVIL]],
    [['as-of', 'Orders', key, EVIL]],
    [['ingest', EVIL]],
    [['history', 'Orders', 'x', '--config', EVIL]],
    [[EVIL]],
  ])('do not when asked %j', async argv => {
    const { out, err } = await run([...argv, '--archive', root], { columns: 80 })
    expect(out + err).not.toMatch(STEERING)
  })

  it('are told with their escapes, and their keys can be typed as they are told', async () => {
    const { out } = await run(['history', 'Orders', key, '--archive', root])
    const shown = /^Orders (.*?) {2}2 changes\n/.exec(out)?.[1] as string
    expect(shown).toContain('\\u001b[2J')
    expect((await run(['history', 'Orders', shown, '--archive', root])).out).toBe(out)
    expect(out).toContain('by actor\\u001b[2J')
  })

  it.each(['json', 'ndjson', 'dynamodb'])('do not in %s either, which means the same item', async format => {
    for (const argv of [
      ['as-of', 'Orders', key, 'now'],
      ['as-of', 'Orders', 'now'],
    ]) {
      const { out } = await run([...argv, '--archive', root, '--format', format])
      expect(out).not.toMatch(STEERING)
      const parsed = JSON.parse(out) as { rows?: object[] }
      const answer = (parsed.rows?.[0] ?? parsed) as { item?: object; Item?: object }
      expect(answer.item ?? answer.Item).toEqual(changed)
    }
  })

  it('do not when an input is sampled for a configuration', async () => {
    const output = join(makeFolder(), 'new.json')
    const { out, err } = await run(['init', '-', '--output', output], {
      stdin: linesOf([streamsRecord({ Keys: { [EVIL]: { S: 'x' } } })]),
    })
    expect(out + err).not.toMatch(STEERING)
    expect(err).toContain('Orders: keys \\u001b[2J')
  })
})

describe('text', () => {
  it.each([
    ['plain', 'ORD12345', 'ORD12345'],
    ['joined emoji', '👩‍🚀 👨‍👩‍👧', '👩‍🚀 👨‍👩‍👧'],
    ['Persian with a non-joiner', 'می\u200cخواهم', 'می\u200cخواهم'],
    ['combining marks', 'Zoe\u0308', 'Zoe\u0308'],
    ['right-to-left script', 'يوسف حداد', 'يوسف حداد'],
    ['line feeds and tabs', 'a\nb\tc', 'a\\u000ab\\u0009c'],
    ['an astral format character', '\u{e0001}', '\\udb40\\udc01'],
    ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ])('is printable: %s', (_, text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('is padded and cut as a terminal counts it', () => {
    expect(pad('漢字', 6)).toBe('漢字  ')
    expect(cut('漢字漢字', 5)).toBe('漢字…')
    expect(cut('漢字', 4)).toBe('漢字')
    expect(cut('a👩‍🚀b👩‍🚀', 5)).toBe('a👩‍🚀b…')
    expect(cut('Zoe\u0308 B', 4)).toBe('Zoe\u0308…')
    expect(cut('x'.repeat(400_000), 10)).toBe(`${'x'.repeat(9)}…`)
    expect(cut('', 3)).toBe('')
  })

  it('of a whole item is measured in no time', () => {
    const started = performance.now()
    expect(widthOf(['x'.repeat(400_000), '漢'.repeat(100_000)])).toBe(400_000)
    expect(widthOf(['漢'.repeat(100_000)])).toBe(200_000)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('is broken between words, never inside a time', () => {
    const text = 'since INSERT 2026-11-18 09:14:07Z: each change'
    expect(wrap(text, 20)).toBe('since INSERT\n2026-11-18 09:14:07Z:\neach change')
    expect(wrap(text, undefined)).toBe(text)
    expect(wrap('averylongword', 5)).toBe('averylongword')
  })
})

describe('a table', () => {
  const print = (columns: number | undefined, names: string[], rows: string[][]) => {
    let out = ''
    let err = ''
    const io = { out: (text: string) => (out += text), err: (text: string) => (err += text), columns, colour: false }
    printTable(names, rows, { ...io, stdin: process.stdin, errIsTerminal: false })
    return { lines: out.trimEnd().split('\n'), err }
  }

  it('aligns wide, combining and joined characters', () => {
    const { lines } = print(
      undefined,
      ['name', 'city'],
      [
        ['山田 花子', 'A'],
        ['Zoe\u0308', 'B'],
        ['👩‍🚀', 'C'],
        ['x', 'D'],
      ],
    )
    expect(lines.slice(1).map(line => stringWidth(line))).toEqual([12, 12, 12, 12])
  })

  it('takes width from the widest, keeps times, numbers and keys, and says that it cut', () => {
    const row = ['2026-11-20 00:44:37Z', 'ORD10287', '123456789012', 'x'.repeat(60), 'y'.repeat(30)]
    const { lines, err } = print(80, ['event_time', 'item_key', 'version', 'changed', 'actor'], [row])
    expect(lines[1]).toBe(`2026-11-20 00:44:37Z  ORD10287  123456789012  ${'x'.repeat(15)}…  ${'y'.repeat(15)}…`)
    expect(stringWidth(lines[1] as string)).toBe(80)
    expect(err).toBe('cells were cut to fit the terminal; in a pipe, such as to less -S, they are whole\n')
  })

  it('has a line for each cell on a terminal that is too narrow for a row, and cuts none', () => {
    const { lines } = print(
      10,
      ['a', 'bc'],
      [
        ['2026-11-20 00:44:37Z', 'x'.repeat(40)],
        ['', 'y'],
      ],
    )
    expect(lines).toEqual(['a   2026-11-20 00:44:37Z', `bc  ${'x'.repeat(40)}`, '', 'a', 'bc  y'])
  })
})
