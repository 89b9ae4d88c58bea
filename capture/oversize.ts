import { createHash } from 'node:crypto'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { RECORD_BYTES } from '../aws/firehose-limits.js'
import { Attempts, type Patience } from '../aws/patience.js'
import { refusedPrefix } from '../transform/layout.js'
import { processingFailedLine } from '../transform/refused-line.js'
import type { Pack } from './packing.js'

/** Where records larger than Firehose takes are kept, beside what Firehose itself could not deliver. */
export interface OversizeOptions {
  readonly client: S3Client
  readonly bucket: string
  readonly table: string
  /** The function that keeps them. */
  readonly lambdaArn: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What became of oversize records. */
export interface KeptOversize {
  readonly kept: readonly Pack[]
  readonly left: readonly Pack[]
  /** Why objects were not written: error names and how often. */
  readonly errors: ReadonlyMap<string, number>
}

/**
 * Keeps each record whole as an object of one line. The key is the content's own hash, so a batch that Lambda sends
 * again writes no second object, and no object is ever rewritten.
 */
export async function keepOversize(
  store: OversizeOptions,
  packs: readonly Pack[],
  time: Patience,
): Promise<KeptOversize> {
  const attempts = new Attempts(time)
  const kept: Pack[] = []
  const errors = new Map<string, number>()
  let goOn = attempts.inTime
  for (let i = 0; i < packs.length && goOn; ) {
    const pack = packs[i] as Pack
    const error = await putRecord(store, pack, attempts)
    if (error === undefined) {
      kept.push(pack)
      i++
      attempts.succeeded()
      goOn = attempts.inTime
    } else {
      errors.set(error, (errors.get(error) ?? 0) + 1)
      goOn = await attempts.failed()
    }
  }
  return { kept, left: packs.slice(kept.length), errors }
}

async function putRecord(store: OversizeOptions, { data }: Pack, attempts: Attempts): Promise<string | undefined> {
  const { client, bucket, table, lambdaArn, now } = store
  const arrival = now()
  const record = {
    data,
    arrival,
    attempts: 1,
    code: 'Itemtrail.RecordTooLarge',
    message: `record has ${data.length} bytes, Firehose takes at most ${RECORD_BYTES}`,
    lambdaArn,
  }
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: refusedPrefix('oversize', table) + createHash('sha256').update(data).digest('hex'),
    Body: Buffer.from(processingFailedLine(record, arrival)),
    IfNoneMatch: '*',
  })
  try {
    await attempts.call(abortSignal => client.send(command, { abortSignal }))
    return undefined
  } catch (error) {
    const { name, $metadata } = error as Error & { readonly $metadata?: { readonly httpStatusCode?: number } }
    // the very content is there already
    return $metadata?.httpStatusCode === 412 ? undefined : name
  }
}
