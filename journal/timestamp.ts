import { hash, randomBytes } from 'node:crypto'
import {
  BOOLEAN,
  type Der,
  GENERALIZED_TIME,
  INTEGER,
  NULL,
  OCTETS,
  OID,
  onlyDer,
  SEQUENCE,
  within,
  writeDer,
} from './der.js'
import { TimestampError } from './timestamp-error.js'
import { type StampSigner, stampSigner, UnknownSignature } from './timestamp-signature.js'

/**
 * Time stamps by an authority (RFC 3161): it signs that it saw the SHA-256 of a checkpoint at a time. Who the authority
 * is say the certificates that somebody gives, see `authorities.ts`.
 */

/** Larger than any answer of an authority with its certificates. */
const MAX_ANSWER_BYTES = 1024 ** 2

/** Where the answer for the checkpoint of a size is kept, below `log/`. */
export function timestampPath(size: number): string {
  return `timestamps/${size}.tsr`
}

/** What a time stamp says. */
export interface Timestamp {
  /** ISO 8601 in UTC. */
  readonly time: string
  /** Whose signature it has; or why nobody can tell here whether it has one. */
  readonly signer: StampSigner | UnknownSignature
}

/**
 * Asks an authority for a time stamp of some bytes, and gives its answer as it came. Throws a `TimestampError` for
 * another answer than one.
 */
export async function askTimestamp(
  url: string,
  stamped: Uint8Array,
  signal?: AbortSignal,
): Promise<Timestamp & { readonly answer: Uint8Array }> {
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
  return { answer, ...readTimestamp(answer, stamped, nonce) }
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
  const algorithm = writeDer(SEQUENCE, writeDer(OID, SHA256_OID), writeDer(NULL))
  const imprint = writeDer(SEQUENCE, algorithm, writeDer(OCTETS, hash('sha256', stamped, 'buffer')))
  const [version, certificates] = [writeDer(INTEGER, Uint8Array.of(1)), writeDer(BOOLEAN, Uint8Array.of(0xff))]
  return writeDer(SEQUENCE, version, imprint, writeDer(INTEGER, nonce), certificates)
}

/**
 * What a granted answer says of some bytes. Throws a `TimestampError` where it is of other bytes or another request, or
 * has a signature that is not that of its certificate.
 */
export function readTimestamp(answer: Uint8Array, stamped: Uint8Array, nonce?: Uint8Array): Timestamp {
  try {
    const [status, token] = within(onlyDer(answer))
    const granted = within(status)[0]?.content[0]
    if (granted !== 0 && granted !== 1) throw new TimestampError(`authority refused: status ${granted ?? 'missing'}`)
    if (token === undefined) throw new TimestampError('answer has no time stamp')
    const signed = onlyDer((within(token)[1] as Der | undefined)?.content ?? Buffer.alloc(0))
    const info = within(tstInfo(signed))
    refuseOther(info, stamped, nonce)
    const time = generalizedTime(info[4])
    return { time, signer: signerOrUnknown(signed, new Date(time)) }
  } catch (error) {
    if (error instanceof TimestampError) throw error
    // what is no DER, and what OpenSSL does not take for a certificate
    if (error instanceof RangeError || 'code' in (error as object))
      throw new TimestampError(`answer is no time stamp: ${(error as Error).message}`, { cause: error })
    throw error
  }
}

function refuseOther(info: readonly Der[], stamped: Uint8Array, nonce: Uint8Array | undefined): void {
  const [algorithm, imprint] = within(info[2])
  const isSha256 = Buffer.compare(within(algorithm)[0]?.content ?? Buffer.alloc(0), SHA256_OID) === 0
  if (!isSha256 || imprint === undefined || Buffer.compare(imprint.content, hash('sha256', stamped, 'buffer')) !== 0)
    throw new TimestampError('answer is a time stamp of other bytes')
  const theirs = info.slice(5).find(({ tag }) => tag === INTEGER)
  if (nonce !== undefined && (theirs === undefined || Buffer.compare(theirs.content, nonce) !== 0))
    throw new TimestampError('answer is of another request')
}

function signerOrUnknown(signed: Der, time: Date): Timestamp['signer'] {
  try {
    return stampSigner(signed, time)
  } catch (error) {
    if (error instanceof UnknownSignature) return error
    throw error
  }
}

/** SignedData -> EncapsulatedContentInfo -> TSTInfo (RFC 3161, section 2.4.2; RFC 5652). */
function tstInfo(signed: Der): Der {
  const [, octets] = within(within(signed)[2])
  return onlyDer(within(octets)[0]?.content ?? Buffer.alloc(0))
}

function generalizedTime(time: Der | undefined): string {
  const text = time?.tag === GENERALIZED_TIME ? Buffer.from(time.content).toString('latin1') : ''
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(text) ?? []
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`
  if (year === undefined || Number.isNaN(Date.parse(iso)))
    throw new TimestampError(`answer names the time ${JSON.stringify(text)}`)
  return iso
}

const SHA256_OID = Buffer.from('608648016503040201', 'hex')
