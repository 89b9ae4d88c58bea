/** Where DynamoDB is, for commands that ask a live table. */
import { isNetworkError } from '../aws/patience.js'
import { CommandError, EXIT, type Options } from './io.js'

/** Flags that every command takes that asks a live table. */
export const ENDPOINT_OPTION = ['--endpoint <url>', 'where DynamoDB is, if not on AWS: http://localhost:8000'] as const
export const REGION_OPTION = ['--region <region>', 'the region of the table (AWS_REGION, or the profile)'] as const

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

/** What AWS, the SDK or the network refused, with its subject; undefined for any other error. */
export function describeAwsFailure(error: unknown, subject: string, connection: Connection): CommandError | undefined {
  const { name, message } = error as Error
  if (message === 'Region is missing')
    return new CommandError('no region is given', EXIT.usage, '--region REGION, or AWS_REGION, says where the table is')
  if (name === 'CredentialsProviderError') {
    const hint =
      connection.endpoint === undefined
        ? 'they are those of the environment: AWS_PROFILE, AWS_ACCESS_KEY_ID, a role'
        : 'DynamoDB Local takes any: AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local'
    return new CommandError(`no credentials were found: ${message}`, EXIT.unchecked, hint)
  }
  if (isNetworkError(error)) {
    const where = connection.endpoint ?? 'DynamoDB'
    const code = (error as NodeJS.ErrnoException).code
    return new CommandError(`${subject} cannot be read, ${where} does not answer: ${message || code}`, EXIT.unchecked)
  }
  if (!('$metadata' in (error as Error))) return undefined
  return new CommandError(`${subject} cannot be read: ${name}: ${message}`, EXIT.unchecked)
}
