/** Sealed values in a browser: what was erased leads to its certificate, and opens for nobody who did not ask. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FolderFences } from '../../erasure/fences.js'
import { FolderKeys } from '../../erasure/folder-keys.js'
import { LIFE, makePlace } from '../erasure/orders.js'
import { browse, type PageClient } from './page-client.js'

const MOMENT = '2026-11-01T00:00:00Z'
const SCREENS = [
  '/t/Orders/i/o1',
  `/t/Orders/i/o1?at=${MOMENT}`,
  `/t/Orders/i/o1?at=${MOMENT}&raw`,
  `/t/Orders/i/o1?between=2026-09-21T14:13:21Z&and=${MOMENT}`,
  '/t/Orders/changes?row=first',
  `/t/Orders/as-of/${MOMENT}`,
  '/q/item-history?table=Orders&item_key=o1',
  '/sql?statement=select%20new_image%20from%20orders',
]

describe('a page of an archive with sealed values', () => {
  let [page, open]: [PageClient, PageClient] = [] as never
  let place: Awaited<ReturnType<typeof makePlace>>
  let [event, certificate] = ['', '']
  const screens = () => [...SCREENS.map(path => path.replace('first', event)), `/t/Orders/e/${event}`]
  beforeAll(async () => {
    place = await makePlace()
    await place.ingest(LIFE)
    const fences = new FolderFences(place.archive)
    const keys = async () => FolderKeys.open(place.keys, name => fences.of(name))
    page = await browse(place.archive, { allowsSql: true })
    open = await browse(place.archive, { allowsSql: true, keys })
    event = (await page.json('/t/Orders/changes.json')).changes[0].event_id
  })
  afterAll(() => Promise.all([page.close(), open.close()]))

  it('shows none of them in clear, and all to who asked for that, on screens that say so', async () => {
    for (const path of screens()) {
      expect([path, await page.text(path)]).toEqual([path, expect.not.stringMatching(/Ann|Secret|Bob/)])
      const opened = await open.text(path)
      expect([path, opened]).toEqual([path, expect.stringMatching(/Ann Other/)])
      expect([path, opened]).toEqual([path, expect.stringContaining('sealed values are open on this screen')])
    }
    // files, and what a receipt is of, are the same for both
    for (const path of ['/t/Orders/i/o1.json', `/t/Orders/e/${event}.json`, '/t/Orders/i/o1.csv'])
      expect(await open.text(path)).toBe(await page.text(path))
    expect(await open.text('/t/Orders/i/o1.json')).not.toMatch(/Ann|Secret|Bob/)
  })

  it('has a chip where somebody was erased, which leads to the certificate', async () => {
    ;[{ certificate }] = JSON.parse((await place.erase('u-1')).out).certificates
    for (const path of screens().filter(one => !/^.(q|sql)/.test(one))) {
      for (const client of [page, open]) {
        const html = await client.text(path)
        expect([path, html]).toEqual([path, expect.stringContaining(certificate)])
        expect([path, html]).toEqual([path, expect.not.stringMatching(/Ann|Secret/)])
      }
    }
    const link = `<a class="chip" href="/certificate/${certificate}">[erased `
    for (const path of ['/t/Orders/i/o1', `/t/Orders/i/o1?at=${MOMENT}`, `/t/Orders/e/${event}`])
      expect([path, await page.text(path)]).toEqual([path, expect.stringContaining(link)])
    const told = await page.text(`/certificate/${certificate}`)
    expect(told).toMatch(/key destroyed[\s\S]*asked[\s\S]*20 in 3 rows of 1 objects[\s\S]*nothing was/)
    expect(await page.json(`/certificate/${certificate}.json`)).toMatchObject({ certificate, kind: 'erasure', rows: 3 })
    expect((await page.get('/certificate/00000000')).status).toBe(404)
    expect((await page.get('/certificate/%3Cb%3E')).status).toBe(400)
    // the other one stays readable for who may
    expect(await open.text(`/t/Orders/i/o1?at=${MOMENT}`)).toContain('Bob Shop')
  })
})
