import { DescribeDeliveryStreamCommand, type FirehoseClient } from '@aws-sdk/client-firehose'
import { CALL_RECORDS } from '../aws/firehose-limits.js'
import type { Patience } from '../aws/patience.js'
import { sendPacks } from '../capture/firehose-sender.js'
import { tablePrefix } from '../transform/layout.js'
import type { DocumentToSend, RedriveTarget, Resent } from './redrive.js'

/**
 * Firehose keeps 500 partitions open until they are full or old enough, and the table's own changes need some of them.
 * More days than this wait for another run.
 */
const DAYS_A_RUN = 400

/** A delivery stream on AWS, as where refused documents are sent again. */
export class FirehoseRedrive implements RedriveTarget {
  /** One call of the sender: what was accepted is remembered after each. A batch of the transform is a megabyte too. */
  readonly limits = { documents: CALL_RECORDS, bytes: 1024 * 1024, days: DAYS_A_RUN }

  /** `client` must not retry by itself, the sender does. */
  constructor(
    private readonly client: FirehoseClient,
    readonly name: string,
    private readonly time: Patience = {},
  ) {}

  async send(documents: readonly DocumentToSend[]): Promise<Resent> {
    const packs = documents.map(({ data }, position) => ({ data, positions: [position] }))
    const { accepted, errors } = await sendPacks(this.client, this.name, packs, this.time)
    const positions = accepted.flatMap(pack => pack.positions)
    return { accepted: positions.map(position => documents[position] as DocumentToSend), refusedAgain: 0, errors }
  }
}

/** Why a delivery stream does not take a table's records; undefined where it does. Throws what the service refuses. */
export async function findObstacle(client: FirehoseClient, name: string, table: string): Promise<string | undefined> {
  const { DeliveryStreamDescription: stream } = await client.send(
    new DescribeDeliveryStreamCommand({ DeliveryStreamName: name }),
  )
  if (stream?.DeliveryStreamStatus !== 'ACTIVE') return `is ${stream?.DeliveryStreamStatus}, expected ACTIVE`
  if (stream.DeliveryStreamType !== 'DirectPut')
    return 'reads a Kinesis stream and takes no records, expected the one in the output ReplayStream'
  const prefix = stream.Destinations?.[0]?.ExtendedS3DestinationDescription?.Prefix ?? ''
  return prefix.startsWith(tablePrefix(table))
    ? undefined
    : `delivers under ${JSON.stringify(prefix)}, expected ${JSON.stringify(tablePrefix(table))}`
}
