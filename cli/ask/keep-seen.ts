import { whyNotGrown } from '../../journal/growth.js'
import type { Head } from '../../journal/head.js'
import { keepSeen, type SeenHead } from '../../journal/seen-checkpoint.js'
import type { ReadFile } from '../../proof/tiles.js'
import { CommandError, EXIT, type Io } from '../io.js'
import { printable } from '../show/text.js'

/** Keeps on this machine where a journal ended, or tells that it could not: then it notices no cut the next time. */
export function keepSeenOrTell(root: string, origin: string, head: Pick<Head, 'size' | 'root'>, io: Io): void {
  const where = keepSeen(root, origin, head)
  if (where === undefined) return
  const then = 'this machine will not notice if the journal is cut'
  io.err(`${printable(where)} cannot be written, so no checkpoint is kept: ${then}\n`)
}

/** Why a journal that ends in `head` does not go on from where this machine saw it end; undefined where it does. */
export async function whyNotSeen(
  read: ReadFile,
  origin: string,
  head: Head,
  seen: SeenHead,
): Promise<string | undefined> {
  if (seen.origin !== origin) return `is of ${JSON.stringify(seen.origin)}, the journal is ${JSON.stringify(origin)}`
  return (await whyNotGrown(read, seen, head))?.message
}

/** What is thrown then; `then` is what is not done. */
export function notAsSeen({ where }: SeenHead, problem: string, then: string): CommandError {
  return new CommandError(
    `checkpoint ${where}, which this machine kept, ${problem}; ${then}`,
    EXIT.findings,
    'somebody cut the journal or began it anew; where that was meant, remove the file',
  )
}
