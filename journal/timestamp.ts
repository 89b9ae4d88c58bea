import { hash, randomBytes } from 'node:crypto'

/**
 * Time stamps by an authority (RFC 3161): it signs that it saw the SHA-256 of a checkpoint at a time. The request is
 * made here; of the answer only what ties it to the request is looked at, the signature is for `openssl ts -verify`,
 * which knows the authority's certificates.
 */

/** An answer that is no time stamp of what was asked. */
export class TimestampError extends Error {
  override readonly name = 'TimestampError'
}

/** Larger than any answer of an authority with its certificates. */
const MAX_ANSWER_BYTES = 1024 ** 2

/** Where the answer for the checkpoint of a size is kept, below `log/`. */
export function timestampPath(size: number): string {
  return `timestamps/${size}.tsr`
}

/** A time stamp that was granted: the answer as it came, and the time that it names. */
export interface Timestamp {
  readonly answer: Uint8Array
  /** ISO 8601 in UTC. */
  readonly time: string
}

/** Asks an authority for a time stamp of some bytes. Throws a `TimestampError` for another answer than one. */
export async function askTimestamp(url: string, stamped: Uint8Array, signal?: AbortSignal): Promise<Timestamp> {
  const nonce = randomBytes(8)
  nonce[0] = ((nonce[0] as number) & 0x7f) | 0x01
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: timestampRequest(stamped, nonce),
    signal: signal ?? AbortSignal.timeout(30_000),
  })
  if (!response.ok) throw new TimestampError(`authority ${url} answered ${response.status} ${response.statusText}`)
  const answer = await readAtMost(response, MAX_ANSWER_BYTES)
  return { answer, time: checkTimestamp(answer, stamped, nonce) }
}

async function readAtMost(response: Response, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body ?? []) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > most) throw new TimestampError(`answer has more than ${most} bytes`)
  }
  return Buffer.concat(pieces)
}

/** The TimeStampReq (RFC 3161, section 2.4.1) of some bytes' SHA-256, certificates asked for. */
function timestampRequest(stamped: Uint8Array, nonce: Uint8Array): Buffer {
  const algorithm = der(SEQUENCE, der(OID, SHA256_OID), der(NULL))
  const imprint = der(SEQUENCE, algorithm, der(OCTETS, hash('sha256', stamped, 'buffer')))
  return der(SEQUENCE, der(INTEGER, Uint8Array.of(1)), imprint, der(INTEGER, nonce), der(BOOLEAN, Uint8Array.of(0xff)))
}

/**
 * The time that a granted answer names. Throws a `TimestampError` where it is of other bytes, or of another request.
 */
export function checkTimestamp(answer: Uint8Array, stamped: Uint8Array, nonce?: Uint8Array): string {
  try {
    const [status, token] = children(only(readDer(answer)))
    const granted = status && children(status)[0]?.content[0]
    if (granted !== 0 && granted !== 1) throw new TimestampError(`authority refused: status ${granted ?? 'missing'}`)
    if (token === undefined) throw new TimestampError('answer has no time stamp')
    const info = children(tstInfo(token))
    const imprint = info[2] && children(info[2])[1]
    if (imprint === undefined || Buffer.compare(imprint.content, hash('sha256', stamped, 'buffer')) !== 0)
      throw new TimestampError('answer is a time stamp of other bytes')
    const theirs = info.slice(5).find(({ tag }) => tag === INTEGER)
    if (nonce !== undefined && (theirs === undefined || Buffer.compare(theirs.content, nonce) !== 0))
      throw new TimestampError('answer is of another request')
    return generalizedTime(info[4])
  } catch (error) {
    if (error instanceof RangeError)
      throw new TimestampError(`answer is no time stamp: ${error.message}`, { cause: error })
    throw error
  }
}

/** ContentInfo -> SignedData -> EncapsulatedContentInfo -> TSTInfo (RFC 3161, section 2.4.2; RFC 5652). */
function tstInfo(token: Der): Der {
  const signedData = only(readDer(nth(children(token), 1).content))
  const encapsulated = nth(children(signedData), 2)
  const octets = only(readDer(nth(children(encapsulated), 1).content))
  return only(readDer(octets.content))
}

function generalizedTime(time: Der | undefined): string {
  const text = time?.tag === GENERALIZED_TIME ? Buffer.from(time.content).toString('latin1') : ''
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(text) ?? []
  if (year === undefined) throw new TimestampError(`answer names the time ${JSON.stringify(text)}`)
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`
}

const [BOOLEAN, INTEGER, OCTETS, NULL, OID, GENERALIZED_TIME, SEQUENCE] = [0x01, 0x02, 0x04, 0x05, 0x06, 0x18, 0x30]
const SHA256_OID = Buffer.from('608648016503040201', 'hex')

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  if (content.length > 0x7f) throw new RangeError('a request is shorter than 128 bytes')
  return Buffer.concat([Uint8Array.of(tag, content.length), content])
}

/** A value of DER: its tag and its bytes. */
interface Der {
  readonly tag: number
  readonly content: Uint8Array
}

/** The values one after the other. Throws a `RangeError` where one is cut off. */
function readDer(bytes: Uint8Array): readonly Der[] {
  const values: Der[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    let length = bytes[at + 1] ?? Number.NaN
    let begin = at + 2
    if (length > 0x84) throw new RangeError('a value is longer than its bytes')
    if (length > 0x80) {
      const digits = length - 0x80
      length = bytes.subarray(begin, begin + digits).reduce((value, byte) => value * 256 + byte, 0)
      begin += digits
    }
    if (!(begin + length <= bytes.length)) throw new RangeError('a value is longer than its bytes')
    values.push({ tag, content: bytes.subarray(begin, begin + length) })
    at = begin + length
  }
  return values
}

const children = ({ content }: Der) => readDer(content)

function only(values: readonly Der[]): Der {
  return nth(values, 0)
}

function nth(values: readonly Der[], n: number): Der {
  const value = values[n]
  if (value === undefined) throw new RangeError(`there is no value ${n + 1}`)
  return value
}
