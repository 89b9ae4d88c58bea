import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { ArchiveInView } from '../../view/archive-in-view.js'
import { type Served, servePage } from '../../view/serve.js'
import { ORDERS_TABLE, ordersArchive } from '../evidence/sealed-orders.js'
import { IDENTITY, sealFolder } from '../journal/desk-journal.js'
import { CHROMIUM, launch } from './chromium.js'
import { pdfText } from './pdf-text.js'

// what runs in the browser knows more than this program's types do
// biome-ignore lint/suspicious/noExplicitAny: the DOM's types are global, and would be everywhere
declare const document: any
// biome-ignore lint/suspicious/noExplicitAny: the same
declare const navigator: any

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser: Browser
let served: Served
let base: string
let state: Awaited<ReturnType<BrowserContext['storageState']>>
let event: string
let screens: Readonly<Record<string, string>>

describe.skipIf(CHROMIUM === undefined)('the page in Chromium', () => {
  beforeAll(async () => {
    const root = await ordersArchive()
    await sealFolder(root)
    const view = new ArchiveInView(() => openArchive(root, { tables: [ORDERS_TABLE] }))
    served = await servePage({ view, root, onAws: false, identity: IDENTITY }, 0)
    base = new URL(served.link).origin
    browser = await launch()
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(served.link)
    expect(page.url()).toBe(`${base}/`)
    state = await context.storageState()
    const { changes } = await (await page.request.get(`${base}/t/Orders/i/ORD12345.json`)).json()
    event = changes[1].event_id
    screens = {
      tables: '/',
      table: '/t/Orders',
      changes: '/t/Orders/changes',
      narrowed: '/t/Orders/changes?event=REMOVE&tz=Europe/Berlin',
      item: '/t/Orders/i/ORD12345',
      past: '/t/Orders/i/ORD12345?at=2026-11-19T12:00:00Z',
      compared: '/t/Orders/i/ORD12345?between=2026-11-18T12:00:00Z&and=2026-11-20T12:00:00Z',
      change: `/t/Orders/e/${event}`,
      raw: `/t/Orders/e/${event}?raw=yes`,
      'as of': '/t/Orders/as-of/2026-10-31T23:59:59Z',
      form: '/q/deletions?table=Orders&form=yes',
      answer: '/q/deletions?table=Orders',
      sample: '/sample?table=Orders&n=3&seed=x&from=2026-11-01&to=2026-11-20',
      proof: '/proof/Orders',
      check: '/check',
      wrong: '/t/Nope',
    }
    // a page that is still being judged loads itself again
    for (const path of Object.values(screens)) {
      const [before = '', query = ''] = path.split('?')
      await page.request.get(`${base}${before === '/' ? '/index' : before}.json?${query}`)
    }
    await context.close()
  })
  afterAll(async () => {
    await browser?.close()
    await served?.close()
  })

  async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ storageState: state, ...options })
    return context.newPage()
  }

  it.each([1280, 768, 320])(
    'needs no scrolling to the side at %i, in light and dark, with and without script',
    async width => {
      for (const javaScriptEnabled of [true, false])
        for (const colorScheme of ['light', 'dark'] as const) {
          const page = await open({ viewport: { width, height: 800 }, javaScriptEnabled, colorScheme })
          for (const [name, path] of Object.entries(screens)) {
            await page.goto(base + path)
            const box = await page.locator('html').boundingBox()
            const body = await page
              .locator('body')
              .evaluate(element => element.scrollWidth)
              .catch(() => box?.width)
            expect(body, `${name} at ${width}`).toBeLessThanOrEqual(width)
            expect(await page.locator('h1').count(), name).toBe(1)
          }
          await page.context().close()
        }
    },
  )

  it('has nothing that axe finds, on any screen, in light and dark, wide and narrow', async () => {
    for (const [width, colorScheme] of [
      [1280, 'light'],
      [320, 'dark'],
    ] as const) {
      const page = await open({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true })
      for (const [name, path] of Object.entries(screens)) {
        await page.goto(base + path)
        await page.addScriptTag({ content: AXE })
        const { violations } = await page.evaluate(() =>
          (
            globalThis as unknown as {
              axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
            }
          ).axe.run(),
        )
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`)
        expect(found, `${name} at ${width}`).toEqual([])
      }
      await page.context().close()
    }
  })

  it('prints all that it shows, lists in one piece and folds open', async () => {
    const page = await open()
    for (const name of ['changes', 'item', 'change', 'answer', 'sample', 'as of']) {
      await page.goto(base + (screens[name] as string))
      const cells = await page
        .locator('main ins, main del, main td:not(:has(ins, del)), main th[scope=row], main h1, main .command code')
        .evaluateAll(elements =>
          elements.filter(element => element.closest('.noprint') === null).map(element => element.textContent ?? ''),
        )
      const text = pdfText(await page.pdf({ preferCSSPageSize: true })).replaceAll(/[^\x21-\x7e]/g, '')
      const lacking = cells
        .map(cell => cell.replaceAll(/[^\x21-\x7e]/g, ''))
        .filter(cell => cell !== '' && !text.includes(cell.slice(0, 24)))
      expect(lacking, name).toEqual([])
    }
    await page.context().close()
  })

  it('walks by keys, opens, goes back, and shows the difference of the row beside the list', async () => {
    const page = await open()
    await page.goto(`${base}/t/Orders/changes`)
    const heading = () => page.locator('.beside h2').textContent()
    const first = await heading()
    await page.keyboard.press('j')
    await page.waitForFunction(before => document.querySelector('.beside h2')?.textContent !== before, first)
    expect(page.url()).toContain('row=')
    expect(await page.locator('tr[aria-current]').count()).toBe(1)
    const listed = page.url()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/e\//)
    await page.keyboard.press('Escape')
    await page.waitForURL(listed)
    await page.keyboard.press('/')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('from')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    expect(await page.locator('dialog[open]').count()).toBe(1)
    await page.keyboard.press('Escape')
    expect(await page.locator('dialog[open]').count()).toBe(0)
    await page.context().close()
  })

  it('picks two moments and compares them, goes to earlier and later changes, raw and plain', async () => {
    const page = await open()
    await page.goto(`${base}/t/Orders/i/ORD12345`)
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.waitForURL(/row=/)
    await page.keyboard.press('x')
    await page.keyboard.press('d')
    await page.waitForURL(/between=.*and=/)
    expect(await page.locator('h1').textContent()).toMatch(/^What differs in Orders ORD12345/)
    await page.goto(base + (screens.change as string))
    await page.keyboard.press('[')
    await page.waitForURL(url => !url.href.includes(event))
    await page.keyboard.press(']')
    await page.waitForURL(url => url.href.includes(event))
    await page.keyboard.press('r')
    await page.waitForURL(/raw=yes/)
    expect(await page.locator('figure pre').count()).toBe(2)
    await page.context().close()
  })

  it('copies the command and the link, and changes the time zone', async () => {
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'], timezoneId: 'Asia/Tokyo' })
    await page.goto(`${base}/t/Orders/i/ORD12345`)
    await page.keyboard.press('c')
    await page.waitForFunction(() => document.querySelector('.command button')?.textContent === 'copied')
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^itemtrail history Orders ORD12345/)
    await page.keyboard.press('y')
    await page.waitForTimeout(100)
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url())
    await page.keyboard.press('t')
    await page.waitForURL(/tz=Asia/)
    expect(await page.locator('tbody time').first().textContent()).toMatch(/\+09:00$/)
    await page.context().close()
  })

  it('verifies a proof before one’s eyes, and not one of another row', async () => {
    const page = await open()
    await page.goto(base + (screens.change as string))
    await page.locator('[data-verify]').click()
    await page.waitForFunction(() => document.querySelector('output')?.textContent !== '')
    expect(await page.locator('[data-proof] output').textContent()).toMatch(
      /^✓ PROVEN: row \d+ of \d+, \d+ hashes, 1 signature of /,
    )
    await page.locator('[data-proof]').evaluate(element => {
      element.setAttribute('data-proof', (element.getAttribute('data-proof') ?? '').replace('= ', '= x'))
    })
    await page.locator('[data-verify]').click()
    await page.waitForFunction(() => document.querySelector('[data-proof] output')?.textContent?.startsWith('✗'))
    await page.context().close()
  })

  it('checks a receipt, a proof and what is neither', async () => {
    const page = await open()
    const receipt = await (await page.request.get(`${base}/receipt/deletions?table=Orders`)).body()
    const proof = await (await page.request.get(`${base}/t/Orders/e/${event}/proof`)).body()
    await page.goto(`${base}/check`)
    const check = async (files: readonly (readonly [string, Buffer])[]) => {
      await page
        .locator('#files')
        .setInputFiles(files.map(([name, buffer]) => ({ name, mimeType: 'text/plain', buffer })))
      await page.waitForFunction(() => (document.querySelector('#checked')?.childElementCount ?? 0) > 0)
      return page.locator('#checked p').allTextContents()
    }
    expect(await check([['r.json', receipt]])).toEqual([
      expect.stringContaining('✓ the receipt is as it was written'),
      expect.stringContaining('✓ SAME'),
    ])
    expect((await check([['p.row-proof', proof]]))[0]).toContain('✓ PROVEN')
    const other = Buffer.from(receipt.toString().replace(/"rows": \d+/, '"rows": 7'))
    expect((await check([['r.json', other]]))[0]).toContain('✗ the receipt was edited')
    expect((await check([['x.csv', Buffer.from('a')]]))[0]).toContain('cannot be checked without its receipt')
    await page.context().close()
  })
})
