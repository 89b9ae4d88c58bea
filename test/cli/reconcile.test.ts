import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DiskArchive } from '../../store/folder.js'
import { readFacts } from '../../store/kept-facts.js'
import { temporaryFolder } from '../delivery/desk.js'
import { type Attributes, streamsRecord } from '../factories.js'
import { EXPORT_ARN, incrementalSummary, writeExport } from '../table-export.js'
import { fileOf, linesOf, run } from './command-line.js'
import { expectContract } from './contract.js'

const CONFIG = fileOf('config.json', JSON.stringify({ tables: { Orders: { keys: ['order_id'] } } }))

const at = (time: string) => Date.parse(`2026-11-22T${time}Z`) / 1000

type Change = readonly [order: number, time: string, before: string | null, after: string | null]

const image = (order: number, status: string): Attributes => ({ order_id: { S: `ORD${order}` }, status: { S: status } })

/** Stream records of changes: order, time of 2026-11-22, status before and after. */
const records = (changes: readonly Change[]) =>
  changes.map(([order, time, before, after], i) =>
    streamsRecord({
      eventID: `event-${i}`,
      SequenceNumber: String(1000 + i),
      ApproximateCreationDateTime: at(time),
      Keys: { order_id: { S: `ORD${order}` } },
      eventName: before === null ? 'INSERT' : after === null ? 'REMOVE' : 'MODIFY',
      OldImage: before === null ? undefined : image(order, before),
      NewImage: after === null ? undefined : image(order, after),
    }),
  )

async function archiveOf(changes: readonly Change[]): Promise<string> {
  const root = join(temporaryFolder(), 'archive')
  const ending = await run(['ingest', '-', '--archive', root, '--config', CONFIG], {
    stdin: linesOf(records(changes)),
  })
  expect(ending).toMatchObject({ exit: 0 })
  return root
}

/** A full export of 10:30. */
const fullExport = (
  items: readonly (readonly [order: number, status: string])[],
  exportTime = '2026-11-22T10:30:00Z',
) =>
  writeExport(temporaryFolder(), {
    files: [items.map(([order, status]) => ({ Item: image(order, status) }))],
    summary: { exportTime },
  })

/** An incremental export of 10:00 to 11:00. */
const incrementalExport = (
  items: readonly (readonly [order: number, before: string | null, after: string | null])[],
  more: object = {},
) =>
  writeExport(temporaryFolder(), {
    files: [
      items.map(([order, before, after]) => ({
        Metadata: { WriteTimestampMicros: { N: '1795342200000000' } },
        Keys: { order_id: { S: `ORD${order}` } },
        ...(before !== null && { OldImage: image(order, before) }),
        ...(after !== null && { NewImage: image(order, after) }),
      })),
    ],
    summary: incrementalSummary(more),
  })

async function reconcile(root: string, folder: string, more: readonly string[] = []) {
  const argv = ['reconcile', 'Orders', '--export', folder, '--archive', root, '--config', CONFIG]
  const ending = await run([...argv, ...more, '--format', 'json'])
  if (ending.out === '') throw new Error(ending.err)
  const answer = JSON.parse(ending.out) as {
    findings: { finding: string; item_key: { order_id: { S: string } }; at: string; differences: object[] }[]
    [field: string]: unknown
  }
  const found = answer.findings.map(({ finding, item_key, at }) => [item_key.order_id.S, finding, at.slice(11, 16)])
  return { ...ending, answer, found }
}

const factsOf = (root: string) => readFacts(new DiskArchive(root), 'Orders')

const LIFE: readonly Change[] = [
  [1, '10:00:00', null, 'NEW'],
  [2, '10:00:00', null, 'NEW'],
  [3, '10:00:00', null, 'NEW'],
  [1, '10:10:00', 'NEW', 'PAID'],
  [3, '10:11:00', 'NEW', null],
  // after the export
  [2, '10:40:00', 'NEW', 'PAID'],
  [4, '10:41:00', null, 'NEW'],
]

describe('itemtrail reconcile with a full export', () => {
  it('says equal where the archive held at that moment what the table held, and keeps it as a fact', async () => {
    const root = await archiveOf(LIFE)
    const { exit, answer, found } = await reconcile(
      root,
      fullExport([
        [1, 'PAID'],
        [2, 'NEW'],
      ]),
    )
    expect([exit, found]).toEqual([0, []])
    expect(answer).toMatchObject({ equal: true, items: 2, compared_with: 'full export', source: EXPORT_ARN })
    expect(await factsOf(root)).toMatchObject([
      {
        kind: 'reconciliation',
        method: 'export',
        source: EXPORT_ARN,
        items: 2,
        differing: [],
        from: '2026-11-22T10:30:00.000000Z',
      },
    ])
    expect(answer.fact).toMatch(/^facts\/Orders\/.*-reconciliation\.json$/)
  })

  it('names the items that differ, and how', async () => {
    const root = await archiveOf(LIFE)
    const { exit, answer, found } = await reconcile(
      root,
      fullExport([
        [1, 'SHIPPED'],
        [3, 'NEW'],
        [5, 'NEW'],
      ]),
    )
    expect(exit).toBe(1)
    expect(found).toEqual([
      ['ORD1', 'different', '10:30'],
      ['ORD2', 'missing-in-table', '10:30'],
      ['ORD3', 'missing-in-archive', '10:30'],
      ['ORD5', 'missing-in-archive', '10:30'],
    ])
    expect(answer.findings[0]?.differences).toEqual([
      { kind: 'changed', path: 'status', archive: { S: 'PAID' }, table: { S: 'SHIPPED' } },
    ])
    expect(answer).toMatchObject({ equal: false, different: 1, missing_in_table: 1, missing_in_archive: 2, items: 4 })
    const [fact] = await factsOf(root)
    const since = ['10:10', '10:00', '10:11'].map(time => `2026-11-22T${time}:00.000000Z`)
    expect(fact).toMatchObject({
      differing: [1, 2, 3, 5].map((order, i) => ({ key: `{"order_id":{"S":"ORD${order}"}}`, since: since[i] ?? null })),
    })
  })

  it('keeps the fact of a comparison that found much: the first thousand, and how many more', async () => {
    const root = await archiveOf(LIFE)
    const many = Array.from({ length: 1200 }, (_, i) => [100 + i, 'NEW'] as const)
    const { exit, answer, err } = await reconcile(root, fullExport([[1, 'PAID'], [2, 'NEW'], ...many]))
    expect([exit, answer.missing_in_archive]).toEqual([1, 1200])
    expect(err).toContain('the fact names 1,000 of the items that are not equal, and counts the others')
    const [fact] = await factsOf(root)
    expect(fact).toMatchObject({ items: 1202, further: { differing: 200, unsettled: 0 } })
    expect(fact?.kind === 'reconciliation' && fact.differing.length).toBe(1000)

    const place = ['--archive', root, '--config', CONFIG]
    expect((await run(['status', ...place])).out).toContain('1,200 items differed')
    // of no other item it says that it was equal, and answers say that there is more
    const unequal = await run(['history', 'Orders', 'ORD1', ...place])
    expect([unequal.exit, unequal.out.includes('COMPLETE')]).toEqual([unequal.exit, false])
    expect(unequal.out).toContain('names not all that was unequal, there were 200 more items that differed')

    // a later look at the whole table that names all settles that
    await reconcile(
      root,
      fullExport(
        [
          [1, 'PAID'],
          [2, 'NEW'],
        ],
        '2026-11-22T10:31:00Z',
      ),
    )
    expect((await run(['history', 'Orders', 'ORD1', ...place])).out).not.toContain('names not all that was unequal')
    expect((await run(['status', ...place])).out).toContain('nothing differed')
  })

  it('catches a lost tail, which leaves an unbroken chain', async () => {
    // without the last change of order 1
    const root = await archiveOf(LIFE.filter(([order, time]) => !(order === 1 && time === '10:10:00')))
    const chain = await run(['query', 'continuity', 'Orders', '--archive', root, '--format', 'json'])
    expect(JSON.parse(chain.out)).toMatchObject({ rows: [] })
    const { exit, found } = await reconcile(
      root,
      fullExport([
        [1, 'PAID'],
        [2, 'NEW'],
      ]),
    )
    expect([exit, found]).toEqual([1, [['ORD1', 'different', '10:30']]])
  })

  it('does not judge within the second of the export, in which the order is not known', async () => {
    const root = await archiveOf([
      [1, '10:00:00', null, 'NEW'],
      [1, '10:30:00', 'NEW', 'PAID'],
      [1, '10:30:00', 'PAID', 'SHIPPED'],
      [2, '10:30:00', null, 'NEW'],
    ])
    for (const status of ['NEW', 'PAID', 'SHIPPED'])
      for (const second of [[], [[2, 'NEW'] as const]])
        expect((await reconcile(root, fullExport([[1, status], ...second], '2026-11-22T10:30:00.500Z'))).found).toEqual(
          [],
        )
    const { found } = await reconcile(
      root,
      fullExport(
        [
          [1, 'LOST'],
          [2, 'NEW'],
        ],
        '2026-11-22T10:30:00.500Z',
      ),
    )
    expect(found).toEqual([['ORD1', 'different', '10:30']])
  })

  it('cannot check an item of which the archive has no image, or a time before it began', async () => {
    const root = join(temporaryFolder(), 'archive')
    const blind = streamsRecord({
      eventName: 'MODIFY',
      StreamViewType: 'KEYS_ONLY',
      Keys: { order_id: { S: 'ORD1' } },
      ApproximateCreationDateTime: at('10:00:00'),
    })
    await run(['ingest', '-', '--archive', root, '--config', CONFIG], { stdin: linesOf([blind]) })
    const { exit, found } = await reconcile(root, fullExport([[1, 'NEW']]))
    expect([exit, found]).toEqual([3, [['ORD1', 'unknown', '10:30']]])
    expect(await factsOf(root)).toMatchObject([{ differing: [], unsettled: ['{"order_id":{"S":"ORD1"}}'] }])
    const early = await run([
      'reconcile',
      'Orders',
      '--export',
      fullExport([], '2026-11-22T09:00:00Z'),
      '--archive',
      root,
      '--config',
      CONFIG,
    ])
    expect(early).toMatchObject({ exit: 3, out: '' })
    expect(early.err).toContain('archive of Orders begins at 2026-11-22 10:00:00Z, later than')
  })

  it('takes the old image of a first change for what the item was before it', async () => {
    const root = await archiveOf([...LIFE, [9, '10:50:00', 'OLD', 'PAID']])
    expect(
      (
        await reconcile(
          root,
          fullExport([
            [1, 'PAID'],
            [2, 'NEW'],
            [9, 'OLD'],
          ]),
        )
      ).found,
    ).toEqual([])
    expect(
      (
        await reconcile(
          root,
          fullExport([
            [1, 'PAID'],
            [2, 'NEW'],
            [9, 'OTHER'],
          ]),
        )
      ).found,
    ).toEqual([['ORD9', 'different', '10:30']])
  })

  it('finds the baseline of the same export equal', async () => {
    const root = join(temporaryFolder(), 'archive')
    const folder = fullExport([
      [1, 'NEW'],
      [2, 'NEW'],
    ])
    await run(['baseline', 'Orders', '--export', folder, '--archive', root, '--config', CONFIG])
    expect(await reconcile(root, folder)).toMatchObject({ exit: 0, found: [] })
  })

  it('takes an item that a complete baseline lacks for gone, as `as-of` does, until a change brings it back', async () => {
    // the REMOVE of order 2 was lost, and order 3 came back after the baseline
    const root = await archiveOf([
      [1, '10:00:00', null, 'NEW'],
      [2, '10:00:00', null, 'NEW'],
      [3, '10:00:00', null, 'NEW'],
      [3, '10:20:00', null, 'AGAIN'],
    ])
    const baseline = fullExport([[1, 'NEW']], '2026-11-22T10:10:00Z')
    await run(['baseline', 'Orders', '--export', baseline, '--archive', root, '--config', CONFIG])
    const later = fullExport([
      [1, 'NEW'],
      [3, 'AGAIN'],
    ])
    expect(await reconcile(root, later)).toMatchObject({ exit: 0, found: [] })
    const before = fullExport(
      [1, 2, 3].map(order => [order, 'NEW'] as const),
      '2026-11-22T10:05:00Z',
    )
    expect(await reconcile(root, before)).toMatchObject({ exit: 0, found: [] })
  })

  it('refuses an export that names an item twice, or holds what is no item', async () => {
    const root = await archiveOf(LIFE)
    const ending = await run([
      'reconcile',
      'Orders',
      '--export',
      fullExport([
        [1, 'A'],
        [1, 'B'],
      ]),
      '--archive',
      root,
      '--config',
      CONFIG,
    ])
    expect(ending).toMatchObject({ exit: 3, err: expect.stringContaining('has 1 items more than once') })
    const folder = writeExport(temporaryFolder(), { files: [[{ Item: { order_id: { N: 'one' } } }]] })
    const broken = await run(['reconcile', 'Orders', '--export', folder, '--archive', root, '--config', CONFIG])
    expect(broken).toMatchObject({
      exit: 3,
      err: expect.stringContaining('data/part0.json.gz line 1 cannot be compared'),
    })
  })

  it('tells programs what is documented', async () => {
    const root = await archiveOf([...LIFE, [6, '10:00:00', null, 'NEW']])
    const folder = writeExport(temporaryFolder(), {
      files: [[{ Item: { order_id: { S: 'ORD1' }, state: { S: 'NEW' } } }, { Item: image(7, 'NEW') }]],
      summary: { exportTime: '2026-11-22T10:30:00Z' },
    })
    const differing = await reconcile(root, folder)
    const { answer } = await reconcile(
      root,
      fullExport([
        [1, 'PAID'],
        [2, 'NEW'],
        [6, 'NEW'],
      ]),
      ['--no-fact'],
    )
    expectContract('reconcile', [differing.answer, answer])
  })

  it('ends with 3 where an object of the archive is damaged, or there is no archive', async () => {
    const root = await archiveOf(LIFE)
    const folder = fullExport([[1, 'PAID']])
    const attempt = () => run(['reconcile', 'Orders', '--export', folder, '--archive', root, '--config', CONFIG])
    writeFileSync(join(root, 'data/Orders/event_date=2026-11-22/damaged.parquet'), 'no parquet')
    expect(await attempt()).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('cannot be read') })
    rmSync(root, { recursive: true })
    expect(await attempt()).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('is not there') })
  })

  it('writes no fact where it is told not to, and tells people the same', async () => {
    const root = await archiveOf(LIFE)
    await reconcile(
      root,
      fullExport([
        [1, 'PAID'],
        [2, 'NEW'],
      ]),
      ['--no-fact'],
    )
    expect(await factsOf(root)).toEqual([])
    const argv = [
      'reconcile',
      'Orders',
      '--export',
      fullExport([[1, 'SHIPPED']]),
      '--archive',
      root,
      '--config',
      CONFIG,
    ]
    const { out } = await run(argv)
    expect(out).toContain('ORD1  different\n    ~ status  "PAID" → "SHIPPED"\n')
    expect(out).toContain('ORD2  missing in the table\n')
    expect(out).toContain('differs  2 items of Orders')
    const lines = (await run([...argv, '--format', 'ndjson'])).out.trim().split('\n')
    expect(lines.map(line => (JSON.parse(line) as { finding: string }).finding)).toEqual([
      'different',
      'missing-in-table',
    ])
  })
})

describe('what an archive says after a comparison', () => {
  /** A baseline of 09:59, and an hour later one change of order 1 in an object of its own. */
  async function comparedArchive(now: readonly (readonly [order: number, status: string])[]) {
    const root = join(temporaryFolder(), 'archive')
    const first = fullExport(
      [1, 2].map(order => [order, 'NEW'] as const),
      '2026-11-22T09:59:00Z',
    )
    await run(['baseline', 'Orders', '--export', first, '--archive', root, '--config', CONFIG])
    const before = await new DiskArchive(root).list('data/')
    await run(['ingest', '-', '--archive', root, '--config', CONFIG], {
      stdin: linesOf(records([[1, '10:10:00', 'NEW', 'PAID']])),
    })
    const newest = (await new DiskArchive(root).list('data/')).filter(key => !before.includes(key))
    await reconcile(root, fullExport(now))
    const ask = async (...argv: readonly string[]) => {
      const { exit, out } = await run([...argv, '--archive', root, '--config', CONFIG, '--format', 'json'])
      return { exit, answer: JSON.parse(out) }
    }
    return { root, newest, ask }
  }

  it('is COMPLETE up to an equal one, and no longer where the newest object was removed since', async () => {
    const { root, newest, ask } = await comparedArchive([
      [1, 'PAID'],
      [2, 'NEW'],
    ])
    expect(await ask('history', 'Orders', 'ORD1')).toMatchObject({ exit: 0, answer: { confidence: 'COMPLETE' } })
    expect(await ask('as-of', 'Orders', 'ORD1', '2026-11-22T10:31:00Z')).toMatchObject({
      answer: { confidence: 'UNBROKEN' },
    })
    const later = await run(['as-of', 'Orders', 'ORD1', '2026-11-22T10:31:00Z', '--archive', root, '--config', CONFIG])
    expect(later.out).toContain('COMPLETE until 2026-11-22 10:30:00Z (reconciliation), UNBROKEN since')
    for (const key of newest) rmSync(join(root, key))
    const { answer } = await ask('history', 'Orders', 'ORD1')
    expect(answer).toMatchObject({ confidence: 'UNBROKEN' })
    expect(answer.remarks).toEqual([expect.stringContaining('comparison with the table at 2026-11-22T10:30:00Z')])
    const verified = await ask('verify', 'continuity', 'Orders')
    expect(verified).toMatchObject({
      exit: 1,
      answer: [{ verdicts: { complete: 0, unbroken: 2 }, altered_comparisons: [{ kind: 'reconciliation' }] }],
    })
  })

  it('is DIFFERS of what differed, in every answer, until a later one finds it as it is', async () => {
    const { root, ask } = await comparedArchive([
      [1, 'SHIPPED'],
      [2, 'NEW'],
      [3, 'NEW'],
    ])
    expect(await ask('history', 'Orders', 'ORD1')).toMatchObject({ exit: 1, answer: { confidence: 'DIFFERS' } })
    expect(await ask('as-of', 'Orders', 'ORD1', '2026-11-22T10:20:00Z')).toMatchObject({
      exit: 1,
      answer: { confidence: 'DIFFERS' },
    })
    // before its last change nothing speaks against it
    expect(await ask('as-of', 'Orders', 'ORD1', '2026-11-22T10:05:00Z')).toMatchObject({ exit: 0 })
    expect(await ask('history', 'Orders', 'ORD2')).toMatchObject({ exit: 0, answer: { confidence: 'COMPLETE' } })
    // an item that the archive has nothing of counts, too
    expect(await ask('verify', 'continuity', 'Orders')).toMatchObject({
      exit: 1,
      answer: [{ items: 3, verdicts: { differs: 2, complete: 1 } }],
    })
    const told = await run(['history', 'Orders', 'ORD1', '--archive', root, '--config', CONFIG])
    expect(told.out).toContain('DIFFERS: the table held something else when it was compared at 2026-11-22 10:30:00Z')
    const settled = [1, 2, 3].map(order => [order, order === 1 ? 'PAID' : 'NEW'] as const)
    await reconcile(root, fullExport(settled, '2026-11-22T11:30:00Z'))
    expect(await ask('history', 'Orders', 'ORD1')).toMatchObject({ exit: 0, answer: { confidence: 'COMPLETE' } })
    expect(await ask('verify', 'continuity', 'Orders')).toMatchObject({ answer: [{ verdicts: { differs: 1 } }] })
  })
})

describe('itemtrail reconcile with an incremental export', () => {
  const before: readonly Change[] = [
    [1, '09:30:00', null, 'A'],
    [2, '09:30:00', null, 'A'],
    [3, '09:30:00', null, 'A'],
  ]
  const within: readonly Change[] = [
    [1, '10:10:00', 'A', 'B'],
    [1, '10:20:00', 'B', 'C'],
    [3, '10:20:00', 'A', null],
    [4, '10:30:00', null, 'A'],
    [1, '11:00:00', 'C', 'D'],
  ]
  const exported = [
    [1, 'A', 'C'],
    [3, 'A', null],
    [4, null, 'A'],
  ] as const

  it('says equal where both ends of the window are what the archive says', async () => {
    const root = await archiveOf([...before, ...within])
    const { exit, answer, found } = await reconcile(root, incrementalExport(exported))
    expect([exit, found]).toEqual([0, []])
    expect(answer).toMatchObject({
      compared_with: 'incremental export',
      items: 3,
      from: '2026-11-22T10:00:00.000000Z',
      to: '2026-11-22T11:00:00.000000Z',
    })
  })

  it('names the end of the window at which an item differs', async () => {
    const root = await archiveOf([...before, ...within])
    const { exit, found } = await reconcile(
      root,
      incrementalExport([
        [1, 'X', 'C'],
        [3, 'A', 'B'],
        [4, null, 'Y'],
        [5, null, 'A'],
      ]),
    )
    expect(exit).toBe(1)
    expect(found).toEqual([
      ['ORD1', 'different', '10:00'],
      ['ORD3', 'missing-in-archive', '11:00'],
      ['ORD4', 'different', '11:00'],
      ['ORD5', 'missing-in-archive', '11:00'],
    ])
  })

  it('catches a lost closed loop that ends with the window before, which leaves an unbroken chain', async () => {
    // A to B and, after the window, back to A: the archive lost both, and its chain is whole
    const root = await archiveOf([...before, [2, '11:30:00', 'A', 'Z']])
    const chain = await run(['query', 'continuity', 'Orders', '--archive', root, '--format', 'json'])
    expect(JSON.parse(chain.out)).toMatchObject({ rows: [] })
    const { found } = await reconcile(root, incrementalExport([[2, 'A', 'B']]))
    expect(found).toEqual([['ORD2', 'different', '11:00']])
  })

  it('names a change that the export leaves out', async () => {
    const root = await archiveOf([...before, ...within])
    const { exit, found } = await reconcile(root, incrementalExport(exported.slice(0, 1)))
    expect(exit).toBe(1)
    expect(found).toEqual([
      ['ORD3', 'missing-in-archive', '11:00'],
      ['ORD4', 'missing-in-table', '11:00'],
    ])
  })

  it('compares the newer end alone where the export has no old images', async () => {
    const root = await archiveOf([...before, ...within])
    const folder = incrementalExport(
      [
        [1, null, 'C'],
        [3, null, null],
        [4, null, 'A'],
      ],
      { outputView: 'NEW_IMAGE' },
    )
    expect(await reconcile(root, folder)).toMatchObject({ exit: 0, found: [] })
  })

  it('takes the old image of a first change where the archive began within the window', async () => {
    const root = await archiveOf(within)
    const { exit, found } = await reconcile(root, incrementalExport(exported))
    expect([exit, found]).toEqual([0, []])
  })
})
