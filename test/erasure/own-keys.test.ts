/** A key store that is another archive's. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openArchive } from '../../index.js'
import { everythingIn } from './everything-in.js'
import { LATER, LIFE, makePlace } from './orders.js'

const OTHER = 'has no key of the first rows of "Orders": it is another archive\'s'

describe('a key store of another archive', () => {
  it('neither erases nor finds, opens or seals anything', async () => {
    const [place, other] = [await makePlace(), await makePlace()]
    await place.ingest(LIFE)
    await other.ingest(LIFE)
    rmSync(place.keys, { recursive: true })
    cpSync(other.keys, place.keys, { recursive: true })
    const before = await everythingIn(place.archive)
    for (const { exit, err } of [
      await place.erase('u-1'),
      await place.ask('subject', 'find', 'u-1'),
      await place.ask('history', 'Orders', 'o1', '--reveal'),
      await place.ask('query', 'changes-of-subject', 'Orders', '--subject', 'u-1'),
      await place.ingest([LATER]),
    ])
      expect([exit, err]).toEqual([3, expect.stringContaining(OTHER)])
    expect(await everythingIn(place.archive)).toBe(before)
    await expect(openArchive(place.archive, { keys: place.keys })).rejects.toThrow(OTHER)
  })

  it('has nobody told that an item was never seen, whose key is a token of the own one', async () => {
    const [place, other] = [await makePlace(), await makePlace()]
    for (const { config, ingest } of [place, other]) {
      const told = JSON.parse(readFileSync(config, 'utf8'))
      told.tables.Orders.keyIsPersonal = ['id']
      writeFileSync(config, JSON.stringify(told))
      await ingest(LIFE)
    }
    expect((await place.ask('history', 'Orders', 'o1')).exit).toBe(0)
    rmSync(place.keys, { recursive: true })
    cpSync(other.keys, place.keys, { recursive: true })
    const { exit, err } = await place.ask('history', 'Orders', 'o1')
    expect([exit, err]).toEqual([3, expect.stringContaining(OTHER)])
    expect(err).not.toContain('never seen')
  })

  it('is told from the own one, all of whose keys are destroyed', async () => {
    const { ask, ingest, erase, archive, keys } = await makePlace()
    await ingest(LIFE)
    for (const id of ['u-1', 'u-2']) expect((await erase(id)).exit).toBe(0)
    expect((await ask('subject', 'find', 'u-1')).out).toContain('erased')
    expect((await ingest([LATER])).exit).toBe(0)
    await (await openArchive(archive, { keys })).close()
  })

  it('is told of an id that no row has', async () => {
    const { ask, ingest } = await makePlace()
    await ingest(LIFE)
    const mistyped = await ask('subject', 'erase', 'U-1', '--reason', 'asked')
    expect([mistyped.exit, mistyped.err]).toEqual([0, expect.stringContaining('no row is of this person')])
    expect((await ask('subject', 'erase', 'u-1', '--reason', 'asked')).err).not.toContain('no row')
  })
})
