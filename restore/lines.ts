import { createReadStream, read } from 'node:fs'
import { promisify } from 'node:util'

const CHUNK = 1 << 20
const readAt = promisify(read)

/** A line that is longer than a reader takes. */
export class LineLengthError extends Error {
  override readonly name = 'LineLengthError'
}

/**
 * The lines of a file, one by one, which is given by its path or is open already. `node:readline` would break them at
 * U+2028 too, which JSON has inside strings. Throws `LineLengthError` for one of more than `maxBytes`.
 */
export async function* readFileLines(
  file: string | number,
  maxBytes: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  let rest: Buffer[] = []
  let held = 0
  const bounded = (bytes: number) => {
    if (held + bytes > maxBytes) throw new LineLengthError(`a line has more than ${maxBytes} bytes`)
  }
  const stream = (path: string) => createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>
  for await (const chunk of typeof file === 'number' ? chunksOf(file) : stream(file)) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      bounded(end - start)
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString()
      rest = []
      held = 0
      start = end + 1
    }
    if (start === chunk.length) continue
    bounded(chunk.length - start)
    rest.push(chunk.subarray(start))
    held += chunk.length - start
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString()
}

/** Who has opened a file closes it: a stream that is left early would, too, or read on in one that is closed. */
async function* chunksOf(file: number): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await readAt(file, Buffer.allocUnsafe(CHUNK), 0, CHUNK, position)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}
