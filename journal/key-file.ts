import { randomBytes } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { FileError, readBounded } from '../config/gate.js'
import {
  decodeBase64,
  formatVkey,
  isKeyName,
  keyId,
  parseVkey,
  type Signer,
  signerOf,
  type Verifier,
} from '../proof/note.js'
import { ProofError, SECRET } from '../proof/proof-error.js'
import { makeFolder, sync, writeDurably } from '../store/durable.js'

/**
 * A signing key in a file, in the form of Go's signed notes: `PRIVATE+KEY+<name>+<id>+<base64(type || seed)>`. Beside
 * it lies `<file>.vkey`, the public half, which is handed to whoever verifies.
 */

/** A key that signs, with the vkey that others verify it by. */
export interface SigningKey {
  readonly signer: Signer
  readonly verifier: Verifier
  readonly vkey: string
}

/** Where a key would be found by whoever holds the archive. */
export function isWithin(path: string, folder: string): boolean {
  const whole = realPath(folder)
  const found = realPath(path)
  return found === whole || found.startsWith(whole.endsWith(sep) ? whole : whole + sep)
}

/** The same of a key as it is given, which may be a vkey and no file. */
export function isFileWithin(given: string, folder: string): boolean {
  return existsSync(given) && isWithin(given, folder)
}

/** Follows the links of what is there already. */
function realPath(path: string): string {
  const whole = resolve(path)
  if (existsSync(whole)) return realpathSync(whole)
  const parent = dirname(whole)
  return parent === whole ? whole : join(realPath(parent), whole.slice(parent.length).replace(/^[/\\]/, ''))
}

/**
 * Makes a new key for a journal called `origin`, 0600, and its vkey. Throws a `FileError` where one of the files is
 * there already: a key that signed is never written over.
 */
export function makeKeyFile(path: string, origin: string): SigningKey {
  if (!isKeyName(origin))
    throw new ProofError(`origin is ${JSON.stringify(origin)}, expected a name without white space and "+"`)
  const seed = randomBytes(32)
  const key = signingKeyOf(origin, seed)
  const id = keyIdText(key.verifier)
  const text = `PRIVATE+KEY+${origin}+${id}+${Buffer.concat([Uint8Array.of(1), seed]).toString('base64')}\n`
  makeFolder(dirname(resolve(path)))
  for (const [file, content] of [
    [path, text],
    [vkeyPath(path), `${key.vkey}\n`],
  ] as const)
    writeNew(file, content)
  sync(dirname(resolve(path)))
  return key
}

export function vkeyPath(path: string): string {
  return `${path}.vkey`
}

function writeNew(path: string, content: string): void {
  try {
    writeDurably(path, content, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new FileError(path, ['is there already, and no key is written over'], { cause: error })
  }
}

/** Reads a key file. Throws a `FileError` that says what it is not; never with a part of the key. */
export function readKeyFile(path: string): SigningKey {
  const text = textOf(path)
  const [, name, id, encoded] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text) ?? []
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
  if (name === undefined || bytes === undefined || bytes.length !== 33 || bytes[0] !== 1)
    throw new FileError(path, ['is no signing key, expected PRIVATE+KEY+<name>+<id>+<base64 of 33 bytes>'])
  const key = signingKeyOf(name, bytes.subarray(1))
  if (keyIdText(key.verifier) !== id) throw new FileError(path, [`has the id ${id}, which is not that of its key`])
  return key
}

/**
 * Whom to believe: a vkey as it stands, or the file of one, or of the key itself. Throws a `FileError` or `ProofError`;
 * never with a part of a key that signs.
 */
export function readVerifier(given: string): Verifier {
  const isFile = existsSync(given) || !given.includes('+')
  const text = isFile ? textOf(given) : given
  return isFile && text.startsWith(SECRET) ? readKeyFile(given).verifier : parseVkey(text)
}

function textOf(path: string): string {
  const bytes = readBounded(path, path, { maxBytes: 4096 })
  if (bytes === undefined) throw new FileError(path, ['is not there'])
  return bytes.toString('utf8').trim()
}

function signingKeyOf(name: string, seed: Uint8Array): SigningKey {
  const signer = signerOf(name, seed)
  const vkey = formatVkey(signer)
  return { signer, verifier: parseVkey(vkey), vkey }
}

function keyIdText({ name, type, publicKey }: Verifier): string {
  return keyId(name, type, publicKey).toString(16).padStart(8, '0')
}
