import { QueryError } from '../../queries/engines/engine.js'
import { CALLS_TABLE } from '../../transform/table-names.js'
import { CommandError, EXIT, type Options } from '../io.js'
import { isOnAws } from '../show/archive-name.js'

/** Where the calls lie that made changes; on AWS the stack keeps them. */
export const CLOUDTRAIL_OPTION = [
  '--cloudtrail <folder>',
  "of an archive in a folder: where CloudTrail's files lie, *.json.gz",
] as const

/** The folder that the flags name. Throws a `CommandError` for an empty one. */
export function cloudTrailOf({ cloudtrail }: Options): string | undefined {
  if (cloudtrail === '') throw new CommandError('--cloudtrail is empty, expected a folder')
  return cloudtrail === undefined ? undefined : String(cloudtrail)
}

/**
 * Asks what reads calls. Throws a `CommandError` where there are none to be read: without them nothing would be found,
 * and that would look like an answer.
 */
export async function askingCalls<T>(root: string, options: Options, ask: () => Promise<T>): Promise<T> {
  if (!isOnAws(root) && options.cloudtrail === undefined)
    throw new CommandError(
      'who called is not in the archive, and no calls are given',
      EXIT.usage,
      "--cloudtrail FOLDER names CloudTrail's files, copied from its bucket; --stack NAME asks where the calls are kept",
    )
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof QueryError) || !isOnAws(root) || !error.message.includes(CALLS_TABLE)) throw error
    throw new CommandError(
      error.message,
      EXIT.unchecked,
      'the stack keeps no calls unless it is told so: "callers" in docs/configuration.md; or the role may not read them',
    )
  }
}
