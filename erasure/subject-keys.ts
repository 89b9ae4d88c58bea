import type { FieldPlace } from './field.js'
import type { Hold } from './holds.js'

/** A subject's key of one generation. */
export type KeyName = Pick<FieldPlace, 'token' | 'generation'>

/** A subject's key of one generation, or that it was destroyed. */
export type SubjectKey =
  | { readonly state: 'live'; readonly generation: number; readonly fieldKey: Uint8Array }
  | { readonly state: 'erased'; readonly generation: number }

/** The keys of the persons that an archive's rows concern. */
export interface SubjectKeys {
  /** The token of a subject's id: the same in every table of the archive, and it tells nothing of the id. */
  tokenOf(id: string): string
  /** The key of new values, made for a subject that was never seen. Throws a `SealingError` where none can be had. */
  current(token: string): SubjectKey
  /** The key that a value was sealed under; undefined where there never was one. */
  find(place: KeyName): SubjectKey | undefined
}

/** Keys for who reads: those of some values are fetched first, and then asked for without waiting. */
export interface ReadingKeys extends Pick<SubjectKeys, 'find'> {
  /** Fetches keys for `find`; a folder has all of its own at hand. Throws a `SealingError` for one that is damaged. */
  fetch(names: readonly KeyName[]): Promise<void>
}

/** What a key is like, for who may not have it. */
export type KeyState = Pick<SubjectKey, 'state' | 'generation'>

/** A folder answers at once, a table of DynamoDB when it was asked. */
type Eventually<T> = T | Promise<T>

/** Where keys are kept, for acts about a person: nothing of it gives a key away. */
export interface KeyStore extends Pick<SubjectKeys, 'tokenOf'> {
  /** How long something of a key can be left, in milliseconds, after it was destroyed. */
  readonly lingersMs: number
  /** The last generation of a subject's keys; undefined where it has none. */
  newest(token: string): Eventually<KeyState | undefined>
  /** Has nothing new sealed under a key, which can still be read. Can be repeated. */
  fence(name: KeyName): Eventually<void>
  /** Destroys a key for good, or takes the name of one that was never made. Can be repeated. */
  destroy(name: KeyName): Eventually<void>
  /** Makes a key, or allows whoever seals to make it, unless somebody had the name first. */
  make(name: KeyName): Eventually<void>
  /** The cases that hold a person's erasure back, by their names. */
  holdsOf(token: string): Eventually<readonly Hold[]>
  /** Holds a person's erasure back. False where this case holds it already, or did and was released. */
  placeHold(hold: Hold): Eventually<boolean>
  /** Ends a case. False where it does not hold this person's erasure back. */
  releaseHold(token: string, name: string, by: string, at: string): Eventually<boolean>
}
