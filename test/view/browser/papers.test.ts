import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linesOf, ORDERS_CONFIG, run } from '../../cli/command-line.js'
import { change as changeOf } from '../../queries/story.js'
import { makeSealedOrders } from './archives.js'
import { CHROMIUM, launch, type Served, serveView, visit } from './chromium.js'

describe.skipIf(CHROMIUM === undefined)('papers that are checked before one’s eyes', () => {
  let browser: Browser
  let served: Served
  let page: Page
  let change: string
  let archive: string
  beforeAll(async () => {
    const { root, key } = await makeSealedOrders()
    browser = await launch()
    archive = root
    served = await serveView(root, ['--key', `${key}.vkey`, '--allow-sql'])
    ;({ page } = await visit(browser, served))
    const { changes } = (await (await page.request.get(`${served.origin}/t/Orders/i/ORD12345.json`)).json()) as {
      readonly changes: readonly { readonly event_id: string }[]
    }
    change = `${served.origin}/t/Orders/e/${changes[1]?.event_id}`
  })
  afterAll(async () => {
    await browser?.close()
    await served?.stop()
  })

  it('are a proof of this row, and no other', async () => {
    await page.goto(change)
    const output = page.locator('[data-proof] output')
    await page.locator('[data-verify]').click()
    await expect.poll(() => output.textContent()).toMatch(/^✓ PROVEN: row \d+ of \d+, \d+ hashes, 1 signature of /)
    await page.locator('[data-proof]').evaluate(element => {
      element.setAttribute('data-proof', (element.getAttribute('data-proof') ?? '').replace('= ', '= x'))
    })
    await page.locator('[data-verify]').click()
    await expect.poll(() => output.textContent()).toMatch(/^✗ NOT PROVEN/)
  })

  const check = async (...files: readonly (readonly [name: string, buffer: Buffer])[]) => {
    await page.goto(`${served.origin}/check`)
    const given = files.map(([name, buffer]) => ({ name, mimeType: 'text/plain', buffer }))
    await page.locator('#files').setInputFiles(given)
    await page.locator('#checked div').first().waitFor()
    return page.locator('#checked p').allTextContents()
  }

  it('are a receipt, a file of it, a proof, and what is neither', async () => {
    const bytesAt = async (address: string) => (await page.request.get(address)).body()
    const receipt = await bytesAt(`${served.origin}/receipt/deletions?table=Orders`)
    const proof = await bytesAt(`${change}/proof`)
    expect((await check(['r.json', receipt]))[0]).toBe('✓ r.json: the same answer, to the byte')
    expect((await check(['p.row-proof', proof]))[0]).toBe('✓ p.row-proof: PROVEN')
    const damaged = Buffer.from(proof.toString().replace(/\n= (\S)/, '\n= x$1'))
    expect((await check(['p.row-proof', damaged]))[0]).toContain('✗ p.row-proof: NOT PROVEN')
    const edited = Buffer.from(receipt.toString().replace(/"rows": \d+/, '"rows": 7'))
    const [first, ...rest] = await check(['r.json', edited], ['again.json', receipt])
    expect(first).toBe('? r.json: not run')
    expect(rest).toContain('✓ again.json: the same answer, to the byte')
    expect((await check(['x.csv', Buffer.from('a')]))[0]).toContain('cannot be checked without its receipt')
  })

  it('are the same without script', async () => {
    const storageState = await page.context().storageState()
    const {
      page: plain,
      complaints,
      context,
    } = await visit(browser, served, { storageState, javaScriptEnabled: false })
    const receipt = await (await page.request.get(`${served.origin}/receipt/deletions?table=Orders`)).body()
    const files = [
      ['r.json', receipt],
      ['p.row-proof', await (await page.request.get(`${change}/proof`)).body()],
      ['<b>x.csv', Buffer.from('a')],
    ] as const
    await plain.goto(`${served.origin}/check`)
    await plain
      .locator('#files')
      .setInputFiles(files.map(([name, buffer]) => ({ name, mimeType: 'text/plain', buffer })))
    await plain.locator('#drop button').click()
    await plain.locator('#checked div').first().waitFor()
    const lines = await plain.locator('#checked p').allTextContents()
    const judged = (all: readonly string[]) => all.filter(line => /^[✓✗?] /.test(line))
    expect(judged(lines)).toEqual(judged(await check(...files)))
    expect(judged(lines)).toHaveLength(files.length)
    expect([plain.url(), complaints]).toEqual([`${served.origin}/check`, []])
    await context.close()
  })

  it('are a receipt that the archive answers otherwise by now: how many rows went and came, and which', async () => {
    const bytesAt = async (address: string) => (await page.request.get(served.origin + address)).body()
    const statement = "select event_id from orders where event_name = 'REMOVE' order by event_id"
    const receipts = [
      await bytesAt('/receipt/deletions?table=Orders'),
      await bytesAt(`/sql/receipt?${new URLSearchParams({ statement })}`),
    ]
    // SQL of one's own is shown before it runs
    const agreed = async (receipt: Buffer) => {
      const [first = ''] = await check(['r.json', receipt])
      if (!first.includes('not run')) return page.locator('#checked p').allTextContents()
      expect(await page.locator('#checked pre').textContent()).toBe(statement)
      await page.locator('#checked button').click()
      await page.locator('#checked p', { hasText: 'answer' }).first().waitFor()
      return page.locator('#checked p').allTextContents()
    }
    for (const receipt of receipts) expect((await agreed(receipt))[0]).toContain('✓ r.json: the same answer')
    const late = changeOf('ORD99999', '21T10:00:00', { status: { S: 'PAID' } }, undefined)
    const { exit } = await run(['ingest', '-', '--archive', archive, '--config', ORDERS_CONFIG], {
      stdin: linesOf([late]),
    })
    expect(exit).toBe(0)
    // the list of what there is, is looked at once a second
    await page.waitForTimeout(1100)
    for (const receipt of receipts) {
      const lines = await agreed(receipt)
      expect(lines[0]).toBe('✗ r.json: another answer')
      expect(lines).toContainEqual(expect.stringMatching(/^1 row new, by their place now: \d+$/))
    }
  })
})
