import { hash } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linesOf, makeFolder, run } from '../cli/command-line.js'
import { everythingIn } from './everything-in.js'
import { ERASABLE, LATER, LIFE, makePlace, type Order, orderOf, recordOf } from './orders.js'

function refusedFilesIn(archive: string): readonly string[] {
  const entries = readdirSync(join(archive, 'refused'), { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

describe('a person', () => {
  it('is found in clear by these tests where nothing is erasable', async () => {
    const archive = join(makeFolder(), 'archive')
    await run(['ingest', '-', '--archive', archive], { stdin: linesOf(LIFE) })
    for (const clear of ['Ann Secret', 'Bob Shop', '1984-02-03']) expect(await everythingIn(archive)).toContain(clear)
  })

  it('is in no file in clear, and everything still fits together', async () => {
    const { archive, keys, ask, ingest } = await makePlace()
    expect((await ingest(LIFE)).exit).toBe(0)
    expect(await everythingIn(archive)).not.toMatch(/Secret|secret door|1984-02|Bob|Other/)
    expect(await everythingIn(keys)).not.toMatch(/Secret|u-1|Bob/)
    const history = await ask('history', 'Orders', 'o1')
    expect(history.out).toMatch(/UNBROKEN/)
    expect(history.out).toMatch(/~ buyer\.name {2}\[sealed .{6}\] → \[sealed .{6}\]/)
    expect(history.out).toMatch(/kept "secret\.example"/)
    expect(history.out).toMatch(/kept "1984"/)
    expect((await ask('verify', 'rows')).exit).toBe(0)
    expect((await ask('verify', 'continuity')).exit).toBe(0)
  })

  it('is told everything that is kept, and nothing of others in the same rows', async () => {
    const { ask, ingest } = await makePlace()
    await ingest(LIFE)
    const { out, exit } = await ask('subject', 'export', 'u-1')
    const rows = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { new_image: Order; old_image: Order | null })
    expect(exit).toBe(0)
    expect(rows.map(row => row.new_image.buyer)).toEqual(
      ['Ann Secret', 'Ann Secret', 'Ann Other'].map(name => orderOf('o1', '', name).buyer),
    )
    expect(rows[0]?.new_image.lines).toEqual(orderOf('o1', '').lines)
    expect(out).not.toContain('Bob')
    expect(JSON.parse((await ask('subject', 'find', 'u-1', '--format', 'json')).out)).toMatchObject({
      state: 'readable',
      tables: [{ table: 'Orders', rows: 3, objects: 1, values: 20, clear: 0 }],
    })
  })

  it('is erased for good, while the other one stays whole and nothing breaks', async () => {
    const { ask, ingest, erase } = await makePlace()
    await ingest(LIFE)
    const before = JSON.parse((await ask('history', 'Orders', 'o1', '--format', 'json')).out)
    const { exit, out } = await erase('u-1')
    expect(exit).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      erased: true,
      certificates: [{ kind: 'erasure', table: 'Orders', rows: 3, objects: 1, values: 20, pending: [] }],
    })
    expect(out).not.toContain('u-1')
    expect((await ask('subject', 'export', 'u-1')).out).not.toMatch(/Ann|Secret/)
    expect((await ask('subject', 'export', 'u-2')).out.split('Bob Shop')).toHaveLength(6)
    expect(JSON.parse((await ask('history', 'Orders', 'o1', '--format', 'json')).out)).toEqual(before)
    expect((await ask('verify', 'rows')).exit).toBe(0)
    expect((await ask('verify', 'continuity')).exit).toBe(0)
    // again it is the same certificate
    expect(JSON.parse((await erase('u-1')).out)).toEqual(JSON.parse(out))
  })

  it('is not erased while a case holds that back, and is when the last has ended', async () => {
    const { ask, ingest, erase } = await makePlace()
    await ingest(LIFE)
    for (const name of ['C1', 'C2'])
      expect((await ask('subject', 'hold', 'u-1', '--case', name, '--reason', 'a suit')).exit).toBe(0)
    expect(await erase('u-1')).toMatchObject({ exit: 1 })
    await ask('subject', 'release', 'u-1', '--case', 'C1')
    expect(JSON.parse((await erase('u-1')).out)).toMatchObject({ erased: false, holds: [{ case: 'C2' }] })
    expect((await ask('subject', 'export', 'u-1')).out).toContain('Ann Secret')
    await ask('subject', 'release', 'u-1', '--case', 'C2')
    expect(await erase('u-1')).toMatchObject({ exit: 0 })
  })

  it('leaves nothing of late and replayed records, and gets no new key by them', async () => {
    const { archive, ask, ingest, erase } = await makePlace()
    await ingest(LIFE)
    await erase('u-1')
    expect((await ingest([...LIFE, LATER])).exit).toBe(0)
    expect(await everythingIn(archive)).not.toMatch(/Ann|Secret/)
    expect((await ask('verify', 'rows')).exit).toBe(0)
    expect((await ask('subject', 'find', 'u-1')).out).toMatch(/erased, key 1/)
    // what came again is the same change, though nothing of the person is in it any more
    expect((await ask('query', 'continuity', 'Orders')).out).not.toContain('CONFLICT')
    expect((await ask('history', 'Orders', 'o1', '--format', 'json')).out).not.toContain('CONFLICT')
    expect((await ask('subject', 'export', 'u-2')).out).toContain('"status":{"S":"SENT"}')
  })

  it('who was never seen can be erased, too', async () => {
    const { archive, ask, ingest, erase } = await makePlace()
    await ingest([recordOf(1, 'o2', null, { id: { S: 'o2' } })])
    expect(JSON.parse((await erase('u-1')).out)).toMatchObject({ certificates: [{ rows: 0, values: 0 }] })
    await ingest(LIFE)
    expect(await everythingIn(archive)).not.toMatch(/Ann|Secret/)
    expect((await ask('subject', 'renew', 'u-1')).exit).toBe(0)
    await ingest([LATER])
    expect((await ask('subject', 'export', 'u-1')).out).toContain('Ann Other')
  })

  it('is named by what was refused, however a writer escaped the id', async () => {
    const { archive, ask } = await makePlace()
    const id = 'Zoë "Z"/7'
    const record = { ...recordOf(9, 'o3', null, { id: { S: 'o3' }, buyer: { S: id } }), eventName: 'TRUNCATE' }
    const ascii = (line: string) => line.replace('ë', '\\u00EB').replace('/7', '\\/7')
    const config = join(archive, '..', 'itemtrail.config.json')
    const argv = ['ingest', '-', '--archive', archive, '--config', config]
    await run(argv, { stdin: ascii(linesOf([record])) })
    const { exit, out } = await ask('subject', 'erase', id, '--reason', 'asked')
    expect([exit, out]).toEqual([1, expect.stringContaining('has 1 refused records with the id in clear')])
    expect((await ask('subject', 'erase', 'Zoé', '--reason', 'asked')).exit).toBe(0)
  })

  it('is named by what was refused, which is said and has to go', async () => {
    const { archive, ingest, erase } = await makePlace()
    await ingest(LIFE)
    await ingest([{ ...recordOf(9, 'o3', null, orderOf('o3', 'NEW')), eventName: 'TRUNCATE' }])
    expect(await everythingIn(join(archive, 'refused'))).not.toBe('')
    const { exit, out } = await erase('u-1')
    expect(exit).toBe(1)
    expect(JSON.parse(out).certificates[0].pending).toEqual([
      expect.stringMatching(/^refused\/.* has 1 refused records with the id in clear: redrive or delete it$/),
    ])
  })

  it.each([
    ['some of', [{ subject: 'buyer.id', attributes: ['buyer.email'] }]],
    ['nothing of', undefined],
  ])('is told of in rows that had %s it sealed, once more is erasable', async (_, first) => {
    const { configure, ingest, erase, askJson } = await makePlace()
    configure(first)
    await ingest(LIFE)
    configure(ERASABLE)
    await ingest([LATER])
    expect((await askJson('subject', 'find', 'u-1')).tables).toMatchObject([{ clear: 3 }])
    const { exit, out } = await erase('u-1')
    expect([exit, JSON.parse(out).certificates[0].pending]).toEqual([
      1,
      ['3 rows of Orders name the person in clear: they were made before all was sealed that is erasable'],
    ])
  })

  it('is told of nowhere where the same was sealed otherwise, and where only a part is sealed by now', async () => {
    const { configure, ingest, erase, askJson } = await makePlace([
      { subject: 'seller.id', attributes: ['seller.name', 'buyer.name'] },
      { subject: 'buyer.id', attributes: ['lines.*.note', 'buyer.born', 'buyer.email'] },
    ])
    await ingest(LIFE)
    configure(ERASABLE)
    await ingest([LATER])
    const clear = async () => (await askJson('subject', 'find', 'u-1')).tables[0].clear
    expect([await clear(), (await erase('u-1')).exit]).toEqual([0, 0])
    configure([{ subject: 'buyer.id', attributes: ['buyer.name', 'buyer.email', 'buyer.born', 'lines'] }, ERASABLE[1]])
    expect(await clear()).toBe(4)
  })

  it('may be in what was refused after the search, which status tells until it was searched again', async () => {
    const { archive, ingest, ask, askJson, erase } = await makePlace()
    await ingest(LIFE)
    const refuse = (place: number, id: string) =>
      ingest([{ ...recordOf(place, id, null, orderOf(id, 'NEW')), eventName: 'TRUNCATE' }])
    const certificates = async () =>
      (JSON.parse((await erase('u-1')).out) as { certificates: { certificate: string; token: string }[] }).certificates
    const told = async () => (await askJson('status')).unsearched as object[]
    await refuse(9, 'o3')
    const [first] = await certificates()
    expect(await told()).toEqual([])
    // nothing new was refused, so there is nothing new to certify
    expect(await certificates()).toEqual([first])
    for (const key of refusedFilesIn(archive)) rmSync(key)
    await refuse(10, 'o4')
    expect(await told()).toEqual([expect.objectContaining({ token: first?.token, objects: 1 })])
    const { exit, out } = await ask('status')
    expect([exit, out]).toEqual([1, expect.stringContaining(`1 object was refused after `)])
    expect(out).toContain('the person may be in clear there')
    const [second] = await certificates()
    expect(second?.certificate).not.toBe(first?.certificate)
    expect(second).toMatchObject({ pending: [expect.stringMatching(/in clear/)] })
    expect(await told()).toEqual([])
    expect((await ask('verify', 'rows')).exit).toBe(0)
  })

  it('whose erasure ended before its certificate is named by status, until it is done', async () => {
    const { archive, ingest, ask, askJson, erase } = await makePlace()
    await ingest(LIFE)
    await erase('u-1')
    expect((await askJson('status')).tables[0].uncertified).toEqual([])
    const facts = join(archive, 'facts', 'Orders')
    for (const name of readdirSync(facts)) if (name.endsWith('-erasure.json')) rmSync(join(facts, name))
    const { exit, out } = await ask('status')
    expect([exit, out]).toEqual([1, expect.stringMatching(/^Orders: the erasure of [\da-f]{32}, asked for /m)])
    expect((await askJson('status')).tables[0].uncertified).toEqual([
      { token: expect.stringMatching(/^[\da-f]{32}$/), asked: expect.stringMatching(/^20.*Z$/) },
    ])
    expect((await erase('u-1')).exit).toBe(0)
    expect((await ask('status')).exit).toBe(0)
  })

  it('is sealed in every shape that the table may have', async () => {
    const { archive, ask, ingest } = await makePlace([
      { subject: 'owner', attributes: ['card.number', 'phones.*', { attribute: 'tax', keep: 'last4' }] },
    ])
    const items = [
      { owner: { N: '7' }, card: { S: 'SECRET-as-text' }, phones: { SS: ['SECRET-1', 'SECRET-2'] } },
      { owner: { S: '7' }, card: { L: [{ S: 'SECRET-in-list' }] }, phones: { M: { home: { S: 'SECRET-home' } } } },
      { card: { M: { number: { B: Buffer.from('SECRET-bytes').toString('base64') }, kind: { S: 'gold' } } } },
      { owner: { NULL: true }, phones: { L: [{ M: { '*': { S: 'SECRET-star' } } }] }, tax: { N: '123456789012' } },
    ]
    const records = items.map((item, i) => recordOf(i, `o${i}`, null, { id: { S: `o${i}` }, ...item }))
    expect((await ingest(records)).exit).toBe(0)
    expect(await everythingIn(archive)).not.toMatch(/SECRET|U0VDUkVU|123456789/)
    expect((await ask('verify', 'rows')).exit).toBe(0)
    expect((await ask('subject', 'export', '7')).out.match(/SECRET/g)).toHaveLength(5)
    expect((await ask('subject', 'export', 'item:Orders:{"id":{"S":"o2"}}')).out).toContain('U0VDUkVULWJ5dGVz')
    expect((await ask('subject', 'export', 'item:Orders:{"id":{"S":"o3"}}')).out).toContain('"N":"123456789012"')
  })

  it('keeps a delivery from being made in clear where there is no key store', async () => {
    const { archive, folder, config, ingest } = await makePlace()
    writeFileSync(config, readFileSync(config, 'utf8').replace('/keys"', '/no-keys"'))
    const { exit, err } = await ingest(LIFE)
    expect(exit).not.toBe(0)
    expect(err).toContain('is not there: itemtrail subject init makes one')
    expect(existsSync(archive)).toBe(false)
    writeFileSync(config, readFileSync(config, 'utf8').replace(`${folder}/no-keys"`, `${archive}/keys"`))
    expect((await ingest(LIFE)).err).toContain('is inside the archive')
  })

  it('has a certificate that the journal seals, and that is held against it without anything else', async () => {
    const { folder, archive, keys, ask, ingest, erase } = await makePlace()
    await ingest(LIFE)
    const key = join(folder, 'seal.key')
    expect((await ask('seal', '--init', '--key', key, '--origin', 'audit.example/orders')).exit).toBe(0)
    const [certificate] = JSON.parse((await erase('u-1')).out).certificates
    expect((await ask('seal', '--key', key)).exit).toBe(0)
    // with the keys gone, on another machine
    rmSync(keys, { recursive: true })
    const alone = (...argv: readonly string[]) => run([...argv, '--archive', archive, '--key', key])
    expect((await alone('verify', 'objects')).exit).toBe(0)
    const path = join(archive, certificate.key)
    const written = readFileSync(path, 'utf8')
    expect(hash('sha256', written).slice(0, 8)).toBe(certificate.certificate)
    chmodSync(path, 0o600)
    writeFileSync(path, written.replace('"rows":3', '"rows":2'))
    const forged = await alone('verify', 'objects')
    expect(forged.exit).toBe(1)
    expect(forged.out + forged.err).toContain(certificate.key)
  })
})
