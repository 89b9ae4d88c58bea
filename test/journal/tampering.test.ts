import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { formatVkey, parseVkey, signerOf } from '../../proof/note.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { type RecordContent, streamsRecord } from '../factories.js'
import { ORIGIN } from '../proof/vectors.js'
import { type Random, randomOf } from '../random.js'
import { findingsOf, keptHead, sealFolder } from './desk-journal.js'

/** How often each tampering is tried, each time elsewhere: `ITEMTRAIL_TAMPERINGS=30` in the long run. */
const SEEDS = Number(process.env.ITEMTRAIL_TAMPERINGS ?? 3)

const BEGIN = Date.UTC(2026, 10, 22) / 1000

/** Two hours after the one before, of another item, in other words. */
function recordAt(i: number): RecordContent {
  return streamsRecord({
    eventID: `event-${i}`,
    ApproximateCreationDateTime: BEGIN - (60 - i) * 7200,
    SequenceNumber: String(100_000 + i),
    Keys: { order_id: { S: `ORD${i % 7}` } },
    NewImage: { order_id: { S: `ORD${i % 7}` }, n: { N: String(i) } },
  })
}

/** Five deliveries over five days, sealed after each; the clock of the sealings runs an hour apart, in the past. */
async function sealedArchive(root: string): Promise<string> {
  let note = ''
  for (let batch = 0; batch < 5; batch++) {
    await ingestRecords(
      root,
      Array.from({ length: 12 }, (_, i) => recordAt(batch * 12 + i)),
    )
    const { head } = await sealFolder(root, { now: () => Date.now() + batch })
    if (batch === 3) note = head.note as string
  }
  await sealFolder(root)
  await sealFolder(root)
  return note
}

const objectsIn = (root: string) =>
  (readdirSync(join(root, 'data'), { recursive: true }) as string[])
    .filter(name => name.endsWith('.parquet'))
    .sort()
    .map(name => join(root, 'data', name))

const oneOf = <T>(random: Random, of: readonly T[]) => of[Math.floor(random() * of.length)] as T

async function rewrite(path: string, sql: string): Promise<void> {
  const connection = await (await openDuckDb()).connect()
  await connection.run(
    `copy (${sql.replaceAll('{file}', `read_parquet('${path}', hive_partitioning = false)`)}) to '${path}.new' (format parquet)`,
  )
  renameSync(`${path}.new`, path)
}

type Tamper = (root: string, random: Random) => void | Promise<void>

const TAMPERINGS: readonly (readonly [string, string, Tamper])[] = [
  [
    'flips a byte of an object',
    'altered',
    (root, random) => {
      const path = oneOf(random, objectsIn(root))
      const bytes = readFileSync(path)
      const at = Math.floor(random() * bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8))
      writeFileSync(path, bytes)
    },
  ],
  [
    'edits a row and makes all of its hashes right',
    'altered',
    (root, random) =>
      rewrite(
        oneOf(random, objectsIn(root)),
        `select * replace (sha256(row_hash) as row_hash, sha256(new_hash) as new_hash) from {file}`,
      ),
  ],
  [
    'swaps rows within an object',
    'altered',
    (root, random) => rewrite(oneOf(random, objectsIn(root)), 'select * from {file} order by event_time_us desc'),
  ],
  [
    'swaps two objects',
    'altered',
    root => {
      const [first = '', , third = ''] = objectsIn(root)
      renameSync(first, `${first}.x`)
      renameSync(third, first)
      renameSync(`${first}.x`, third)
    },
  ],
  ['removes the newest object', 'missing', root => rmSync(objectsIn(root).at(-1) as string)],
  [
    'removes a day',
    'missing',
    (root, random) => rmSync(dirname(oneOf(random, objectsIn(root))), { recursive: true, force: true }),
  ],
  [
    'adds an object and dates it back',
    'unlisted',
    (root, random) => {
      const path = oneOf(random, objectsIn(root))
      const added = path.replace('.parquet', '0.parquet')
      cpSync(path, added)
      utimesSync(added, 0, 0)
    },
  ],
  [
    'puts an old checkpoint in place and cuts the claims after it',
    'cut-off',
    root => {
      const claims = readdirSync(join(root, 'log/next')).sort()
      const old = readFileSync(join(root, 'log/next', claims[1] as string))
      writeFileSync(join(root, 'log/checkpoint'), old)
      for (const claim of claims.slice(2)) rmSync(join(root, 'log/next', claim))
    },
  ],
  [
    'removes a tile',
    'missing',
    root => {
      const tiles = readdirSync(join(root, 'log/tile/0'), { recursive: true }) as string[]
      for (const tile of tiles) rmSync(join(root, 'log/tile/0', tile), { recursive: true, force: true })
    },
  ],
  [
    'turns a bit of an entry',
    'altered',
    (root, random) => {
      const folder = join(root, 'log/tile/entries/000.p')
      const newest = readdirSync(folder)
        .sort((a, b) => Number(a) - Number(b))
        .at(-1) as string
      const bytes = readFileSync(join(folder, newest))
      // not within a length, which cuts the bundle instead
      const at = 2 + Math.floor(random() * 20)
      bytes[at] = (bytes[at] as number) ^ 1
      writeFileSync(join(folder, newest), bytes)
    },
  ],
  [
    'begins the journal anew with another key',
    'foreign-key',
    async root => {
      rmSync(join(root, 'log'), { recursive: true })
      const seed = Buffer.alloc(32, 7)
      const signer = signerOf(ORIGIN, seed)
      await sealFolder(root, { signers: [signer], identity: { origin: ORIGIN, known: [verifierOfSeed(seed)] } })
    },
  ],
  [
    'begins the journal anew with the same key',
    'forked',
    async root => {
      rmSync(join(root, 'log'), { recursive: true })
      for (let i = 0; i < 30; i++) await sealFolder(root, { name: 'another' })
    },
  ],
]

function verifierOfSeed(seed: Uint8Array) {
  return parseVkey(formatVkey(signerOf(ORIGIN, seed)))
}

describe('a journal', () => {
  let origin = ''
  let note = ''
  beforeAll(async () => {
    origin = temporaryFolder()
    note = await sealedArchive(origin)
  })

  const copy = () => {
    const root = temporaryFolder()
    rmSync(root, { recursive: true })
    cpSync(origin, root, { recursive: true, preserveTimestamps: true })
    return root
  }

  it('finds nothing in an honest archive', async () => {
    expect(await findingsOf(origin, keptHead(note))).toEqual([])
    expect(existsSync(join(origin, 'log/staging'))).toBe(true)
  })

  it.each(TAMPERINGS)('notices whoever %s', async (_, kind, tamper) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const root = copy()
      await tamper(root, randomOf(seed))
      const kinds = (await findingsOf(root, keptHead(note))).map(finding => finding.kind)
      expect({ seed, kinds }).toEqual({ seed, kinds: expect.arrayContaining([kind]) })
    }
  })
})
