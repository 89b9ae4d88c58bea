import { tableFromIPC } from 'apache-arrow'
import { beforeAll, describe, expect, it } from 'vitest'
import { fileOf, makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'

describe('a part of a history', () => {
  const root = makeFolder()
  const history = (...flags: string[]) => run(['history', 'Orders', 'ORD12345', ...flags, '--archive', root])
  const shown = async (...flags: string[]) => {
    const { out } = await history(...flags, '--format', 'json')
    const answer = JSON.parse(out) as { left_out: number; changes: { event_time: string; event_name: string }[] }
    return { left: answer.left_out, times: answer.changes.map(change => change.event_time) }
  }
  let all: { left: number; times: string[] }
  beforeAll(async () => {
    await run(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
    all = await shown()
  })

  it('is all of it without a flag', () => {
    expect(all.left).toBe(0)
    expect(all.times).toHaveLength(11)
  })

  it('is the newest few', async () => {
    expect(await shown('-n', '3')).toEqual({ left: 8, times: all.times.slice(0, 3) })
    expect(await shown('--last', '99')).toEqual({ ...all, left: 0 })
  })

  it('is a period that holds its beginning and not its end', async () => {
    const [newest, , , fourth] = all.times as [string, string, string, string]
    expect((await shown('--from', fourth, '--to', newest)).times).toEqual(all.times.slice(1, 4))
    expect((await shown('--from', '2026-11-20', '--to', '2026-11-21')).times).toEqual(
      all.times.filter(time => time.startsWith('2026-11-20')),
    )
  })

  it('is what one writer did, and of it the newest', async () => {
    const { out } = await history('--format', 'json')
    const { changes } = JSON.parse(out) as { changes: { actor: string | null; event_time: string }[] }
    const alice = changes.filter(({ actor }) => actor === 'alice@ops.example').map(change => change.event_time)
    expect(alice.length).toBeGreaterThan(1)
    expect((await shown('--actor', 'alice@ops.example')).times).toEqual(alice)
    expect((await shown('--actor', 'alice@ops.example', '-n', '1')).times).toEqual(alice.slice(0, 1))
  })

  it('is what changed an attribute, at a path, below it, or all that it is in', async () => {
    const { out } = await run([
      'query',
      'attribute-history',
      'Orders',
      '--param',
      'item_key=ORD12345',
      '--param',
      'attribute=status',
      '--format',
      'json',
      '--archive',
      root,
    ])
    const { rows } = JSON.parse(out) as { rows: { event_time: string }[] }
    const times = (await shown('--attribute', 'status')).times
    expect(times).toHaveLength(rows.length)
    expect((await shown('--attribute', 'status.deeper')).times).toEqual(times)
    expect((await shown('--attribute', 'no.such')).times).toEqual([])
  })

  it('is one kind of change', async () => {
    expect((await shown('--event', 'insert')).times).toEqual(all.times.slice(-1))
    expect((await shown('--event', 'BASELINE')).left).toBe(11)
  })

  it('says on a page what is left out, and how sure the whole is', async () => {
    const { out, exit } = await history('-n', '1')
    expect(exit).toBe(0)
    const [title, sure, part] = out.split('\n')
    expect(title).toBe('Orders ORD12345  11 changes')
    expect(sure).toMatch(/^UNBROKEN since INSERT 2026-11-18/)
    expect(part).toBe('1 of 11 shown: --last 1')
    expect((await history('--actor', 'nobody')).out).toContain('\nnone of 11 shown: --actor nobody\n')
  })

  it('says which name may be a slip', async () => {
    expect((await history('--attribute', 'staus')).err).toContain(
      'no image has an attribute "staus", did you mean status or tags?\n',
    )
    expect((await history('--attribute', 'shiping.city', '--format', 'json')).err).toContain('did you mean shipping?\n')
    expect((await history('--actor', 'alise@ops.example')).err).toContain('did you mean alice@ops.example?\n')
    expect((await history('--actor', 'nobody')).err).toMatch(
      /none of the changes is by "nobody", but there is .+ more\n/,
    )
    for (const known of [
      ['--attribute', 'refund'],
      ['--actor', 'courier-7', '--to', '2026-11-18'],
    ])
      expect((await history(...known)).err).toBe('')
  })

  it('is a part in a file, too', async () => {
    const csv = (await history('--attribute', 'status', '--format', 'csv')).out.trim().split('\n')
    const { times } = await shown('--attribute', 'status')
    expect(csv).toHaveLength(1 + times.length)
    const file = fileOf('part.arrow', '')
    await history('--actor', 'alice@ops.example', '--format', 'arrow', '--output', file, '--force')
    const { readFileSync } = await import('node:fs')
    const table = tableFromIPC(readFileSync(file))
    expect([...(table.getChild('actor') ?? [])].every(actor => actor === 'alice@ops.example')).toBe(true)
    expect(table.numRows).toBe((await shown('--actor', 'alice@ops.example')).times.length)
  })

  it.each([
    [['--last', '0'], '--last is "0", expected a whole number from 1'],
    [['--last', 'all'], '--last is "all", expected a whole number from 1'],
    [['--event', 'DELETE'], '--event is "DELETE", expected INSERT, MODIFY, REMOVE, BASELINE'],
    [['--from', '7x'], '--from is "7x", expected ISO 8601 with a zone'],
    [['--from', '1d', '--to', '2d'], '--from 1d is not before --to 2d'],
    [['-n', '1', '--receipt', 'r.json'], '--receipt is of the whole history, not of what --last 1 shows'],
    [['--actor', 'x', '--evidence', 'e'], '--evidence is of the whole history, not of what --actor x shows'],
  ])('is refused with %j', async (flags, message) => {
    const { exit, err, out } = await history(...flags)
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(message)
  })
})

describe('a long answer on a terminal', () => {
  const root = makeFolder()
  beforeAll(async () => {
    await run(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
  })
  const HISTORY = ['history', 'Orders', 'ORD12345', '--archive', root]

  it('says how sure it is once more at its end where its beginning has scrolled away', async () => {
    const sure = /UNBROKEN since/g
    expect((await run(HISTORY, { columns: 80, lines: 24 })).out.match(sure)).toHaveLength(2)
    expect((await run(HISTORY, { columns: 80, lines: 500 })).out.match(sure)).toHaveLength(1)
    expect((await run(HISTORY)).out.match(sure)).toHaveLength(1)
  })

  it('is read in the pager, escaped, and what else is said follows', async () => {
    const heard: string[] = []
    const openPager = () => ({
      write: (text: string) => heard.push(text),
      end: async () => {
        heard.push('left')
      },
    })
    const paged = await run(HISTORY, { columns: 80, openPager })
    expect(paged.out).toBe('')
    expect(heard.join('')).toMatch(/^Orders ORD12345 {2}11 changes\n[\s\S]*left$/)
    expect((await run([...HISTORY, '--no-pager'], { columns: 80, openPager })).out).toContain('11 changes')
    expect((await run([...HISTORY], { openPager })).out).toContain('11 changes')
  })
})
