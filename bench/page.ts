import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { openArchive } from '../library/open-archive.js'
import { createApp } from '../view/app.js'
import { ArchiveInView } from '../view/archive-in-view.js'
import { STYLE } from '../view/paper/style.js'
import { Admission } from '../view/safety.js'
import type { Finding, Suite, SuiteResult } from './suite.js'
import { makeSyntheticArchive, type SyntheticSize } from './synthetic-archive.js'

/** A million changes, not compacted. */
const SIZE: SyntheticSize = { items: 100_000, versions: 10, days: 60, objectsPerDay: 8 }

export const suite: Suite = {
  name: 'page',
  question: 'How long does somebody wait for the page of a large archive?',
  run: note => measurePage(SIZE, note),
}

/** The first screen, a facet and an item of an archive that was just opened, and what the browser has to load. */
export async function measurePage(size: SyntheticSize, note: (text: string) => void): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
  const findings: Finding[] = []
  try {
    const root = join(folder, 'archive')
    note(`making ${size.items * size.versions} rows`)
    await makeSyntheticArchive(root, size)
    const view = new ArchiveInView(() => openArchive(root))
    const ask = await browse(view, root)
    const measure = async (what: string, path: string, target?: number) => {
      note(what)
      const began = performance.now()
      const bytes = (await (await ask(path)).text()).length
      const ms = performance.now() - began
      const reach = target === undefined ? {} : { target: `under ${target / 1000} s`, reached: ms < target }
      findings.push({
        what,
        against: `${Math.round(bytes / 1024)} kB of HTML`,
        figure: `${Math.round(ms)} ms`,
        ...reach,
      })
    }
    await measure('the first screen, the archive opened before', '/', 1500)
    await measure('the days of a table', '/t/Orders')
    await measure('all changes, with counts', '/t/Orders/changes')
    await measure('narrowed by a change', '/t/Orders/changes?event=REMOVE', 1000)
    await measure('an item', '/t/Orders/i/ORD000000077')
    await measure('the verdict of all, waited for', '/t/Orders/changes.json?from=2026-01-01')
    await view.close()
    const script = readFileSync(new URL('../view/page.js', import.meta.url))
    const bytes = gzipSync(script).length + gzipSync(STYLE).length
    findings.push({
      what: 'script and style together, compressed',
      against: '',
      figure: `${(bytes / 1024).toFixed(1)} kB`,
      target: 'under 30 kB',
      reached: bytes < 30 * 1024,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    findings,
    remarks: [
      'Each page is asked for the first time, without a socket; how sure all of it is, is found out beside it, and a page that is not answered yet says so.',
    ],
    leftOut: [],
  }
}

async function browse(view: ArchiveInView, root: string): Promise<(path: string) => Promise<Response>> {
  const host = '127.0.0.1:1'
  const admission = new Admission()
  const app = createApp({ view, root, onAws: false, admission, hosts: () => [host] })
  const get = (path: string, cookie = '') =>
    Promise.resolve(app.request(`http://${host}${path}`, { headers: { host, cookie } }))
  const admitted = await get(`/open?token=${admission.token}`)
  const cookie = admitted.headers.get('set-cookie')?.split(';')[0] ?? ''
  await view.look(async () => {})
  return path => get(path, cookie)
}
