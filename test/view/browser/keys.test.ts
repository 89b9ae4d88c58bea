import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeOrders } from './archives.js'
import { CHROMIUM, launch, openJudged, type Served, serveView, type Visit, visit } from './chromium.js'
import { findWithAxe } from './screens.js'

const LIST = '/t/Orders/changes?event=MODIFY'

describe.skipIf(CHROMIUM === undefined)('the keys of a page', () => {
  let browser: Browser
  let served: Served
  let visited: Visit
  let page: Page
  beforeAll(async () => {
    browser = await launch()
    served = await serveView(await makeOrders())
    visited = await visit(browser, served, { timezoneId: 'Asia/Kathmandu' })
    await visited.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    page = visited.page
  })
  afterAll(async () => {
    await browser?.close()
    await served?.stop()
  })
  beforeEach(() => open(LIST))

  async function open(path: string): Promise<void> {
    await openJudged(page, served.origin + path)
  }
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key)
  }
  const selected = () =>
    page.locator('tr[data-row]').evaluateAll(rows => rows.findIndex(row => row.getAttribute('aria-current') !== null))
  const clipboard = () => page.evaluate('navigator.clipboard.readText()')

  it('say that the server is gone, in place of the difference of another row', async () => {
    await page.route('**/changes?**', route => route.abort())
    await press('j')
    await expect.poll(() => page.locator('.beside').textContent()).toContain('✗ what this row changed could not be had')
    expect(await page.locator('.beside h2').count()).toBe(0)
    await page.unroute('**/changes?**')
    await page.route('**/changes?**', route => route.fulfill({ status: 503, body: 'gone' }))
    await press('j')
    await expect.poll(() => page.locator('.beside').textContent()).toContain('the server answers with 503')
    await page.unroute('**/changes?**')
    visited.complaints.length = 0
  })

  it('leave the place where a click is made, and show what it changed where that is far below', async () => {
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 700 })
      await open(LIST)
      const row = page.locator('tr[data-row]').nth(20)
      await row.scrollIntoViewIfNeeded()
      const before = Number(await page.evaluate('scrollY'))
      const id = (await row.locator('code').textContent()) ?? ''
      await row.locator('td a').last().click()
      await expect.poll(() => page.locator('.beside h2 a').getAttribute('href')).toContain(`/e/${id}`)
      const top = () => page.locator('.beside').evaluate(element => element.getBoundingClientRect().y)
      if (width === 320) await expect.poll(top).toBeLessThan(700)
      else expect(Math.abs(Number(await page.evaluate('scrollY')) - before)).toBeLessThan(100)
    }
    await page.setViewportSize({ width: 1280, height: 720 })
  })

  it('walk the rows, and show the difference of the one that is selected', async () => {
    expect(await selected()).toBe(0)
    await press('j', 'ArrowDown', 'j')
    expect(await selected()).toBe(3)
    await press('k', 'ArrowUp')
    expect(await selected()).toBe(1)
    const id = (await page.locator('tr[data-row]').nth(1).locator('code').textContent()) ?? ''
    await expect.poll(() => page.locator('.beside h2 a').getAttribute('href')).toContain(`/e/${id}`)
    // the address is that of what is seen
    await expect.poll(() => page.url()).toContain(`row=${id}`)
    await press('k', 'k', 'k')
    expect(await selected()).toBe(0)
  })

  it('open a row and lead back to it', async () => {
    await press('j')
    const address = await page.locator('tr[aria-current]').getAttribute('data-open')
    await press('Enter')
    await page.waitForURL(`**${address}*`)
    await press('Escape')
    await page.waitForURL('**/changes?**')
    await expect.poll(selected).toBe(1)
    await expect.poll(() => page.evaluate('document.activeElement.closest("tr[aria-current]") !== null')).toBe(true)
  })

  it('walk the changes of an item', async () => {
    await open('/t/Orders/i/ORD12345')
    await press('Enter')
    await page.waitForURL('**/e/**')
    const last = page.url()
    await press('[')
    await page.waitForURL(url => url.href !== last)
    await press(']')
    await page.waitForURL(url => url.href === last)
  })

  it('compare two changes that were picked', async () => {
    await open('/t/Orders/i/ORD12345')
    await press('x', 'j', 'j', 'x')
    expect(await page.locator('tr.picked').count()).toBe(2)
    await press('d')
    await page.waitForURL('**between=**')
    expect(await page.locator('h1').textContent()).toContain('What differs in Orders ORD12345 between')
  })

  it('compare by what is clicked, too, and say why two of two items are not compared', async () => {
    await page.evaluate('sessionStorage.clear()')
    await open('/t/Orders/i/ORD12345')
    const button = page.locator('[data-compare]')
    expect([await button.isDisabled(), await page.locator('[data-picks]').textContent()]).toEqual([
      true,
      '0 of 2 picked, by the circle beside an id',
    ])
    for (const place of [0, 2]) await page.locator('[data-pick-row]').nth(place).click()
    expect(await page.locator('[data-pick-row][aria-pressed=true]').count()).toBe(2)
    await button.click()
    await page.waitForURL('**between=**')
    await page.evaluate('sessionStorage.clear()')
    await open(LIST)
    const [first, other] = [0, 1].map(place => page.locator('tr[data-row]').nth(place))
    expect(await first?.locator('td').nth(2).textContent()).not.toBe(await other?.locator('td').nth(2).textContent())
    for (const row of [first, other]) await row?.locator('[data-pick-row]').click()
    expect(await page.locator('[data-picks]').textContent()).toContain('of two items')
    expect(await page.locator('[data-compare]').isDisabled()).toBe(true)
    await page.evaluate('sessionStorage.clear()')
  })

  it('show the whole item, and only what changed again', async () => {
    await press('w')
    await page.waitForURL('**w=all**')
    expect(await page.locator('.beside caption').allInnerTexts()).toEqual(['before', 'after'])
    await press('w')
    await page.waitForURL(url => !url.search.includes('w=all'))
  })

  it('copy the link and the command', async () => {
    await press('y')
    await expect.poll(clipboard).toBe(page.url())
    await press('c')
    await expect.poll(clipboard).toBe(await page.locator('.command code').first().textContent())
  })

  it('change the time zone, and say it', async () => {
    await press('t')
    await page.waitForURL('**tz=Asia*')
    expect(await page.locator('tr[data-row] time').first().textContent()).toContain('+05:45')
    await press('t')
    expect(await page.evaluate('document.activeElement.id')).toBe('tz')
  })

  it('keep the time zone on every way on', async () => {
    const zone = (path: string) =>
      page.waitForURL(url => url.pathname.startsWith(path) && url.search.includes('tz=Asia'))
    await open(`${LIST}&tz=Asia%2FKathmandu`)
    await press('Enter')
    await zone('/t/Orders/e/')
    await page.locator('.top nav a', { hasText: 'Orders' }).click()
    await zone('/t/Orders')
    await page.locator('input[name=key]').fill('ORD12345')
    await press('Enter')
    await zone('/t/Orders/i/ORD12345')
    await page.locator('a', { hasText: 'Orders' }).first().click()
    await zone('/t/Orders')
    await page.locator('svg.strip a').first().click({ force: true })
    await zone('/t/Orders/changes')
  })

  it('show raw JSON, and take it back', async () => {
    await press('r')
    await page.waitForURL('**raw=**')
    expect(await page.locator('.beside pre').first().textContent()).toContain('"S"')
    await press('r')
    await page.waitForURL(url => !url.search.includes('raw'))
  })

  it('lead to the filters, and are letters there', async () => {
    await press('/')
    await press('j', 'k', '?')
    expect(await page.locator('#narrow input').first().inputValue()).toBe('jk?')
    expect(await selected()).toBe(0)
    await press('Escape', 'j')
    expect(await selected()).toBe(1)
  })

  it('are told in a dialog that gives the focus back', async () => {
    await press('?')
    expect(await page.locator('dialog[open]').count()).toBe(1)
    for (const key of ['j', 'k', 'Enter', 'Esc', '/', '[', ']', 'x', 'd', 't', 'r', 'w', 'y', 'c', 'p', '?'])
      expect([key, await page.locator('dialog kbd', { hasText: key }).count()]).not.toEqual([key, 0])
    expect(await findWithAxe(page)).toEqual([])
    await press('Escape')
    expect(await page.locator('dialog[open]').count()).toBe(0)
  })

  it('do nothing with a modifier', async () => {
    await press('Control+j', 'Alt+k', 'Meta+r')
    expect([await selected(), page.url()]).toEqual([0, served.origin + LIST])
  })

  it('have a visible control each, and a focus that is seen', async () => {
    const controls = [
      '[data-copy-link]',
      '[data-copy-command]',
      '[data-print]',
      '[data-keys]',
      '#tz',
      '[data-raw]',
      '[data-w]',
      '#narrow',
      '[data-pick-row]',
      '[data-compare]',
    ]
    for (const control of controls)
      expect([control, await page.locator(control).first().isVisible()]).toEqual([control, true])
    await press('Tab')
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
    expect(outline).not.toBe('none')
  })

  it('break nothing', () => expect(visited.complaints).toEqual([]))
})
