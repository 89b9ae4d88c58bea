import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { type SecretPurpose, secretContext } from '../config/key-store.js'
import { SealingError } from '../transform/sealed-field.js'

/** Who makes a store's secrets and opens them again: KMS, by one key. */
export interface Secrets {
  /** A secret of 32 bytes, sealed. */
  make(purpose: SecretPurpose, store: string): Promise<Uint8Array>
  /** Its bytes. Throws a `SealingError` where they may not be had, or it is another store's. */
  open(sealed: Uint8Array, purpose: SecretPurpose, store: string): Promise<Uint8Array>
}

/** Secrets under a key of KMS, which is named only to make one. */
export class KmsSecrets implements Secrets {
  constructor(
    private readonly client: KMSClient,
    private readonly keyArn?: string,
  ) {}

  async make(purpose: SecretPurpose, store: string): Promise<Uint8Array> {
    const { CiphertextBlob } = await this.client.send(
      new GenerateDataKeyCommand({
        KeyId: this.keyArn,
        KeySpec: 'AES_256',
        EncryptionContext: secretContext(purpose, store),
      }),
    )
    return CiphertextBlob as Uint8Array
  }

  async open(sealed: Uint8Array, purpose: SecretPurpose, store: string): Promise<Uint8Array> {
    const EncryptionContext = secretContext(purpose, store)
    const { Plaintext } = await this.client
      .send(new DecryptCommand({ CiphertextBlob: sealed, EncryptionContext }))
      .catch((error: Error) => {
        throw new SealingError(
          `secret ${JSON.stringify(purpose)} of the key store is not opened by KMS: ${error.name}: ${error.message}`,
          { cause: error },
        )
      })
    if (Plaintext?.length === 32) return Plaintext
    throw new SealingError(
      `secret ${JSON.stringify(purpose)} of the key store has ${Plaintext?.length} bytes, expected 32`,
    )
  }
}
