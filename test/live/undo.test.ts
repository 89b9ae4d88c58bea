/** Taking back what one writer did, against a real DynamoDB. Needs Java. */
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { run } from '../cli/command-line.js'
import { after, BEGAN, type LiveTable, missing, Place, textOf } from './table.js'

const place = new Place()

type Values = Readonly<Record<string, string>>

const itemOf = (pk: string, values: Values) => ({
  pk: { S: pk },
  ...Object.fromEntries(Object.entries(values).map(([name, S]) => [name, { S }])),
})

/** A table whose items say who wrote them, and the flags of a configuration that knows it. */
async function createKnown(): Promise<{ readonly table: LiveTable; readonly known: readonly string[] }> {
  const table = await place.create()
  const config = place.path(`${table.name}.json`)
  writeFileSync(config, JSON.stringify({ tables: { [table.name]: { keys: ['pk'], actor: 'by' } } }))
  return { table, known: ['--config', config] }
}

const title = `undo against DynamoDB Local${missing === undefined ? '' : ` (${missing})`}`

describe.skipIf(missing !== undefined)(title, () => {
  it('takes back a job, keeps what was written since, and overwrites nothing that changed after the plan', async () => {
    const { table, known } = await createKnown()
    const put = (pk: string, values: Values) => table.put(itemOf(pk, values))
    await put('kept', { v: 'right', note: '1', by: 'alice' })
    await put('mended', { v: 'right', by: 'alice' })
    await put('raced', { v: 'right', by: 'alice' })
    await put('untouched', { v: 'right', by: 'alice' })
    // the job
    await put('kept', { v: 'wrong', note: '1', by: 'job' })
    await put('mended', { v: 'wrong', by: 'job' })
    await put('raced', { v: 'wrong', by: 'job' })
    await put('made', { v: 'wrong', by: 'job' })
    // since
    await put('kept', { v: 'wrong', note: '2', by: 'bob' })
    await put('mended', { v: 'better', by: 'bob' })
    await table.ingest(known)

    const plan = place.path('undo.jsonl')
    const work = ['--undo', 'job', '--from', after(5), '--to', after(9), '--delete']
    const planned = await table.restore([table.name, ...work, '--plan', plan, ...known])
    expect([planned.exit, planned.out.split('\n').at(-2)]).toEqual([
      1,
      '0 to put, 2 to update, 1 to delete; 0 as they are, 1 skipped',
    ])
    await put('raced', { v: 'newer', by: 'bob' })
    const applied = await table.restore(['--apply', '--plan', plan, '--actor', 'carol'])
    expect([applied.exit, applied.out]).toEqual([1, expect.stringContaining('2 restored, 1 refused\n')])
    expect(await table.scan()).toEqual(
      [
        itemOf('kept', { v: 'right', note: '2', by: 'carol' }),
        itemOf('mended', { v: 'better', by: 'bob' }),
        itemOf('raced', { v: 'newer', by: 'bob' }),
        itemOf('untouched', { v: 'right', by: 'alice' }),
      ]
        .map(textOf)
        .sort(),
    )

    // a second time there is nothing to do, and the archive tells who did what
    await table.ingest(known, change => (change < 11 ? BEGAN + change : Math.floor(Date.now() / 1000)))
    const again = await table.restore([table.name, ...work, ...known])
    expect(again.out).toContain('0 to put, 0 to update, 0 to delete; 2 as they are, 2 skipped\n')
    const { out } = await run(['history', table.name, 'kept', '--archive', table.archive])
    expect(out).toContain(
      '    ↺ restored by carol, without what job changed from 2026-11-19 03:00:04Z to 2026-11-19 03:00:08Z\n',
    )
  })

  it('takes an item back to just before an event', async () => {
    const { table, known } = await createKnown()
    for (const v of ['1', '2', '3']) await table.put(itemOf('a', { v, by: 'alice' }))
    await table.ingest(known)
    const { out } = await run(['history', table.name, 'a', '--archive', table.archive, '--format', 'json'])
    const { changes } = JSON.parse(out) as { readonly changes: readonly { readonly event_id: string }[] }
    const event = (changes[1] as { readonly event_id: string }).event_id
    const before = ['--before', event, '--apply', '--actor', 'carol', '--plan', place.path('before.jsonl')]
    const { exit, err } = await table.restore([...before, ...known])
    expect([exit, err]).toEqual([0, expect.stringContaining('kept in the archive: ')])
    expect(await table.scan()).toEqual([textOf(itemOf('a', { v: '1', by: 'carol' }))])
    // one item goes into a table that is not empty, too, as with --as-of
    const other = await place.create()
    await other.put(itemOf('b', { v: '9' }))
    const to = ['--before', event, '--to', other.name, '--plan', place.path('before-to.jsonl'), ...known]
    expect((await table.restore(to)).exit).toBe(0)
    expect(await other.scan()).toEqual([itemOf('a', { v: '1', by: 'alice' }), itemOf('b', { v: '9' })].map(textOf))
    await table.ingest(known, change => (change < 3 ? BEGAN + change : Math.floor(Date.now() / 1000)))
    const told = await run(['history', table.name, 'a', '--archive', table.archive])
    expect(told.out).toContain(`↺ restored by carol, as just before ${event.slice(0, 8)} at 2026-11-19 03:00:01Z\n`)
  })

  it('makes the table what it were without the job, where the job had attributes of its own', async () => {
    const { table, known } = await createKnown()
    const turn = fc.record({
      pk: fc.constantFrom('a', 'b', '～', '😀'),
      by: fc.constantFrom('job', 'alice', 'bob'),
      v: fc.constantFrom('1', '2', '3'),
    })
    const [turns = []] = fc.sample(fc.array(turn, { minLength: 80, maxLength: 80 }), { seed: 20261122, numRuns: 1 })
    const [all, without] = [new Map<string, Values>(), new Map<string, Values>()]
    const start = ['a', 'b', '～', '😀'].map(pk => ({ pk, by: 'alice', v: '0' }))
    for (const { pk, by, v } of [...start, ...turns]) {
      all.set(pk, { ...all.get(pk), [`of ${by}`]: v, by })
      if (by !== 'job') without.set(pk, { ...without.get(pk), [`of ${by}`]: v })
      await table.put(itemOf(pk, all.get(pk) as Values))
    }
    await table.ingest(known)
    const work = [
      '--undo',
      'job',
      '--from',
      after(1),
      '--apply',
      '--actor',
      'carol',
      '--plan',
      place.path('life.jsonl'),
    ]
    const { exit } = await table.restore([table.name, ...work, ...known])
    expect(exit).toBe(0)
    const found = (await table.scan()).map(text => {
      const { by: _, ...item } = JSON.parse(text) as Record<string, unknown>
      return JSON.stringify(item)
    })
    const expected = [...without].map(([pk, values]) => textOf(itemOf(pk, values)))
    expect(found.map(text => textOf(JSON.parse(text) as never)).sort()).toEqual(expected.sort())
  })
})
