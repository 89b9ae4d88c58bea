import type { Bucket } from '../store/s3.js'
import { CLAIMS_PREFIX, TILES_PREFIX } from '../transform/layout.js'
import type { JournalFinding } from './finding.js'

/** What of a journal never changes, by prefix: each file has one version, and a second would be a second history. */
const WRITTEN_ONCE = [CLAIMS_PREFIX, TILES_PREFIX]

/** Files of the journal that somebody wrote or deleted a second time, which the newest of them would hide. */
export async function secondVersions(bucket: Bucket): Promise<readonly JournalFinding[]> {
  const findings: JournalFinding[] = []
  for (const prefix of WRITTEN_ONCE) {
    const counts = new Map<string, number>()
    for await (const { key } of bucket.versions(prefix)) counts.set(key, (counts.get(key) ?? 0) + 1)
    for (const [key, count] of counts)
      if (count > 1) findings.push({ kind: 'forked', key, message: `has ${count} versions, expected one` })
  }
  return findings
}
