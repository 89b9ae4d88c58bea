import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** A large file is read in pieces of this size: smaller ones cost more calls than work. */
export const READ_BYTES = 1024 * 1024

/** Unpacked pieces: each costs as much as a larger one. */
const UNPACKED_BYTES = 256 * 1024

/** An opened input: its bytes, unpacked if they are gzip, and for a file how large it is and how far it was read. */
export interface Input {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly modifiedAt: number
  readonly size?: number
  readonly position: () => number
  /** Lets go of a file whose bytes were not read to their end. */
  readonly close: () => void
}

/** Opens a file, or standard input for "-". Throws Node's error for what cannot be opened. */
export async function openInput(path: string, stdin: Readable): Promise<Input> {
  if (path === '-') return { ...unpacked(stdin), modifiedAt: Date.now(), close: () => {} }
  const file = await open(path)
  const stats = await file.stat()
  if (stats.isDirectory()) {
    await file.close()
    throw Object.assign(new Error(`${path} is a directory, expected a file`), { code: 'EISDIR', path })
  }
  const stream = file.createReadStream({ highWaterMark: READ_BYTES })
  return {
    ...unpacked(stream),
    close: () => stream.destroy(),
    modifiedAt: Math.floor(stats.mtimeMs),
    size: stats.size,
  }
}

function unpacked(source: Readable): Pick<Input, 'bytes' | 'position'> {
  let position = 0
  const counted = (async function* () {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      position += chunk.length
      yield chunk
    }
  })()
  return { bytes: gunzipIfPacked(counted), position: () => position }
}

/** Tells gzip by its first two bytes (RFC 1952, section 2.3.1), so that a pipe needs no name. */
export async function* gunzipIfPacked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const { value, done } = await pieces.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  const all = (async function* () {
    yield head
    yield* { [Symbol.asyncIterator]: () => pieces }
  })()
  if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzip(all)
  else yield* all
}

/**
 * Unpacks piece by piece and asks for the next once everything of the last is read: a failing stream forgets what
 * nobody has read yet, and of an input that is cut short everything before the cut must come out.
 */
async function* gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize: UNPACKED_BYTES })
  let failure: Error | undefined
  let wake = () => {}
  stream.on('readable', () => wake()).on('end', () => wake())
  stream.on('error', error => {
    failure = error
    wake()
  })
  const readUntil = async function* (isDone: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const bytes = stream.read() as Buffer | null
      if (bytes !== null) yield bytes
      else if (failure !== undefined) throw failure
      else if (isDone()) return
      else await new Promise<void>(resolve => (wake = resolve))
    }
  }
  for await (const piece of packed) {
    let taken = false
    stream.write(piece, () => {
      taken = true
      wake()
    })
    yield* readUntil(() => taken)
  }
  stream.end()
  yield* readUntil(() => stream.readableEnded)
}
