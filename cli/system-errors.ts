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
 * What nobody foresaw, as a sentence and where more is found: a trace is for whoever mends the program, and `ITEMTRAIL_DEBUG=1` shows it.
 */
export function describeUnexpected(error: unknown): readonly [message: string, hint: string] {
  const { name, message = String(error), stack = message } = error instanceof Error ? error : ({} as Partial<Error>)
  const sentence = message.split('\n')[0]?.slice(0, MOST_SHOWN) ?? ''
  // DuckDB's errors say what they are of, and have no codes
  const text = DUCKDB_ERROR.test(sentence) ? sentence : `${name ?? 'Error'}: ${sentence}`
  const debug = process.env.ITEMTRAIL_DEBUG ?? ''
  return [`the command could not go on: ${text}`, debug === '' ? 'ITEMTRAIL_DEBUG=1 shows where that was' : stack]
}

const MOST_SHOWN = 500
const DUCKDB_ERROR = /^([A-Z]\w+( \w+)* Error|Failed to append): /

/** What went wrong while an input was read, with its name, which Node's errors lack then; undefined for anything else. */
export function describeReadFailure(error: unknown, file: string): string | undefined {
  const { code = '', syscall, message } = error as NodeJS.ErrnoException
  const name = file === '-' ? 'standard input' : file
  if (code.startsWith('Z_')) return `${name} is not whole gzip: ${message}`
  return syscall === 'read' ? `${name} cannot be read to its end: ${message}` : undefined
}

/**
 * What went wrong while something was written below a folder: errors of writing name no file, and DuckDB's have no codes.
 * Undefined for anything else.
 */
export function describeWriteFailure(error: unknown, folder: string): string | undefined {
  const { syscall, path, message } = error as NodeJS.ErrnoException
  if (syscall === 'write' && path === undefined) return describeSystemError({ ...(error as Error), path: folder })
  return DUCKDB_ERROR.test(message) ? `${folder} cannot be written: ${message.split('\n')[0]}` : undefined
}
