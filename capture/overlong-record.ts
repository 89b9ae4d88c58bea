import { BOUNDS, type Overlong } from './overlong.js'

/** The error code of a refused document of which only the beginning is kept, because it is too long to be a record. */
export const OVERLONG = 'Document.Overlong'

/** Where the whole of an overlong document is and what it is known by, so that it can be found in the input again. */
export function describeOverlong({ beginning, offset, bytes, sha256 }: Overlong, most = BOUNDS.most): string {
  return (
    `document has ${bytes} bytes, more than ${most}: kept are its first ${beginning.length}; ` +
    `the whole begins at byte ${offset} of its input, unpacked, and has the SHA-256 ${sha256}`
  )
}

/** True where the data of a refused record is not the whole of it. */
export function isBeginningOnly({ code }: { readonly code: string }): boolean {
  return code === OVERLONG
}
