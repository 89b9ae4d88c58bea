/** Cases of changes and of what CloudTrail keeps of their calls: `test/fixtures/cloudtrail/` says where each form is from. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { type Attributes, type Identity, streamsRecord, tableConfiguration } from '../factories.js'

interface CallerCase {
  readonly about: string
  readonly source: string
  readonly changes: readonly {
    readonly at: string
    readonly key: Attributes
    readonly before: Attributes | null
    readonly after: Attributes | null
    readonly identity?: Identity
  }[]
  readonly Records: readonly object[]
  /** The answer's rows, of the columns that matter, change by change. */
  readonly answer: readonly Readonly<Record<string, unknown>>[]
}

const FOLDER = new URL('../fixtures/cloudtrail/', import.meta.url)

/** All of them by name, which share an archive: each has an hour or a hall of its own. */
export const CALLER_CASES: ReadonlyMap<string, CallerCase> = new Map(
  readdirSync(FOLDER)
    .sort()
    .map(file => [file.replace('.json', ''), JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as CallerCase]),
)

export const SEATS: TableConfiguration = tableConfiguration({
  table: 'Seats',
  keys: [
    { attribute: 'hall', column: 'hall' },
    { attribute: 'seat', column: 'seat' },
  ],
  actor: ['by'],
})

/** The period that all cases lie in. */
export const CASES_PERIOD = { from: '2026-11-19T00:00:00Z', to: '2026-11-20T00:00:00Z' } as const

/** An archive of all cases, and beside it what CloudTrail delivered of them, a file a case. */
export async function callersDesk(): Promise<{ readonly root: string; readonly trail: string }> {
  const [root, trail] = [temporaryFolder(), temporaryFolder('trail')]
  const records = [...CALLER_CASES.values()]
    .flatMap(({ changes }) => changes)
    .map(({ at, key, before, after, identity }, i) =>
      streamsRecord({
        eventID: `${i}`.padStart(32, '0'),
        awsRegion: 'eu-west-1',
        eventSourceARN: 'arn:aws:dynamodb:eu-west-1:111122223333:table/Seats/stream/2026-01-01T00:00:00.000',
        ApproximateCreationDateTime: Date.parse(at) / 1000,
        SequenceNumber: `${4421584500000000000000000000n + BigInt(i)}`,
        Keys: key,
        ...(before !== null && { OldImage: before }),
        ...(after !== null && { NewImage: after }),
        ...(identity !== undefined && { userIdentity: identity }),
      }),
    )
  await ingestRecords(root, records, { configuration: SEATS })
  const folder = join(trail, 'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/19')
  mkdirSync(folder, { recursive: true })
  // the very text of its records: numbers have more digits than JavaScript's
  for (const name of CALLER_CASES.keys())
    writeFileSync(
      join(folder, `111122223333_CloudTrail_eu-west-1_20261119T1200Z_${name}.json.gz`),
      gzipSync(readFileSync(new URL(`${name}.json`, FOLDER))),
    )
  return { root, trail }
}
