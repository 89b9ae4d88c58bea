import type { QueryEngine } from './engine.js'

/** What an opened archive was asked already: its objects are those that it had when it was opened. */
const ASKED = new WeakMap<QueryEngine, Map<string, Promise<unknown>>>()

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
