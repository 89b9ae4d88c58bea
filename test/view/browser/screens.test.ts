import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOT_SHOWN } from '../../../queries/verdict/table-verdict.js'
import { MANY, MARKUP, makeDamaged, makeEmpty, makeNasty, makeOrders, UNSEEN } from './archives.js'
import { CHROMIUM, launch, openJudged, type Served, serveView, type Visit, visit } from './chromium.js'
import { findBroken, findOverflow, findWithAxe } from './screens.js'

/** Wide, a tablet, a telephone; 640 is a window of 1280 at 200 %. */
const WIDTHS = [1280, 768, 640, 320] as const

const item = (key: string, search = '') => `/t/Orders/i/${encodeURIComponent(key)}${search}`

/** Each screen of the table of addresses. `EVENT` stands for the id of an item's last change. */
const ORDERS_SCREENS = [
  '/',
  '/t/Orders',
  '/t/Orders/changes',
  '/t/Orders/changes?from=2026-11-19&to=2026-11-21&event=MODIFY&attr=status&tz=Asia/Kathmandu',
  item('ORD12345'),
  item('ORD12345', '?at=2026-11-19T12:00:00Z'),
  item('ORD12345', '?between=2026-11-18T12:00:00Z&and=2026-11-20T12:00:00Z'),
  item('ORD12345', '?raw=yes'),
  '/t/Orders/e/EVENT',
  '/t/Orders/e/EVENT?raw=yes',
  '/t/Orders/as-of/2026-11-19T12:00:00Z?status=SHIPPED',
  '/q/deletions?table=Orders',
  '/q/deletions?table=Orders&form=yes',
  '/q/changes-between?table=Orders&from=2026-11-19T00:00:00Z&to=2026-11-20T00:00:00Z',
  '/sample?table=Orders',
  '/sample?table=Orders&n=5&seed=auditor&from=2026-11-01&to=2026-11-20',
  '/proof/Orders',
  '/check',
] as const

const NASTY_SCREENS = [
  '/',
  '/t/Orders',
  '/t/Orders/changes',
  `/t/Orders/changes?actor=${encodeURIComponent(MARKUP)}&attr=${encodeURIComponent(UNSEEN)}`,
  item(MARKUP),
  item(UNSEEN),
  item('a/../b?c=d#e%2f'),
  item('WIDE'),
  item('LONG'),
  item('GAP'),
  item('BASE'),
  item('MANY', '?to=2026-11-23'),
  '/t/Orders/e/EVENT',
  '/t/Orders/as-of/2026-11-24T00:00:00Z',
  '/q/changes-between?table=Orders&from=2026-11-25T00:00:00Z&to=2026-11-26T00:00:00Z',
  '/sample?table=Orders&n=9&seed=a&from=2026-11-22&to=2026-11-26',
  '/proof/Orders',
] as const

/** Of which a verdict is not the matter. */
const UNJUDGED = /^\/$|^\/(check|proof)|^\/sample\?table=Orders$|form=yes/

describe.skipIf(CHROMIUM === undefined)('the page in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  describe('of orders', () => {
    let shown: Shown
    beforeAll(async () => {
      shown = await show(browser, await makeOrders(), 'ORD12345')
    })
    afterAll(() => shown?.stop())

    it.each(ORDERS_SCREENS)('keeps its promises on %s', path => expectPromises(shown, path))

    it.each(ORDERS_SCREENS)('works without script on %s', path => expectNoScriptNeeded(shown, path))
  })

  describe('of an archive with everything that could trip it', () => {
    let shown: Shown
    beforeAll(async () => {
      const { root, key } = await makeNasty()
      shown = await show(browser, root, MARKUP, ['--key', `${key}.vkey`])
    })
    afterAll(() => shown?.stop())

    it.each(NASTY_SCREENS)('keeps its promises on %j', path => expectPromises(shown, path))

    it('draws a gap between the changes that it lies between', async () => {
      const { page } = shown.scripted
      await page.goto(shown.served.origin + item('GAP'))
      const rows = await page.locator('table.wide tbody tr').allInnerTexts()
      expect(rows.map(row => /GAP|INSERT|MODIFY|REMOVE/.exec(row)?.[0])).toEqual(['REMOVE', 'MODIFY', 'GAP', 'INSERT'])
    })

    it('shows fifty of ten thousand changes, and how many there are', async () => {
      const { page } = shown.scripted
      await page.goto(shown.served.origin + item('MANY'))
      expect(await page.locator('main').textContent()).toContain(`50 of ${MANY.toLocaleString('en')} changes`)
      expect(await page.locator('tr[data-row]').count()).toBe(50)
    })

    it('marks twelve signs among five million', async () => {
      const { page } = shown.scripted
      await page.goto(shown.served.origin + item('LONG'))
      expect(await page.locator('ins').allInnerTexts()).toEqual([expect.stringContaining('TWELVE SIGNS')])
      expect((await page.content()).length).toBeLessThan(300_000)
    })
  })

  it.each([
    ['an empty one', async () => makeEmpty(), 'no table yet'],
    ['a damaged one', makeDamaged, 'cannot be read'],
  ])('says what an archive is, %s', async (_, make, words) => {
    const shown = await show(browser, await make())
    try {
      await expectPromises(shown, '/')
      expect(await shown.scripted.page.locator('main').textContent()).toContain(words)
    } finally {
      await shown.stop()
    }
  })
})

/** A page that is served, and two sessions that look at it. */
interface Shown {
  readonly served: Served
  readonly scripted: Visit
  readonly plain: Visit
  /** The item whose last change stands for `EVENT`. */
  readonly key: string
  readonly stop: () => Promise<void>
}

async function show(browser: Browser, root: string, key = '', more: readonly string[] = []): Promise<Shown> {
  const served = await serveView(root, more)
  const scripted = await visit(browser, served)
  const storageState = await scripted.context.storageState()
  const plain = await visit(browser, served, { storageState, javaScriptEnabled: false })
  const stop = async () => {
    await Promise.all([scripted, plain].map(({ context }) => context.close()))
    await served.stop()
  }
  return { served, scripted, plain, key, stop }
}

async function eventOf({ served, scripted, key: known }: Shown, key = known): Promise<string> {
  const response = await scripted.context.request.get(`${served.origin}${item(key)}.json`)
  const { changes } = (await response.json()) as { changes: readonly { event_id: string }[] }
  return `/t/Orders/e/${changes[0]?.event_id.slice(0, 8)}`
}

const pathIn = async (shown: Shown, path: string) =>
  path.includes('EVENT') ? path.replace('/t/Orders/e/EVENT', await eventOf(shown)) : path

async function expectPromises(shown: Shown, path: string): Promise<void> {
  const { page, complaints } = shown.scripted
  const broken: string[] = []
  await page.setViewportSize({ width: 1280, height: 900 })
  const response = await openJudged(page, shown.served.origin + (await pathIn(shown, path)))
  if (response?.status() !== 200) broken.push(`answered with ${response?.status()}`)
  broken.push(...(await findBroken(page)))
  if (!UNJUDGED.test(path)) broken.push(...(await findMissing(shown)))
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 })
      const overflow = colorScheme === 'light' ? await findOverflow(page) : undefined
      if (overflow !== undefined) broken.push(`at ${width}: ${overflow}`)
      if (width === 1280 || (width === 320 && colorScheme === 'dark'))
        broken.push(...(await findWithAxe(page)).map(found => `at ${width}, ${colorScheme}: ${found}`))
    }
  }
  expect([...broken, ...complaints.splice(0)]).toEqual([])
}

/** What has to be on each screen of an answer, and is not. */
async function findMissing({ scripted: { page } }: Shown): Promise<readonly string[]> {
  const text = (await page.locator('body').textContent()) ?? ''
  const needed: Record<string, boolean> = {
    'the last change and its age': /last change \d{4}-\d{2}-\d{2} .* ago/.test(text),
    'a verdict': (await page.locator('.chip').count()) > 0,
    'what the verdict does not show': text.includes(NOT_SHOWN),
    'the time zone': (await page.locator('#tz').inputValue()) !== '',
    'the command': (await page.locator('.command code', { hasText: /^itemtrail / }).count()) > 0,
    'how many rows': /\d+ (of|days|changes|rows|items|differences)|change \d+ of/.test(text),
  }
  return Object.entries(needed).flatMap(([what, isThere]) => (isThere ? [] : [`lacks ${what}`]))
}

async function expectNoScriptNeeded(shown: Shown, path: string): Promise<void> {
  const { page, complaints } = shown.plain
  await page.setViewportSize({ width: 320, height: 900 })
  await page.goto(shown.served.origin + (await pathIn(shown, path)))
  const broken = await findBroken(page)
  const overflow = await findOverflow(page)
  // what only the script does is not offered without it
  if ((await page.locator('button:visible:not([type=submit])').count()) > 0) broken.push('a button that does nothing')
  expect([...broken, ...(overflow === undefined ? [] : [overflow]), ...complaints.splice(0)]).toEqual([])
}
