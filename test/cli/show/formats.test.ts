import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Io } from '../../../cli/io.js'
import { JSON_VALUE } from '../../../cli/show/formats/json-value.js'
import type { AnswerFormat, Telling, TextFormat } from '../../../cli/show/output-format.js'
import { streamsRecord } from '../../factories.js'
import { archiveOf, run } from '../command-line.js'

const { SHOUTED, COUNTED } = vi.hoisted(() => {
  /** A made-up format: what it is given, each on a line that says what it is. */
  const SHOUTED: TextFormat = {
    name: 'shouted',
    of: 'anything',
    print: async ({ rows, whole, about = {} }, io) => {
      if (rows === undefined) return io.out(`WHOLE ${Object.keys(whole?.() ?? {})}\n`)
      for await (const row of rows()) io.out(`ROW ${Object.keys({ ...about, ...row })}\n`)
    },
    tell: io => ({
      members: known => io.out(`MEMBERS ${Object.keys(known)}\n`),
      list: (name = '') => io.out(`LIST ${name}\n`),
      piece: describe => io.out(`PIECE ${Object.keys(describe())}\n`),
      page: () => {},
      part: (print, name = '') => {
        io.out(`PART ${name}\n`)
        return print(io)
      },
      summary: () => {},
      end: () => io.out('END\n'),
    }),
  }

  /** One of items alone. */
  const COUNTED: AnswerFormat = {
    name: 'counted',
    of: 'items',
    about: 'how many',
    print: async ({ images }, io) => {
      let items = 0
      for await (const _ of images?.() ?? []) items++
      io.out(`${items}\n`)
    },
  }
  return { SHOUTED, COUNTED }
})

vi.mock('../../../cli/show/formats.js', async original => {
  const { FORMATS } = await original<typeof import('../../../cli/show/formats.js')>()
  return { FORMATS: [...FORMATS, SHOUTED, COUNTED] }
})

describe('a format that is put on the list', () => {
  let root: string
  beforeAll(async () => {
    root = await archiveOf([streamsRecord()])
  })
  const ask = (...argv: string[]) => run([...argv, '--archive', root, '--format', 'shouted'])

  it('is in the help of each command that has formats, and only where there is what it is of', async () => {
    const helps = new Map<string, string>()
    for (const command of ['history', 'as-of', 'verify', 'reconcile', 'restore', 'status', 'plan'])
      helps.set(command, (await run([command, '--help'])).out.replace(/\s+/g, ' '))
    expect([...helps.values()].every(help => help.includes('shouted'))).toBe(true)
    expect([...helps].filter(([, help]) => help.includes('counted: how many')).map(([name]) => name)).toEqual(['as-of'])
    expect(helps.get('status')).toContain('table, json, ndjson or shouted')
    expect(helps.get('history')).toContain('table, json, ndjson, csv, parquet, arrow, html, markdown, xlsx or shouted')
  })

  it('is among what is expected in place of an unknown one', async () => {
    const unknown = (...argv: string[]) => run([...argv, '--archive', root, '--format', 'xml'])
    expect((await unknown('status')).err).toBe(
      'itemtrail: format "xml" is unknown, expected table, json, ndjson, shouted\n',
    )
    expect((await unknown('as-of', 'Orders', 'now')).err).toContain(
      'html, markdown, xlsx, dynamodb, shouted, counted\n',
    )
  })

  it('prints answers: one object, rows, and items', async () => {
    expect((await ask('status')).out).toBe('WHOLE tables,unreadable,refused,redriven,damaged,unsearched\n')
    expect((await ask('query', 'item-history', 'Orders', '--param', 'item_key=ORD12345')).out).toMatch(
      /^ROW step,event_id/,
    )
    const items = await run(['as-of', 'Orders', 'now', '--archive', root, '--format', 'counted'])
    expect(items).toMatchObject({ exit: 0, out: '1\n' })
  })

  it('is told by what tells while it finds', async () => {
    expect((await ask('verify')).out).toBe(
      'PART journal\nPART rows\nLIST \nPART \nEND\nPART continuity\nLIST \nPART \nEND\nEND\n',
    )
    const plan = await ask('restore', 'Orders', '--as-of', 'now', '--against', 'archive')
    expect(plan.out).toBe(
      'MEMBERS table,as_of,before,undo,item_key,against,target,remarks\nLIST items\nMEMBERS counts,plan\nLIST outcomes\nMEMBERS applied,output\nEND\n',
    )
  })

  it('is no other command’s: one of items is refused where there are none', async () => {
    const ending = await run(['history', 'Orders', 'ORD12345', '--archive', root, '--format', 'counted'])
    expect(ending).toMatchObject({ exit: 2, out: '' })
  })
})

describe('JSON that is told piece by piece', () => {
  const telling = () => {
    let written = ''
    const io = { out: (text: string) => (written += text) } as unknown as Io
    return { told: JSON_VALUE.tell(io), json: () => JSON.parse(written) as unknown, text: () => written }
  }
  const piece = (told: Telling, n: number) =>
    told.piece(
      () => ({ n }),
      () => {},
    )

  it('is one value: members, lists with and without pieces, parts', async () => {
    const { told, json, text } = telling()
    told.members({ a: 1 })
    told.list('some')
    expect(text()).toBe('')
    for (const n of [1, 2]) piece(told, n)
    told.list('none')
    await told.part(async io => io.out('[true]\n'), 'part')
    told.members({ z: null })
    told.end()
    expect(json()).toEqual({ a: 1, some: [{ n: 1 }, { n: 2 }], none: [], part: [true], z: null })
    expect(text().endsWith('}\n')).toBe(true)
  })

  it('is a bare list, an empty one, or an empty object', async () => {
    const [list, empty, nothing] = [telling(), telling(), telling()]
    list.told.list()
    for (const n of [1, 2]) await list.told.part(async io => io.out(`${n}\n`))
    empty.told.list()
    for (const { told } of [list, empty, nothing]) told.end()
    expect([list.json(), empty.json(), nothing.json()]).toEqual([[1, 2], [], {}])
  })

  it('stays whole where a part fails before its first word', async () => {
    const { told, json } = telling()
    const fail = () => Promise.reject(new Error('no'))
    await expect(told.part(fail, 'first')).rejects.toThrow('no')
    told.list('some')
    await expect(told.part(fail)).rejects.toThrow('no')
    piece(told, 1)
    await expect(told.part(fail, 'last')).rejects.toThrow('no')
    told.end()
    expect(json()).toEqual({ some: [{ n: 1 }] })
  })
})
