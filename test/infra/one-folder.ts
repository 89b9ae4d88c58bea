/**
 * One folder for temporary files for all tests of the stack: a worker loads the CDK once, which remembers where that
 * folder is. It goes with the last of them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-test-'))
  process.env.TMPDIR = folder
  process.env.XDG_STATE_HOME = join(folder, 'state')
  return () => rmSync(folder, { recursive: true, force: true })
}
