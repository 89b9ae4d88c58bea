/** Receipts, plans, their progress, and exports that somebody else made, or time damaged. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { DataFile } from '../../capture/export-layout.js'
import type { Receipt } from '../../queries/answers/receipt.js'
import { PlanError } from '../../restore/plan-file.js'
import { closePlan, openPlan, readPlan } from '../../restore/plan-reader.js'
import { ProgressFile, progressPath } from '../../restore/progress-file.js'
import { archiveOf } from '../cli/command-line.js'
import { streamsRecord } from '../factories.js'
import { sealPlan, sealReceipt } from '../papers.js'
import { writeExport } from '../table-export.js'
import { damage, damaged, edit, edited, FUZZ_TIMEOUT, fuzz, Place } from './harness.js'

const place = new Place()
afterAll(() => place.remove())
vi.stubEnv('AWS_ACCESS_KEY_ID', 'none')
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none')

const file = (name: string) => join(place.inside, name)
const edits = fc.array(edit, { maxLength: 3 })

describe('of somebody else', { timeout: FUZZ_TIMEOUT }, () => {
  let root: string
  let receipt: Receipt
  beforeAll(async () => {
    const records = ['A1', 'A2', 'A3'].map(id =>
      streamsRecord({
        eventID: id,
        SequenceNumber: id.slice(1),
        Keys: { order_id: { S: id } },
        NewImage: { order_id: { S: id }, status: { S: 'PAID' } },
      }),
    )
    root = await archiveOf(records)
    const path = file('receipt.json')
    const period = ['--param', 'from=2026-11-01T00:00:00Z', '--param', 'to=2100-01-01T00:00:00Z']
    await place.guard(['query', 'changes-between', 'Orders', ...period, '--archive', root, '--receipt', path])
    receipt = JSON.parse(readFileSync(path, 'utf8')) as Receipt
  })

  it('a receipt is the same answer, or is told', () =>
    fuzz(fc.record({ edits, damage, sealed: fc.boolean() }), async ({ edits, damage, sealed }) => {
      const other = edited(receipt, edits) as object
      const text = sealed ? sealReceipt(other) : JSON.stringify(other)
      const path = file('edited.json')
      writeFileSync(path, damaged(Buffer.from(text), damage))
      const { exit, out } = await place.guard(['rerun', path, '--archive', root], root)
      if (exit !== 0) return
      // nothing that is told of the answer is another
      const { result, items, window } = JSON.parse(readFileSync(path, 'utf8')) as Receipt
      expect({ result, items, window }).toEqual({
        result: receipt.result,
        items: receipt.items,
        window: receipt.window,
      })
      expect(out).toContain('the same answer, to the byte')
    }))

  const header = {
    plan: 'itemtrail-restore-plan/v1',
    table: 'Orders',
    as_of: '2026-11-22T12:00:00.000000Z',
    key: null,
    archive: './archive',
    against: 'table',
    target: { table: 'Orders', arn: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders', id: null },
    actor_attribute: null,
    counts: { put: 1, update: 1, delete: 1, leave: 0, skip: 1, same: 3 },
    made: '2026-11-29T06:37:51.376Z',
    tool: 'itemtrail 0.1.0',
  }
  const line = (id: string, action: string, more: object) => {
    const key = { order_id: { S: id } }
    const item = { ...key, status: { S: 'PAID' }, lines: { L: [{ M: { n: { N: '1' } } }] } }
    return { key, action, wanted: item, expected: 'a'.repeat(64), confidence: 'UNBROKEN', reason: null, ...more }
  }
  const lines = [
    line('A1', 'put', { expected: 'absent' }),
    line('A2', 'update', {}),
    line('A3', 'delete', { wanted: null }),
    line('A4', 'skip', { reason: 'GAP: no' }),
  ]

  it('a plan is performed as it is told, or not at all', () =>
    fuzz(fc.record({ edits, damage }), async ({ edits, damage }) => {
      const other = edited({ header, lines }, edits) as { readonly header?: unknown; readonly lines?: unknown }
      const items = Array.isArray(other.lines) ? (other.lines as object[]) : []
      const path = file('plan.jsonl')
      const text = sealPlan(Object(other.header) as object, items)
      writeFileSync(path, damaged(Buffer.from(text), damage))
      const nobody = ['--endpoint', 'http://127.0.0.1:9', '--region', 'us-east-1', '--actor', 'fuzz']
      const { exit, out, err } = await place.guard(
        ['restore', '--apply', '--plan', path, ...nobody, '--archive', root],
        root,
      )
      expect([out, exit === 2 || exit === 3]).toEqual(['', true])
      if (exit === 2) return
      const plan = await openPlan(path)
      expect(err).toContain(`table ${JSON.stringify(plan.header.target?.table)} cannot be read`)
      const counted = { put: 0, update: 0, delete: 0, leave: 0, skip: 0 }
      for await (const { action, key, wanted } of readPlan(plan)) {
        counted[action]++
        if (wanted !== null) expect(JSON.parse(wanted)).toMatchObject(JSON.parse(key) as object)
      }
      expect(plan.header.counts).toMatchObject(counted)
      closePlan(plan)
    }))

  it('the progress of a plan says what was done, or is told', () => {
    const sum = 'b'.repeat(64)
    const done = {
      key: { order_id: { S: 'A1' } },
      outcome: 'done',
      reason: null,
      plan: sum,
      at: '2026-11-29T06:37:51.376Z',
    }
    return fuzz(fc.record({ edits, damage }), async ({ edits, damage }) => {
      const path = file('some-plan.jsonl')
      const others = edited([done, { ...done, outcome: 'refused' }, { ...done, plan: 'c'.repeat(64) }], edits)
      const text = (Array.isArray(others) ? others : [others]).map(other => `${JSON.stringify(other)}\n`).join('')
      writeFileSync(progressPath(path), damaged(Buffer.from(text), damage))
      try {
        const progress = await ProgressFile.open({ path, sha256: sum })
        expect(progress.size).toBeLessThanOrEqual(text.split('\n').length)
        progress.close()
      } catch (error) {
        expect(error).toBeInstanceOf(PlanError)
      }
    })
  })

  it('an export is archived whole, or is told', () => {
    let runs = 0
    const item = (id: string) => ({ Item: { order_id: { S: id }, status: { S: 'PAID' }, n: { N: '1' } } })
    const content = { files: [[item('A1'), item('A2')], [item('A3')]], summary: {}, entry: {} }
    const manifest = fc.constantFrom('itemCount', 'md5Checksum', 'etag', 'dataFileS3Key', 'none', 'none', 'none')
    return fuzz(fc.record({ edits, manifest, damage, edit }), async ({ edits, manifest, damage, edit }) => {
      const found = edited(content, edits) as typeof content
      const files = (Array.isArray(found.files) ? found.files : []).map(each => (Array.isArray(each) ? each : []))
      const lines = files.map(each => each.map(one => JSON.stringify(one) ?? 'null'))
      const alter = (entry: DataFile) => ({ ...entry, ...(manifest === 'none' ? {} : { [manifest]: edit.value }) })
      const folder = writeExport(file(`bucket-${++runs}`), {
        files: lines,
        summary: Object(found.summary) as object,
        alter,
      })
      if (files.length > 0 && damage.how !== 'none') {
        const path = join(folder, 'data/part0.json.gz')
        writeFileSync(path, damaged(readFileSync(path), damage))
      }
      const archive = file(`archive-${runs}`)
      const argv = ['baseline', 'Orders', '--export', folder, '--archive', archive, '--format', 'json']
      const { exit, out } = await place.guard(argv, file(`bucket-${runs}`))
      if (exit === 0) expect(JSON.parse(out)).toMatchObject({ items: lines.flat().length, refused: 0 })
    })
  })
})
