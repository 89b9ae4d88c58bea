import type { FieldPlace } from './field.js'

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
  find(place: Pick<FieldPlace, 'token' | 'generation'>): SubjectKey | undefined
}
