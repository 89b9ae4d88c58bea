/** What has to be true of every screen, wherever it leads. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type { PageDocument } from './dom.js'

/** Of the browser, where what is handed to `evaluate` runs. */
declare const document: PageDocument

/** What of a page breaks the promises of each screen, in sentences: nothing of one that keeps them. */
export function findBroken(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const broken: string[] = []
    const all = (selector: string) => [...document.querySelectorAll(selector)]
    if (all('h1').length !== 1) broken.push(`${all('h1').length} h1`)
    if (document.title === '' || document.documentElement.lang === '') broken.push('no title or no language')
    for (const table of all('table')) {
      const name = table.querySelector('caption')?.textContent?.trim() ?? ''
      if (name === '') broken.push(`a table without a caption: ${table.textContent?.slice(0, 60)}`)
    }
    for (const th of all('th:not([scope])')) broken.push(`th without a scope: ${th.textContent}`)
    for (const time of all('time')) {
      const text = time.getAttribute('datetime') ?? ''
      if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text)) broken.push(`time without a datetime: ${time.textContent}`)
    }
    // what items hold is only ever text
    if (document.querySelector('main script, main img, main iframe, main object, main style, [onerror]') !== null)
      broken.push('an element that an item brought')
    // of what deceives nothing is left as it was
    if (/[^\P{Cc}\n\t]|[\u200b\u202a-\u202e\u2066-\u2069\ufeff]/u.test(document.body.textContent ?? ''))
      broken.push('a sign that cannot be seen, or that turns a line round')
    if (!document.body.textContent?.includes('archive')) broken.push('no name of the archive')
    return broken
  })
}

/** By how many pixels a page is wider than its window, and what sticks out first. */
export function findOverflow(page: Page): Promise<string | undefined> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth <= clientWidth) return undefined
    const widest = [...document.querySelectorAll('body *')].find(
      element => element.getBoundingClientRect().right > clientWidth + 1 && element.closest('.scroll') === null,
    )
    return `${scrollWidth - clientWidth} px too wide: ${widest?.outerHTML.slice(0, 150)}`
  })
}

/** What axe-core finds. */
export async function findWithAxe(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as { axe: typeof axe }
    const { violations } = await runner.run({ resultTypes: ['violations'], preload: false })
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.slice(0, 2).map(({ html, any }) => `${id}: ${help}: ${html.slice(0, 120)} ${any[0]?.message ?? ''}`),
    )
  })
}
