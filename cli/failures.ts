import { isNetworkError } from '../aws/patience.js'
/** One sentence for what the system, DuckDB or AWS refused. */
import { duckDbRefusal } from '../queries/engines/duckdb-error.js'
import { CommandError, EXIT } from './io.js'

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EISDIR: 'is a directory, expected a file',
  ENOTDIR: 'is not a directory',
  EACCES: 'may not be read or written: no permission',
  EPERM: 'may not be read or written: no permission',
  EROFS: 'is on a file system that cannot be written',
  ENOSPC: 'could not be written: the disk is full; what was archived before is whole',
  EDQUOT: 'could not be written: the disk quota is used up; what was archived before is whole',
  EMFILE: 'could not be opened: too many files are open',
}

/** What the system refused, with its subject; undefined for anything but an error of the system. */
export function describeSystemError({ code = '', path, syscall, message }: NodeJS.ErrnoException): string | undefined {
  const subject = path ?? syscall ?? 'file'
  if (SYSTEM_ERRORS[code] !== undefined) return `${subject} ${SYSTEM_ERRORS[code]}`
  return syscall === undefined ? undefined : `${subject} could not be read or written: ${message}`
}

/**
 * What went wrong while an input was read, with its name, which Node's errors lack then; undefined for anything else.
 */
export function describeReadFailure(error: unknown, file: string): string | undefined {
  const { code = '', syscall, message } = error as NodeJS.ErrnoException
  const name = file === '-' ? 'standard input' : file
  if (code.startsWith('Z_')) return `${name} is not whole gzip: ${message}`
  return syscall === 'read' ? `${name} cannot be read to its end: ${message}` : undefined
}

/**
 * What went wrong while something was written below a folder, with its name, which errors of writing and of DuckDB
 * lack. Undefined for anything else.
 */
export function describeWriteFailure(error: unknown, folder: string, name = folder): string | undefined {
  const { syscall, path } = error as NodeJS.ErrnoException
  if (syscall === 'write' && path === undefined) return describeSystemError({ ...(error as Error), path: folder })
  const refusal = duckDbRefusal(error)
  return refusal === undefined ? undefined : `${name} cannot be written: ${refusal}`
}

/** The same of an archive, as the command's error; `todo` is what to do then. Any other error as it is. */
export function archiveFailure(error: unknown, root: string, todo: string): unknown {
  const problem = describeWriteFailure(error, root, `archive ${JSON.stringify(root)}`)
  if (problem === undefined) return error
  // what the system refused says itself that the rest is whole
  const hint = 'syscall' in (error as Error) ? undefined : `what was archived before is whole; ${todo}`
  return new CommandError(problem, EXIT.findings, hint)
}

/** Runs something that asks AWS, and says in one line what it refused. */
export async function callAws<T>(problem: string, call: () => Promise<T>, endpoint?: string): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw describeAwsFailure(error, problem, endpoint) ?? error
  }
}

/** What AWS, the SDK or the network refused, after the `problem` that it makes; undefined for any other error. */
export function describeAwsFailure(error: unknown, problem: string, endpoint?: string): CommandError | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, message } = error
  if (message === 'Region is missing')
    return new CommandError('no region is given', EXIT.usage, '--region REGION, or AWS_REGION, says where the table is')
  if (name === 'CredentialsProviderError')
    return new CommandError(`no credentials were found: ${message}`, EXIT.unchecked, credentialsHint(endpoint))
  if (isNetworkError(error) || message === 'socket hang up') {
    const where = endpoint ?? 'the service'
    const reason = message || (error as NodeJS.ErrnoException).code
    return new CommandError(`${problem}, ${where} does not answer: ${reason}`, EXIT.unchecked)
  }
  if (!('$metadata' in error) && !/Credentials|Token|Timeout/.test(name)) return undefined
  // whoever is known, but may not, is told nothing by where credentials are found
  const isUnknown = /Unrecognized|ExpiredToken|Credentials/.test(`${name} ${message}`)
  return new CommandError(`${problem}: ${name}: ${message}`, EXIT.unchecked, isUnknown ? ACCESS : undefined)
}

const ACCESS = 'credentials and region are found as the AWS CLI finds them: AWS_PROFILE, AWS_REGION, --region'

function credentialsHint(endpoint: string | undefined): string {
  return endpoint === undefined
    ? 'they are those of the environment: AWS_PROFILE, AWS_ACCESS_KEY_ID, a role'
    : 'DynamoDB Local takes any: AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local'
}

/**
 * What nobody foresaw, as a sentence and where more is found: a trace is for whoever mends the program, and
 * `ITEMTRAIL_DEBUG=1` shows it.
 */
export function describeUnexpected(error: unknown): readonly [message: string, hint: string] {
  const { name, message = String(error), stack = message } = error instanceof Error ? error : ({} as Partial<Error>)
  const sentence = message.split('\n')[0]?.slice(0, MOST_SHOWN) ?? ''
  // DuckDB's errors say what they are of
  const text = duckDbRefusal(error) === undefined ? `${name ?? 'Error'}: ${sentence}` : sentence
  const debug = process.env.ITEMTRAIL_DEBUG ?? ''
  const where = debug === '' ? 'ITEMTRAIL_DEBUG=1 shows where that was' : stack
  return [`the command could not go on: ${text}`, where]
}

const MOST_SHOWN = 500
