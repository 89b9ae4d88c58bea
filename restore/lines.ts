import { createReadStream } from 'node:fs'

/**
 * The lines of a file, one by one, which is given by its path or is open already. `node:readline` would break them at
 * U+2028 too, which JSON has inside strings.
 */
export async function* readLines(file: string | number): AsyncGenerator<string> {
  const open = typeof file === 'number' ? { fd: file, start: 0, autoClose: false } : {}
  const chunks = createReadStream(typeof file === 'number' ? '' : file, { ...open, highWaterMark: 1 << 20 })
  let rest: Buffer[] = []
  for await (const chunk of chunks as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString()
      rest = []
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString()
}
