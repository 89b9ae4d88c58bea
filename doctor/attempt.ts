import type { DeployedFact } from './deployed-facts.js'

/** An error as a fact: what could not be looked at is not wrong. */
export async function attempt<T>(read: () => Promise<T>): Promise<DeployedFact<T>> {
  try {
    return { kind: 'found', value: await read() }
  } catch (error) {
    const { name, message } = error as Error
    return { kind: 'unknown', why: `${name}: ${message}` }
  }
}

/** An error that says "there is none" is an answer. */
export async function absentAs<T>(value: T, errors: readonly string[], read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (errors.includes((error as Error).name)) return value
    throw error
  }
}
