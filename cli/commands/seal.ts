import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { finishedHead, type Head } from '../../journal/head.js'
import { KeptLog } from '../../journal/kept-log.js'
import { makeKeyFile, vkeyPath } from '../../journal/key-file.js'
import { type Sealed, type Sealer, seal as sealArchive } from '../../journal/seal.js'
import { readSeen, type SeenHead } from '../../journal/seen-checkpoint.js'
import { askTimestamp, timestampPath } from '../../journal/timestamp.js'
import { TimestampError } from '../../journal/timestamp-error.js'
import { UnknownSignature } from '../../journal/timestamp-signature.js'
import { ProofError } from '../../proof/proof-error.js'
import { existingArchive, originOf, refuseWithin, signingKey, withSealedObjects } from '../ask/journal-options.js'
import { keepSeenOrTell, notAsSeen, whyNotSeen } from '../ask/keep-seen.js'
import { stopOnSignal } from '../ask/stop-on-signal.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import type { TextFormat } from '../show/output-format.js'
import { grouped } from '../show/progress.js'
import { paint } from '../show/terminal.js'
import { printable } from '../show/text.js'

/** Signs what an archive holds. */
export const seal: Command = {
  usage: 'seal',
  summary: 'signs what is new in the archive, so that nobody changes or removes it unseen',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--init', 'makes a key in the file of --key, and FILE.vkey beside it, which is handed to whoever verifies'],
    ['--key <file>', 'the key that signs, outside the archive; without it seal.key of the configuration'],
    ['--origin <name>', "the journal's name, under which its key signs; without it seal.origin of the configuration"],
    ['--timestamp <url>', 'has an authority (RFC 3161) say when the checkpoint was there, and keeps its answer'],
    ['--follow', 'goes on, every minute'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail seal --key seal.key',
  run: async (_, options, io) => {
    const format = formatOf(options)
    if (options.init === true) return makeKey(options, format, io)
    const { root, archive } = existingArchive(options)
    const { signer, verifier } = signingKey(options, root)
    const store = new KeptLog(archive)
    const identity = { origin: signer.name, known: [verifier] }
    return withSealedObjects(archive, async objects => {
      const sealer = {
        store,
        objects,
        identity,
        signers: [signer],
        name: hostname(),
        now: Date.now,
        parallel: PARALLEL,
      }
      const sealOnce = async () => {
        await refuseShorter(sealer, readSeen(root))
        return sealAndTell(sealer, options.timestamp, format, io, head =>
          keepSeenOrTell(root, identity.origin, head, io),
        )
      }
      return options.follow === true ? follow(sealOnce, io) : sealOnce()
    })
  },
}

/**
 * Throws a `CommandError` for a journal that is less than this machine saw: what would be sealed were another history.
 */
async function refuseShorter({ store, identity }: Sealer, seen: SeenHead | undefined): Promise<void> {
  if (seen === undefined) return
  const problem = await whyNotSeen(path => store.read(path), identity.origin, await finishedHead(store, identity), seen)
  if (problem !== undefined) throw notAsSeen(seen, problem, 'nothing is sealed')
}

/** Objects that are read at once. */
const PARALLEL = 4

async function makeKey(options: Options, format: TextFormat, io: Io): Promise<ExitCode> {
  const origin = originOf(options)
  if (typeof options.key !== 'string') throw new CommandError('--init wants --key FILE, where the key is made')
  if (origin === undefined)
    throw new CommandError('--init wants --origin NAME', EXIT.usage, 'best the beginning of an address that is yours')
  refuseWithin(options.key, archiveRoot(options))
  const file = vkeyPath(options.key)
  const { vkey } = makeKeyOf(options.key, origin)
  const page = () => {
    io.out(`${vkey}\n`)
    io.err(`${printable(options.key as string)} signs and stays secret; ${printable(file)} is for whoever verifies\n`)
  }
  await format.print({ page, whole: () => ({ key: options.key, vkey_file: file, vkey }) }, io)
  return EXIT.done
}

function makeKeyOf(path: string, origin: string) {
  try {
    return makeKeyFile(path, origin)
  } catch (error) {
    if (error instanceof ProofError) throw new CommandError(error.message)
    throw error
  }
}

async function sealAndTell(
  sealer: Sealer,
  authority: Options[string],
  format: TextFormat,
  io: Io,
  keep: (head: Head) => void,
): Promise<ExitCode> {
  const sealed = await sealArchive(sealer)
  keep(sealed.head)
  const time = typeof authority === 'string' ? await stamp(sealer, sealed, authority, io) : undefined
  const { head, objects, rows, vanished, unlisted } = sealed
  const page = () => {
    const found = objects === 0 ? 'nothing new' : `${counted(objects, 'object')}, ${counted(rows, 'row')}`
    io.out(`sealed ${found}; ${printable(sealer.identity.origin)} is of size ${grouped(head.size)}\n`)
    if (time !== undefined) io.out(`time stamp ${time}, kept as log/${timestampPath(head.size)}\n`)
    for (const key of vanished) io.err(`${printable(key)} was gone before it could be sealed\n`)
    for (const key of unlisted)
      io.err(`${paint(io, 'red', '✗ unlisted')}  ${printable(key)} was passed over by two sealings: ${SEALED_NOW}\n`)
  }
  const whole = () => ({
    origin: sealer.identity.origin,
    size: head.size,
    root: head.root.toString('base64'),
    objects,
    rows,
    vanished,
    unlisted,
    time_stamp: time ?? null,
  })
  await format.print({ page, whole }, io)
  return unlisted.length > 0 ? EXIT.findings : EXIT.done
}

const SEALED_NOW = 'it came by another way than all others, and is sealed now, so that verify finds it no more'

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** What was sealed stays so, whatever the authority does. */
async function stamp({ store }: Sealer, { head }: Sealed, url: string, io: Io): Promise<string> {
  try {
    const { answer, time, signer } = await askTimestamp(url, Buffer.from(head.note as string))
    await store.add(timestampPath(head.size), answer)
    if (signer instanceof UnknownSignature)
      io.err(`time stamp is kept, its signature was not checked: ${printable(signer.message)}\n`)
    return time
  } catch (error) {
    if (!(error instanceof TimestampError) && !(error instanceof TypeError) && (error as Error).name !== 'TimeoutError')
      throw error
    const { message, cause } = error as Error
    const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message
    throw new CommandError(`archive is sealed, without a time stamp: ${reason}`, EXIT.unchecked)
  }
}

const EVERY_MS = 60_000

/**
 * Seals until a signal comes; what fails once may pass the next time, and is told. What was found once is found by no
 * sealing after it, so it counts to the end.
 */
async function follow(sealOnce: () => Promise<ExitCode>, io: Io): Promise<ExitCode> {
  const { signal, release } = stopOnSignal(() => io.err('stopping: seals once more; another signal ends it at once\n'))
  let exit: ExitCode = EXIT.done
  const sealOrTell = async () => {
    let now: ExitCode
    try {
      now = await sealOnce()
    } catch (error) {
      if (!(error instanceof CommandError) || error.exit !== EXIT.unchecked) throw error
      io.err(`itemtrail: ${error.message}\n`)
      now = error.exit
    }
    if (exit !== EXIT.findings) exit = now
  }
  try {
    while (!signal.aborted) {
      await sealOrTell()
      await pause(EVERY_MS, undefined, { signal }).catch(() => {})
    }
    await sealOrTell()
    return exit
  } finally {
    release()
  }
}
