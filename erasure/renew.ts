import type { KeyName, KeyStore } from './subject-keys.js'

/**
 * Gives a person who was erased a new key, for a new life; what was sealed before stays unreadable. Undefined for a
 * person who was not erased.
 */
export async function renewSubject(keys: KeyStore, token: string): Promise<KeyName | undefined> {
  const newest = await keys.newest(token)
  if (newest?.state !== 'erased') return undefined
  const name = { token, generation: newest.generation + 1 }
  await keys.make(name)
  return name
}
