import { z } from 'zod'
import { checkJson, exactly, listOf, record, text } from '../config/gate.js'
import { decodeBase64 } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import type { LogFile } from '../proof/tiles.js'

/** All that a sealing is about to write, as one file: whoever finds its claim can finish it. */

const VERSION = 'staged/v1'

/** A sealing has at most so many bytes: MOST_ENTRIES entries of the greatest length, in base64, do not reach it. */
const MAX_BYTES = 1024 ** 3

const schema = record({
  version: exactly(VERSION),
  files: listOf(
    z.strictObject({ path: text.regex(/^tile\/[\dx/]+(\.p\/\d+)?$|^tile\/entries\/[\dx/]+(\.p\/\d+)?$/), bytes: text }),
  ),
})

export function encodeStaged(files: readonly LogFile[]): Buffer {
  const encoded = files.map(({ path, bytes }) => ({ path, bytes: Buffer.from(bytes).toString('base64') }))
  return Buffer.from(JSON.stringify({ version: VERSION, files: encoded }))
}

/** Throws a `FileError` or `ProofError` for what is none. */
export function decodeStaged(bytes: Uint8Array, file: string): readonly LogFile[] {
  return checkJson(bytes, schema, file, { maxBytes: MAX_BYTES }).files.map(({ path, bytes: encoded }) => {
    const decoded = decodeBase64(encoded)
    if (decoded === undefined) throw new ProofError(`${file} holds ${path} in no base64`)
    return { path, bytes: decoded }
  })
}
