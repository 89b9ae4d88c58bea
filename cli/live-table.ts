import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { connectionOf, ENDPOINT_OPTION, REGION_OPTION } from './connection.js'
import { CommandError, EXIT, type Options } from './io.js'

/** Flags of commands that talk to a live table. */
export const LIVE_OPTIONS = [ENDPOINT_OPTION, REGION_OPTION] as const

/** A client for a live table, with the SDK's usual credentials. It does not retry: who uses it does, and says how long. */
export async function openDynamoDb(options: Options): Promise<DynamoDBClient> {
  const connection = connectionOf(options)
  // the SDK takes longer to load than most commands to run
  const { DynamoDBClient: Client } = await import('@aws-sdk/client-dynamodb')
  return new Client({ maxAttempts: 1, ...connection })
}

/** Runs something that asks AWS, and says in one line what it refused. */
export async function callAws<T>(problem: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (!isAwsError(error)) throw error
    const { name, message, code } = error
    const hint = /Credentials|Region|Unrecognized|AccessDenied|ExpiredToken/.test(`${name} ${message}`)
      ? ACCESS
      : undefined
    const kind = name === 'Error' ? code : name
    throw new CommandError(`${problem}: ${kind === undefined ? '' : `${kind}: `}${message}`, EXIT.unchecked, hint)
  }
}

const ACCESS = 'credentials and region are found as the AWS CLI finds them: AWS_PROFILE, AWS_REGION, --region'

interface AwsError extends Error {
  readonly code?: string
}

/** Errors of the service have metadata, those of the network a code of the system, those of the SDK neither. */
function isAwsError(error: unknown): error is AwsError {
  if (!(error instanceof Error)) return false
  if ('$metadata' in error || NETWORK.test((error as AwsError).code ?? '')) return true
  return /Credentials|Token|Timeout/.test(error.name) || /^Region is missing|socket hang up/.test(error.message)
}

const NETWORK = /^(ECONN|ENET|EHOST|EAI_|ENOTFOUND|ETIMEDOUT|EPIPE)/
