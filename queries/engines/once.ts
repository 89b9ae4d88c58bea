import type { QueryEngine } from './engine.js'

/** What an opened archive was asked already: its objects are those that it had when it was opened. */
const ASKED = new WeakMap<QueryEngine, Map<string, Promise<unknown>>>()

/** Rows of an answer that are kept: of most tables few changes do not fit together. */
const MOST_KEPT = 5000

/** The rows that `ask` gives, which are kept for whoever asks the same again, where they are few. */
export async function* fewOnce<T>(engine: QueryEngine, key: string, ask: () => AsyncIterable<T>): AsyncGenerator<T> {
  const known = (await ASKED.get(engine)?.get(key)) as readonly T[] | undefined
  if (known !== undefined) return yield* known
  const kept: T[] = []
  for await (const row of ask()) {
    if (kept.length <= MOST_KEPT) kept.push(row)
    yield row
  }
  if (kept.length <= MOST_KEPT) await once(engine, key, async () => kept)
}

/** The answer to what `key` stands for, asked of an engine the first time only; what fails is asked again. */
export async function once<T>(engine: QueryEngine, key: string, ask: () => Promise<T>): Promise<T> {
  const asked = ASKED.get(engine) ?? new Map<string, Promise<unknown>>()
  ASKED.set(engine, asked)
  if (!asked.has(key)) asked.set(key, ask())
  try {
    return (await asked.get(key)) as T
  } catch (error) {
    asked.delete(key)
    throw error
  }
}
