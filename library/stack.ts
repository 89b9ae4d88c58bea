/** An archive on AWS: what the stack says of itself, and the engine over its tables and buckets. */
import type { S3Client } from '@aws-sdk/client-s3'
import { capturesTable, type Outputs, outputsOf, readOutputs } from '../aws/stack-outputs.js'
import { FileError } from '../config/gate.js'
import { indexPath } from '../journal/kept-index.js'
import type { Verifier } from '../proof/note.js'
import type { AthenaEngine } from '../queries/engines/athena.js'
import type { KnownJournal } from '../queries/engines/engine.js'
import { isMissing, type KeyRange, type ObjectEntry, type VersionedEntry } from '../store/objects.js'
import { Bucket } from '../store/s3.js'
import { ArchiveError } from './archive-error.js'

/** Where an archive on AWS is asked. */
export interface StackPlace {
  readonly workgroup: string
  readonly database: string
  /** Undefined where the AWS SDK is to find it. */
  readonly region?: string | undefined
  /** Where answers go; undefined where the workgroup says it. */
  readonly results?: string | undefined
  /** The archive's bucket, where a stack told it. */
  readonly bucket?: string | undefined
  /** The bucket of what is made from the archive, where a stack has one. */
  readonly derived?: string | undefined
  /** The archive's journal, where a stack keeps one. */
  readonly journal?: StackJournal | undefined
}

/** A journal as a stack tells of it. */
export interface StackJournal {
  readonly origin: string
  /** ARN of the key that signs. */
  readonly keyArn: string
}

/** What a stack's outputs say. A name that is needed throws an `ArchiveError` where the stack has none, or several. */
export interface StackOutputs {
  readonly workgroup: () => string
  readonly database: () => string
  readonly bucket: string | undefined
  readonly derived: string | undefined
  readonly journal: StackJournal | undefined
  /** The bucket of what never reached Firehose. */
  readonly refused: string | undefined
  /** The tables of persons' keys, one for each archive that has erasable values. */
  readonly keyTables: readonly string[]
  /** How many archives the stack has. */
  readonly archives: number
  /** Whether it captures a table. By the names of outputs, which lack signs: one that is called alike counts. */
  readonly captures: (table: string) => boolean
}

/** Reads the outputs of a stack. Throws an `ArchiveError` where it cannot be described. */
export async function describeStack(stack: string, region: string | undefined): Promise<StackOutputs> {
  const { CloudFormationClient } = await import('@aws-sdk/client-cloudformation')
  const client = new CloudFormationClient({ ...(region !== undefined && { region }) })
  const name = `stack ${JSON.stringify(stack)}`
  const outputs = await readOutputs(client, stack).catch((error: Error) => {
    throw new ArchiveError(`${name} cannot be described: ${error.name}: ${error.message}`, { cause: error })
  })
  client.destroy()
  // told only where it is needed: whoever asks may say which of several archives is meant
  const only = (output: string) => () => {
    const [value, ...others] = new Set(outputsOf(outputs, output))
    if (value !== undefined && others.length === 0) return value
    const found = value === undefined ? 'no output' : `the outputs ${[value, ...others].join(' and ')} for its`
    throw new ArchiveError(`${name} has ${found} ${output}`)
  }
  const workgroup = only('WorkgroupName')
  const [auditors] = outputsOf(outputs, 'AuditorWorkgroup')
  const isAuditor = auditors !== undefined && (await isClosed(workgroup, region))
  return {
    workgroup: isAuditor ? () => auditors : workgroup,
    database: only('DatabaseName'),
    bucket: outputsOf(outputs, 'ArchiveBucket')[0],
    derived: outputsOf(outputs, 'DerivedBucket')[0],
    journal: journalIn(outputs),
    refused: outputsOf(outputs, 'RefusedBucket')[0],
    keyTables: outputsOf(outputs, 'PersonsKeyTable'),
    archives: new Set(outputsOf(outputs, 'ArchiveBucket')).size,
    captures: table => capturesTable(outputs, table),
  }
}

function journalIn(outputs: Outputs): StackJournal | undefined {
  const [[origin], [keyArn]] = [outputsOf(outputs, 'JournalOrigin'), outputsOf(outputs, 'SealKeyArn')]
  return origin === undefined || keyArn === undefined ? undefined : { origin, keyArn }
}

/** True where the caller may not use a workgroup: an auditor has one apart. What else is wrong is told by asking. */
async function isClosed(workgroup: () => string, region: string | undefined): Promise<boolean> {
  const { AthenaClient, GetWorkGroupCommand } = await import('@aws-sdk/client-athena')
  const client = new AthenaClient({ ...(region !== undefined && { region }) })
  try {
    await client.send(new GetWorkGroupCommand({ WorkGroup: workgroup() }))
    return false
  } catch (error) {
    return (error as Error).name === 'AccessDeniedException'
  } finally {
    client.destroy()
  }
}

/** How an archive on AWS is opened. */
export interface StackEngineOptions {
  /** Ends every statement. @default - only the signal of a single statement does */
  readonly signal?: AbortSignal | undefined
  /** What is thrown where the archive's own objects cannot be read. @default - an `ArchiveError` */
  readonly refusal?: (message: string) => Error
  /** What else is known of its journal. @default - what the stack says */
  readonly known?: KnownJournal | undefined
}

/** The engine over an archive on AWS, with the facts and the compacted copies of its buckets where they are known. */
export async function openStackEngine(place: StackPlace, options: StackEngineOptions = {}): Promise<AthenaEngine> {
  const { workgroup, database, region, bucket, derived, results: outputLocation } = place
  const { AthenaEngine } = await import('../queries/engines/athena.js')
  const { signal, known } = options
  const buckets = bucket === undefined ? {} : await openBuckets({ ...place, bucket, derived }, options)
  const kept = bucket === undefined ? undefined : indexPath(`s3://${bucket}`)
  const journal = { kept, ...(await journalOfStack(place)), ...known }
  return AthenaEngine.open({ workgroup, database, region, bucket, outputLocation, signal, journal, ...buckets })
}

/** What a stack says of its journal, with the key that signs it where the caller may see its public half. */
async function journalOfStack(place: StackPlace): Promise<KnownJournal> {
  if (place.journal === undefined) return {}
  const believed = await verifierOfStack(place)
  // without one every answer says that the signature was held against no key
  return { sealedBy: 'the stack, which keeps a journal', ...(believed !== undefined && { believed }) }
}

/** The key that a stack signs its journal with; undefined where it keeps none, or the caller may not see it. */
export async function verifierOfStack({
  journal,
  region,
}: Pick<StackPlace, 'journal' | 'region'>): Promise<Verifier | undefined> {
  if (journal === undefined) return undefined
  const [{ KMSClient }, { readKmsVerifier }] = await Promise.all([
    import('@aws-sdk/client-kms'),
    import('../journal/kms-key.js'),
  ])
  const client = new KMSClient(region === undefined ? {} : { region })
  try {
    return await readKmsVerifier(client, journal.keyArn, journal.origin)
  } catch {
    return undefined
  } finally {
    client.destroy()
  }
}

async function openBuckets(
  { bucket, derived, database, region }: StackPlace & { readonly bucket: string },
  { refusal = message => new ArchiveError(message) }: StackEngineOptions,
) {
  const [{ S3Client }, { UnloadedCopies }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('../derived/unloaded-copies.js'),
  ])
  const client = new S3Client(region === undefined ? {} : { region })
  return {
    facts: new ToldBucket(client, bucket, refusal),
    ...(derived !== undefined && {
      copies: new UnloadedCopies(new Bucket(client, bucket), new Bucket(client, derived), database),
    }),
  }
}

/** A bucket of which it is told what it could not be read for, and what the reader needs. */
class ToldBucket extends Bucket {
  constructor(
    client: S3Client,
    name: string,
    private readonly refusal: (message: string) => Error,
  ) {
    super(client, name)
  }

  override entries(prefix: string): Promise<readonly ObjectEntry[]> {
    return super.entries(prefix).catch(error => this.refuse(error))
  }

  override versioned(prefix: string, range: KeyRange): Promise<readonly VersionedEntry[]> {
    return super.versioned(prefix, range).catch(error => this.refuse(error))
  }

  override folders(prefix: string): Promise<readonly string[]> {
    return super.folders(prefix).catch(error => this.refuse(error))
  }

  override open(key: string, maxBytes?: number): Promise<Uint8Array> {
    return super.open(key, maxBytes).catch(error => this.refuse(error))
  }

  private refuse(error: Error): never {
    if (error instanceof FileError || isMissing(error)) throw error
    throw this.refusal(
      `the archive's own objects cannot be read from bucket ${this.name}: ${error.name}: ${error.message}`,
    )
  }
}
