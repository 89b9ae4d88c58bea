import { type FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import { Attempts, type Patience } from '../aws/patience.js'
import { countForCall, type Pack } from './packing.js'

/** What became of packs that were to be sent. */
export interface Sent {
  readonly accepted: readonly Pack[]
  /** What has to be sent again: it was not accepted, or nobody knows. */
  readonly left: readonly Pack[]
  /** Packs that were sent more than once, counted each further time. */
  readonly retried: number
  /** Why packs were not accepted: error codes and how often. They never hold data. */
  readonly errors: ReadonlyMap<string, number>
}

/**
 * Sends packs to a delivery stream until Firehose has accepted every one, or tries or time are used up. Only what was
 * not accepted is sent again. `client` must not retry by itself: it would send a whole call again, and past the
 * deadline.
 */
export async function sendPacks(
  client: FirehoseClient,
  deliveryStream: string,
  packs: readonly Pack[],
  time: Patience,
): Promise<Sent> {
  const attempts = new Attempts(time)
  const accepted: Pack[] = []
  const errors = new Map<string, number>()
  let left = packs
  let retried = 0
  let goOn = attempts.inTime
  while (left.length > 0 && goOn) {
    const batch = left.slice(0, countForCall(left))
    const results = await putBatch(client, deliveryStream, batch, attempts)
    const failed = batch.filter((_, i) => results[i] !== 'accepted')
    accepted.push(...batch.filter((_, i) => results[i] === 'accepted'))
    // in front, so that the first sequence number to be retried moves on
    left = [...failed, ...left.slice(batch.length)]
    for (const error of new Set(results)) {
      if (error !== 'accepted') errors.set(error, (errors.get(error) ?? 0) + 1)
    }
    if (failed.length === 0) {
      attempts.succeeded()
      goOn = attempts.inTime
    } else {
      goOn = await attempts.failed()
      if (goOn) retried += failed.length
    }
  }
  return { accepted, left, retried, errors }
}

/**
 * One call: for each pack `accepted` or an error code. Without a record id a pack is not accepted, whatever else is
 * said.
 */
async function putBatch(
  client: FirehoseClient,
  deliveryStream: string,
  packs: readonly Pack[],
  attempts: Attempts,
): Promise<readonly string[]> {
  const command = new PutRecordBatchCommand({
    DeliveryStreamName: deliveryStream,
    Records: packs.map(({ data }) => ({ Data: data })),
  })
  try {
    const { RequestResponses = [] } = await attempts.call(abortSignal => client.send(command, { abortSignal }))
    return packs.map((_, i) => {
      const { RecordId, ErrorCode } = RequestResponses[i] ?? {}
      return RecordId && !ErrorCode ? 'accepted' : ErrorCode || 'NoRecordId'
    })
  } catch (error) {
    // a message may quote the request, so the name is all that goes on
    return packs.map(() => (error as Error).name)
  }
}
