import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { run } from '../cli/command-line.js'
import { temporaryFolder } from '../delivery/desk.js'
import { incrementalSummary, writeExport } from '../table-export.js'
import { runs } from '../transform/arbitraries.js'
import { archiveWrites, compareOnDesk, exportOf, FROM, keyOf, TO, type Write } from './window.js'

const us = (instant: string) => Date.parse(instant) * 1000

async function compared(writes: readonly Write[], lines = exportOf(writes)) {
  const root = temporaryFolder()
  await archiveWrites(root, writes)
  return { root, ...(await compareOnDesk(root, lines)) }
}

const write = (id: string, at: string, status: string | null, lost?: true): Write => ({
  id,
  at: at.includes('T') ? at : `2026-11-22T${at}Z`,
  status,
  ...(lost && { lost }),
})

/** Something that happened in each, so that the archive has rows before and after. */
const OTHERS = [write('other', '2026-11-21T10:00:00Z', 'A'), write('other', '12:00:00', 'B')]

describe('an incremental export against the rows of its window', () => {
  it('is equal where nothing was lost: made, changed, deleted, made and deleted, changed to and fro', async () => {
    const { items, differing, unsettled } = await compared([
      ...OTHERS,
      write('gone', '2026-11-21T10:00:01Z', 'A'),
      write('to and fro', '2026-11-21T10:00:02Z', 'A'),
      write('made', '10:00:00', 'A'),
      write('gone', '10:00:01', null),
      write('brief', '10:00:02', 'A'),
      write('brief', '10:00:02', null),
      write('to and fro', '10:00:03', 'B'),
      write('to and fro', '10:00:04', 'A'),
      write('made', '2026-11-23T10:00:00Z', 'B'),
    ])
    expect([items, [...differing], [...unsettled]]).toEqual([5, [], []])
  })

  it('tells of a change that was lost: the only one, the last, the first, and one between', async () => {
    const { differing, unsettled } = await compared([
      ...OTHERS,
      write('only', '2026-11-21T10:00:01Z', 'A'),
      write('never', '10:00:00', 'A', true),
      write('only', '10:00:01', 'B', true),
      write('last', '10:00:02', 'A'),
      write('last', '10:00:03', 'B', true),
      write('first', '2026-11-21T10:00:04Z', 'A'),
      write('first', '10:00:05', 'B', true),
      write('first', '10:00:06', 'C'),
      write('between', '10:00:07', 'A'),
      write('between', '10:00:08', 'B', true),
      write('between', '10:00:09', 'C'),
      write('deleted', '2026-11-21T10:00:09Z', 'A'),
      write('deleted', '10:00:10', null, true),
    ])
    // states do not tell of what is lost between two others: `continuity` does
    expect(Object.fromEntries(differing)).toEqual({
      [keyOf('first')]: us('2026-11-21T10:00:04Z'),
      [keyOf('last')]: us('2026-11-22T10:00:02Z'),
      [keyOf('never')]: null,
      [keyOf('only')]: us('2026-11-21T10:00:01Z'),
      [keyOf('deleted')]: us('2026-11-21T10:00:09Z'),
    })
    expect([...unsettled]).toEqual([])
  })

  it('tells of a change that the table never had', async () => {
    const writes = [...OTHERS, write('invented', '10:00:00', 'A')]
    const { differing } = await compared(writes, exportOf(OTHERS))
    expect([...differing.keys()]).toEqual([keyOf('invented')])
  })

  it('takes a change at an end for explained, whichever side of it either says', async () => {
    const edge = [write('early', '00:00:01', 'A'), write('late', '23:59:58', 'A')]
    const told = exportOf([...OTHERS, write('late', '23:59:58', 'A')])
    expect([...(await compared([...OTHERS, ...edge], told)).differing]).toEqual([])
    const next = exportOf([...OTHERS, write('next', '23:59:59', 'A')])
    expect([...(await compared([...OTHERS, write('next', '2026-11-23T00:00:01Z', 'A')], next)).differing]).toEqual([])
    expect([
      ...(await compared([...OTHERS, write('early', '00:00:30', 'A')], exportOf(OTHERS))).differing,
    ]).toHaveLength(1)
  })

  it('has nothing to say of an empty archive but that everything is missing', async () => {
    const writes = [write('other', '2026-11-21T10:00:00Z', 'A'), write('only', '10:00:00', 'A', true)]
    expect([...(await compared(writes)).differing]).toEqual([[keyOf('only'), null]])
  })

  it('finds what `reconcile --export` finds, and besides only what is lost before a right state', async () => {
    const minute = fc.integer({ min: -600, max: 24 * 60 + 600 })
    const anyWrite = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('A', 'B', null),
      fc.integer({ min: 0, max: 7 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(minute, anyWrite), { minLength: 1, maxLength: 14 }), async drawn => {
        const times = [...drawn].sort(([a], [b]) => a - b)
        const writes = times.map(([at, [id, status, luck]], i): Write => {
          const instant = new Date(Date.parse(FROM) + at * 60_000 + 10_000 + i * 1000).toISOString()
          const inside = instant >= FROM && instant < TO
          return { id, at: instant, status, ...(luck === 0 && inside && { lost: true }) }
        })
        const all = [
          write('other', '2026-11-20T10:00:00Z', 'A'),
          ...writes,
          write('other', '2026-11-24T00:00:00Z', 'B'),
        ]
        const lines = exportOf(all)
        const { root, differing, unsettled } = await compared(all)
        const folder = writeExport(temporaryFolder(), {
          files: [lines],
          summary: incrementalSummary({ exportFromTime: FROM, exportToTime: TO }),
        })
        const args = ['reconcile', 'Orders', '--export', folder, '--archive', root, '--no-fact', '--format', 'ndjson']
        const { out } = await run(args)
        const found = out
          .split('\n')
          .filter(line => line !== '')
          .map(line => JSON.parse(line))
          .filter(({ finding }) => finding !== undefined && finding !== 'unknown')
        const keys = new Set(found.map(({ item_key }) => JSON.stringify(item_key)))
        expect([...unsettled]).toEqual([])
        const extra = [...differing.keys()].filter(key => !keys.has(key))
        const missing = [...keys].filter(key => !differing.has(key))
        expect(missing).toEqual([])
        // their first archived change leaves what the table never was before the window
        for (const key of extra) expect(all.some(one => one.lost === true && keyOf(one.id) === key)).toBe(true)
      }),
      runs(6),
    )
  })
})
