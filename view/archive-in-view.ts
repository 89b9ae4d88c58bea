import { hash } from 'node:crypto'
import type { OpenArchive } from '../library/archive.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import type { QuestionAsked } from '../queries/answers/asked-archive.js'
import { FACTS_PREFIX, LOG_PREFIX, SEALED_PREFIXES } from '../transform/layout.js'

/** What a page looks at: the archive as it was when it was last opened. */
export interface Looked {
  readonly archive: OpenArchive
  /** The verdict about what was asked, found out once. */
  readonly verdict: (asked: QuestionAsked) => Promise<AnswerVerdict | undefined>
  /** What `make` finds out of this state of the archive, once. */
  readonly once: <T>(key: string, make: () => Promise<T>) => Promise<T>
}

/** An archive that is opened anew when it has grown, so that no page shows less than there is. */
export class ArchiveInView {
  private current: Promise<Opened> | undefined
  /** Looking at what is there by now, once for all who ask meanwhile. */
  private checking: Promise<Opened> | undefined
  private checked = 0
  private readonly ending = new AbortController()

  constructor(
    /** The signal ends whatever statement still runs. */
    private readonly open: (signal: AbortSignal) => Promise<OpenArchive>,
    /** How long a look at what is there is good for. */
    private readonly freshMs = 1000,
  ) {}

  /** Hands over the archive as it is by now; it stays open until `use` has ended. */
  async look<T>(use: (looked: Looked) => Promise<T>): Promise<T> {
    const opened = await this.fresh()
    opened.users++
    try {
      return await use(opened)
    } finally {
      opened.users--
      if (opened.isOld && opened.users === 0) await opened.archive.close()
    }
  }

  /** Ends what is still being found out, and closes: an engine that is closed under a statement may never return. */
  async close(): Promise<void> {
    this.ending.abort()
    const opened = await this.current?.catch(() => undefined)
    await opened?.quiet()
    await opened?.archive.close()
  }

  private fresh(): Promise<Opened> {
    if (this.current === undefined) return this.renew()
    if (this.checking === undefined && Date.now() - this.checked < this.freshMs) return this.current
    this.checking ??= this.check(this.current).finally(() => {
      this.checking = undefined
    })
    return this.checking
  }

  private async check(current: Promise<Opened>): Promise<Opened> {
    const opened = await current
    this.checked = Date.now()
    if ((await stateOf(opened.archive)) === opened.state) return opened
    opened.isOld = true
    try {
      return await this.renew()
    } finally {
      if (opened.users === 0) await opened.archive.close()
    }
  }

  private renew(): Promise<Opened> {
    this.checked = Date.now()
    const opening = this.open(this.ending.signal).then(async archive => new Opened(archive, await stateOf(archive)))
    this.current = opening
    // one that cannot be opened may be by the next look
    opening.catch(() => {
      this.current = undefined
    })
    return opening
  }
}

/** What is kept of one state of the archive: a few of what has rows, for each may be as large as a table. */
const MOST_KEPT = { rows: 12, others: 500 }
const HAS_ROWS = /^(history|until|list|as of|answer|sample|change) /

const FAILURE_KEPT_MS = 10_000

class Opened implements Looked {
  users = 0
  isOld = false
  private readonly making = new Set<Promise<unknown>>()
  private readonly known = new Map<string, Promise<unknown>>()

  constructor(
    readonly archive: OpenArchive,
    readonly state: string,
  ) {}

  verdict = (asked: QuestionAsked) => {
    const { query, table, parameters, sql } = asked
    const key = JSON.stringify([query, table, [...parameters], query === undefined ? sql : ''])
    return this.once(`verdict ${key}`, () => this.archive.verdict(asked))
  }

  /** When nothing is being found out any more. */
  async quiet(): Promise<void> {
    while (this.making.size > 0) await Promise.allSettled(this.making)
  }

  /** What is found out may still be when its page has been answered: until then the archive stays open. */
  private async held<T>(make: () => Promise<T>): Promise<T> {
    this.users++
    const making = make()
    this.making.add(making)
    try {
      return await making
    } finally {
      this.making.delete(making)
      this.users--
      if (this.isOld && this.users === 0) await this.archive.close()
    }
  }

  private forget(): void {
    const keys = [...this.known.keys()].reverse()
    for (const old of keys.filter(key => HAS_ROWS.test(key)).slice(MOST_KEPT.rows)) this.known.delete(old)
    for (const old of keys.filter(key => !HAS_ROWS.test(key)).slice(MOST_KEPT.others)) this.known.delete(old)
  }

  once = async <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const made = (this.known.get(key) as Promise<T> | undefined) ?? this.held(make)
    // what was asked for last is forgotten last
    this.known.delete(key)
    this.known.set(key, made)
    this.forget()
    try {
      return await made
    } catch (error) {
      // whoever did not wait for it looks again shortly, and is to be told that it failed
      setTimeout(() => this.known.get(key) === made && this.known.delete(key), FAILURE_KEPT_MS).unref()
      throw error
    }
  }
}

/**
 * What an archive consists of, each object with its tag, for one that was altered has the same name and may have the
 * same size. On AWS, whose engine reads what is there, only its facts.
 */
async function stateOf({ engine }: OpenArchive): Promise<string> {
  const { facts } = engine
  if (facts === undefined) return ''
  const prefixes = engine.objects === undefined ? [FACTS_PREFIX] : [...SEALED_PREFIXES, LOG_PREFIX]
  const lists = await Promise.all(prefixes.map(prefix => facts.entries(prefix)))
  return hash('sha256', JSON.stringify(lists.flat().map(({ key, etag }) => [key, etag])))
}
