/**
 * Plans of others: what they say of themselves is checked whole before the first write. Nothing here reaches a table.
 */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { sealPlan } from '../papers.js'
import { fileOf, makeFolder, run } from './command-line.js'

const CASES = join(import.meta.dirname, '../fixtures/cases/restore-plan-is-believed')
const NOBODY = ['--endpoint', 'http://127.0.0.1:9', '--region', 'us-east-1']

vi.stubEnv('AWS_ACCESS_KEY_ID', 'none')
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none')

function perform(plan: string, ...more: string[]) {
  return run(['restore', ...more, '--apply', '--plan', plan, ...NOBODY])
}

const target = { table: 'Orders', arn: 'arn:aws:dynamodb:ddblocal:000000000000:table/Orders', id: null }
const HEADER = {
  plan: 'itemtrail-restore-plan/v1',
  table: 'Orders',
  as_of: '2026-11-19T12:00:00.000000Z',
  key: null,
  archive: './archive',
  against: 'table',
  target,
  actor_attribute: null,
  counts: { put: 1, update: 0, delete: 0, leave: 0, skip: 0, same: 0 },
  made: '2026-11-29T06:37:51.376Z',
  tool: 'itemtrail 0.1.0',
}
const ITEM = {
  key: { order_id: { S: 'x1' } },
  action: 'put',
  wanted: { order_id: { S: 'x1' }, v: { N: '1' } },
  expected: 'absent',
  confidence: 'UNBROKEN',
  reason: null,
}

/** The line of an item with lists in lists. */
function deep(levels: number): string {
  const value = `${'{"L":['.repeat(levels)}${']}'.repeat(levels)}`
  return JSON.stringify(ITEM).replace('{"N":"1"}', value)
}

describe('a plan of somebody else', () => {
  it.each([
    ['2-another-item', 'line 2: wanted is an item of another key than key'],
    ['3-counts', 'counts.put is 0, the lines after it have 2'],
    ['4-no-target', 'names no table to write'],
    ['5-escapes', 'as_of is "2026\\u001b[2K\\u001b[1G", expected ISO 8601 in UTC; counts.put is "1\\u001b[2K"'],
    ['6-trace', 'counts is missing, expected an object'],
  ])('is not performed: %s', async (name, problem) => {
    const { exit, out, err } = await perform(join(CASES, `${name}.jsonl`))
    expect([exit, out, err]).toEqual([2, '', expect.stringContaining(problem)])
    expect(err).toContain(`${name}.jsonl`)
  })

  it('writes the table that is typed, or none', async () => {
    const plan = join(CASES, '1-target-not-shown.jsonl')
    const typed = await perform(plan, 'Sandbox')
    expect([typed.exit, typed.out]).toEqual([2, ''])
    expect(typed.err).toContain('1-target-not-shown.jsonl writes table "Production", not "Sandbox"')
    // the table that would be written is the one that is asked for
    const { exit, err } = await perform(plan)
    expect([exit, err]).toEqual([3, expect.stringContaining('table "Production" cannot be read')])
  })

  it.each([
    ['as_of null', { as_of: null }, [ITEM], 'as_of is null, expected ISO 8601 in UTC'],
    ['another ARN', { target: { ...target, table: 'Others' } }, [ITEM], 'target.arn is'],
    ['a table with an escape', { table: '\u001b[31m' }, [ITEM], 'table is "\\u001b[31m", expected a table\'s name'],
    ['a key null', {}, [{ ...ITEM, key: null }], 'line 2: key is null, expected an item'],
    ['a key of three', {}, [{ ...ITEM, key: { a: { S: '' }, b: { S: '' }, c: { S: '' } } }], 'line 2: key is no key'],
    ['a line that is no JSON', {}, ['nothing'], 'line 2: is no JSON'],
    ['an item as a text', {}, [{ ...ITEM, wanted: 'x' }], 'line 2: wanted is "x", expected an item'],
    ['a value of no type', {}, [{ ...ITEM, wanted: { ...ITEM.wanted, v: { X: 1 } } }], 'wanted.v has the unknown type'],
    ['a depth of 90,000', {}, [deep(90_000)], 'line 2: wanted nests too deep'],
    ['a put over something', {}, [{ ...ITEM, expected: 'a'.repeat(64) }], 'which does not go with put'],
    ['nothing to put', {}, [{ ...ITEM, wanted: null }], 'wanted is null'],
    [
      'a writer without a name',
      { undo: { actor: '', from: HEADER.made, to: HEADER.made, in_part: 0 } },
      [ITEM],
      'undo.actor is ""',
    ],
    [
      'more items in part than there are',
      { undo: { actor: 'job', from: HEADER.made, to: HEADER.made, in_part: 1 } },
      [ITEM],
      'undo.in_part is 1, the lines after it have 0',
    ],
    ['an event that is no text', { before: null }, [ITEM], 'before is null'],
    ['an item twice', { counts: { ...HEADER.counts, put: 2 } }, [ITEM, ITEM], 'line 3: key does not come after'],
    [
      'another item than its key',
      { key: '{"order_id":{"S":"x2"}}' },
      [ITEM],
      'which is not that of the lines after it',
    ],
    ['a line too long', {}, [`{"key":"${'x'.repeat(17 * 1024 * 1024)}"}`], 'a line has more than 16777216 bytes'],
  ])('is told by its field where it has %s', async (_, header, items, problem) => {
    const plan = fileOf('plan.jsonl', sealPlan({ ...HEADER, ...header }, items))
    const { exit, out, err } = await perform(plan)
    expect([exit, out, err]).toEqual([2, '', expect.stringContaining(problem)])
    expect(err).toMatch(/^itemtrail: file .*plan\.jsonl is no plan: /)
  })

  it('is one only where everything fits', async () => {
    const { exit, err } = await perform(fileOf('plan.jsonl', sealPlan(HEADER, [ITEM])))
    expect([exit, err]).toEqual([3, expect.stringContaining('table "Orders" cannot be read')])
  })

  it('is bounded in memory, whatever it is', async () => {
    const endless = join(makeFolder(), 'endless')
    symlinkSync('/dev/zero', endless)
    const { exit, err } = await perform(endless)
    expect([exit, err]).toEqual([2, expect.stringContaining('a line has more than')])
  })
})
