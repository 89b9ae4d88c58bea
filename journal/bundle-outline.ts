import { FileError } from '../config/gate.js'
import { decodeEntry, type Entry, type SealEntry } from './entry.js'

/** What is told of the entries of a bundle without them. */
export interface BundleOutline {
  /** The folders of the objects that are named, `ANY_FOLDER` among them where an entry of one cannot be read. */
  readonly folders: readonly string[]
  readonly seals: readonly SealEntry[]
}

/** Stands for whatever an entry that cannot be read may name. */
const ANY_FOLDER = ''

/** Throws nothing: whoever asks about any folder reads an entry that cannot be read, and is told why. */
export function outlineOf(leaves: readonly Uint8Array[]): BundleOutline {
  const folders = new Set<string>()
  const seals: SealEntry[] = []
  for (const bytes of leaves) {
    const entry = decodeOrNothing(bytes)
    if (entry === null) folders.add(ANY_FOLDER)
    if (entry?.type === 'object@1') folders.add(folderOfKey(entry.key))
    if (entry?.type === 'seal@1') seals.push(entry)
  }
  return { folders: [...folders], seals }
}

function decodeOrNothing(bytes: Uint8Array): Entry | undefined | null {
  try {
    return decodeEntry(bytes, 'journal entry')
  } catch (error) {
    if (error instanceof FileError) return null
    throw error
  }
}

/** The folder of an object, which its key begins with: it ends with the last "/". */
export function folderOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

/** Whether a bundle with such a folder has to be read; each folder is judged once. */
export function isFolderOf(isMeant: (folder: string) => boolean): (folder: string) => boolean {
  const judged = new Map<string, boolean>([[ANY_FOLDER, true]])
  return folder => {
    const known = judged.get(folder) ?? isMeant(folder)
    judged.set(folder, known)
    return known
  }
}

/** Of the seals of a journal, in order, those that tell how far it is: the last, and the last two that left nothing. */
export function newestSeals(seals: readonly SealEntry[]): readonly SealEntry[] {
  const kept = new Set([...wholeSeals(seals).slice(-2), ...seals.slice(-1)])
  return seals.filter(seal => kept.has(seal))
}

/** The seals that left nothing. */
export function wholeSeals(seals: readonly SealEntry[]): readonly SealEntry[] {
  return seals.filter(({ partial }) => partial === undefined)
}
