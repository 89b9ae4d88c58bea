/** What is dropped on `/check` is judged as the command line judges it. */
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkRowProof } from '../../evidence/give-evidence.js'
import { readVerifier } from '../../journal/key-file.js'
import { formatVkey, type Verifier } from '../../proof/note.js'
import type { CheckedPaper } from '../../view/check-papers.js'
import { fileOf, run } from '../cli/command-line.js'
import { sealReceipt } from '../papers.js'
import { makeSealedOrders } from './browser/archives.js'
import { browse, type PageClient } from './page-client.js'

type Fields = Record<string, Record<string, unknown>>

let root: string
let key: Verifier
let page: PageClient
let receipt: string
let proof: string
beforeAll(async () => {
  const sealed = await makeSealedOrders()
  root = sealed.root
  key = readVerifier(`${sealed.key}.vkey`)
  page = await browse(root, { identity: { origin: key.name, known: [key] } })
  receipt = await page.text('/receipt/deletions?table=Orders')
  const { changes } = await page.json('/t/Orders/i/ORD12345.json')
  proof = await page.text(`/t/Orders/e/${changes[1].event_id}/proof`)
})
afterAll(() => page.close())

interface Dropped {
  readonly receipts?: Readonly<Record<string, string>>
  readonly proofs?: Readonly<Record<string, string>>
  readonly files?: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[]
  readonly agreed?: readonly string[]
}

function formOf({ receipts = {}, proofs = {}, files = [], agreed = [] }: Dropped): FormData {
  const form = new FormData()
  for (const [name, text] of Object.entries(receipts)) form.append('receipt', new Blob([text]), name)
  for (const [name, text] of Object.entries(proofs)) form.append('proof', new Blob([text]), name)
  form.append('dropped', JSON.stringify({ files, agreed }))
  return form
}

async function check(dropped: Dropped, by = page): Promise<readonly CheckedPaper[]> {
  const response = await by.post('/check', formOf(dropped))
  return ((await response.json()) as { checked: readonly CheckedPaper[] }).checked
}

function edited(edit: (receipt: Fields) => unknown): string {
  const copy = JSON.parse(receipt) as Fields
  edit(copy)
  return sealReceipt(copy)
}

const MARKS: Readonly<Record<number, string>> = { 0: 'good', 1: 'bad', 3: 'fair' }

describe('a receipt', () => {
  it.each<readonly [string, (receipt: Fields) => unknown]>([
    ['nothing', () => {}],
    ['its verdict', r => Object.assign(r.verdict as object, { confidence: 'GAP' })],
    ['its rows', r => Object.assign(r.result as object, { rows: 8000 })],
    ['its hashes', r => Object.assign(r.result as object, { row_hashes: [] })],
    ['its SQL', r => Object.assign(r.statement as object, { sql: 'select 1' })],
    ['its columns', r => Object.assign(r.result as object, { columns: [] })],
    ['its window', r => Object.assign(r.window as object, { first_event: null })],
    ['its result', r => Object.assign(r.result as object, { sha256: '0'.repeat(64) })],
    ['its question', r => delete r.question],
    ['its files', r => delete r.files],
  ])('is judged as rerun judges it, with %s edited and its own hash made anew', async (_, edit) => {
    const text = edited(edit)
    const { exit } = await run(['rerun', fileOf('r.json', text), '--archive', root])
    const [{ name, mark, lines } = {} as CheckedPaper] = await check({ receipts: { 'r.json': text } })
    // a paper that is none is no usage here
    expect([name, mark]).toEqual(['r.json', exit === 2 ? 'bad' : MARKS[exit]])
    expect(lines.length).toBeGreaterThan(0)
  })

  it('has a result of its own beside others, whatever they are', async () => {
    const none = edited(r => delete r.question)
    const checked = await check({
      receipts: { '1.json': receipt, '2.json': none, '3.json': '{"receipt_sha256": [', '4.json': receipt },
      proofs: { 'p.row-proof': proof },
      files: [{ name: 'x.csv', bytes: 1, sha256: '0'.repeat(64) }],
    })
    expect(checked.map(({ name, mark }) => [name, mark])).toEqual([
      ['p.row-proof', 'good'],
      ['1.json', 'good'],
      ['2.json', 'bad'],
      ['3.json', 'bad'],
      ['4.json', 'good'],
      ['x.csv', 'fair'],
    ])
  })

  it('vouches for no file where it does not hold itself', async () => {
    const file = { name: 'a.csv', bytes: 12, sha256: 'a'.repeat(64) }
    const { name: _, ...digest } = file
    const text = edited(r => {
      Object.assign(r.window as object, { first_event: null })
      Object.assign(r, { files: [{ name: 'a.csv', format: 'csv', ...digest }] })
    })
    const checked = await check({ receipts: { 'r.json': text }, files: [file] })
    expect(checked.map(({ mark }) => mark)).toEqual(['bad', 'bad'])
    expect(checked[1]?.lines[0]).toContain('by r.json, which does not hold itself: the file of the receipt')
  })
})

describe('SQL of others', () => {
  const foreign = () =>
    edited(r => {
      Object.assign(r.question as object, { kind: 'sql', query: null, query_version: null, parameters: [] })
      Object.assign(r.statement as object, { placeholders: [], values: [] })
    })

  it('never runs without --allow-sql, agreed to or not, and is shown', async () => {
    const text = foreign()
    const { receipt_sha256: hash, statement } = JSON.parse(text) as { receipt_sha256: string; statement: Fields }
    for (const agreed of [[], [hash]]) {
      const [checked] = await check({ receipts: { 'r.json': text }, agreed })
      expect([checked?.mark, checked?.ask]).toEqual(['fair', undefined])
      expect(checked?.lines[0]).toMatch(/^not run: /)
      expect(checked?.lines).toContain(`its SQL: ${statement.sql}`)
    }
  })

  it('is shown and asked for before it runs, and what was agreed to is this receipt alone', async () => {
    const open = await browse(root, { allowsSql: true })
    const receiptOf = (statement: string) => open.text(`/sql/receipt?${new URLSearchParams({ statement })}`)
    const [one, other] = [await receiptOf('select count(*) as n from orders'), await receiptOf('select 1 as n')]
    const [first] = await check({ receipts: { 'r.json': one } }, open)
    expect(first).toMatchObject({ mark: 'fair', ask: { sql: 'select count(*) as n from orders', values: '[]' } })
    expect(first?.lines[0]).toMatch(/^not run: /)
    const agreed = [first?.ask?.agree as string]
    const checked = await check({ receipts: { 'r.json': one, 'other.json': other }, agreed }, open)
    expect(checked.map(({ name, mark, lines: [line] }) => [name, mark, line?.split(':')[0]])).toEqual([
      ['r.json', 'good', 'the same answer, to the byte'],
      ['other.json', 'fair', 'not run'],
    ])
    await open.close()
  })

  it('shows what cannot be seen in it', async () => {
    const open = await browse(root, { allowsSql: true })
    const text = await open.text(`/sql/receipt?${new URLSearchParams({ statement: "select '\u202e' as n" })}`)
    expect((await check({ receipts: { 'r.json': text } }, open))[0]?.ask?.sql).toBe("select '\\u202e' as n")
    await open.close()
  })
})

describe('a row proof', () => {
  /** What the script of the page says of a proof. */
  async function byScript(text: string): Promise<boolean> {
    const nothing = () => null
    const element = { classList: { add: nothing } }
    const document = {
      querySelector: nothing,
      querySelectorAll: () => [],
      addEventListener: nothing,
      documentElement: element,
    }
    const world: Record<string, unknown> = {
      ...{ document, crypto, TextEncoder, TextDecoder, URLSearchParams, URL, atob, btoa, Uint8Array, JSON },
      sessionStorage: { getItem: nothing },
      addEventListener: nothing,
      performance,
    }
    runInNewContext(readFileSync(new URL('../../view/page.js', import.meta.url), 'utf8'), world)
    const verify = world.verifyRowProof as (text: string, vkey: string) => Promise<unknown>
    return verify(text, formatVkey(key)).then(
      () => true,
      () => false,
    )
  }

  const byCommand = (text: string): boolean => {
    try {
      return checkRowProof(text, key) !== undefined
    } catch {
      return false
    }
  }

  it.each<readonly [string, (text: string) => string]>([
    ['as it is', text => text],
    ['with a line of junk', text => `${text}junk\n`],
    ['with an empty line', text => `${text}\n`],
    ['without its last line feed', text => text.slice(0, -1)],
    ['with a line before its row', text => text.replace('\nrow ', '\nx\nrow ')],
    ['with a row written otherwise', text => text.replace(/\nrow (\d+)/, '\nrow 0$1')],
    ['with another word for its row', text => text.replace('\nrow ', '\nraw ')],
    ['with another leaf', text => text.replace('\n= ', '\n= x')],
    ['with base64 written otherwise', text => text.replace(/=\n/, '\n')],
    ['with a control character', text => text.replace(/\u2014 /, '\u2014 \u0007')],
    ['with a line end of another system', text => text.replaceAll('\n', '\r\n')],
    ['with a second signature that is none', text => `${text}\u2014 ${key.name} AAAA\n`],
    ['with a signature of somebody else', text => `${text}\u2014 other.example AAAAAAAA\n`],
    ['with its signature twice', text => `${text}${text.trimEnd().split('\n').at(-1)}\n`],
    ['with nothing', () => 'itemtrail.row-proof/v1\n\n'],
  ])('is judged %s by the server as by the command line, and by the script no more kindly', async (_, edit) => {
    const text = edit(proof)
    const holds = byCommand(text)
    const [checked] = await check({ proofs: { 'p.row-proof': text } })
    expect([checked?.name, checked?.mark]).toEqual(['p.row-proof', holds ? 'good' : 'bad'])
    expect(await byScript(text)).toBe(holds)
  })

  it('says which row it is of', async () => {
    const [checked] = await check({ proofs: { 'p.row-proof': proof } })
    expect(checked?.lines.join('\n')).toMatch(/^PROVEN\nevent {4}[0-9a-f]{32}\nkind {5}\w+\ntable {4}Orders\n/)
  })

  it('cannot be checked where nobody is believed', async () => {
    const open = await browse(root)
    expect((await check({ proofs: { 'p.row-proof': proof } }, open))[0]?.mark).toBe('fair')
    await open.close()
  })
})

describe('a command to copy', () => {
  it('believes the key that the page believes', async () => {
    const identity = { origin: key.name, known: [key] }
    for (const [options, flag] of [
      [{ identity, typedKey: 'my key.vkey' }, " --key 'my key.vkey'"],
      [{ identity }, ''],
      [{}, ' --key KEY'],
    ] as const) {
      const open = await browse(root, options)
      const { command } = await open.json('/t/Orders/i/ORD12345.json')
      expect(command).toBe(`itemtrail history Orders ORD12345 --archive ${root}${flag.replace(' --key KEY', '')}`)
      expect((await open.json('/proof/Orders.json')).command).toBe(`itemtrail verify --archive ${root}${flag}`)
      expect(await open.text('/check')).toContain(`verify proof FILE${flag.replaceAll("'", '&#39;')}<`)
      await open.close()
    }
  })
})

describe('what is handed over', () => {
  it('is judged by a form without script as with it', async () => {
    const form = new FormData()
    form.append('file', new Blob([receipt]), 'r.json')
    form.append('file', new Blob([`${proof}x`]), '"><script>p')
    form.append('file', new Blob(['{"receipt_sha256": 1}']), 'no.json')
    form.append('file', new Blob([]), 'empty')
    const response = await page.post('/check', form)
    const html = await response.text()
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const lines = [...html.matchAll(/<p class="(good|bad|fair)">([^<]*)/g)].map(([, mark, text]) => [mark, text])
    expect(lines).toEqual([
      ['bad', expect.stringContaining('script&gt;p: NOT PROVEN')],
      ['good', '✓ r.json: the same answer, to the byte'],
      ['bad', expect.stringContaining('✗ no.json: no receipt')],
      ['fair', expect.stringContaining('? empty: ')],
    ])
    expect(await (await page.post('/check', new FormData())).text()).toContain('a receipt, and the file that it is of')
  })

  it('is taken from this page alone, and there alone', async () => {
    const status = async (path: string, headers?: Readonly<Record<string, string>>) =>
      (await page.post(path, formOf({}), headers)).status
    expect(await status('/check')).toBe(200)
    expect(await status('/check', { origin: 'http://evil.example' })).toBe(403)
    expect(await status('/check', { cookie: '' })).toBe(401)
    for (const path of ['/', '/check.json', '/t/Orders', '/sql', '/checks'])
      expect([path, await status(path)]).toEqual([path, 405])
    // a form of this page tells no origin, but that it is of the same one
    for (const [site, expected] of [
      ['same-origin', 200],
      ['same-site', 403],
      ['cross-site', 403],
      ['none', 403],
      ['', 403],
    ] as const)
      expect([site, await status('/check', { origin: 'null', 'sec-fetch-site': site })]).toEqual([site, expected])
    const get = await page.get('/check', { origin: 'null', 'sec-fetch-site': 'same-origin' })
    expect(get.status).toBe(403)
    // a request without an origin is of no page
    expect((await page.get('/check', {}, 'POST')).status).toBe(403)
    expect((await page.get('/check', { origin: 'http://127.0.0.1:4711' }, 'POST')).status).toBe(400)
  })
})
