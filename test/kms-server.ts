/** What we use of KMS, on loopback: it signs, shows its public key, says how a key is, and seals secrets. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'
import { type Loopback, startLoopback } from './loopback.js'

export interface KmsServer extends Loopback {
  readonly requests: { readonly operation: string; readonly body: Record<string, unknown> }[]
  /** Replaces the answer of an operation, or makes it fail where it is a name of an error. */
  readonly answers: Map<string, object | string>
  /** The 32 bytes of the key that signs. */
  readonly publicKey: Buffer
}

/** Ed25519 as KMS has it; `seed` makes it a key that other tests know. */
export async function startKmsServer(seed?: Uint8Array): Promise<KmsServer> {
  const privateKey =
    seed === undefined
      ? generateKeyPairSync('ed25519').privateKey
      : createPrivateKey({
          key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
          format: 'der',
          type: 'pkcs8',
        })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const answer = (operation: string, body: Record<string, unknown>): object => {
    if (operation === 'GetPublicKey')
      return { KeySpec: 'ECC_NIST_EDWARDS25519', PublicKey: spki.toString('base64'), KeyUsage: 'SIGN_VERIFY' }
    if (operation === 'Sign') {
      const { Message, MessageType, SigningAlgorithm } = body
      if (MessageType !== 'RAW' || SigningAlgorithm !== 'ED25519_SHA_512') return { __type: 'ValidationException' }
      const text = Buffer.from(Message as string, 'base64')
      if (text.length > 4096) return { __type: 'ValidationException' }
      return { Signature: sign(null, text, privateKey).toString('base64'), SigningAlgorithm }
    }
    if (operation === 'GenerateDataKey') return generate(contextOf(body))
    if (operation === 'Decrypt') return decrypt(`${body.CiphertextBlob}`, contextOf(body))
    if (operation === 'GetKeyLastUsage') return { KeyLastUsage: {} }
    return { KeyMetadata: { KeyId: body.KeyId, KeyState: 'Enabled' } }
  }
  const loopback = await startLoopback((request, bytes, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] as string
    const body = JSON.parse(bytes.toString())
    server.requests.push({ operation, body })
    const given = server.answers.get(operation)
    const answered = typeof given === 'string' ? { __type: given } : (given ?? answer(operation, body))
    response
      .writeHead('__type' in answered ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' })
      .end(JSON.stringify(answered))
  })
  const server: KmsServer = { ...loopback, requests: [], answers: new Map(), publicKey: spki.subarray(-32) }
  return server
}

/** The key that seals secrets: the same in every test, as it stands for nothing. */
const SECRETS_KEY = Buffer.alloc(32, 7)

/** An encryption context in an order of its own (developer guide, "Encryption context"). */
function contextOf({ EncryptionContext = {} }: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(EncryptionContext as object).sort()))
}

function generate(context: Buffer): object {
  const [plain, nonce] = [randomBytes(32), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', SECRETS_KEY, nonce).setAAD(context)
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return { CiphertextBlob: sealed.toString('base64'), Plaintext: plain.toString('base64') }
}

function decrypt(blob: string, context: Buffer): object {
  const bytes = Buffer.from(blob, 'base64')
  const cipher = createDecipheriv('aes-256-gcm', SECRETS_KEY, bytes.subarray(0, 12)).setAAD(context)
  try {
    cipher.setAuthTag(bytes.subarray(-16))
    const plain = Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()])
    return { Plaintext: plain.toString('base64') }
  } catch {
    return { __type: 'InvalidCiphertextException' }
  }
}
