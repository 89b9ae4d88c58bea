import { existsSync } from 'node:fs'
import { readBounded } from '../../config/gate.js'
import { type Authorities, readAuthorities } from '../../journal/authorities.js'
import { KeptObjects } from '../../journal/kept-objects.js'
import { isFileWithin, isWithin, readKeyFile, type SigningKey } from '../../journal/key-file.js'
import { rowHashesAt } from '../../journal/row-hashes.js'
import type { Verifier } from '../../proof/note.js'
import { type Policy, parsePolicy } from '../../proof/policy.js'
import { ProofError } from '../../proof/proof-error.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { DiskArchive } from '../../store/folder.js'
import { CommandError, EXIT, type Options } from '../io.js'
import { refuseInArchive } from '../show/output-file.js'
import { verifierOfKey } from './given-key.js'
import { archiveRoot, loadConfiguration } from './workspace.js'

/** The flag of whoever verifies. */
export const KEY_OPTION = [
  '--key <key>',
  'whom to believe: a vkey, or its file; without it seal.key of the configuration',
] as const

/** The flag of whoever trusts a log only together with witnesses. */
export const POLICY_OPTION = [
  '--policy <file>',
  'whom to believe: a log and a quorum of witnesses (C2SP tlog-policy), in place of --key',
] as const

/** The flag of whoever holds time stamps against their authority. */
export const TSA_OPTION = [
  '--tsa-ca <file>',
  'whose time stamps are believed: certificates (PEM) of authorities, or of those above them',
] as const

/** The archive in the folder that the flags name. Throws a `CommandError` where there is none. */
export function existingArchive(options: Options): { readonly root: string; readonly archive: DiskArchive } {
  const root = archiveRoot(options)
  if (!existsSync(root)) throw new CommandError(`archive ${JSON.stringify(root)} is not there`, EXIT.unchecked)
  return { root, archive: new DiskArchive(root) }
}

/** The path of a key that the flags name, else the configuration's; a key of KMS is no path. */
function keyPath(options: Options): string | undefined {
  if (typeof options.key === 'string') return options.key
  const key = loadConfiguration(options)?.seal?.key
  return key?.startsWith('arn:') ? undefined : key
}

/**
 * Who signs the journal of an archive. Throws a `CommandError` for a key that lies in the archive, where whoever holds
 * it could seal it, and for one of another origin than was said.
 */
export function signingKey(options: Options, root: string): SigningKey {
  const path = keyPath(options)
  if (path === undefined)
    throw new CommandError('no key is given', EXIT.usage, '--key FILE names one, seal --init --key FILE makes one')
  refuseWithin(path, root)
  const key = readKeyFile(path)
  const origin = originOf(options)
  if (origin !== undefined && origin !== key.signer.name)
    throw new CommandError(`key ${path} signs for ${key.signer.name}, not for the origin ${origin}`)
  return key
}

/** Throws a `CommandError` for a key in the archive that it is to vouch for. */
export function refuseWithin(path: string, root: string): void {
  if (isWithin(path, root))
    throw new CommandError(
      `key ${path} is inside the archive ${JSON.stringify(root)}, expected a place outside`,
      EXIT.usage,
      'whoever has the archive could sign it',
    )
}

/** The name of the journal that the flags say, else the configuration. */
export function originOf(options: Options): string | undefined {
  return typeof options.origin === 'string' ? options.origin : loadConfiguration(options)?.seal?.origin
}

/** A key that is believed, and where it was found. */
export interface BelievedKey {
  readonly verifier: Verifier
  /** True of a file in the archive that it vouches for: whoever altered that could have made the key, too. */
  readonly isInside: boolean
  /** What has to be cosigned, too; undefined of a key alone. */
  readonly policy?: Policy | undefined
}

/** Whom the flags believe, else the configuration; undefined where neither says. Throws a `CommandError`. */
export function believedKey(options: Options, root?: string): BelievedKey | undefined {
  if (typeof options.policy === 'string') return believedPolicy(options.policy, options, root)
  const given = keyPath(options)
  if (given === undefined) return undefined
  return { verifier: verifierOfKey(given), isInside: root !== undefined && isFileWithin(given, root) }
}

/** A policy's log, with the policy. Throws a `CommandError` for a file that is none, or that names several logs. */
function believedPolicy(path: string, { key }: Options, root: string | undefined): BelievedKey {
  if (typeof key === 'string') throw new CommandError('--key and --policy both say whom to believe, expected one')
  const bytes = readBounded(path, path, { maxBytes: MAX_POLICY })
  if (bytes === undefined) throw new CommandError(`--policy ${path} is not there`)
  try {
    const policy = parsePolicy(bytes.toString('utf8'))
    const [verifier, ...more] = policy.logs as [Verifier, ...Verifier[]]
    if (more.length > 0) throw new ProofError(`policy names ${policy.logs.length} logs, expected one`)
    return { verifier, isInside: root !== undefined && isWithin(path, root), policy }
  } catch (error) {
    if (error instanceof ProofError) throw new CommandError(`--policy ${path} cannot be read: ${error.message}`)
    throw error
  }
}

const MAX_POLICY = 256 * 1024

/**
 * The authorities that the flags name; undefined where they name none. Throws a `CommandError` for a file that has no
 * certificates, and for one in the archive, where whoever made the time stamps could have put it.
 */
export function believedAuthorities({ tsaCa: path }: Options, root?: string): Authorities | undefined {
  if (typeof path !== 'string') return undefined
  if (root !== undefined) refuseInArchive('tsa-ca', path, { archive: root })
  const bytes = readBounded(path, path, { maxBytes: MAX_AUTHORITIES })
  if (bytes === undefined) throw new CommandError(`--tsa-ca ${path} is not there`)
  try {
    return readAuthorities(bytes.toString('utf8'))
  } catch (error) {
    throw new CommandError(`--tsa-ca ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** As many as a system believes. */
const MAX_AUTHORITIES = 4 * 1024 ** 2

/** The same where nothing can be done without. */
export function neededKey(options: Options, root?: string): BelievedKey {
  const key = believedKey(options, root)
  if (key !== undefined) return key
  const hint = '--key takes the vkey that its sealer handed over, or the file that holds it'
  throw new CommandError('no key is given, so nobody is believed', EXIT.usage, hint)
}

/** Opens the objects of an archive in a folder as its journal looks at them, and closes what reads them. */
export async function withSealedObjects<T>(
  archive: DiskArchive,
  use: (objects: KeptObjects) => Promise<T>,
): Promise<T> {
  const instance = await openDuckDb(':memory:', { memory_limit: '1GB' })
  try {
    return await use(new KeptObjects(archive, key => rowHashesAt(instance, archive.pathOf(key))))
  } finally {
    instance.closeSync()
  }
}
