import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ArchiveError, makeReceipt, openArchive, readConfiguration } from '../../index.js'
import { LIFE, makePlace, orderOf } from './orders.js'

const AFTER = '2026-09-21T15:00:00Z'

describe('a program with the keys', () => {
  let place: Awaited<ReturnType<typeof makePlace>>
  beforeAll(async () => {
    place = await makePlace()
    expect((await place.ingest(LIFE)).exit).toBe(0)
  })
  const open = (reveal: boolean) => openArchive(place.archive, { keys: place.keys, reveal })

  it('is given what is sealed in every answer that has images, where it asks for that', async () => {
    await using archive = await open(true)
    const last = orderOf('o1', 'PAID', 'Ann Other')
    const { changes, confidence } = await archive.history('Orders', 'o1')
    expect([changes.at(-1)?.after, confidence]).toEqual([last, 'UNBROKEN'])
    expect(await archive.asOf('Orders', 'o1', AFTER)).toMatchObject({ item: last, change: { after: last } })
    expect((await archive.change(changes[0]?.eventId as string)).change.after).toEqual(orderOf('o1', 'NEW'))
    for await (const { item } of archive.tableAsOf('Orders', AFTER)) expect(item).toEqual(last)
    const { differences } = await archive.diff('Orders', 'o1', { from: '2026-09-21T14:13:22Z', to: AFTER })
    expect(differences).toMatchObject([
      { path: [{ name: 'buyer' }, { name: 'name' }], before: { S: 'Ann Secret' }, after: { S: 'Ann Other' } },
    ])
    const state = 'select new_image from orders order by event_time desc limit 1'
    for await (const { new_image } of archive.stream(state)) expect(new_image).toContain('Ann Other')
    expect([...(await archive.sql(state))][0]?.new_image).toContain('Ann Other')
  })

  it('has receipts, tables and hashes of what is stored all the same', async () => {
    await using closed = await open(false)
    await using opened = await open(true)
    const sql = 'select new_image, new_hash from orders order by event_time_us'
    const [plain, clear] = [await closed.sql(sql), await opened.sql(sql)]
    expect((await makeReceipt(clear, opened)).result).toEqual((await makeReceipt(plain, closed)).result)
    expect(JSON.stringify([...plain])).not.toMatch(/Secret|Other/)
    expect(JSON.stringify([...clear])).toMatch(/Ann Other/)
    expect((await opened.asOf('Orders', 'o1', AFTER)).imageHash).toBe(
      (await closed.asOf('Orders', 'o1', AFTER)).imageHash,
    )
    const { changes } = await closed.history('Orders', 'o1')
    expect(JSON.stringify(changes)).not.toMatch(/Secret|Other/)
  })

  it('is told of what was erased, and fails nowhere', async () => {
    const own = await makePlace()
    await own.ingest(LIFE)
    await own.erase('u-1')
    const { tables } = readConfiguration(own.config)
    await using archive = await openArchive(own.archive, { tables: tables.values(), keys: own.keys, reveal: true })
    const { changes, confidence } = await archive.history('Orders', 'o1')
    const last = changes.at(-1) as (typeof changes)[number]
    const { buyer, seller } = last.after as unknown as ReturnType<typeof orderOf>
    expect(buyer.M.name).toMatchObject({ M: { $erased: { S: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/) } } })
    expect([seller.M.name, confidence]).toEqual([{ S: 'Bob Shop' }, 'UNBROKEN'])
  })

  it('is refused keys that are not there, in the archive, or of another place', async () => {
    const { archive, keys, folder } = place
    const refused = (options: object, message: RegExp, at: Parameters<typeof openArchive>[0] = archive) =>
      expect(openArchive(at, options)).rejects.toThrow(
        expect.objectContaining({ name: 'ArchiveError', message: expect.stringMatching(message) }),
      )
    await refused({ reveal: true }, /reveal takes the key store, expected keys: FOLDER/)
    await refused({ keys: join(folder, 'none') }, /is not there: itemtrail subject init makes one/)
    await refused({ keys: join(archive, 'keys') }, /is inside the archive/)
    await refused({ keys }, /read from a folder/, { stack: 'Itemtrail' })
    expect(readFileSync(join(keys, 'store.json'), 'utf8')).toContain('secret')
    expect(new ArchiveError('x').name).toBe('ArchiveError')
  })
})
