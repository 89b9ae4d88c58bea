/**
 * The journal of the archive on AWS: the real sealer each hour, sometimes two at once, killed as everything else is; at
 * last the real check, which holds every object against it.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { KMSClient } from '@aws-sdk/client-kms'
import { createJournalCheck } from '../functions/check-journal.js'
import { createArchiveSealer } from '../functions/seal-archive.js'
import type { JournalFinding } from '../journal/finding.js'
import type { SimulatedBucket } from './bucket.js'
import { invoke } from './lambda.js'
import { Process } from './process.js'
import { s3ClientOf } from './s3-client.js'
import type { World } from './world.js'

const ORIGIN = 'example.com/archive'
const KEY = 'alias/journal'
const TIMEOUT_MS = 15 * 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** What stands before the 32 bytes of an Ed25519 seed in DER (RFC 8410, section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A signing key in KMS. */
interface SimulatedKey {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  lastUsedMs: number | undefined
}

/** KMS as a process of ours sees it. API reference: Sign, GetPublicKey, DescribeKey, GetKeyLastUsage. */
function kmsClientOf(process: Process, key: SimulatedKey): KMSClient {
  const answers: { readonly [command: string]: (input: { readonly Message: Uint8Array }) => unknown } = {
    GetPublicKeyCommand: () => ({
      KeySpec: 'ECC_NIST_EDWARDS25519',
      PublicKey: key.publicKey.export({ type: 'spki', format: 'der' }),
    }),
    SignCommand: ({ Message }) => {
      key.lastUsedMs = Math.floor(process.world.scheduler.now)
      return { Signature: sign(null, Message, key.privateKey) }
    },
    DescribeKeyCommand: () => ({ KeyMetadata: { KeyState: 'Enabled' } }),
    GetKeyLastUsageCommand: () => ({
      KeyLastUsage: key.lastUsedMs === undefined ? {} : { Timestamp: new Date(key.lastUsedMs), Operation: 'Sign' },
    }),
  }
  const send = (command: { readonly constructor: { readonly name: string }; readonly input: never }) =>
    process.call({ serve: () => answers[command.constructor.name]?.(command.input) })
  return Object.assign(Object.create(KMSClient.prototype) as KMSClient, { send })
}

/** The sealing of one archive. */
export class SimulatedJournal {
  private readonly key: SimulatedKey

  constructor(
    private readonly world: World,
    private readonly bucket: SimulatedBucket,
  ) {
    const der = Buffer.concat([PKCS8_HEAD, Buffer.from(world.dice.hex(32), 'hex')])
    const privateKey = createPrivateKey({ key: der, type: 'pkcs8', format: 'der' })
    this.key = { privateKey, publicKey: createPublicKey(privateKey), lastUsedMs: undefined }
  }

  /** Seals each hour until a moment, in milliseconds since 1970. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, faults, dice } = this.world
    while (scheduler.now + HOUR_MS < endMs) {
      await scheduler.sleep(HOUR_MS)
      void this.seal()
      if (!faults.strike('sealed-twice')) continue
      // EventBridge calls at least once: another call begins while the first is at work
      scheduler.after(dice.between(0, 500), () => void this.seal())
    }
  }

  private async seal(): Promise<void> {
    const { world, bucket, key } = this
    const run = async (_: undefined, { process, context }: Parameters<Parameters<typeof invoke>[1]['run']>[1]) => {
      const options = this.optionsOf(process)
      const sealer = createArchiveSealer({
        ...options,
        kms: kmsClientOf(process, key),
        archiveKey: 'alias/archive',
        isForeignKey: false,
        name: process.name,
        report: message => world.story.tell(process.name, message),
      })
      return sealer({ remaining: context.getRemainingTimeInMillis })
    }
    try {
      const { head, objects } = await invoke(world, { name: 'sealer', timeoutMs: TIMEOUT_MS, run }, undefined)
      world.story.tell('sealer', `sealed ${objects} objects of ${bucket.name}, up to ${head.size}`)
    } catch {
      // the next hour begins where this one ended
    }
  }

  /**
   * What the check of the journal finds once a last sealing has taken everything; both without a fault, and a day later,
   * when all days are listed again.
   */
  async check(): Promise<readonly string[]> {
    const process = new Process(this.world, 'check', DAY_MS)
    const findings: JournalFinding[] = []
    const options = this.optionsOf(process)
    const kms = kmsClientOf(process, this.key)
    const names = { archiveKey: 'alias/archive', isForeignKey: true, name: 'last' }
    await createArchiveSealer({ ...options, ...names, kms, report: () => {} })({ remaining: () => TIMEOUT_MS })
    const check = createJournalCheck({ ...options, kms, refusedDays: 400, report: finding => findings.push(finding) })
    const { notSealed } = await check({ remaining: () => TIMEOUT_MS })
    const found = findings.map(({ kind, key, message }) => `journal: ${key} is ${kind}, ${message}`)
    return notSealed === 0 ? found : [...found, `journal names ${notSealed} objects nowhere, expected all of them`]
  }

  private optionsOf(process: Process) {
    return {
      s3: s3ClientOf(process, [this.bucket]),
      bucket: this.bucket.name,
      origin: ORIGIN,
      sealKey: KEY,
      now: process.now,
      writeMetrics: (counts: { readonly [name: string]: number }) => {
        for (const [name, value] of Object.entries(counts)) this.world.metrics.put(`journal ${name}`, value)
      },
    }
  }
}
