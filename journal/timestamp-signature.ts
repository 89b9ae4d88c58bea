import { hash, type KeyObject, verify, X509Certificate } from 'node:crypto'
import { type Der, onlyDer, readOid, SEQUENCE, SET, within } from './der.js'
import { TimestampError } from './timestamp-error.js'

/**
 * Who signed a time stamp: the one signature of a CMS SignedData (RFC 5652) as RFC 3161 wants it, by a certificate that
 * travels with it and that it names (RFC 5816).
 */

/** Whoever signed, and the certificates that came along. */
export interface StampSigner {
  readonly certificate: X509Certificate
  readonly others: readonly X509Certificate[]
}

const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const TST_INFO = '1.2.840.113549.1.9.16.1.4'
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12'
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'
const EXTENDED_KEY_USAGE = '2.5.29.37'

const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** By algorithm the type of its key, and the digest that is signed; null is the one of the attributes. */
const SIGNATURES: Readonly<Record<string, readonly [keyType: string, digest: string | null]>> = {
  '1.2.840.113549.1.1.1': ['rsa', null],
  '1.2.840.113549.1.1.11': ['rsa', 'sha256'],
  '1.2.840.113549.1.1.12': ['rsa', 'sha384'],
  '1.2.840.113549.1.1.13': ['rsa', 'sha512'],
  '1.2.840.10045.4.3.2': ['ec', 'sha256'],
  '1.2.840.10045.4.3.3': ['ec', 'sha384'],
  '1.2.840.10045.4.3.4': ['ec', 'sha512'],
}

/** The parts of a SignedData. */
interface SignedData {
  /** What is signed. */
  readonly content: Uint8Array
  readonly certificates: readonly Uint8Array[]
  readonly signers: readonly Der[]
}

/**
 * Who signed a time stamp's content, `time` being what it names. Throws a `TimestampError` for a signature that is not
 * of it, or of a certificate that may not sign time stamps; `UnknownSignature` for one of a kind that is not known.
 */
export function stampSigner(signed: Der, time: Date): StampSigner {
  const { content, certificates, signers } = signedData(signed)
  const [signer, ...more] = signers
  if (signer === undefined || more.length > 0)
    throw new TimestampError(`time stamp has ${signers.length} signatures, expected one`)
  const [, name, digestOf, attributes, algorithm, signature] = within(signer)
  if (attributes?.tag !== 0xa0 || signature === undefined) throw new TimestampError('time stamp signs no attributes')
  const digest = DIGESTS[algorithmOf(digestOf)]
  if (digest === undefined) throw new UnknownSignature(`its digest is ${algorithmOf(digestOf)}`)
  const told = attributesOf(attributes)
  if (readOid(told.get(CONTENT_TYPE)) !== TST_INFO) throw new TimestampError('time stamp signs another kind of content')
  if (Buffer.compare(told.get(MESSAGE_DIGEST)?.content ?? Buffer.alloc(0), hash(digest, content, 'buffer')) !== 0)
    throw new TimestampError('time stamp signs another content than it has')
  const own = namedCertificate(told, certificates)
  const certificate = new X509Certificate(own)
  refuseOtherName(name, own)
  verifySignature(certificate.publicKey, algorithmOf(algorithm), { digest, attributes, signature })
  refuseOtherUse(certificate, own, time)
  return { certificate, others: certificates.filter(one => one !== own).map(one => new X509Certificate(one)) }
}

/** A signature of a kind that is not known here: that it is wrong nobody says. */
export class UnknownSignature extends Error {
  override readonly name = 'UnknownSignature'
}

function signedData(signed: Der): SignedData {
  const [, , encapsulated, ...rest] = within(signed)
  const [kind, octets] = within(encapsulated)
  const [content] = within(octets)
  if (readOid(kind) !== TST_INFO || content === undefined)
    throw new TimestampError('answer is of another kind of content')
  const certificates = rest.find(({ tag }) => tag === 0xa0)
  const all = certificates === undefined ? [] : within(certificates)
  return {
    content: content.content,
    certificates: all.filter(({ tag }) => tag === SEQUENCE).map(({ whole }) => whole),
    signers: within(rest.find(({ tag }) => tag === SET)),
  }
}

function algorithmOf(identifier: Der | undefined): string {
  return readOid(within(identifier)[0]) ?? 'none'
}

/** The one value of each attribute. Throws a `TimestampError` where one is there twice. */
function attributesOf(attributes: Der): ReadonlyMap<string, Der> {
  const told = new Map<string, Der>()
  for (const attribute of within(attributes)) {
    const [name, values] = within(attribute)
    const [value, ...more] = within(values)
    const oid = readOid(name)
    if (oid === undefined || value === undefined || more.length > 0 || told.has(oid))
      throw new TimestampError('time stamp signs an attribute that has not one value')
    told.set(oid, value)
  }
  return told
}

/** The certificate that the signed attributes name by its hash: no other may be put in its place. */
function namedCertificate(told: ReadonlyMap<string, Der>, certificates: readonly Uint8Array[]): Uint8Array {
  const [v1, v2] = [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2].map(oid => told.get(oid))
  const named = v2 ?? v1
  if (named === undefined) throw new TimestampError('time stamp does not name the certificate that signed it')
  const fields = within(within(within(named)[0])[0])
  const isDefault = fields[0]?.tag !== SEQUENCE
  const digest = v2 === undefined ? 'sha1' : isDefault ? 'sha256' : DIGESTS[algorithmOf(fields[0])]
  if (digest === undefined) throw new UnknownSignature('its certificate is named by an unknown hash')
  const expected = fields[isDefault ? 0 : 1]?.content ?? Buffer.alloc(0)
  const found = certificates.find(one => Buffer.compare(hash(digest, one, 'buffer'), expected) === 0)
  if (found === undefined) throw new UnknownSignature('the certificate that signed it is not in it')
  return found
}

/** The parts of a certificate (RFC 5280) that Node does not tell. */
function certificateFields(certificate: Uint8Array) {
  const fields = within(within(onlyDer(certificate))[0])
  const [serial, , issuer] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields
  return { serial, issuer, extensions: fields.find(({ tag }) => tag === 0xa3) }
}

/** The value of an extension, and whether it is critical; undefined where a certificate has none. */
export function extensionOf(
  certificate: Uint8Array,
  oid: string,
): { readonly isCritical: boolean; readonly value: Der | undefined } | undefined {
  const { extensions } = certificateFields(certificate)
  const all = extensions === undefined ? [] : within(within(extensions)[0])
  for (const extension of all) {
    const [name, ...rest] = within(extension)
    const octets = rest.at(-1)
    if (readOid(name) === oid)
      return { isCritical: rest.length > 1 && rest[0]?.content[0] === 0xff, value: within(octets)[0] }
  }
  return undefined
}

function refuseOtherName(name: Der | undefined, own: Uint8Array): void {
  // by its issuer and number, or else by the id of its key, which says no more than the hash
  if (name?.tag !== SEQUENCE) return
  const { serial, issuer } = certificateFields(own)
  const [theirs, number] = within(name)
  const isSame = [[theirs, issuer] as const, [number, serial] as const].every(
    ([a, b]) => a !== undefined && b !== undefined && Buffer.compare(a.whole, b.whole) === 0,
  )
  if (!isSame) throw new TimestampError('time stamp names two certificates')
}

function verifySignature(
  key: KeyObject,
  algorithm: string,
  { digest, attributes, signature }: { readonly digest: string; readonly attributes: Der; readonly signature: Der },
): void {
  const [type, own] = SIGNATURES[algorithm] ?? []
  if (type === undefined || own === undefined) throw new UnknownSignature(`its signature is of ${algorithm}`)
  // what is signed is a SET, which stands in its place under another tag
  const signed = Buffer.concat([Uint8Array.of(SET), attributes.whole.subarray(1)])
  if (key.asymmetricKeyType !== type || !verify(own ?? digest, signed, key, signature.content))
    throw new TimestampError('time stamp has a signature that is not that of its certificate')
}

/** A certificate for anything else, or for more, says nothing of time (RFC 3161, section 2.3). */
function refuseOtherUse(certificate: X509Certificate, own: Uint8Array, time: Date): void {
  const uses = certificate.keyUsage ?? []
  if (uses.length !== 1 || uses[0] !== TIME_STAMPING || extensionOf(own, EXTENDED_KEY_USAGE)?.isCritical !== true)
    throw new TimestampError('time stamp is signed by a certificate that is not for time stamps alone')
  if (!wasValid(certificate, time))
    throw new TimestampError('time stamp names a time at which its certificate was not valid')
}

/** Whether a time is within a certificate's own. */
export function wasValid({ validFrom, validTo }: X509Certificate, time: Date): boolean {
  return Date.parse(validFrom) <= time.getTime() && time.getTime() <= Date.parse(validTo)
}
