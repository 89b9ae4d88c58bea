import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

const PIECE_BYTES = 1024 * 1024

/** SHA-256 of a file's bytes, lower hex; memory holds a piece of it at a time. */
export function sha256OfFile(path: string): string {
  const [digest, piece, file] = [createHash('sha256'), Buffer.allocUnsafe(PIECE_BYTES), openSync(path, 'r')]
  try {
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece))
      digest.update(piece.subarray(0, read))
  } finally {
    closeSync(file)
  }
  return digest.digest('hex')
}

/** How many bytes something has that comes piece by piece, and their SHA-256, lower hex. */
export async function weigh(
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const whole = createHash('sha256')
  let bytes = 0
  for await (const piece of pieces) {
    whole.update(piece)
    bytes += piece.length
  }
  return { bytes, sha256: whole.digest('hex') }
}
