/**
 * The journal of the archive on AWS: the real sealer each hour, sometimes two at once, killed as everything else is; at
 * last the real check, which holds every object against it.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { KMSClient } from '@aws-sdk/client-kms'
import { createJournalCheck } from '../functions/check-journal.js'
import { createArchiveSealer } from '../functions/seal-archive.js'
import type { JournalFinding } from '../journal/finding.js'
import { verifierOf } from '../proof/note.js'
import type { SimulatedBucket } from './bucket.js'
import { wrongHistory } from './judge-checkpoints.js'
import { invoke } from './lambda.js'
import { operationOf, Process } from './process.js'
import { s3ClientOf } from './s3-client.js'
import { DAY_MS, HOUR_MS } from './times.js'
import type { World } from './world.js'

const ORIGIN = 'example.com/archive'
const KEY = 'alias/journal'
const TIMEOUT_MS = 15 * 60_000
const REFUSED_DAYS = 400
/** Half an hour after each sealing, and before the next one. */
const MIDDLE_MS = 30 * 60_000

/** What stands before the 32 bytes of an Ed25519 seed in DER (RFC 8410, section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A signing key in KMS. */
export interface SimulatedKey {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  lastUsedMs: number | undefined
  /** When somebody signed with it that is none of ours, and what is known of that. */
  readonly misuses: { readonly atMs: number; isHeard: boolean }[]
}

type Misuse = SimulatedKey['misuses'][number]

/** KMS as a process of ours sees it. API reference: Sign, GetPublicKey, DescribeKey, GetKeyLastUsage. */
function kmsClientOf(process: Process, key: SimulatedKey, onMisuse: (misuse: Misuse) => void = () => {}): KMSClient {
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
    GetKeyLastUsageCommand: () => {
      const misuse = key.misuses.find(({ atMs }) => atMs === key.lastUsedMs)
      if (misuse !== undefined) onMisuse(misuse)
      return {
        KeyLastUsage: key.lastUsedMs === undefined ? {} : { Timestamp: new Date(key.lastUsedMs), Operation: 'Sign' },
      }
    },
  }
  const send = (command: { readonly constructor: { readonly name: string }; readonly input: never }) =>
    process.call({
      operation: `kms ${operationOf(command.constructor.name)}`,
      about: '',
      serve: () => answers[command.constructor.name]?.(command.input),
    })
  return Object.assign(Object.create(KMSClient.prototype) as KMSClient, { send })
}

/** The sealing of one archive. */
export class SimulatedJournal {
  readonly key: SimulatedKey

  constructor(
    private readonly world: World,
    private readonly bucket: SimulatedBucket,
  ) {
    const der = Buffer.concat([PKCS8_HEAD, Buffer.from(world.dice.hex(32), 'hex')])
    const privateKey = createPrivateKey({ key: der, type: 'pkcs8', format: 'der' })
    this.key = { privateKey, publicKey: createPublicKey(privateKey), lastUsedMs: undefined, misuses: [] }
  }

  /** Seals each hour and checks each day, until a moment, in milliseconds since 1970. */
  async runUntil(endMs: number): Promise<void> {
    const { scheduler, faults, dice } = this.world
    for (let hour = 1; scheduler.now + HOUR_MS < endMs; hour++) {
      if (faults.strike('key-misused')) scheduler.after(MIDDLE_MS, () => this.misuse())
      await scheduler.sleep(HOUR_MS)
      void this.twice('sealing', () => this.seal())
      if (hour % 24 === 0) void this.twice('check', () => this.checkDaily())
      if (!faults.strike('sealed-twice')) continue
      // EventBridge calls at least once: another call begins while the first is at work
      scheduler.after(dice.between(0, 500), () => void this.twice('sealing', () => this.seal()))
    }
  }

  /** Somebody else signs, when no sealing is at work. */
  private misuse(): void {
    const atMs = Math.floor(this.world.scheduler.now)
    this.key.misuses.push({ atMs, isHeard: false })
    this.key.lastUsedMs = atMs
    this.world.story.tell('kms', `signs for a stranger at ${new Date(atMs).toISOString()}`)
  }

  /** As `infra/journal.ts` has it called, without anybody who waits: a call that fails is made once more. */
  private async twice(what: string, call: () => Promise<void>): Promise<void> {
    for (let attempt = 1; attempt <= 2; attempt++) {
      try {
        return await call()
      } catch (error) {
        this.world.story.tell('journal', `${what} failed: ${(error as Error).message}`)
      }
      await this.world.scheduler.sleep(60_000)
    }
  }

  private async seal(): Promise<void> {
    const { world, bucket, key } = this
    const run = async (_: undefined, { process, context }: Parameters<Parameters<typeof invoke>[1]['run']>[1]) => {
      const options = this.optionsOf(process)
      const heard: Misuse[] = []
      const sealer = createArchiveSealer({
        ...options,
        kms: kmsClientOf(process, key, misuse => heard.push(misuse)),
        archiveKey: 'alias/archive',
        isForeignKey: false,
        name: process.name,
        report: message => world.story.tell(process.name, message),
      })
      const sealed = await sealer({ remaining: context.getRemainingTimeInMillis })
      for (const misuse of heard) misuse.isHeard = true
      world.metrics.put('world sealings done', 1)
      return sealed
    }
    const { head, objects } = await invoke(world, { name: 'sealer', timeoutMs: TIMEOUT_MS, run }, undefined)
    world.story.tell('sealer', `sealed ${objects} objects of ${bucket.name}, up to ${head.size}`)
  }

  private async checkDaily(): Promise<void> {
    const { world, key } = this
    const run = async (_: undefined, { process, context }: Parameters<Parameters<typeof invoke>[1]['run']>[1]) => {
      const report = ({ kind, key, message }: JournalFinding) =>
        world.story.tell(process.name, `finds that ${key} is ${kind}, ${message}`)
      const kms = kmsClientOf(process, key)
      const check = createJournalCheck({ ...this.optionsOf(process), kms, refusedDays: REFUSED_DAYS, report })
      await check({ remaining: context.getRemainingTimeInMillis })
      world.metrics.put('world checks done', 1)
    }
    await invoke(world, { name: 'check', timeoutMs: TIMEOUT_MS, run }, undefined)
  }

  /**
   * What the check of the journal finds once a last sealing has taken everything; both without a fault, and a day later,
   * when all days are listed again.
   */
  async check(): Promise<readonly string[]> {
    const [sealing, checking] = ['last sealer', 'last check'].map(name => new Process(this.world, name, DAY_MS)) as [
      Process,
      Process,
    ]
    const findings: JournalFinding[] = []
    const names = { archiveKey: 'alias/archive', isForeignKey: true, name: 'last' }
    await createArchiveSealer({
      ...this.optionsOf(sealing),
      ...names,
      kms: kmsClientOf(sealing, this.key),
      report: () => {},
    })({ remaining: () => TIMEOUT_MS })
    const check = createJournalCheck({
      ...this.optionsOf(checking),
      kms: kmsClientOf(checking, this.key),
      refusedDays: REFUSED_DAYS,
      report: finding => findings.push(finding),
    })
    const { notSealed } = await check({ remaining: () => TIMEOUT_MS })
    const found = findings.map(({ kind, key, message }) => `journal: ${key} is ${kind}, ${message}`)
    const verifier = verifierOf(ORIGIN, 0x01, this.key.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32))
    return [...found, ...(await wrongHistory(this.bucket, { origin: ORIGIN, known: [verifier] }, notSealed))]
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
