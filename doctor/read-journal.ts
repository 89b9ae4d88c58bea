import { DescribeKeyCommand, GetKeyPolicyCommand, type KMSClient, paginateListGrants } from '@aws-sdk/client-kms'
import {
  GetBucketEncryptionCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'
import { type Outputs, outputsOf } from '../aws/stack-outputs.js'
import { newestSeal } from '../journal/entries.js'
import type { SealEntry } from '../journal/entry.js'
import { cachedHead, type JournalIdentity } from '../journal/head.js'
import { JournalError } from '../journal/journal-error.js'
import { KeptLog } from '../journal/kept-log.js'
import { readKmsVerifier, strangeUse } from '../journal/kms-key.js'
import { formatVkey } from '../proof/note.js'
import { Bucket } from '../store/s3.js'
import { CLAIMS_PREFIX, EVIDENCE_PREFIXES, isPartialTile } from '../transform/layout.js'
import { absentAs, attempt } from './attempt.js'
import { parseStatements } from './bucket-policy.js'
import type { Facts, JournalFacts, KeyFacts, LockedObject } from './deployed-facts.js'

const HOUR_MS = 3_600_000

/** What tells of keys, and of what they are for. */
interface KeyClients {
  readonly s3: S3Client
  readonly kms: KMSClient
}

/** The key that a bucket is encrypted with. */
export async function readBucketKey({ s3, kms }: KeyClients, Bucket: string): Promise<KeyFacts> {
  const rules = await absentAs([], ['ServerSideEncryptionConfigurationNotFoundError'], async () => {
    const { ServerSideEncryptionConfiguration: found } = await s3.send(new GetBucketEncryptionCommand({ Bucket }))
    return found?.Rules ?? []
  })
  const id = rules[0]?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID
  return id === undefined ? NO_KEY : readKey(kms, id)
}

const NO_KEY: KeyFacts = {
  id: '',
  account: '',
  state: 'the bucket names no key',
  spec: 'none',
  policy: { kind: 'found', value: [] },
  signingGrants: { kind: 'found', value: [] },
}

/** How a key is kept, and who may use it. */
export async function readKey(client: KMSClient, id: string): Promise<KeyFacts> {
  const { KeyMetadata: key } = await client.send(new DescribeKeyCommand({ KeyId: id }))
  return {
    id,
    account: key?.AWSAccountId ?? '',
    state: key?.KeyState ?? 'unknown',
    spec: key?.KeySpec ?? 'unknown',
    policy: await attempt(async () => {
      const { Policy = '{}' } = await client.send(new GetKeyPolicyCommand({ KeyId: id, PolicyName: 'default' }))
      return parseStatements(Policy)
    }),
    signingGrants: await attempt(() => signingGrants(client, id)),
  }
}

async function signingGrants(client: KMSClient, KeyId: string): Promise<readonly string[]> {
  const grantees: string[] = []
  for await (const { Grants = [] } of paginateListGrants({ client }, { KeyId }))
    for (const { Operations = [], GranteePrincipal = 'somebody' } of Grants)
      if (Operations.includes('Sign')) grantees.push(GranteePrincipal)
  return grantees
}

/** The newest object of each prefix that holds evidence, of the first thousand: after an hour it should be locked. */
export async function readLocks(client: S3Client, bucket: string, now: number): Promise<readonly LockedObject[]> {
  const found: LockedObject[] = []
  for (const Prefix of EVIDENCE_PREFIXES) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }))
    const old = Contents.filter(
      ({ Key = '/', LastModified }) =>
        !Key.endsWith('/') && !isPartialTile(Key) && Number(LastModified) < now - HOUR_MS,
    )
    const newest = old.sort((a, b) => Number(a.LastModified) - Number(b.LastModified)).at(-1)
    if (newest?.Key !== undefined) found.push({ key: newest.Key, mode: await lockMode(client, bucket, newest.Key) })
  }
  return found
}

function lockMode(client: S3Client, Bucket: string, Key: string): Promise<string | undefined> {
  return absentAs(
    undefined,
    ['NoSuchObjectLockConfiguration', 'InvalidRequest'],
    async () => (await client.send(new GetObjectRetentionCommand({ Bucket, Key }))).Retention?.Mode,
  )
}

/** The journal that a stack keeps; undefined where it keeps none. */
export async function readJournal({ s3, kms }: KeyClients, outputs: Outputs, now: number): Promise<Facts['journal']> {
  const [[bucket], [origin], [keyId]] = ['ArchiveBucket', 'JournalOrigin', 'SealKeyArn'].map(name =>
    outputsOf(outputs, name),
  ) as [string[], string[], string[]]
  if (bucket === undefined || origin === undefined || keyId === undefined) return undefined
  const key = await attempt(() => readKey(kms, keyId))
  const found = await attempt(async (): Promise<JournalFacts> => {
    const verifier = await readKmsVerifier(kms, keyId, origin)
    const log = new Bucket(s3, bucket)
    const newest = await believedSeal(new KeptLog(log), { origin, known: [verifier] })
    const seal = typeof newest === 'string' ? undefined : newest
    return {
      vkey: formatVkey(verifier),
      sealedAgoMs: typeof newest === 'string' ? newest : seal && now - Date.parse(seal.time),
      strangeUse: await attempt(() => strangeUse(kms, keyId, seal)),
      rewritten: await rewrittenClaims(log),
    }
  })
  return { key, found }
}

async function rewrittenClaims(bucket: Bucket): Promise<readonly string[]> {
  const counts = new Map<string, number>()
  for await (const { key } of bucket.versions(CLAIMS_PREFIX)) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1).map(([key]) => key)
}

/** The seal of the newest checkpoint; a text says why that is not believed. */
async function believedSeal(log: KeptLog, identity: JournalIdentity): Promise<SealEntry | string | undefined> {
  try {
    const { size } = await cachedHead(log, identity)
    return await newestSeal(path => log.read(path), size)
  } catch (error) {
    if (error instanceof JournalError) return error.message
    throw error
  }
}
