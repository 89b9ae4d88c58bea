/**
 * Makes the pictures of docs/view.md: real pages of the bundled orders in a real Chromium.
 * `npx tsx test/view/write-images.ts`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { main } from '../../cli/main.js'
import { readConfiguration } from '../../config/configuration.js'
import { openArchive } from '../../library/open-archive.js'
import { ArchiveInView } from '../../view/archive-in-view.js'
import { servePage } from '../../view/serve.js'
import { launch } from './chromium.js'

const PICTURES = {
  changes: '/t/Orders/changes?actor=courier-7',
  item: '/t/Orders/i/ORD12345?at=2026-11-19T12:00:00Z',
  days: '/t/Orders',
} as const

async function write(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-images-'))
  const quiet = {
    out: () => {},
    err: () => {},
    stdin: Readable.from([]),
    columns: undefined,
    errIsTerminal: false,
    colour: false,
  }
  try {
    await main(['demo', '--archive', join(folder, 'demo')], quiet)
    const tables = readConfiguration('examples/orders/itemtrail.config.json').tables.values()
    const view = new ArchiveInView(() => openArchive(join(folder, 'demo'), { tables: [...tables] }))
    const now = () => new Date('2026-11-21T06:00:00Z')
    const served = await servePage({ view, root: './demo', onAws: true, now }, 0)
    const browser = await launch()
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' })
    await page.goto(served.link)
    for (const [name, path] of Object.entries(PICTURES)) {
      await page.goto(new URL(path, served.link).href)
      await page.waitForFunction("document.querySelector('[data-pending]') === null")
      await page.screenshot({ path: `docs/images/${name}.png` })
    }
    await browser.close()
    await served.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await write()
