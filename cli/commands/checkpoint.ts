import { whyNotGrown } from '../../journal/growth.js'
import { cachedHead, type Head, type JournalIdentity, nextClaim } from '../../journal/head.js'
import { identityOrAny } from '../../journal/identity.js'
import { KeptLog } from '../../journal/kept-log.js'
import { believedKey, existingArchive, KEY_OPTION } from '../ask/journal-options.js'
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
    if (identity === undefined || head?.note === undefined) throw notSealed(kept)
    if (kept !== undefined) io.err(`${printable(await growthSince(kept, { log, identity, head }))}\n`)
    io.out(head.note)
    return EXIT.done
  },
}

/** Where somebody holds a checkpoint something was sealed, and it is gone. */
function notSealed(kept: KeptCheckpoint | undefined): CommandError {
  if (kept === undefined || kept.size === 0)
    return new CommandError('archive is not sealed', EXIT.unchecked, 'itemtrail seal seals it')
  return new CommandError(
    `archive is not sealed, though --since ${kept.file} says that it was up to size ${kept.size}`,
    EXIT.findings,
  )
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
  { log, identity, head }: { readonly log: KeptLog; readonly identity: JournalIdentity; readonly head: Head },
): Promise<string> {
  const before = keptHead(kept, identity)
  const problem = await whyNotGrown(path => log.read(path), before, head)
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
