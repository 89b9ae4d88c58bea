/**
 * CloudTrail's digest files: each names the log files that were delivered in an hour, with the hash of what is in them.
 * Their own signatures are not verified: `aws cloudtrail validate-logs` does that.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { checkJson, listOf, record, sha256, text } from '../config/gate.js'

/** What digests say: the SHA-256 of each log file, unpacked, by the file's name. */
export type DeliveredFiles = ReadonlyMap<string, string>

const DIGEST = record({ logFiles: listOf(record({ s3Object: text, hashValue: sha256 })) })

/** An hour has some hundred files. */
const MAX_DIGEST = 16 * 1024 ** 2

/** What a log file is called, packed or not. */
export function logName(path: string): string {
  return basename(path).replace(/\.gz$/, '')
}

/** Reads digests, each a path and what it is called. What is damaged is told in `problems`. */
export function readDigests(
  digests: readonly { readonly path: string; readonly file: string }[],
  problems: string[],
): DeliveredFiles {
  const delivered = new Map<string, string>()
  for (const { path, file } of digests) {
    try {
      for (const { s3Object, hashValue } of checkJson(unpacked(path), DIGEST, file).logFiles)
        delivered.set(logName(s3Object), hashValue)
    } catch (error) {
      problems.push(`${file} cannot be read (${(error as Error).message}): it does not tell which files are missing`)
    }
  }
  return delivered
}

function unpacked(path: string): Uint8Array {
  const bytes = readFileSync(path)
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  return isPacked ? gunzipSync(bytes, { maxOutputLength: MAX_DIGEST + 1 }) : bytes
}

/**
 * What was delivered and is not among the files, a sentence a day. A day of which no file is here was not copied, or
 * all of it is gone: that nothing tells, and no call of it is known.
 */
export function tellMissing(delivered: DeliveredFiles, here: ReadonlySet<string>): readonly string[] {
  const days = new Set([...here].map(dayOf))
  const missing = new Map<string, string[]>()
  for (const name of [...delivered.keys()].sort()) {
    const day = dayOf(name)
    if (!here.has(name) && days.has(day)) missing.set(day, [...(missing.get(day) ?? []), name])
  }
  return [...missing].map(([day, names]) => {
    const files =
      names.length === 1 ? 'a file that CloudTrail delivered is' : `${names.length} files that CloudTrail delivered are`
    return `${files} not here of ${day}, ${names[0]}`
  })
}

/** The account, region and day that a log file's name begins with: `111122223333_CloudTrail_eu-west-1_20261119`. */
function dayOf(name: string): string {
  return /^(.*_\d{8})T/.exec(name)?.[1] ?? ''
}
