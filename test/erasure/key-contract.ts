/** What must hold of the keys of persons wherever they are kept: a folder and a table of DynamoDB are held to it. */
import { describe, expect, it } from 'vitest'
import type { KeyName, KeyStore, SubjectKey } from '../../erasure/subject-keys.js'
import { SealingError } from '../../transform/sealed-field.js'

/** A process that seals and reads by the keys, and one that acts about persons. */
export interface KeyProcess {
  readonly store: KeyStore
  current(token: string): Promise<SubjectKey>
  find(name: KeyName): Promise<SubjectKey | undefined>
}

/** A key store of a test. */
export interface KeyPlace {
  readonly clock: { now: number }
  /** Milliseconds for which a process uses what it has read. */
  readonly cacheMs: number
  open(): Promise<KeyProcess>
  /** What an act of erasing does before it destroys. */
  fence(name: KeyName): Promise<void>
  /** All that is kept, as one text. */
  everything(): Promise<string>
  /** Puts one person's first key in the place of another's. */
  exchange(token: string, other: string): Promise<void>
  /** Makes a person's first key unreadable, as a disk or a hand might. */
  damage(token: string): Promise<void>
}

const [ERASED, LIVE] = [{ state: 'erased' }, { state: 'live' }] as const

/** Holds a key store to its promises. */
export function describeKeyStore(kind: string, makePlace: () => Promise<KeyPlace>): void {
  describe(kind, () => {
    it('gives every process the same key, and other persons other ones', async () => {
      const { open } = await makePlace()
      const [a, b] = [await open(), await open()]
      const token = a.store.tokenOf('u-1')
      expect(token).toMatch(/^[0-9a-f]{32}$/)
      expect(b.store.tokenOf('u-1')).toBe(token)
      expect(await b.current(token)).toEqual(await a.current(token))
      expect(await a.current(a.store.tokenOf('u-2'))).not.toEqual(await a.current(token))
    })

    it('gives many processes that see a person first the same key', async () => {
      const { open } = await makePlace()
      const processes = await Promise.all(Array.from({ length: 8 }, open))
      const token = (processes[0] as KeyProcess).store.tokenOf('u-1')
      const keys = await Promise.all(processes.map(one => one.current(token)))
      expect(new Set(keys.map(key => key.state === 'live' && Buffer.from(key.fieldKey).toString('hex'))).size).toBe(1)
    })

    it('keeps nothing of a destroyed key, and none comes in its place', async () => {
      const { open, clock, cacheMs, everything } = await makePlace()
      const [a, b] = [await open(), await open()]
      const name = { token: a.store.tokenOf('u-1'), generation: 1 }
      await a.current(name.token)
      const [wrapped = ''] = /(?<="wrapped":")[^"]+/.exec(await everything()) ?? []
      expect(wrapped.length).toBeGreaterThan(40)
      for (let i = 0; i < 2; i++) await b.store.destroy(name)
      expect(await everything()).not.toContain(wrapped)
      expect(await (await open()).current(name.token)).toEqual({ ...ERASED, generation: 1 })
      // what another process has read it forgets in time
      expect(await a.current(name.token)).toMatchObject(LIVE)
      clock.now += cacheMs
      expect(await a.current(name.token)).toMatchObject(ERASED)
      await a.store.make(name)
      expect(await (await open()).current(name.token)).toMatchObject(ERASED)
      expect(await (await open()).find(name)).toMatchObject(ERASED)
      expect(await a.store.newest(name.token)).toMatchObject({ ...ERASED, generation: 1 })
      expect(a.store.lingersMs).toBeGreaterThanOrEqual(cacheMs)
    })

    it('gives no key to a person who was erased before ever being seen', async () => {
      const { open } = await makePlace()
      const { store } = await open()
      const token = store.tokenOf('nobody')
      expect(await store.newest(token)).toBeUndefined()
      await store.destroy({ token, generation: 1 })
      expect(await (await open()).current(token)).toEqual({ ...ERASED, generation: 1 })
    })

    it('seals nothing new behind a fence, and can still be read', async () => {
      const { open, fence } = await makePlace()
      const { store, current } = await open()
      const [seen, unseen] = [store.tokenOf('u-1'), store.tokenOf('u-2')]
      await current(seen)
      for (const token of [seen, unseen]) await fence({ token, generation: 1 })
      for (const token of [seen, unseen]) expect(await (await open()).current(token)).toMatchObject(ERASED)
      expect(await (await open()).find({ token: seen, generation: 1 })).toMatchObject(LIVE)
      expect(await (await open()).find({ token: unseen, generation: 1 })).toBeUndefined()
    })

    it('gives a new life only when it is told to, and that can be erased, too', async () => {
      const { open } = await makePlace()
      const { store } = await open()
      const token = store.tokenOf('u-1')
      await store.destroy({ token, generation: 1 })
      await store.make({ token, generation: 2 })
      expect(await store.newest(token)).toMatchObject({ ...LIVE, generation: 2 })
      expect(await (await open()).current(token)).toMatchObject({ ...LIVE, generation: 2 })
      expect(await (await open()).find({ token, generation: 1 })).toMatchObject(ERASED)
      await store.destroy({ token, generation: 2 })
      expect(await (await open()).current(token)).toMatchObject({ ...ERASED, generation: 2 })
    })

    it('gives no key to who was erased between a new life and its first value', async () => {
      const { open } = await makePlace()
      const { store } = await open()
      const token = store.tokenOf('u-1')
      await store.destroy({ token, generation: 1 })
      await store.make({ token, generation: 2 })
      await store.destroy({ token, generation: (await store.newest(token))?.generation ?? 0 })
      expect(await (await open()).current(token)).toMatchObject({ ...ERASED, generation: 2 })
    })

    it('lets no key come back in a race with who seals', async () => {
      const { open } = await makePlace()
      const { store } = await open()
      for (let person = 0; person < 20; person++) {
        const token = store.tokenOf(`racer-${person}`)
        const sealers = await Promise.all(Array.from({ length: 3 }, open))
        await Promise.all([
          ...sealers.map(sealer => sealer.current(token)),
          store.destroy({ token, generation: 1 }),
          store.make({ token, generation: 1 }),
        ])
        expect(await (await open()).current(token)).toEqual({ ...ERASED, generation: 1 })
        expect(await (await open()).find({ token, generation: 1 })).toMatchObject(ERASED)
      }
    })

    it('does not believe a key under another name, or a damaged one', async () => {
      const { open, exchange, damage } = await makePlace()
      const { store, current } = await open()
      const [a, b] = [store.tokenOf('u-1'), store.tokenOf('u-2')]
      for (const token of [a, b]) await current(token)
      await exchange(a, b)
      const other = await open()
      await expect(other.current(a)).rejects.toThrow(/another store's, or was altered/)
      await damage(a)
      const third = await open()
      await expect(third.current(a)).rejects.toThrow(SealingError)
      expect(await third.current(b)).toMatchObject(LIVE)
    })

    it('counts the cases that hold a person, and keeps their names for good', async () => {
      const { open } = await makePlace()
      const { store } = await open()
      const token = store.tokenOf('u-1')
      const hold = { token, reason: 'a suit', by: 'me', since: '2026-11-29T00:00:00.000Z' }
      expect(await store.placeHold({ ...hold, case: 'C2' })).toBe(true)
      expect(await store.placeHold({ ...hold, case: 'C1' })).toBe(true)
      expect(await store.placeHold({ ...hold, case: 'C1', by: 'you' })).toBe(false)
      expect(await store.holdsOf(token)).toEqual([
        { ...hold, case: 'C1' },
        { ...hold, case: 'C2' },
      ])
      expect(await store.holdsOf(store.tokenOf('u-2'))).toEqual([])
      expect(await store.releaseHold(token, 'C3', 'me', hold.since)).toBe(false)
      expect(await store.releaseHold(token, 'C1', 'me', hold.since)).toBe(true)
      expect(await store.releaseHold(token, 'C1', 'me', hold.since)).toBe(false)
      expect(await store.placeHold({ ...hold, case: 'C1' })).toBe(false)
      expect((await store.holdsOf(token)).map(one => one.case)).toEqual(['C2'])
    })
  })
}
