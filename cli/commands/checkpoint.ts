import { whyNotGrown } from '../../journal/growth.js'
import { cachedHead, type Head, type JournalIdentity, nextClaim, readerTo } from '../../journal/head.js'
import { identityOrAny } from '../../journal/identity.js'
import { KeptLog } from '../../journal/kept-log.js'
import { readSeen, type SeenHead } from '../../journal/seen-checkpoint.js'
import type { ReadFile } from '../../proof/tiles.js'
import { believedKey, existingArchive, KEY_OPTION } from '../ask/journal-options.js'
import { notAsSeen, whyNotSeen } from '../ask/keep-seen.js'
import { type KeptCheckpoint, keptHead, readKeptCheckpoint, SINCE_OPTION } from '../ask/kept-checkpoint.js'
import { ARCHIVE_OPTION, CONFIG_OPTION } from '../ask/workspace.js'
import { type Command, CommandError, EXIT } from '../io.js'
import { grouped } from '../show/progress.js'
import { printable } from '../show/text.js'

/** The end of an archive's journal, to be kept elsewhere. */
export const checkpoint: Command = {
  usage: 'checkpoint',
  summary: 'prints the signed checkpoint, to be kept where nobody who has the archive can change it',
  options: [ARCHIVE_OPTION, CONFIG_OPTION, KEY_OPTION, SINCE_OPTION],
  example: 'itemtrail checkpoint > kept.checkpoint',
  run: async (_, options, io) => {
    const { root, archive } = existingArchive(options)
    const log = new KeptLog(archive)
    const kept = readKeptCheckpoint(options)
    const identity = await identityOrAny(log, believedKey(options, root)?.verifier, kept?.note)
    const head = identity && (await newest(log, identity))
    const seen = readSeen(root)
    if (identity === undefined || head?.note === undefined) throw notSealed(kept, seen)
    const read = await readerTo(log, head)
    const problem = seen && (await whyNotSeen(read, identity.origin, head, seen))
    if (seen !== undefined && problem !== undefined) throw notAsSeen(seen, problem, 'none is given')
    if (kept !== undefined) io.err(`${printable(await growthSince(kept, { read, identity, head }))}\n`)
    io.out(head.note)
    return EXIT.done
  },
}

/** Where somebody holds a checkpoint something was sealed, and it is gone. */
function notSealed(kept: KeptCheckpoint | undefined, seen: SeenHead | undefined): CommandError {
  const [says, size] = seen === undefined ? [`--since ${kept?.file}`, kept?.size ?? 0] : [seen.where, seen.size]
  if (size === 0) return new CommandError('archive is not sealed', EXIT.unchecked, 'itemtrail seal seals it')
  return new CommandError(`archive is not sealed, though ${says} says that it was up to size ${size}`, EXIT.findings)
}

/** A sealing that died may have claimed more than `log/checkpoint` says. */
async function newest(log: KeptLog, identity: JournalIdentity): Promise<Head> {
  let head = await cachedHead(log, identity)
  for (let next = await nextClaim(log, identity, head); next !== undefined; ) {
    head = next
    next = await nextClaim(log, identity, head)
  }
  return head
}

/** What the journal proves since then. Throws a `CommandError` where it does not go on from there. */
async function growthSince(
  kept: KeptCheckpoint,
  { read, identity, head }: { readonly read: ReadFile; readonly identity: JournalIdentity; readonly head: Head },
): Promise<string> {
  const before = keptHead(kept, identity)
  const problem = await whyNotGrown(read, before, head)
  if (problem !== undefined)
    throw new CommandError(
      `--since ${kept.file} ${problem.message}`,
      EXIT.findings,
      problem.kind === 'altered' ? 'itemtrail verify log says more' : 'keep both checkpoints: together they prove it',
    )
  if (before.size === 0)
    return `${kept.file} is of an empty journal, with which every journal begins: it proves nothing`
  if (before.size === head.size) return `${identity.origin} is of size ${grouped(head.size)} as ${kept.file} says`
  return `${identity.origin} grew from size ${grouped(before.size)} to ${grouped(head.size)}, and begins as ${kept.file} says`
}
