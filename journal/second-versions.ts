import type { Bucket } from '../store/s3.js'
import { CLAIMS_PREFIX, LOG_PREFIX, TILES_PREFIX } from '../transform/layout.js'
import type { JournalFinding } from './finding.js'

/** What of a journal never changes, by prefix: each file has one version, and a second would be a second history. */
const WRITTEN_ONCE = [CLAIMS_PREFIX, TILES_PREFIX]

/** The files of a journal, and those that somebody wrote or deleted a second time, which the newest would hide. */
export interface LogVersions {
  /** Of those that are there, in the order of their keys, relative to `log/`. */
  readonly paths: readonly string[]
  readonly findings: readonly JournalFinding[]
}

/** Lists a journal with all of its versions. */
export async function logVersions(bucket: Bucket): Promise<LogVersions> {
  const paths: string[] = []
  const counts = new Map<string, number>()
  for await (const { key, isLatest, bytes } of bucket.versions(LOG_PREFIX)) {
    if (isLatest && bytes !== undefined) paths.push(key.slice(LOG_PREFIX.length))
    if (WRITTEN_ONCE.some(prefix => key.startsWith(prefix))) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const twice = [...counts].filter(([, count]) => count > 1)
  const findings = twice.map(
    ([key, count]): JournalFinding => ({ kind: 'forked', key, message: `has ${count} versions, expected one` }),
  )
  return { paths, findings }
}
