import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readDocuments } from '../../capture/document-reader.js'
import { openInput } from '../../capture/input.js'
import { temporaryFolder } from '../delivery/desk.js'

describe('an opened input', () => {
  const opened = temporaryFolder()

  // its own numbers keep the text from packing too well
  const text = Array.from({ length: 20_000 }, (_, i) => `{"n":${(i * 7919) % 1_000_003},"i":${i}}\n`).join('')
  const packed = gzipSync(text)

  it('is read as it is, or unpacked where it is gzip, whatever its name', async () => {
    expect((await readInput(Buffer.from(text))).bytes.toString()).toBe(text)
    expect((await readInput(packed)).bytes.toString()).toBe(text)
    expect((await readInput(Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"b":2}\n')]))).bytes.toString()).toBe(
      '{"a":1}\n{"b":2}\n',
    )
  })

  it('may be shorter than what tells gzip', async () => {
    for (const bytes of ['', '{', '\x1f']) expect((await readInput(Buffer.from(bytes))).bytes.toString()).toBe(bytes)
  })

  it('tells its size, how far it was read, and when it was changed', async () => {
    const path = join(opened, 'told')
    writeFileSync(path, packed)
    const input = await openInput(path, Readable.from([]))
    expect([input.size, input.position()]).toEqual([packed.length, 0])
    expect(Math.abs(input.modifiedAt - Date.now())).toBeLessThan(60_000)
    await drain(input.bytes)
    expect(input.position()).toBe(packed.length)
  })

  it('comes from standard input for "-", byte by byte if need be', async () => {
    const stdin = Readable.from([...packed.subarray(0, 3000)].map(byte => Buffer.of(byte)))
    const input = await openInput('-', stdin)
    const { bytes, error } = await drain(input.bytes)
    expect(error).toMatchObject({ code: 'Z_BUF_ERROR' })
    expect(bytes.equals(unpackedPart(packed.subarray(0, 3000)))).toBe(true)
  })

  it('gives out all that is before the cut in truncated gzip, and then fails', async () => {
    const cuts = [9, 11, 1000, 16_384, 16_385, packed.length - 9, packed.length - 8, packed.length - 1]
    for (const cut of cuts) {
      const { bytes, error } = await readInput(packed.subarray(0, cut))
      expect(error, `cut at ${cut}`).toMatchObject({ code: 'Z_BUF_ERROR' })
      expect(bytes.equals(unpackedPart(packed.subarray(0, cut))), `cut at ${cut}`).toBe(true)
    }
  })

  it('loses no document before the cut in truncated gzip', async () => {
    const path = join(opened, 'input')
    const cut = packed.subarray(0, packed.length - 9)
    writeFileSync(path, cut)
    const documents = []
    const read = async () => {
      const { bytes } = await openInput(path, Readable.from([]))
      for await (const document of readDocuments(bytes)) documents.push(document)
    }
    await expect(read()).rejects.toMatchObject({ code: 'Z_BUF_ERROR' })
    expect(documents.length).toBe(unpackedPart(cut).toString().split('\n').length - 1)
  })

  it('fails for gzip that was changed', async () => {
    const changed = Buffer.from(packed)
    changed[20_000] = (changed[20_000] as number) ^ 0xff
    expect((await readInput(changed)).error).toMatchObject({ code: 'Z_DATA_ERROR' })
  })

  it('is none where there is a folder or nothing', async () => {
    await expect(openInput(opened, Readable.from([]))).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(openInput(join(opened, 'none'), Readable.from([]))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  async function readInput(bytes: Buffer) {
    const path = join(opened, 'input')
    writeFileSync(path, bytes)
    return drain((await openInput(path, Readable.from([]))).bytes)
  }
})

/** What can be unpacked of gzip that is cut short. */
function unpackedPart(packed: Buffer): Buffer {
  return gunzipSync(packed, { finishFlush: constants.Z_SYNC_FLUSH })
}

/** Reads slower than anything is unpacked; the error that ended it, if one did. */
async function drain(input: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: Buffer; readonly error?: unknown }> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of input) {
      chunks.push(chunk)
      await new Promise(resolve => setImmediate(resolve))
    }
    return { bytes: Buffer.concat(chunks) }
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error }
  }
}
