/**
 * AES-SIV (RFC 5297) over Node's AES, which has no such mode: S2V of CMACs, and CTR from what it gives. What is
 * associated comes before the plaintext in S2V, so of many values at one place it is reckoned once.
 */
import { createCipheriv, timingSafeEqual } from 'node:crypto'

const BLOCK = 16
const ZERO = Buffer.alloc(BLOCK)

/** A key of two halves: one authenticates, the other encrypts. */
export class AesSiv {
  private readonly mac: Cmac
  private readonly half: Uint8Array
  private readonly bits: number

  /** Of 32, 48 or 64 bytes. */
  constructor(key: Uint8Array) {
    this.mac = new Cmac(key.subarray(0, key.length / 2))
    this.half = key.subarray(key.length / 2)
    this.bits = this.half.length * 8
  }

  /** What `encrypt` and `decrypt` take for these strings of associated data. */
  associate(data: readonly Uint8Array[]): Buffer {
    return data.reduce<Buffer>((sum, text) => xor(double(sum), this.mac.of(text)), this.mac.of(ZERO))
  }

  /** The synthetic IV, and the ciphertext behind it. */
  encrypt(plaintext: Uint8Array, associated: Buffer): Buffer {
    const iv = this.ivOf(plaintext, associated)
    return Buffer.concat([iv, this.counted(plaintext, iv)])
  }

  /** Its inverse; undefined for what was not made by this key with the same associated data. */
  decrypt(sealed: Uint8Array, associated: Buffer): Buffer | undefined {
    if (sealed.length < BLOCK) return undefined
    const iv = sealed.subarray(0, BLOCK)
    const plaintext = this.counted(sealed.subarray(BLOCK), iv)
    return timingSafeEqual(iv, this.ivOf(plaintext, associated)) ? plaintext : undefined
  }

  private ivOf(plaintext: Uint8Array, associated: Buffer): Buffer {
    if (plaintext.length < BLOCK) return this.mac.of(xor(double(associated), padded(plaintext)))
    const text = Buffer.from(plaintext)
    const from = text.length - BLOCK
    for (let i = 0; i < BLOCK; i++) text[from + i] = (text[from + i] as number) ^ (associated[i] as number)
    return this.mac.of(text)
  }

  private counted(text: Uint8Array, iv: Uint8Array): Buffer {
    const counter = Buffer.from(iv)
    // two bits are cleared, so that an implementation may count in words of 32 (RFC 5297, 2.5)
    for (const i of [8, 12]) counter[i] = (counter[i] as number) & 0x7f
    return createCipheriv(`aes-${this.bits}-ctr`, this.half, counter).update(text)
  }
}

/** CMAC (RFC 4493): CBC, with the last block masked by one of two keys that come of the key. */
class Cmac {
  private readonly whole: Buffer
  private readonly short: Buffer

  constructor(private readonly key: Uint8Array) {
    this.whole = double(this.chained(ZERO))
    this.short = double(this.whole)
  }

  of(message: Uint8Array): Buffer {
    const isWhole = message.length > 0 && message.length % BLOCK === 0
    const text = isWhole ? Buffer.from(message) : padded(message)
    const mask = isWhole ? this.whole : this.short
    const from = text.length - BLOCK
    for (let i = 0; i < BLOCK; i++) text[from + i] = (text[from + i] as number) ^ (mask[i] as number)
    return this.chained(text).subarray(-BLOCK)
  }

  private chained(text: Uint8Array): Buffer {
    return createCipheriv(`aes-${this.key.length * 8}-cbc`, this.key, ZERO)
      .setAutoPadding(false)
      .update(text)
  }
}

/** Filled up to whole blocks by one bit and zeros. */
function padded(text: Uint8Array): Buffer {
  const filled = Buffer.alloc((Math.floor(text.length / BLOCK) + 1) * BLOCK)
  filled.set(text)
  filled[text.length] = 0x80
  return filled
}

/** Times x in the field of 128 bits. */
function double(block: Uint8Array): Buffer {
  const doubled = Buffer.alloc(BLOCK)
  for (let i = 0; i < BLOCK; i++) doubled[i] = ((block[i] as number) << 1) | ((block[i + 1] ?? 0) >> 7)
  if ((block[0] as number) & 0x80) doubled[BLOCK - 1] = (doubled[BLOCK - 1] as number) ^ 0x87
  return doubled
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] as number)))
}
