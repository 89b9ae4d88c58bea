import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOT_SHOWN } from '../../../queries/verdict/table-verdict.js'
import { makeFolder } from '../../cli/command-line.js'
import { makeOrders } from './archives.js'
import { CHROMIUM, launch, openJudged, type Served, serveView, type Visit, visit } from './chromium.js'
import type { PageDocument } from './dom.js'

/** Of the browser, where what is handed to `evaluate` runs. */
declare const document: PageDocument

const hasPdfText = (() => {
  try {
    execFileSync('pdftotext', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const SCREENS = [
  '/t/Orders',
  '/t/Orders/changes?from=2026-11-20',
  '/t/Orders/i/ORD12345',
  '/t/Orders/i/ORD12345?between=2026-11-18T12:00:00Z&and=2026-11-20T12:00:00Z',
  '/t/Orders/as-of/2026-11-19T12:00:00Z?status=SHIPPED',
  '/q/deletions?table=Orders&from=2026-11-19T00:00:00Z&to=2026-11-21T00:00:00Z',
  '/q/item-history?table=Orders&item_key=ORD12345',
  '/sample?table=Orders&n=3&seed=auditor&from=2026-11-01&to=2026-11-20',
] as const

describe.skipIf(CHROMIUM === undefined || !hasPdfText)('a screen that is printed', () => {
  let browser: Browser
  let served: Served
  let visits: readonly Visit[]
  beforeAll(async () => {
    browser = await launch()
    served = await serveView(await makeOrders())
    const scripted = await visit(browser, served)
    const storageState = await scripted.context.storageState()
    visits = [scripted, await visit(browser, served, { storageState, javaScriptEnabled: false })]
  })
  afterAll(async () => {
    await browser?.close()
    await served?.stop()
  })

  it.each(SCREENS)('lacks nothing of %s, with and without script', async path => {
    for (const { page } of visits) {
      expect((await openJudged(page, served.origin + path))?.status()).toBe(200)
      const [expected, printed] = [await textOf(page), await printedText(page)]
      expect(missingIn(printed, expected)).toEqual([])
      expect(lettersMissing(printed, expected)).toEqual('')
      if (!path.startsWith('/sample')) expect(await brokenWords(page, printed)).toEqual([])
      for (const text of [NOT_SHOWN, 'itemtrail ', 'last change', 'UTC']) expect(words(printed)).toContain(words(text))
    }
  })
})

/** Short words of a list that stand on the paper in pieces. */
async function brokenWords(page: Page, printed: string): Promise<readonly string[]> {
  const cells = await page.locator('table.wide:not(.broken) :is(th,td):not(.any)').allInnerTexts()
  const needed = cells.filter(text => /^[A-Za-z_]{2,16}$/.test(text))
  const times = (texts: readonly string[], word: string) => texts.filter(text => text === word).length
  const there = printed.split(/\s+/)
  return [...new Set(needed)].filter(word => times(there, word) < times(needed, word))
}

/** All text of the answer: what is folded away too, not what can only be clicked. */
function textOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.querySelector('main'), 4)
    const texts: string[] = []
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const isOther = node.parentElement?.closest('.noprint, .skip, form, button, dialog, .script, svg')
      const text = node.textContent?.trim() ?? ''
      if (!isOther && text !== '') texts.push(text)
    }
    return texts
  })
}

async function printedText(page: Page): Promise<string> {
  const path = join(makeFolder(), 'page.pdf')
  writeFileSync(path, await page.pdf({ preferCSSPageSize: true }))
  // what lies outside the paper it leaves out, as the paper does
  return execFileSync('pdftotext', ['-raw', '-enc', 'UTF-8', path, '-'], { encoding: 'utf8', maxBuffer: 2 ** 26 })
}

/** Words without what a line end does to them. */
const words = (text: string) => text.normalize('NFKC').replace(/\s+/g, '')

/** The texts that are not on the paper; one that breaks over pages or columns is judged by its letters. */
function missingIn(printed: string, expected: readonly string[]): readonly string[] {
  const all = words(printed)
  return expected.filter(text => /^[\x20-\x7e]{1,40}$/.test(text) && !all.includes(words(text)))
}

/** The letters and figures of which the paper has fewer. */
function lettersMissing(printed: string, expected: readonly string[]): string {
  const count = (text: string) => {
    const counts = new Map<string, number>()
    for (const sign of text.match(/[A-Za-z0-9]/g) ?? []) counts.set(sign, (counts.get(sign) ?? 0) + 1)
    return counts
  }
  const [there, needed] = [count(printed), count(expected.join(''))]
  return [...needed].flatMap(([sign, n]) => (n > (there.get(sign) ?? 0) ? [sign] : [])).join('')
}
