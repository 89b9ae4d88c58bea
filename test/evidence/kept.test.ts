/**
 * What was handed out once is verified for good: an archive of two changes, its checkpoint, a bag and two proofs, made
 * by itemtrail 0.1.0 on 2026-11-30. They are never made anew; a version to come reads them.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../cli/command-line.js'

const KEPT = join(import.meta.dirname, '../fixtures/kept')
const kept = (path: string) => join(KEPT, path)
const KEY = ['--key', kept('seal.key.vkey')]

describe('what was kept', () => {
  it('is an archive that is as it was sealed, and goes on from its checkpoint', async () => {
    // beside an archive that is asked lie folders of its own
    const archive = join(tmpdir(), 'archive')
    cpSync(kept('sealed'), archive, { recursive: true })
    const config = ['--config', kept('itemtrail.config.json')]
    const { exit, out } = await run(['verify', '--archive', archive, ...config, ...KEY, '--since', kept('checkpoint')])
    expect([exit, out]).toEqual([
      0,
      expect.stringContaining('VERIFIED: what was sealed until 2026-11-30T00:43:31.813Z'),
    ])
    expect(out).toContain('2 rows are what they were when they were made')
    const history = await run(['history', 'Orders', 'ORD12345', '--archive', archive, ...config, ...KEY])
    expect([history.exit, history.out]).toEqual([0, expect.stringMatching(/status +"PENDING" → "PROCESSING"/)])
  })

  it('is a bag that is sound, by this program and by its own', async () => {
    const { exit, out } = await run(['verify', 'bundle', kept('bag'), ...KEY])
    expect([exit, out]).toEqual([0, expect.stringMatching(/2 of 2 rows are proven.*\nSOUND: /s)])
    const vkey = readFileSync(kept('seal.key.vkey'), 'utf8').trim()
    const own = execFileSync(process.execPath, [kept('bag/verify/verify.mjs'), '--key', vkey, kept('bag')])
    expect(String(own)).toContain('\nSOUND: ')
  })

  it.each(readdirSync(kept('proofs')))('is a proof that holds: %s', async name => {
    const { exit, out } = await run(['verify', 'proof', kept(`proofs/${name}`), ...KEY])
    expect([exit, out]).toEqual([0, expect.stringContaining('PROVEN: this row')])
  })
})
