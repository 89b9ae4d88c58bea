import type { QueryEngine } from './engine.js'

interface Asked {
  readonly answer: Promise<unknown>
  readonly atMs: number
}

/** What an opened archive was asked already. */
const ASKED = new WeakMap<QueryEngine, Map<string, Asked>>()

/** So long what was told of an archive that goes on stands for it: as long as the statements of one answer may take. */
const FRESH_MS = 60_000

/** Rows of an answer that are kept: of most tables few changes do not fit together. */
const MOST_KEPT = 5000

/**
 * The answer to what `key` stands for, asked of an engine the first time only; again after a minute where its archive
 * goes on. What fails is asked again.
 */
export async function once<T>(engine: QueryEngine, key: string, ask: () => Promise<T>): Promise<T> {
  return (await (known(engine, key) ?? keep(engine, key, ask()))) as T
}

/** The rows that `ask` gives, which are kept for whoever asks the same again, where they are few. */
export async function* fewOnce<T>(engine: QueryEngine, key: string, ask: () => AsyncIterable<T>): AsyncGenerator<T> {
  const rows = (await known(engine, key)) as readonly T[] | undefined
  if (rows !== undefined) return yield* rows
  const kept: T[] = []
  for await (const row of ask()) {
    if (kept.length <= MOST_KEPT) kept.push(row)
    yield row
  }
  if (kept.length <= MOST_KEPT) await keep(engine, key, Promise.resolve(kept))
}

function known(engine: QueryEngine, key: string): Promise<unknown> | undefined {
  const asked = ASKED.get(engine)?.get(key)
  const isFresh = asked !== undefined && (engine.isFixed === true || Date.now() - asked.atMs < FRESH_MS)
  return isFresh ? asked.answer : undefined
}

async function keep<T>(engine: QueryEngine, key: string, answer: Promise<T>): Promise<T> {
  const asked = ASKED.get(engine) ?? new Map<string, Asked>()
  ASKED.set(engine, asked.set(key, { answer, atMs: Date.now() }))
  try {
    return await answer
  } catch (error) {
    if (asked.get(key)?.answer === answer) asked.delete(key)
    throw error
  }
}
