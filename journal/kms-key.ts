import { GetKeyLastUsageCommand, GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { type Signer, type Verifier, verifierOf } from '../proof/note.js'
import { ProofError } from '../proof/proof-error.js'
import type { SealEntry } from './entry.js'

/** A signing key in KMS, which it never leaves, and who believes it. */
export interface KmsKey {
  readonly signer: Signer
  readonly verifier: Verifier
}

const SPEC = 'ECC_NIST_EDWARDS25519'

/** What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410, section 4). */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

/** Opens a key under the name that it signs as. Throws for one that is not Ed25519. */
export async function openKmsKey(kms: KMSClient, keyId: string, name: string): Promise<KmsKey> {
  const verifier = await readKmsVerifier(kms, keyId, name)
  const { id } = verifier
  const sign = async (text: string) => {
    const Message = Buffer.from(text)
    const about = { KeyId: keyId, Message, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' } as const
    const { Signature: signature } = await kms.send(new SignCommand(about))
    // a checkpoint that nobody believes would block the journal for good
    if (signature === undefined || !verifier.verifies(text, signature))
      throw new ProofError(`signature of KMS key ${keyId} is not that of its public key`)
    return signature
  }
  return { signer: { name, id, sign }, verifier }
}

/** Who believes a key in KMS under a name. Throws for one that is not Ed25519. */
export async function readKmsVerifier(kms: KMSClient, keyId: string, name: string): Promise<Verifier> {
  const { KeySpec, PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }))
  const der = Buffer.from(PublicKey ?? [])
  if (KeySpec !== SPEC || !der.subarray(0, SPKI_HEAD.length).equals(SPKI_HEAD))
    throw new ProofError(`KMS key ${keyId} has the spec ${KeySpec}, expected ${SPEC}`)
  return verifierOf(name, 0x01, der.subarray(SPKI_HEAD.length))
}

/** So soon after the time that its seal names a sealing signs: a function's call is over by then. */
const SIGNS_WITHIN_MS = 15 * 60_000

/**
 * The last use of a journal's key, where it is not that of the newest seal: somebody else signed, or a sealing died
 * between signing and claiming. KMS tells of the last use alone, and of keys of the caller's own account.
 */
export async function strangeUse(
  kms: KMSClient,
  keyId: string,
  newest: SealEntry | undefined,
): Promise<string | undefined> {
  const { KeyLastUsage: last } = await kms.send(new GetKeyLastUsageCommand({ KeyId: keyId }))
  if (last?.Timestamp === undefined) return undefined
  const sealed = newest === undefined ? Number.NEGATIVE_INFINITY : Date.parse(newest.time)
  if (+last.Timestamp <= sealed + SIGNS_WITHIN_MS) return undefined
  return `${last.Operation} at ${last.Timestamp.toISOString()}, CloudTrail event ${last.CloudTrailEventId ?? 'unknown'}`
}
