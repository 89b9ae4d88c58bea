/** Makes `docs/images/` again: the screens of the bundled orders, as a browser shows them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch, openJudged, PROGRAM, serveView, visit } from './chromium.js'

interface Image {
  readonly name: string
  readonly path: string
  readonly colorScheme: 'light' | 'dark'
}

const IMAGES: readonly Image[] = [
  { name: 'changes', path: '/t/Orders/changes?actor=courier-7', colorScheme: 'light' },
  { name: 'item', path: '/t/Orders/i/ORD12345?at=2026-11-19T12:00:00Z', colorScheme: 'dark' },
  { name: 'days', path: '/t/Orders', colorScheme: 'light' },
]

const folder = join(import.meta.dirname, '../../../docs/images')
const work = mkdtempSync(join(tmpdir(), 'itemtrail-images-'))
const browser = await launch()
try {
  mkdirSync(folder, { recursive: true })
  execFileSync(process.execPath, [PROGRAM, 'demo', '--archive', 'demo'], { cwd: work, stdio: 'ignore' })
  const served = await serveView('demo', [], work)
  const { page } = await visit(browser, served)
  await page.setViewportSize({ width: 1280, height: 800 })
  for (const { name, path, colorScheme } of IMAGES) {
    await page.emulateMedia({ colorScheme })
    await openJudged(page, served.origin + path)
    await page.screenshot({ path: join(folder, `${name}.png`) })
  }
  await served.stop()
} finally {
  await browser.close()
  rmSync(work, { recursive: true })
}
