/**
 * How a compaction goes about its days where statements fail or take long; what the statements do is tested on Trino.
 */
import { tableFromArrays } from 'apache-arrow'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Published } from '../../derived/compactor.js'
import { groupByDay, readCoverage, usableCheckpoints } from '../../derived/coverage.js'
import { readManifest } from '../../derived/manifest.js'
import { createStackCompactor } from '../../derived/stack-compactor.js'
import { QueryError } from '../../queries/engines/engine.js'
import type { ObjectEntry } from '../../store/objects.js'
import { manifestKey } from '../../transform/derived.js'
import { unconfiguredTable } from '../../transform/table-configuration.js'

const GB = 1024 ** 3
const TENTH = Math.round(GB / 10)
const HUNDREDTH = Math.round(GB / 100)
const MINUTE_MS = 60_000
const FIRST = Date.UTC(2026, 0, 1)
const dayAt = (i: number) => new Date(FIRST + i * 24 * 60 * MINUTE_MS).toISOString().slice(0, 10)

type Kind = 'unload' | 'check' | 'checkpoint' | 'states' | 'answer' | 'answer check'

/** A table of so many days, and an Athena that answers as if all were well, or does what it is told before. */
class Simulation {
  clock = 0
  today = Date.UTC(2027, 0, 1)
  readonly archive = new Map<string, ObjectEntry>()
  readonly statements: Kind[] = []
  readonly published: Published[] = []
  checkpointBytes = Number.POSITIVE_INFINITY
  /** Told of each statement, its days and their bytes. */
  act: (kind: Kind, days: readonly string[], bytes: number, signal: AbortSignal) => void = () => {}
  /** Days that Athena shows nothing of. */
  unseen: readonly string[] = []
  replace = (text: string) => {
    this.manifestText = text
  }
  private manifestText: string | undefined
  private readonly lists = new Map<string, string>()
  private readonly derived: ObjectEntry[] = []
  private readonly timeouts: { readonly at: number; readonly controller: AbortController }[] = []

  constructor(days: number, bytes: number) {
    for (let i = 0; i < days; i++) this.add(dayAt(i), bytes)
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(ms => {
      const controller = new AbortController()
      this.timeouts.push({ at: this.clock + ms, controller })
      return controller.signal
    })
  }

  add(day: string, bytes: number, name = 'a'): void {
    const key = `data/T/event_date=${day}/${name}.parquet`
    this.archive.set(key, { key, bytes, etag: 'e', modified: 0, storageClass: 'STANDARD' })
  }

  pass(ms: number): void {
    this.clock += ms
    for (const { at, controller } of this.timeouts) if (at <= this.clock) controller.abort(new Error('time is up'))
  }

  /** A call with 14 minutes; what it throws. */
  async call(minutes = 14): Promise<(Error & { readonly details?: readonly string[] }) | undefined> {
    const end = this.clock + minutes * MINUTE_MS
    const objects = () => [...this.archive.values()]
    const compact = createStackCompactor({
      engine: { run: async (sql, _, options) => this.answer(sql, options?.signal as AbortSignal) },
      archive: {
        entries: async prefix => objects().filter(({ key }) => key.startsWith(prefix)),
        folders: async () => objects().map(({ key }) => key.slice(0, key.lastIndexOf('/') + 1)),
      },
      derived: {
        entries: async prefix => this.derived.filter(({ key }) => key.startsWith(prefix)),
        openTagged: async key => {
          const text = this.textOf(key)
          return text === undefined ? undefined : { text, etag: text }
        },
        replace: async (key, text) => {
          if (key === manifestKey('T')) this.replace(text)
          else this.lists.set(key, text)
        },
        remove: async keys => {
          for (const key of keys)
            this.derived.splice(
              this.derived.findIndex(file => file.key === key),
              1,
            )
        },
      },
      configuration: { ...unconfiguredTable('T'), since: '2026-01-01' },
      database: 'audit',
      location: 's3://derived/',
      runBytes: 8 * GB,
      checkpointBytes: this.checkpointBytes,
      onPublished: one => this.published.push(one),
      now: () => this.today,
    })
    const signal = AbortSignal.timeout(end - this.clock)
    return compact({ signal, left: () => end - this.clock }).then(
      () => undefined,
      error => error,
    )
  }

  manifest() {
    return readManifest(this.manifestText as string, 'manifest', 'T')
  }

  textOf(key: string): string | undefined {
    return key === manifestKey('T') ? this.manifestText : this.lists.get(key)
  }

  /** What of the manifest is as it was copied, and the days that checkpoints do for. */
  async usable() {
    const listed = groupByDay([...this.archive.values()])
    const openTagged = async (key: string) => {
      const text = this.textOf(key)
      return text === undefined ? undefined : { text, etag: text }
    }
    const coverage = await readCoverage({ openTagged }, 'T', this.manifest(), listed)
    const checkpoints = usableCheckpoints(this.manifest(), coverage).map(({ day }) => day)
    return { ...coverage, checkpoints }
  }

  /** The name of the run that stands for a day. */
  async runOf(day: string): Promise<string | undefined> {
    return (await this.usable()).days.get(day)?.name
  }

  covered(): readonly string[] {
    return this.manifestText === undefined ? [] : this.manifest().runs.flatMap(run => daysIn(run.days))
  }

  private answer(sql: string, signal: AbortSignal) {
    const kind = kindOf(sql)
    this.statements.push(kind)
    const ranges = [...sql.matchAll(/event_date between '([^']*)' and '([^']*)'/g)]
    const inRange = (day: string) => ranges.some(([, from = '', to = '']) => day >= from && day <= to)
    const objects = [...this.archive.values()].filter(({ key }) => inRange(key.slice(18, 28)))
    const days = [...new Set(objects.map(({ key }) => key.slice(18, 28)))]
    this.act(
      kind,
      days,
      objects.reduce((sum, { bytes }) => sum + bytes, 0),
      signal,
    )
    if (signal.aborted) throw new QueryError('the statement was stopped')
    const target = /to 's3:\/\/derived\/([^']*)'/.exec(sql)?.[1]
    if (target !== undefined) {
      const key = `${target}${kind === 'unload' ? 'bucket=0/' : ''}rows`
      this.derived.push({ key, bytes: 10, etag: 'e', modified: 0, storageClass: 'STANDARD' })
    }
    if (kind === 'answer check') return tableFromArrays({ rows_kept: ['1'], digest: ['d'] })
    if (kind === 'states') return tableFromArrays({ items: ['1'], digest: ['d'] })
    const seen = days.filter(day => !this.unseen.includes(day))
    if (kind !== 'check' || seen.length === 0) return tableFromArrays({ side: [] as string[] })
    const both = <T>(value: T) => [value, value]
    return tableFromArrays({
      side: ['archive', 'copy'],
      deliveries: both('1'),
      rows_kept: both('1'),
      digest: both('1-1'),
      strange: both('0'),
      began_us: both('1'),
      sample_key: both('{"id":{"S":"A"}}'),
      days: both(seen.join(' ')),
    })
  }
}

/** Days of this simulation in some ranges. */
function daysIn(ranges: readonly (readonly [first: string, last: string])[]): readonly string[] {
  const days = Array.from({ length: 400 }, (_, i) => dayAt(i))
  return days.filter(day => ranges.some(([first, last]) => day >= first && day <= last))
}

function kindOf(sql: string): Kind {
  const [, folder] = /to 's3:\/\/derived\/derived\/T\/(\w+)\//.exec(sql) ?? []
  if (folder !== undefined) return folder === 'changes' ? 'unload' : folder === 'answers' ? 'answer' : 'checkpoint'
  if (/^select cast\(count\(\*\) as varchar\) as rows_kept/.test(sql)) return 'answer check'
  return sql.includes('rows_kept') ? 'check' : 'states'
}

const failing = () => {
  throw new QueryError('athena query failed: TABLE_NOT_FOUND')
}

describe('a compaction', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each([2, 0.5, 0.1])('gets on where Athena writes %d GB a minute', async rate => {
    const table = new Simulation(300, TENTH)
    table.act = (kind, _, bytes, signal) => {
      if (kind !== 'unload') return
      for (let ms = bytes / GB / rate / 3 / (1 / MINUTE_MS); ms > 0 && !signal.aborted; ms -= 1000) table.pass(1000)
    }
    let before = 0
    for (let i = 0; i < 6; i++) {
      expect(await table.call()).toBeUndefined()
      expect(table.covered().length).toBeGreaterThan(before)
      before = table.covered().length
      if (before === 300) break
    }
  })

  it('says that it got nowhere where even a day takes too long', async () => {
    const table = new Simulation(3, GB)
    table.act = () => table.pass(60 * MINUTE_MS)
    expect((await table.call())?.message).toMatch(/stopped|was not written in/)
    expect(table.covered()).toEqual([])
  })

  it('gives up soon where every statement fails, and tells why', async () => {
    const table = new Simulation(365, HUNDREDTH)
    table.act = failing
    const error = await table.call()
    expect(error?.message).toContain('TABLE_NOT_FOUND')
    expect(table.statements.length).toBeLessThan(30)
  })

  it('writes once where it may not publish', async () => {
    const table = new Simulation(365, HUNDREDTH)
    table.replace = () => {
      throw Object.assign(new Error('Access Denied'), { name: 'AccessDenied' })
    }
    expect((await table.call())?.message).toBe('Access Denied')
    expect(table.statements.filter(kind => kind === 'check')).toHaveLength(1)
  })

  it.each([0, 10, 29])('copies all days but a bad one, the one at place %d, and tells of it', async place => {
    const table = new Simulation(30, HUNDREDTH)
    table.act = (kind, days) => {
      if (kind === 'check' && days.includes(dayAt(place))) throw new QueryError('HIVE_BAD_DATA')
    }
    expect((await table.call())?.message).toBe('HIVE_BAD_DATA')
    expect(table.covered()).toHaveLength(29)
    const statements = table.statements.length
    await table.call()
    expect(table.statements.length - statements).toBeLessThan(10)
  })

  it('tells of every bad day', async () => {
    const table = new Simulation(6, HUNDREDTH)
    table.act = (kind, days) => {
      for (const place of [1, 4])
        if (kind === 'check' && days.includes(dayAt(place))) throw new QueryError(`bad ${place}`)
    }
    const { message, details } = (await table.call()) ?? {}
    expect([message, details]).toEqual(['bad 1', ['bad 4']])
  })

  it('asks no more for days of which Athena shows nothing, until they change', async () => {
    const table = new Simulation(1, GB)
    table.unseen = [dayAt(0)]
    expect(await table.call()).toBeUndefined()
    expect([table.covered(), Object.keys(table.manifest().unseen)]).toEqual([[], [dayAt(0)]])
    const statements = table.statements.length
    await table.call()
    expect(table.statements).toHaveLength(statements)
    table.unseen = []
    table.add(dayAt(0), GB, 'b')
    await table.call()
    expect(table.covered()).toEqual([dayAt(0)])
  })

  it('ends where objects are empty and fail', async () => {
    const table = new Simulation(2, 0)
    table.act = failing
    expect(await table.call(Number.POSITIVE_INFINITY)).toBeDefined()
    expect(table.statements.length).toBeLessThan(10)
  })

  it('does not write a run again of which Athena would not see all', async () => {
    const table = new Simulation(4, TENTH)
    table.today = Date.parse(dayAt(3))
    await table.call()
    const run = await table.runOf(dayAt(1))
    const key = `data/T/event_date=${dayAt(1)}/a.parquet`
    table.archive.set(key, { ...(table.archive.get(key) as ObjectEntry), storageClass: 'GLACIER' })
    table.today = Date.parse(dayAt(6))
    await table.call()
    expect(table.covered()).toHaveLength(4)
    expect(await table.runOf(dayAt(0))).toBe(run)
  })

  it('keeps answers of all days that are covered, anew with each run, and not while one is another', async () => {
    const table = new Simulation(4, TENTH)
    await table.call()
    const kept = table.manifest().answers
    expect(new Set(kept.map(({ statement }) => statement)).size).toBe(3)
    await table.call()
    expect(table.manifest().answers).toEqual(kept)

    // a day that has to wait: what was kept does for the others, and none is made
    table.add(dayAt(1), TENTH, 'late')
    table.today = Date.parse(dayAt(1))
    const statements = table.statements.length
    await table.call()
    expect(table.statements).toHaveLength(statements)
    table.today = Date.UTC(2027, 0, 1)
    await table.call()
    const { answers, replaced } = table.manifest()
    expect(answers.map(({ statement }) => statement)).toEqual(kept.map(({ statement }) => statement))
    expect(replaced.map(({ name }) => name)).toEqual(expect.arrayContaining(kept.map(({ name }) => name)))
  })

  it('tells of an answer that cannot be kept, and keeps the others', async () => {
    const table = new Simulation(2, TENTH)
    let asked = 0
    table.act = kind => {
      if (kind === 'answer' && asked++ === 0) throw new QueryError('resources exhausted')
    }
    expect((await table.call())?.message).toBe('resources exhausted')
    expect(table.manifest().answers).toHaveLength(2)
    expect(await table.call()).toBeUndefined()
    expect(table.manifest().answers).toHaveLength(3)
  })

  it('forgets checkpoints of days that are gone or another, and makes them again', async () => {
    const table = new Simulation(20, TENTH)
    table.checkpointBytes = 10 * TENTH
    table.today = Date.parse(dayAt(10))
    await table.call()
    const usable = async () => {
      const { until, checkpoints } = await table.usable()
      return [until, checkpoints]
    }
    expect(await usable()).toEqual([dayAt(9), [dayAt(9)]])
    table.archive.delete(`data/T/event_date=${dayAt(3)}/a.parquet`)
    expect(await usable()).toEqual([dayAt(2), []])
    table.checkpointBytes = Number.POSITIVE_INFINITY
    table.today = Date.parse(dayAt(12))
    await table.call()
    expect(await usable()).toEqual([dayAt(11), []])
    table.checkpointBytes = 11 * TENTH
    await table.call()
    expect(await usable()).toEqual([dayAt(11), [dayAt(11)]])
  })

  it('makes checkpoints of fewer days where all are too many', async () => {
    const table = new Simulation(40, TENTH)
    table.checkpointBytes = GB
    table.act = (kind, _, bytes) => {
      if (kind === 'states' && bytes > GB) throw new QueryError('resources exhausted')
      if (kind === 'checkpoint') throw new QueryError('resources exhausted')
    }
    const { message } = (await table.call()) ?? {}
    expect(message).toBe('resources exhausted')
    expect(table.covered()).toHaveLength(40)
    expect(table.statements.filter(kind => kind === 'checkpoint').length).toBeGreaterThan(1)
  })
})
