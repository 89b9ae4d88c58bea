import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { ProofError, SECRET } from './proof-error.js'

/**
 * Signed notes (C2SP signed-note): a text, an empty line, and lines of signatures that each name the key. Keys are
 * Ed25519; whose lines are of another key are left alone.
 */

/** What a key signs with: an Ed25519 log key (0x01), or an Ed25519 witness that dates its cosignature (0x04). */
export type SignatureType = 0x01 | 0x04

/** Whose signatures are believed. */
export interface Verifier {
  readonly name: string
  /** First 4 bytes, big endian, of SHA-256(name || 0x0A || type || public key). */
  readonly id: number
  readonly type: SignatureType
  readonly publicKey: Uint8Array
  /** Whether a signature, without the key's id, is one of this text. */
  verifies(text: string, signature: Uint8Array): boolean
}

/** Who signs notes. */
export interface Signer {
  readonly name: string
  readonly id: number
  /** The signature of a text, without the key's id. */
  sign(text: string): Uint8Array | Promise<Uint8Array>
}

/** One signature line of a note. */
export interface NoteSignature {
  readonly name: string
  readonly id: number
  readonly signature: Uint8Array
  /** The line as it stands, without its line feed. */
  readonly line: string
}

/** A note taken apart; nothing is verified yet. */
export interface Note {
  /** What is signed, its last line feed included. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

const MAX_SIGNATURES = 100
const SEPARATOR = '\n\n'
const LINE = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/

/** Takes a note apart. Throws `ProofError` for what is none. */
export function parseNote(note: string): Note {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x09\x0b-\x1f]/.test(note) || !note.isWellFormed()) throw new ProofError('note has control characters')
  // the text may hold empty lines of its own: the last one parts
  const at = note.lastIndexOf(SEPARATOR)
  if (at === -1 || !note.endsWith('\n')) throw new ProofError('note has no signatures')
  const lines = note.slice(at + SEPARATOR.length, -1).split('\n')
  if (lines.length > MAX_SIGNATURES)
    throw new ProofError(`note has ${lines.length} signatures, at most ${MAX_SIGNATURES}`)
  return { text: note.slice(0, at + 1), signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = LINE.exec(line) ?? []
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
  if (name === undefined || !isKeyName(name) || bytes === undefined || bytes.length < 5)
    throw new ProofError(`note has the line ${JSON.stringify(line)}, expected "\u2014 <key name> <base64>"`)
  return { name, id: bytes.readUInt32BE(0), signature: bytes.subarray(4), line }
}

/**
 * The signatures of a note that known keys made. Throws `ProofError` where one that names a known key, by name and id,
 * is not its signature; lines of other keys are passed over.
 */
export function verifiedSignatures(note: Note, known: readonly Verifier[]): readonly NoteSignature[] {
  return note.signatures.filter(signature => {
    const verifier = known.find(({ name, id }) => name === signature.name && id === signature.id)
    if (verifier === undefined) return false
    if (verifier.verifies(note.text, signature.signature)) return true
    throw new ProofError(`note has a signature of ${signature.name} that is not its own`, { fault: 'key' })
  })
}

/** The note of a text, signed by all of them in their order. Throws `ProofError` for a text that no note can have. */
export async function signNote(text: string, signers: readonly Signer[]): Promise<string> {
  const lines = await Promise.all(signers.map(signer => signatureLine(signer, text)))
  const note = `${text}\n${lines.map(line => `${line}\n`).join('')}`
  if (parseNote(note).text !== text) throw new ProofError('text of a note does not end in a line feed')
  return note
}

/** A signature line, without its line feed. */
export async function signatureLine(signer: Signer, text: string): Promise<string> {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(signer.id)
  return `\u2014 ${signer.name} ${Buffer.concat([id, await signer.sign(text)]).toString('base64')}`
}

/** Not empty, no white space, no "+". */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name) && name.isWellFormed()
}

/** The id by which notes and vkeys name a key. */
export function keyId(name: string, type: SignatureType, publicKey: Uint8Array): number {
  return hash(
    'sha256',
    Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(type), publicKey]),
    'buffer',
  ).readUInt32BE()
}

/** `<name>+<id, 8 hex digits>+<base64(type || public key)>`: a public key as it is handed on. */
export function formatVkey({ name, id, type, publicKey }: Omit<Verifier, 'verifies'>): string {
  const key = Buffer.concat([Uint8Array.of(type), publicKey]).toString('base64')
  return `${name}+${id.toString(16).padStart(8, '0')}+${key}`
}

/** Reads a vkey. Throws `ProofError` for another form, an unknown type, a wrong length, an id that is not the key's. */
export function parseVkey(vkey: string): Verifier {
  if (vkey.startsWith(SECRET)) throw new ProofError('key is one that signs, expected its vkey, or the file of its vkey')
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(vkey) ?? []
  const key = encoded === undefined ? undefined : decodeBase64(encoded)
  if (name === undefined || id === undefined || key === undefined || !isKeyName(name))
    throw new ProofError(`vkey is ${JSON.stringify(vkey)}, expected <name>+<8 hex digits>+<base64>`)
  const type = key[0]
  if (type !== 0x01 && type !== 0x04)
    throw new ProofError(`vkey ${name} is of type ${type}, expected 1 (Ed25519) or 4 (Ed25519 cosignature)`)
  const publicKey = key.subarray(1)
  if (publicKey.length !== PUBLIC_KEY_BYTES)
    throw new ProofError(`vkey ${name} has ${publicKey.length} bytes, expected ${PUBLIC_KEY_BYTES}`)
  if (keyId(name, type, publicKey) !== Number.parseInt(id, 16))
    throw new ProofError(`vkey ${name} has the id ${id}, which is not that of its key`)
  return verifierOf(name, type, publicKey)
}

/** Who believes this Ed25519 key (32 bytes) under this name. */
export function verifierOf(name: string, type: SignatureType, publicKey: Uint8Array): Verifier {
  const key = publicKeyOf(publicKey)
  const verifies = (text: string, signature: Uint8Array) => {
    if (type === 0x01) return verify(null, Buffer.from(text), key, signature)
    const dated = readDated(signature)
    return dated !== undefined && verify(null, cosignedBytes(text, dated.time), key, dated.signature)
  }
  return { name, id: keyId(name, type, publicKey), type, publicKey, verifies }
}

/** An Ed25519 signer from its seed of 32 bytes, with the public key that goes with it. */
export function signerOf(name: string, seed: Uint8Array): Signer & Omit<Verifier, 'verifies'> {
  if (!isKeyName(name)) throw new ProofError(`key name is ${JSON.stringify(name)}, expected no white space and no "+"`)
  const { key, publicKey } = privateKeyOf(seed)
  const id = keyId(name, 0x01, publicKey)
  return { name, id, type: 0x01, publicKey, sign: text => sign(null, Buffer.from(text), key) }
}

/** A witness that cosigns at a time, in seconds since 1970 (C2SP tlog-cosignature, type 0x04). */
export function cosignerOf(name: string, seed: Uint8Array, now: () => number): Signer & Omit<Verifier, 'verifies'> {
  const { key, publicKey } = privateKeyOf(seed)
  const cosign = (text: string) => {
    const time = now()
    const head = Buffer.alloc(8)
    head.writeBigUInt64BE(BigInt(time))
    return Buffer.concat([head, sign(null, cosignedBytes(text, BigInt(time)), key)])
  }
  return { name, id: keyId(name, 0x04, publicKey), type: 0x04, publicKey, sign: cosign }
}

/** When a cosignature says that it was made, in seconds since 1970; undefined for what is none. */
export function cosignatureTime(signature: Uint8Array): bigint | undefined {
  return readDated(signature)?.time
}

function readDated(signature: Uint8Array): { readonly time: bigint; readonly signature: Uint8Array } | undefined {
  if (signature.length !== 8 + SIGNATURE_BYTES) return undefined
  return { time: Buffer.from(signature).readBigUInt64BE(), signature: signature.subarray(8) }
}

function cosignedBytes(text: string, time: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)
}

/** Bytes of base64 in its one form (RFC 4648, section 4, padded); undefined for any other text. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410, sections 4 and 7). */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: 'der', type: 'spki' })
}

function privateKeyOf(seed: Uint8Array): { readonly key: KeyObject; readonly publicKey: Buffer } {
  if (seed.length !== PUBLIC_KEY_BYTES)
    throw new ProofError(`seed of a key has ${seed.length} bytes, expected ${PUBLIC_KEY_BYTES}`)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { key, publicKey: spki.subarray(-PUBLIC_KEY_BYTES) }
}
