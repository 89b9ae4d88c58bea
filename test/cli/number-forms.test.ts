import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../delivery/desk.js'
import { fileOf, run } from './command-line.js'

const CASE = fileURLToPath(new URL('../fixtures/cases/reconcile-number-forms/', import.meta.url))

describe('an export that writes its numbers in another way than the stream', () => {
  it('is equal to the archive for reconcile, baseline, continuity and history', async () => {
    const folder = temporaryFolder()
    cpSync(CASE, folder, { recursive: true })
    const config = fileOf('config.json', JSON.stringify({ tables: { Readings: { keys: ['id'] } } }))
    const exported = join(folder, 'bucket/AWSDynamoDB/01763600100000-aaaaaaaa')
    const itemtrail = (...argv: string[]) => run([...argv, '--archive', join(folder, 'archive'), '--config', config])
    expect(await itemtrail('ingest', join(folder, 'changes.jsonl'))).toMatchObject({ exit: 0 })
    const reconciled = await itemtrail('reconcile', 'Readings', '--export', exported)
    expect([reconciled.exit, reconciled.out]).toEqual([0, expect.stringMatching(/^equal {2}1 item of Readings/)])
    expect(await itemtrail('baseline', 'Readings', '--export', exported)).toMatchObject({ exit: 0 })
    const verified = await itemtrail('verify', 'continuity')
    expect(verified.exit).toBe(0)
    expect(verified.out).not.toContain('GAP')
    const { exit, out } = await itemtrail('history', 'Readings', 'i0')
    expect(exit).toBe(0)
    expect(out).not.toContain('GAP')
  })
})
