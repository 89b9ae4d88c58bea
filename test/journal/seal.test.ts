import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ArchivePart, isOfPart } from '../../journal/archive-part.js'
import { readEntries } from '../../journal/entries.js'
import type { Entry, SealEntry, SealedEntry } from '../../journal/entry.js'
import { MOST_OBJECTS, type Sealer, seal } from '../../journal/seal.js'
import { SEALER_MEMORY } from '../../journal/seal-memory.js'
import { verifyLog } from '../../journal/verify-log.js'
import { verifyObjects } from '../../journal/verify-objects.js'
import { parseVkey, signerOf } from '../../proof/note.js'
import { ORIGIN, SEED, VKEY } from '../proof/vectors.js'
import { BEGAN, DAY_MS, dayOf, keyOf, longJournal } from './long-journal.js'
import { MemoryLog, MemoryObjects } from './memory-log.js'

const identity = { origin: ORIGIN, known: [parseVkey(VKEY)] }

function sealerOf(store: MemoryLog, objects: MemoryObjects, name = 'test', now = () => 1_795_910_400_000): Sealer {
  return { store, objects, identity, signers: [signerOf(ORIGIN, SEED)], name, now }
}

async function verifyAll(store: MemoryLog, objects: MemoryObjects) {
  const entries = new Map<string, SealedEntry>()
  const log = await verifyLog(store, identity, {
    onEntry: (_index, entry) => {
      if (entry.type === 'object@1') entries.set(entry.key, entry)
    },
  })
  const found = await verifyObjects(objects, entries, log.seals)
  return { log, found, entries }
}

describe('sealing', () => {
  it('names every object once and attests silence', async () => {
    const [store, objects] = [new MemoryLog(), new MemoryObjects()]
    objects.put('data/Orders/event_date=2026-11-01/a.parquet', 'rows')
    objects.put('refused/processing-failed/Orders/x', 'bytes')
    const first = await seal(sealerOf(store, objects))
    expect(first).toMatchObject({ objects: 2, head: { size: 3 } })
    const second = await seal(sealerOf(store, objects))
    expect(second).toMatchObject({ objects: 0, head: { size: 4 } })
    const { log, found } = await verifyAll(store, objects)
    expect(log).toMatchObject({ findings: [], remarks: [], claims: 2, entries: 4 })
    expect(log.seals.at(-1)).toMatchObject({ objects: 2, refused: { 'processing-failed': 1 }, previous_size: 3 })
    expect(found).toMatchObject({ sound: 2, findings: [], notSealed: [] })
  })

  it('goes on over many claims, and each size between can be read', async () => {
    const [store, objects] = [new MemoryLog(), new MemoryObjects()]
    for (let i = 0; i < 300; i++) {
      objects.put(`facts/Orders/${String(i).padStart(4, '0')}.json`, `fact ${i}`)
      if (i % 7 === 0) await seal(sealerOf(store, objects))
    }
    await seal(sealerOf(store, objects))
    const { log, found } = await verifyAll(store, objects)
    expect(log.findings).toEqual([])
    expect(found).toMatchObject({ sound: 300, findings: [] })
  })

  it('takes nothing for sealed that was not, whatever step it dies at', async () => {
    for (let death = 1; death < 40; death++) {
      let calls = 0
      let dead = true
      const store = new MemoryLog(async () => {
        if (dead && ++calls === death) throw new Error('died')
        return 'do'
      })
      const objects = new MemoryObjects()
      for (let i = 0; i < 5; i++) objects.put(`config/Orders/${i}.json`, String(i))
      await seal(sealerOf(store, objects)).catch(() => {})
      dead = false
      objects.put('config/Orders/late.json', 'late')
      await seal(sealerOf(store, objects))
      const { log, found } = await verifyAll(store, objects)
      expect({ death, findings: log.findings, sound: found.sound }).toEqual({ death, findings: [], sound: 6 })
      expect(await store.list('staging/')).toEqual([])
    }
  })

  it.each([
    ['claims and checkpoint', () => true],
    ['the last claim', (path: string) => path !== 'next/00000000000000000000'],
  ])('claims nothing where files are there that no claim led to: without %s', async (_, isGone) => {
    const [store, objects] = [new MemoryLog(), new MemoryObjects()]
    objects.put('facts/Orders/a.json', 'a')
    const { head } = await seal(sealerOf(store, objects))
    objects.put('facts/Orders/b.json', 'b')
    await seal(sealerOf(store, objects))
    for (const path of store.files.keys())
      if (path === 'checkpoint' || (path.startsWith('next/') && isGone(path))) store.files.delete(path)
    if (!isGone('next/00000000000000000000')) store.files.set('checkpoint', Buffer.from(head.note as string))
    const before = new Map(store.files)
    const later = () => 1_795_910_460_000
    await expect(seal(sealerOf(store, objects, 'test', later))).rejects.toThrow(
      /is there, and no claim led to it: the journal was cut/,
    )
    expect(store.files).toEqual(before)
  })

  it('goes on where the answer of any put was lost', async () => {
    for (let lost = 1; lost < 12; lost++) {
      let writes = 0
      let isFirst = true
      const store = new MemoryLog(async call =>
        isFirst && (call === 'add' || call === 'replace') && ++writes === lost ? 'lose answer' : 'do',
      )
      const objects = new MemoryObjects()
      objects.put('config/Orders/a.json', 'a')
      await seal(sealerOf(store, objects)).catch(() => {})
      isFirst = false
      await seal(sealerOf(store, objects))
      const { log, found } = await verifyAll(store, objects)
      expect({ lost, findings: log.findings, found: found.findings, sound: found.sound }).toEqual({
        lost,
        findings: [],
        found: [],
        sound: 1,
      })
    }
  })

  it('forks under no interleaving of two sealers that see different objects', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 0, max: 3 }), async (s, extra) => {
        const store = new MemoryLog()
        const objects = new MemoryObjects()
        for (let i = 0; i < 3; i++) objects.put(`config/Orders/${i}.json`, String(i))
        const other = new MemoryObjects()
        for (const [key, value] of objects.objects) other.objects.set(key, value)
        for (let i = 0; i < extra; i++) objects.put(`facts/Orders/${i}.json`, String(i))
        const scheduled = (name: string, seen: MemoryObjects) => {
          const slow = new MemoryLog(async () => {
            await s.schedule(Promise.resolve())
            return 'do'
          })
          Object.assign(slow, { files: store.files })
          return seal(sealerOf(slow, seen, name)).catch(error => error)
        }
        const both = Promise.all([scheduled('one', objects), scheduled('two', other)])
        await s.waitFor(both)
        await seal(sealerOf(store, objects))
        const { log, found } = await verifyAll(store, objects)
        expect(log.findings).toEqual([])
        expect(found).toMatchObject({ sound: 3 + extra, findings: [] })
      }),
      { numRuns: 300 },
    )
  })
})

/** An archive that can list what is new alone, by the days of its keys. */
class DatedObjects extends MemoryObjects {
  async listPart(part: ArchivePart) {
    return (await this.list('')).filter(({ key }) => isOfPart(part, key))
  }
}

describe('sealing by day', () => {
  const HOUR = 3_600_000
  const day = (time: number) => new Date(time).toISOString().slice(0, 10)

  it('leaves no object for longer than a day and a run, and no honest history is found fault with', async () => {
    const step = fc.record({
      hours: fc.integer({ min: 1, max: 9 }),
      objects: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }),
      // a run that ends after so many objects
      time: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async steps => {
        const [store, objects] = [new MemoryLog(), new DatedObjects()]
        let [now, count] = [1_795_910_400_000, 0]
        const sealFor = async (time?: number) => {
          let left = time ?? Number.POSITIVE_INFINITY
          await seal({ ...sealerOf(store, objects, 'test', () => now), hasTime: () => left-- > 0 })
        }
        for (const { hours, objects: ages, time } of steps) {
          for (const age of ages)
            objects.put(`data/Orders/event_date=${day(now - age * 24 * HOUR)}/${count++}.parquet`, 'rows', now)
          now += hours * HOUR
          await sealFor(time)
          const { log, found } = await verifyAll(store, objects)
          expect([...log.findings, ...found.findings]).toEqual([])
        }
        now += 24 * HOUR
        await sealFor()
        const { found, log } = await verifyAll(store, objects)
        expect(found).toMatchObject({ sound: count, notSealed: [], findings: [] })
        expect(log.seals.at(-1)?.partial).toBeUndefined()
      }),
      { numRuns: 100 },
    )
  })

  it('does not take a run for whole that listed new days before midnight and ended after it', async () => {
    const [store, objects] = [new MemoryLog(), new DatedObjects()]
    const midnight = Date.parse('2026-11-30T00:00:00Z')
    await seal(sealerOf(store, objects, 'test', () => midnight - HOUR))
    objects.put('data/Orders/event_date=2026-01-01/late.parquet', 'rows', midnight - HOUR)
    for (let i = 0; i <= MOST_OBJECTS; i++) objects.put(`config/Orders/${i}.json`, 'x', midnight - HOUR)
    let calls = 0
    await seal(sealerOf(store, objects, 'test', () => midnight + (calls++ < 2 ? -1 : 1)))
    const { log } = await verifyAll(store, objects)
    expect(log.seals.map(({ partial }) => partial)).toEqual([undefined, true, true])
  })

  it('finds an object that two whole sealings passed over, and none that partial ones did', async () => {
    const [store, objects] = [new MemoryLog(), new DatedObjects()]
    let now = 1_795_910_400_000
    const sealNow = () => seal(sealerOf(store, objects, 'test', () => now))
    await sealNow()
    for (let i = 0; i < 3; i++) {
      now += HOUR
      await sealNow()
    }
    const late = 'data/Orders/event_date=2026-01-01/late.parquet'
    objects.put(late, 'rows', now - 2 * HOUR)
    expect((await verifyAll(store, objects)).found).toMatchObject({ notSealed: [late], findings: [] })
    objects.objects.delete(late)
    objects.put('config/Orders/newer.json', 'newer', now)
    for (let i = 0; i < 2; i++) {
      now += 24 * HOUR
      await sealNow()
    }
    objects.put(late, 'rows', now - 49 * HOUR)
    expect((await verifyAll(store, objects)).found.findings).toMatchObject([{ kind: 'unlisted', key: late }])
    // of what is newer than all that was listed nobody knows whether it was there
    objects.put(late, 'rows', now - 47 * HOUR)
    expect((await verifyAll(store, objects)).found).toMatchObject({ notSealed: [late], findings: [] })
  })
})

type Verified = Awaited<ReturnType<typeof verifyAll>>

/** How many honest histories there are: `ITEMTRAIL_HISTORIES=1000` for more of them. */
const HISTORIES = Number(process.env.ITEMTRAIL_HISTORIES ?? 30)

it('finds no fault with an honest history of late objects, several sealers at once and crashes, nor while they seal', async () => {
  const HOUR = 3_600_000
  const sealer = fc.record({
    // the call to its store that it dies at, if it comes to it
    death: fc.option(fc.integer({ min: 1, max: 25 }), { nil: undefined }),
    lost: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
    // its clock, in seconds off
    skew: fc.integer({ min: -600, max: 600 }),
    byDay: fc.boolean(),
  })
  const step = fc.record({
    ages: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }),
    sealers: fc.array(sealer, { minLength: 1, maxLength: 3 }),
    hours: fc.integer({ min: 1, max: 30 }),
  })
  let [crashed, raced, sealed] = [0, 0, 0]
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 3, maxLength: 12 }), async (s, steps) => {
      const [store, objects] = [new MemoryLog(), new DatedObjects()]
      let [now, count] = [1_795_910_400_000, 0]
      for (const { ages, sealers, hours } of steps) {
        // longer than clocks differ: two sealers that are ahead pass over what comes before their time is
        now += HOUR
        for (const age of ages) {
          const day = new Date(now - age * 24 * HOUR).toISOString().slice(0, 10)
          objects.put(`data/Orders/event_date=${day}/${count++}.parquet`, 'rows', now)
        }
        now += hours * HOUR
        const runs = sealers.map(async ({ death, lost, skew, byDay }, i) => {
          let [calls, writes] = [0, 0]
          const slow = new MemoryLog(async call => {
            await s.schedule(Promise.resolve())
            if (++calls === death) throw new Error('died')
            const writing = call === 'add' || call === 'replace'
            return writing && ++writes === lost ? 'lose answer' : 'do'
          })
          Object.assign(slow, { files: store.files })
          const seen = byDay ? objects : Object.assign(new MemoryObjects(), { objects: objects.objects })
          return seal(sealerOf(slow, seen, `sealer ${i}`, () => now + skew * 1000))
        })
        if (runs.length > 1) raced++
        const watched = new MemoryLog(async () => {
          await s.schedule(Promise.resolve())
          return 'do'
        })
        Object.assign(watched, { files: store.files })
        const [meanwhile, ...ended] = await s.waitFor(Promise.allSettled([verifyAll(watched, objects), ...runs]))
        const seen = meanwhile?.status === 'fulfilled' ? meanwhile.value : undefined
        expect(seen && [...(seen as Verified).log.findings, ...(seen as Verified).found.findings]).toEqual([])
        crashed += ended.filter(({ status }) => status === 'rejected').length
        const { log, found } = await verifyAll(store, objects)
        expect([...log.findings, ...found.findings]).toEqual([])
      }
      now += 48 * HOUR
      await seal(sealerOf(store, objects, 'last', () => now))
      const { log, found } = await verifyAll(store, objects)
      expect([...log.findings, ...found.findings]).toEqual([])
      expect(found).toMatchObject({ sound: count, notSealed: [] })
      sealed += log.seals.length
    }),
    { numRuns: HISTORIES },
  )
  // that the histories were what the title says
  expect([crashed, raced, sealed].every(number => number > HISTORIES)).toBe(true)
  if (process.env.ITEMTRAIL_HISTORIES !== undefined)
    console.info(`${HISTORIES} histories: ${sealed} seals, ${raced} races, ${crashed} deaths`)
}, 600_000)

describe('sealing an archive that is too large for one list', () => {
  const HOUR = 3_600_000
  const JOURNAL = { objectsADay: 64, days: 60 }

  /** The archive of a journal of sixty days, and a sealer that lists the days of four of its fifteen bundles a run. */
  async function large() {
    const { files, heads } = await longJournal(JOURNAL)
    const read: string[] = []
    const store = new MemoryLog(async (call, path) => {
      if (call === 'read') read.push(path)
      return 'do'
    })
    for (const [path, bytes] of files) store.files.set(path, bytes)
    const objects = new DatedObjects()
    for (let day = 0; day < JOURNAL.days; day++)
      for (let i = 0; i < JOURNAL.objectsADay; i++) objects.put(keyOf(day, i), 'rows', BEGAN + (day + 0.5) * DAY_MS)
    const told: string[] = []
    // the day after the last seal
    const clock = { now: BEGAN + (JOURNAL.days + 1) * DAY_MS }
    const sealer = {
      ...sealerOf(store, objects, 'test', () => clock.now),
      bundles: 4,
      tell: (it: string) => told.push(it),
    }
    const run = async () => {
      clock.now += HOUR
      read.length = 0
      const found = await seal(sealer)
      const entries: Entry[] = []
      for await (const { entry } of readEntries(async path => store.files.get(path), {
        from: 0,
        to: found.head.size,
        size: found.head.size,
      }))
        if (entry !== undefined) entries.push(entry)
      const last = entries.at(-1) as SealEntry
      return { ...found, last, keys: entries.flatMap(entry => (entry.type === 'object@1' ? [entry.key] : [])) }
    }
    const bundlesRead = () => new Set(read.filter(path => path.startsWith('tile/entries/'))).size
    return { store, objects, clock, run, told, size: heads.at(-1)?.size as number, bundlesRead }
  }

  it('lists it over several runs, reads what that takes, and then says that nothing is left', async () => {
    const { objects, clock, run, size, bundlesRead, store, told } = await large()
    const late = `data/Orders/event_date=${dayOf(30)}/late.parquet`
    objects.put(late, 'rows', clock.now + HOUR / 2)
    const partial: (true | undefined)[] = []
    for (let i = 0; i < 5; i++) {
      const { last } = await run()
      partial.push(last.partial)
      // the journal is read whole by the first run, which knows nothing
      if (i > 0) expect(bundlesRead()).toBeLessThan(12)
    }
    expect(partial).toEqual([true, true, true, true, undefined])
    const { keys, last } = await run()
    expect(last.partial).toBe(true)
    expect(bundlesRead()).toBeLessThan(6)
    // each once, and what came late
    expect(keys.length).toBe(new Set(keys).size)
    expect(keys.length).toBe(JOURNAL.days * JOURNAL.objectsADay + 1)
    const { log } = await verifyAll(store, objects)
    expect(log).toMatchObject({ findings: [], remarks: [], entries: size + 6 + 1 })
    const whole = log.seals.findLast(({ partial }) => partial === undefined)
    // whatever came after the list was begun may not be on it
    expect(Date.parse(whole?.newest ?? '')).toBeLessThan(BEGAN + 60 * DAY_MS)
    expect(told).toEqual([])
  })

  it('takes what comes late within a turn and a day, whenever it comes', async () => {
    const { objects, clock, run } = await large()
    for (const [i, day] of [50, 3, 20, 45, 8].entries()) {
      const late = `data/Orders/event_date=${dayOf(day)}/late.parquet`
      objects.put(late, 'rows', clock.now + 1)
      let runs = 0
      for (let keys: readonly string[] = []; !keys.includes(late); runs++) ({ keys } = await run())
      expect({ i, runs, isSoon: runs <= 24 + 5 }).toEqual({ i, runs, isSoon: true })
    }
  })

  it('seals nothing twice where what it kept is gone, damaged or of another journal', async () => {
    const { store, run, told } = await large()
    await run()
    const kept = store.files.get(SEALER_MEMORY) as Uint8Array
    const other = Buffer.from(kept)
      .toString()
      .replace(/"root":"./, '"root":"f')
    for (const [bytes, says] of [
      [undefined, []],
      [Buffer.from('x'), ['staging/known: is no JSON']],
      [kept.slice(0, 200), ['staging/known: is not as it was written']],
      [Buffer.from(other), ['staging/known: is not as it was written']],
    ] as const) {
      if (bytes === undefined) store.files.delete(SEALER_MEMORY)
      else store.files.set(SEALER_MEMORY, bytes)
      told.length = 0
      const { keys } = await run()
      expect(keys.length).toBe(new Set(keys).size)
      expect(told).toEqual(says.map(text => expect.stringContaining(text)))
    }
  })
})
