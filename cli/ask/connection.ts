/** Where DynamoDB is, for commands that ask a live table. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CommandError, type Options } from '../io.js'

/** Flags that every command takes that asks a live table. */
export const ENDPOINT_OPTION = ['--endpoint <url>', 'where DynamoDB is, if not on AWS: http://localhost:8000'] as const
export const REGION_OPTION = ['--region <region>', 'the region of the table (AWS_REGION, or the profile)'] as const

/** Flags of commands that talk to a live table. */
export const LIVE_OPTIONS = [ENDPOINT_OPTION, REGION_OPTION] as const

/** What the SDK's clients take; region and credentials that are not given are those of the environment. */
export interface Connection {
  readonly endpoint?: string
  readonly region?: string
}

/** The connection that the flags name. Throws `CommandError` for an endpoint that is no URL. */
export function connectionOf({ endpoint, region }: Options): Connection {
  if (typeof endpoint === 'string' && !/^https?:$/.test(protocolOf(endpoint) ?? ''))
    throw new CommandError(`endpoint is ${JSON.stringify(endpoint)}, expected a URL such as http://localhost:8000`)
  return { ...(typeof endpoint === 'string' && { endpoint }), ...(typeof region === 'string' && { region }) }
}

function protocolOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).protocol : undefined
}

/**
 * A client for a live table, with the SDK's usual credentials. It does not retry: who uses it does, and says how
 * long.
 */
export async function openDynamoDb(options: Options): Promise<DynamoDBClient> {
  const connection = connectionOf(options)
  // the SDK takes longer to load than most commands to run
  const { DynamoDBClient: Client } = await import('@aws-sdk/client-dynamodb')
  return new Client({ maxAttempts: 1, ...connection })
}
