import { cachedHead, nextClaim } from '../../journal/head.js'
import { KeptLog } from '../../journal/kept-log.js'
import { identityOrAny } from '../ask/journal-identity.js'
import { believedKey, existingArchive, KEY_OPTION } from '../ask/journal-options.js'
import { ARCHIVE_OPTION, CONFIG_OPTION } from '../ask/workspace.js'
import { type Command, CommandError, EXIT } from '../io.js'

/** The end of an archive's journal, to be kept elsewhere. */
export const checkpoint: Command = {
  usage: 'checkpoint',
  summary: 'prints the signed checkpoint, to be kept where nobody who has the archive can change it',
  options: [ARCHIVE_OPTION, CONFIG_OPTION, KEY_OPTION],
  example: 'itemtrail checkpoint > kept.checkpoint',
  run: async (_, options, io) => {
    const { root, archive } = existingArchive(options)
    const log = new KeptLog(archive)
    const identity = await identityOrAny(log, believedKey(options, root)?.verifier)
    const head = identity && (await newest(log, identity))
    if (head?.note === undefined)
      throw new CommandError('archive is not sealed', EXIT.unchecked, 'itemtrail seal seals it')
    io.out(head.note)
    return EXIT.done
  },
}

/** A sealing that died may have claimed more than `log/checkpoint` says. */
async function newest(log: KeptLog, identity: Parameters<typeof cachedHead>[1]) {
  let head = await cachedHead(log, identity)
  for (let next = await nextClaim(log, identity, head); next !== undefined; ) {
    head = next
    next = await nextClaim(log, identity, head)
  }
  return head
}
