import { ExportError } from '../capture/export-layout.js'
import { FileError } from '../config/gate.js'
import { ConfigurationError } from '../config/problems.js'
import { EvidenceError } from '../evidence/evidence-error.js'
import { JournalError } from '../journal/journal-error.js'
import { ProofError, withoutSecrets } from '../proof/proof-error.js'
import { QueryError } from '../queries/engines/engine.js'
import { ParameterError } from '../queries/parameters.js'
import { SealingError } from '../transform/sealed-field.js'
import { describeSystemError, describeUnexpected } from './failures.js'
import { CommandError, EXIT, type ExitCode, Interruption } from './io.js'

/** How a command ends that somebody's error ended. */
export interface Failure {
  readonly message: string
  readonly hint?: string | undefined
  readonly exit: ExitCode
}

/**
 * What an error is for whoever typed the command: one clear sentence, and the exit code that goes with it. A key that
 * signs, typed where a vkey, a name or a file is expected, is not in it.
 */
export function failureOf(error: unknown): Failure {
  const { message, hint, exit } = describeFailure(error)
  return { message: withoutSecrets(message), hint: hint === undefined ? undefined : withoutSecrets(hint), exit }
}

function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) return failure(error, error.exit)
  if (error instanceof ConfigurationError) return failure(error, EXIT.usage)
  if (error instanceof ExportError || error instanceof FileError) return failure(error, EXIT.unchecked)
  if (error instanceof SealingError)
    return {
      message: error.message,
      hint: 'nothing was stored in clear; what came before is whole, and the rest can come again',
      exit: EXIT.unchecked,
    }
  if (error instanceof EvidenceError) return failure(error, EXIT.findings)
  if (error instanceof JournalError || error instanceof ProofError)
    return { message: error.message, hint: 'itemtrail verify log says what else is wrong', exit: EXIT.findings }
  if (error instanceof ParameterError) return failure(error, EXIT.usage)
  if (error instanceof QueryError) return failureOfQuestion(error)
  const system = describeSystemError(error as NodeJS.ErrnoException)
  if (system !== undefined) return { message: system, exit: EXIT.findings }
  const [message, hint] = describeUnexpected(error)
  return { message, hint, exit: EXIT.unchecked }
}

function failure(
  { message, hint }: { readonly message: string; readonly hint?: string | undefined },
  exit: ExitCode,
): Failure {
  return { message, hint, exit }
}

function failureOfQuestion(error: QueryError): Failure {
  const message = isInterrupted(error)
    ? 'the question was given up, and its statement was stopped'
    : `the archive could not be asked: ${error.message}`
  return { message, hint: isInterrupted(error) ? undefined : error.hint, exit: EXIT.unchecked }
}

/** True where nothing failed but somebody wanted an end. */
export function isInterrupted(error: unknown): boolean {
  return error instanceof QueryError && error.cause instanceof Interruption
}
