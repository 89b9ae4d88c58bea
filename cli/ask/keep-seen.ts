import type { Head } from '../../journal/head.js'
import { keepSeen } from '../../journal/seen-checkpoint.js'
import type { Io } from '../io.js'
import { printable } from '../show/text.js'

/** Keeps on this machine where a journal ended, or tells that it could not: then it notices no cut the next time. */
export function keepSeenOrTell(root: string, origin: string, head: Pick<Head, 'size' | 'root'>, io: Io): void {
  const where = keepSeen(root, origin, head)
  if (where === undefined) return
  const then = 'this machine will not notice if the journal is cut'
  io.err(`${printable(where)} cannot be written, so no checkpoint is kept: ${then}\n`)
}
