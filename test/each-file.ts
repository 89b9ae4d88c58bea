/**
 * Before each file of tests: what one leaves in this process, or in the folder for temporary files, the next does not
 * see, and nobody after them.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, vi } from 'vitest'

const usual = tmpdir()
const folder = mkdtempSync(join(usual, 'itemtrail-test-'))
process.env.TMPDIR = join(folder, 't')
mkdirSync(process.env.TMPDIR)
// where a machine keeps what it saw of archives: each file of tests is a machine of its own
process.env.XDG_STATE_HOME = join(folder, 'state')

// hooks run from the last to the first, so this one is after those of the file
afterAll(() => {
  vi.unstubAllEnvs()
  process.env.TMPDIR = usual
  rmSync(folder, { recursive: true, force: true })
})
