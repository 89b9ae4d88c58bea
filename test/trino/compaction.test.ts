import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Published } from '../../derived/compactor.js'
import { listingOf, readCoverage } from '../../derived/coverage.js'
import { compactTable } from '../../derived/desk-compactor.js'
import { type Manifest, readManifest } from '../../derived/manifest.js'
import { createStackCompactor } from '../../derived/stack-compactor.js'
import { UnloadedCopies } from '../../derived/unloaded-copies.js'
import { answerQuery, answerSql } from '../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery, savedQuery } from '../../queries/catalog.js'
import { keptStatements, rowsOfEachItem } from '../../queries/each-item.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { fileList } from '../../queries/engines/file-list.js'
import { rowsOf } from '../../queries/engines/rows.js'
import type { Parameter } from '../../queries/parameters.js'
import type { AuditRow } from '../../transform/audit-row.js'
import {
  answersTable,
  bucketOf,
  changesPrefix,
  checkpointsTable,
  folderPrefix,
  manifestKey,
} from '../../transform/derived.js'
import { dateOf } from '../../transform/partition.js'
import { copyIdentifier } from '../../transform/table-names.js'
import { openAthena } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { askSql, temporaryFolder, writeRows } from '../delivery/desk.js'
import { manifestIn, rowFilesOf } from '../derived/manifest-in.js'
import { FolderBucket } from '../folder-bucket.js'
import { EARLIER, randomArchive } from '../queries/random-archive.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino, type TrinoServer } from './server.js'
import { createAuditTable, createDerivedTables, localAddress } from './tables.js'

const missing = missingForTrino()
const DAY_US = 86_400_000_000
/** No end of it. */
const TIME = { signal: new AbortController().signal }
const HOUR_MS = 3_600_000
const ABOUT_ONE_ITEM = [...SAVED_QUERIES.values()]
  .filter(({ parameters }) => parameters.some(({ type }) => type === 'item'))
  .map(({ name }) => name)
const scannedBy = ({ executions }: AthenaEngine) => executions.reduce((sum, { bytesScanned }) => sum + bytesScanned, 0)
/** Long after every change, so that each day is over and has settled. */
const NOW = Date.UTC(2027, 0, 1)

describe.skipIf(missing !== undefined)(
  `the clustered copy on AWS, by Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let trino: TrinoServer
    let server: AthenaServer

    beforeAll(async () => {
      trino = await startTrino()
      server = await startAthenaServer()
      serveTrino(server, trino.client)
    })
    afterAll(async () => {
      await server.stop()
      await trino.stop()
    })

    /** An archive on AWS, with a stack that compacts it; answers, which cost most, are kept where `keepsAnswers`. */
    async function deploy(table: string, { since = '2026-11-01', keepsAnswers = false } = {}) {
      const configuration = { ...EARLIER, table, since: '2026-11-01' }
      const archive = new FolderBucket(temporaryFolder('archive'))
      const derived = new FolderBucket(temporaryFolder('derived'))
      await createAuditTable(trino.client, archive.root, configuration, since)
      await createDerivedTables(trino.client, derived.root, configuration)
      const database = trino.client.schema
      const open = (copies?: UnloadedCopies) => openAthena(server, { database, copies })
      const published: Published[] = []
      const compactor = (others: Partial<Parameters<typeof createStackCompactor>[0]> = {}) =>
        createStackCompactor({
          engine: open(),
          archive,
          derived,
          configuration,
          database,
          location: localAddress(derived.root),
          runBytes: Number.POSITIVE_INFINITY,
          ...(!keepsAnswers && { answers: [] }),
          onPublished: one => 'answer' in one || published.push(one),
          now: () => NOW,
          ...others,
        })
      return {
        configuration,
        archive,
        derived,
        published,
        compactor,
        compact: () => compactor()(TIME),
        add: (rows: readonly AuditRow[]) =>
          writeRows(
            archive.root,
            rows.map(row => ({ ...row, table_name: table })),
          ),
        /** An engine that reads copies, as a command opens one. */
        withCopies: () => open(new UnloadedCopies(archive, derived, database)),
        without: () => open(),
        manifest: async () => {
          const opened = await derived.openTagged(manifestKey(table))
          return opened && readManifest(opened.text, manifestKey(table), table)
        },
        /** The days that the archive has, and the run that stands for each. */
        days: async () => {
          const opened = await derived.openTagged(manifestKey(table))
          const manifest = opened && readManifest(opened.text, manifestKey(table), table)
          const listed = await listingOf(archive)(table)
          const { days } = await readCoverage(derived, table, manifest, listed)
          return { listed: [...listed.keys()], runs: days, covered: [...days.keys()].sort() }
        },
      }
    }

    type Deployed = Awaited<ReturnType<typeof deploy>>

    /**
     * Asks questions about one item of both, all there are or those named, expects the same, and tells what both
     * scanned.
     */
    async function compareAnswers(
      { configuration, withCopies, without }: Deployed,
      keys: readonly string[],
      names: readonly string[] = ['item-history'],
    ) {
      const [copies, archive] = [withCopies(), without()]
      for (const query of names.map(name => SAVED_QUERIES.get(name) as SavedQuery)) {
        const item = query.parameters.find(({ type }) => type === 'item') as Parameter
        for (const key of keys) {
          const known: Record<string, string> = { [item.name]: key, attribute: 'v', at: '2026-12-31T00:00:00Z' }
          const given = query.parameters.flatMap(({ name }) => (known[name] === undefined ? [] : [[name, known[name]]]))
          const parameters = Object.fromEntries(given)
          const rows = async (engine: typeof copies) => [
            ...rowsOf((await answerQuery(engine, query, configuration, parameters)).table),
          ]
          expect(await rows(copies), query.name).toEqual(await rows(archive))
        }
      }
      expect(copies.remarks()).toEqual([])
      return { copies: scannedBy(copies), archive: scannedBy(archive) }
    }

    /** Rows of a random archive so many days away, later ones with later sequence numbers as a stream has them. */
    function randomRows(seed: number, items = 40, days = 0): readonly AuditRow[] {
      const [made] = fc.sample(randomArchive(items), { seed, numRuns: 1 })
      const moved = (sequence: string) => String(Number(sequence) + (1000 + days) * 1_000_000).padStart(40, '0')
      return (made?.rows ?? []).map(row => ({
        ...row,
        event_id: days === 0 ? row.event_id : `${days} ${row.event_id}`,
        sequence: row.sequence === null ? null : moved(row.sequence),
        event_time_us: row.event_time_us + days * DAY_US,
      }))
    }

    /** An Athena that loses the first file of each statement that writes below a prefix. */
    function losingFiles({ derived, without }: Deployed, prefix: string): Pick<AthenaEngine, 'run'> {
      const engine = without()
      return {
        run: async (sql, values, options) => {
          const answer = await engine.run(sql, values, options)
          const target = new RegExp(`/(${prefix}[^']*)' with`).exec(sql)?.[1]
          const [written] = target === undefined ? [] : await derived.entries(target)
          if (written !== undefined) rmSync(join(derived.root, written.key))
          return answer
        },
      }
    }

    /** How many changes an item's history has. */
    async function countHistory(engine: AthenaEngine, { configuration }: Deployed, itemKey: string): Promise<number> {
      const query = savedQuery('item-history')
      return (await answerQuery(engine, query, configuration, { item_key: itemKey })).table.numRows
    }

    const dayOf = (row: AuditRow) => dateOf(row.event_time_us)
    const keysOf = (rows: readonly AuditRow[]) => [...new Set(rows.map(row => row.item_key))].sort()

    it('keeps the rows that the desk’s keeps, with the same counts of repeats, in as many buckets', async () => {
      const deployed = await deploy('Clustered')
      // an arrival that a period cannot see is left out on a desk by its view, which Athena lacks
      await deployed.add(randomRows(20261122, 60).filter(row => row.time_precision !== 'arrival'))
      await deployed.compact()
      const { archive, configuration } = deployed
      await compactTable(archive.root, configuration.table)
      const columns = 'event_id, row_hash, item_key, event_date, repeats'
      const order = 'order by event_id, row_hash'
      const desks = manifestIn(archive.root, configuration.table)
      const files = rowFilesOf(desks).map(key => join(archive.root, key))
      const desk = await askSql(
        archive.root,
        `select ${columns} from read_parquet(${fileList(files)}, hive_partitioning = false) ${order}`,
      )
      const { runs: unloaded } = (await deployed.manifest()) as Manifest
      const folders = unloaded.map(({ name }) => `'${name}-0'`).join(', ')
      const buckets = [...'0123456789abcdef'].map(bucket => `'${bucket}'`).join(', ')
      const sql = `select ${columns} from ${copyIdentifier(configuration)} where folder in (${folders}) and bucket in (${buckets}) ${order}`
      const answer = await answerSql(deployed.without(), sql)
      expect([...rowsOf(answer.table)]).toEqual(desk)
      expect(desk.some(({ repeats }) => Number(repeats) > 0)).toBe(true)
      // one digest, whichever engine takes it
      const about = ({ runs: its }: Manifest) =>
        its.map(({ rows, deliveries, digest }) => ({ rows, deliveries, digest }))
      expect(about(desks)).toEqual(about((await deployed.manifest()) as Manifest))
    })

    it('answers as the archive does before, during and after, and reads less', async () => {
      const deployed = await deploy('Growing', { keepsAnswers: true })
      const first = randomRows(1)
      const second = randomRows(2, 40, -10)
      const keys = [...keysOf(first).slice(0, 2), ...keysOf(second).slice(-1), '{"id":{"S":"nobody"}}']
      await deployed.add(first)
      await compareAnswers(deployed, keys)

      await deployed.compact()
      expect(deployed.published).toMatchObject([{ unseen: [] }])
      const scanned = await compareAnswers(deployed, keys.slice(0, 1), ABOUT_ONE_ITEM)
      expect(scanned.copies).toBeLessThan(scanned.archive / 2)

      // rows of new days, and late ones of a day that is copied
      const [late, ...rest] = second
      await deployed.add(rest)
      await deployed.add([
        { ...(late as AuditRow), event_id: 'late', event_time_us: (first[0] as AuditRow).event_time_us },
      ])
      await compareAnswers(deployed, [...keys, (late as AuditRow).item_key])

      await deployed.compact()
      const { runs, replaced } = (await deployed.manifest()) as Manifest
      const { listed, covered } = await deployed.days()
      expect(covered).toEqual(listed)
      // the run, and the three kept answers
      expect([runs.length, replaced.length]).toEqual([1, 4])
      await compareAnswers(deployed, [...keys, (late as AuditRow).item_key])
      await deployed.compact()
      expect(deployed.published).toHaveLength(2)
    })

    it('copies day by day where a run is to be small, and merges runs as they come', async () => {
      const deployed = await deploy('Daily')
      for (const day of [12, 9, 6, 3, 0]) await deployed.add(randomRows(30 + day, 6, -day))
      const total = (await deployed.archive.entries('data/')).reduce((sum, { bytes }) => sum + bytes, 0)
      await deployed.compactor({ runBytes: total * 0.6 })(TIME)
      const { runs } = (await deployed.manifest()) as Manifest
      const days = await deployed.days()
      expect(days.covered).toEqual(days.listed)
      expect(runs.length).toBeGreaterThan(1)
      expect(runs.length).toBeLessThan(5)
      expect(new Set([...days.runs.values()].map(({ name }) => name)).size).toBe(runs.length)
      await compareAnswers(deployed, keysOf(randomRows(30, 6)).slice(0, 2))
    })

    /** Asks what the table held at moments, from checkpoints and without, and tells what both scanned. */
    async function compareStates({ configuration, withCopies, without }: Deployed, moments: readonly string[]) {
      const [copies, archive] = [withCopies(), without()]
      for (const [i, at] of moments.entries()) {
        for (const [name, parameters] of [
          ['table-as-of', { at }],
          ['diff-of-table', { from: moments[i - 1] ?? at, to: at }],
        ] as const) {
          const query = SAVED_QUERIES.get(name) as SavedQuery
          const rows = async (engine: typeof copies) => [
            ...rowsOf((await answerQuery(engine, query, configuration, parameters)).table),
          ]
          expect(await rows(copies), `${name} ${at}`).toEqual(await rows(archive))
        }
      }
      expect(copies.remarks()).toEqual([])
      return { copies: scannedBy(copies), archive: scannedBy(archive) }
    }

    it('keeps checkpoints, from which the items of a moment are told as from the archive', async () => {
      const deployed = await deploy('Checked')
      for (const day of [12, 8, 4, 0]) await deployed.add(randomRows(60 + day, 6, -day))
      const total = (await deployed.archive.entries('data/')).reduce((sum, { bytes }) => sum + bytes, 0)
      const compact = deployed.compactor({ checkpointBytes: 1, runBytes: total / 2 })
      await compact(TIME)
      const { checkpoints } = (await deployed.manifest()) as Manifest
      expect(checkpoints.length).toBeGreaterThan(1)
      const moments = ['11', '15', '19'].map(day => `2026-11-${day}T23:59:59.500Z`)
      await compareStates(deployed, moments)
      const last = await compareStates(deployed, ['2026-11-24T00:00:00Z'])
      expect(last.copies).toBeLessThan(last.archive)

      // a late row may change what every later checkpoint tells, so none of them is asked, and all are made again
      const [row] = randomRows(68, 6, -8) as [AuditRow]
      await deployed.add([
        { ...row, event_id: 'late', sequence: null, new_hash: 'f'.repeat(64), new_image: '{"late":{"S":""}}' },
      ])
      await compareStates(deployed, moments.slice(-1))
      await compact(TIME)
      const after = (await deployed.manifest()) as Manifest
      const day = dayOf(row)
      const kept = checkpoints.filter(checkpoint => checkpoint.day < day)
      expect(after.checkpoints.filter(checkpoint => checkpoint.day < day)).toEqual(kept)
      const names = new Set(checkpoints.map(({ name }) => name))
      expect(after.checkpoints.filter(checkpoint => names.has(checkpoint.name))).toEqual(kept)
      expect(after.checkpoints.length).toBeGreaterThan(kept.length)
      await compareStates(deployed, moments.slice(1))
    })

    it('publishes no checkpoint that tells other states', async () => {
      const deployed = await deploy('Forgetful')
      await deployed.add(randomRows(6))
      const losing = losingFiles(deployed, checkpointsTable(deployed.configuration).prefix)
      const compaction = deployed.compactor({ engine: losing, checkpointBytes: 1 })(TIME)
      await expect(compaction).rejects.toThrow(
        /the checkpoint of Forgetful at the end of 2026-11-\d\d gives other states/,
      )
      expect((await deployed.manifest())?.checkpoints).toEqual([])
    })

    /**
     * Asks what is kept of each item, from what was kept and from the archive, and tells the rows and what both
     * scanned.
     */
    async function compareKept({ configuration, withCopies, without }: Deployed) {
      const [copies, archive] = [withCopies(), without()]
      const answers: (readonly string[])[] = []
      for (const statement of keptStatements(configuration)) {
        const rows = async (engine: typeof copies) => {
          const found: string[] = []
          for await (const row of rowsOfEachItem(engine, configuration, statement))
            found.push(JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
          return found.sort()
        }
        const expected = await rows(archive)
        expect(await rows(copies), statement.sql).toEqual(expected)
        answers.push(expected)
      }
      expect(copies.remarks()).toEqual([])
      return { answers, copies: scannedBy(copies), archive: scannedBy(archive) }
    }

    it('keeps what does not fit together in each item, and tells it as the archive does whatever has come since', async () => {
      const deployed = await deploy('Judged', { keepsAnswers: true })
      await deployed.add(randomRows(70))
      await deployed.compact()
      const manifest = (await deployed.manifest()) as Manifest
      const alone = await compareKept(deployed)
      expect(alone.answers.every(rows => rows.length > 0)).toBe(true)
      expect(manifest.answers.map(({ rows }) => rows)).toEqual(alone.answers.map(rows => rows.length))
      expect(alone.copies).toBeLessThan(alone.archive / 2)

      // other changes of half of the items on other days, which continue nothing
      await deployed.add(randomRows(71, 20, -10))
      const since = await compareKept(deployed)
      for (const [i, rows] of since.answers.entries()) expect(rows).not.toEqual(alone.answers[i])
      await deployed.compact()
      expect((await compareKept(deployed)).answers).toEqual(since.answers)
    })

    it('publishes no answer that is another than the archive’s', async () => {
      const deployed = await deploy('Forgotten', { keepsAnswers: true })
      await deployed.add(randomRows(72))
      const losing = losingFiles(deployed, answersTable(deployed.configuration).prefix)
      const compaction = deployed.compactor({ engine: losing })(TIME)
      await expect(compaction).rejects.toThrow(
        /the answer kept of Forgotten up to 2026-11-\d\d is another than the archive/,
      )
      expect((await deployed.manifest())?.answers).toEqual([])
      await compareKept(deployed)

      await deployed.compact()
      const { answers } = (await deployed.manifest()) as Manifest
      expect(answers).toHaveLength(3)
      const [file] = await deployed.derived.entries(answersTable(deployed.configuration).prefix)
      await deployed.derived.remove([file?.key as string])
      const engine = deployed.withCopies()
      for (const statement of keptStatements(deployed.configuration))
        for await (const _ of rowsOfEachItem(engine, deployed.configuration, statement)) break
      expect(engine.remarks().join()).toContain('is gone')
    })

    it('leaves today alone, and a day that objects came to a short while ago', async () => {
      const deployed = await deploy('Fresh')
      await deployed.add(randomRows(5))
      const at = (now: number) => deployed.compactor({ now: () => now })(TIME)
      await at(Date.UTC(2026, 10, 21, 12))
      await at(Date.now() + 0.5 * HOUR_MS)
      expect(await deployed.manifest()).toBeUndefined()
      await at(NOW)
      expect(deployed.published).toHaveLength(1)
    })

    it('publishes nothing where a file is missing, and sweeps what was written', async () => {
      const deployed = await deploy('Lossy')
      await deployed.add(randomRows(6))
      const losing = losingFiles(deployed, changesPrefix('Lossy'))
      const compaction = deployed.compactor({ engine: losing })(TIME)
      await expect(compaction).rejects.toThrow(
        /the copy of Lossy is not what the archive has of 2026-11-\d\d to 2026-11-\d\d/,
      )
      expect(await deployed.manifest()).toBeUndefined()
      await compareAnswers(deployed, keysOf(randomRows(6)).slice(0, 1))

      const left = await deployed.derived.entries(changesPrefix('Lossy'))
      expect(left.length).toBeGreaterThan(0)
      await deployed.compact()
      const { runs } = (await deployed.manifest()) as Manifest
      const [{ name }] = runs as [Manifest['runs'][number]]
      const now = (await deployed.derived.entries(changesPrefix('Lossy'))).map(({ key }) => key)
      expect(now.every(key => key.startsWith(folderPrefix('Lossy', `${name}-0`)))).toBe(true)
    })

    it('leaves out days whose rows have one row_hash and differ, and says so', async () => {
      const deployed = await deploy('Tampered')
      const rows = randomRows(7)
      const [row] = rows as [AuditRow]
      await deployed.add(rows)
      await deployed.add([{ ...row, actor: 'nobody' }])
      await expect(deployed.compact()).rejects.toThrow(/rows of Tampered have one row_hash and differ/)
      const { listed, covered } = await deployed.days()
      expect(covered).toEqual(listed.filter(day => day !== dayOf(row)))
      // of the item itself the archive tells the one or the other
      await compareAnswers(deployed, [keysOf(rows).find(key => key !== row.item_key) as string])
    })

    it('leaves out days of which Athena sees nothing, and says so', async () => {
      const rows = randomRows(12)
      const days = [...new Set(rows.map(dayOf))].sort()
      const deployed = await deploy('Unseen', { since: days[1] as string })
      await deployed.add(rows)
      await deployed.compact()
      await deployed.compact()
      expect(deployed.published).toMatchObject([{ unseen: [days[0]] }])
      const { unseen } = (await deployed.manifest()) as Manifest
      expect([(await deployed.days()).covered, Object.keys(unseen)]).toEqual([days.slice(1), [days[0]]])
    })

    it('copies what came while it was at it, and gives way to another one', async () => {
      const deployed = await deploy('Contended')
      const rows = randomRows(8)
      await deployed.add(rows)
      const engine = deployed.without()
      const meanwhile = (act: () => Promise<unknown>) => {
        let done = false
        const run: typeof engine.run = async (sql, values, options) => {
          if (sql.startsWith('unload') && !done) {
            done = true
            await act()
          }
          return engine.run(sql, values, options)
        }
        return deployed.compactor({ engine: { run } })(TIME)
      }
      await expect(meanwhile(() => deployed.compact())).rejects.toThrow(
        'another compaction of Contended published meanwhile',
      )
      expect((await deployed.manifest())?.runs).toHaveLength(1)

      await deployed.add(randomRows(9, 3, -10))
      const late = { ...(randomRows(9, 3, -10)[0] as AuditRow), event_id: 'late' }
      await meanwhile(() => deployed.add([late]))
      const { listed, covered } = await deployed.days()
      expect(covered).toEqual(listed)
      await compareAnswers(deployed, [late.item_key])
    })

    it('answers whoever asked before, while runs are replaced and swept', async () => {
      const deployed = await deploy('Swept')
      const [key] = keysOf(randomRows(13, 10)) as [string]
      await deployed.add(randomRows(13, 10))
      await deployed.compact()
      const [reader, archive] = [deployed.withCopies(), deployed.without()]
      const ask = (engine: typeof reader) => countHistory(engine, deployed, key)
      const before = await ask(archive)
      expect([await ask(reader), before > 0]).toEqual([before, true])
      for (const days of [6, 12]) {
        await deployed.add(randomRows(13 + days, 10, -days).filter(row => row.item_key !== key))
        await deployed.compact()
      }
      expect([await ask(reader), reader.remarks()]).toEqual([before, []])
      await deployed.compactor({ now: () => NOW + 48 * HOUR_MS })(TIME)
      // what it knew is gone, and there is another
      expect([await ask(reader), reader.remarks()]).toEqual([before, []])
      const later = deployed.withCopies()
      expect([await ask(later), later.remarks()]).toEqual([before, []])
    })

    it('has 256 buckets where a run is large', async () => {
      const deployed = await deploy('Large')
      await deployed.add(randomRows(14, 12))
      await deployed.compactor({ fewBucketsBytes: 0 })(TIME)
      const { runs } = (await deployed.manifest()) as Manifest
      expect(runs.map(({ digits }) => digits)).toEqual([2])
      expect(Object.keys(runs[0]?.files ?? {}).length).toBeGreaterThan(5)
      await compareAnswers(deployed, keysOf(randomRows(14, 12)).slice(0, 2))
    })

    it('is not used where it cannot be read, and says so', async () => {
      const deployed = await deploy('Damaged')
      const rows = randomRows(10)
      const [item] = keysOf(rows) as [string]
      await deployed.add(rows)
      await deployed.compact()
      const ask = async () => {
        const engine = deployed.withCopies()
        return { changes: await countHistory(engine, deployed, item), remarks: engine.remarks().join() }
      }
      const { changes, remarks } = await ask()
      expect([changes > 0, remarks]).toEqual([true, ''])
      const key = manifestKey('Damaged')
      const { text } = (await deployed.derived.openTagged(key)) as { text: string }
      const put = async (manifest: string) =>
        deployed.derived.replace(key, manifest, await deployed.derived.openTagged(key))
      for (const [wrong, reason] of [
        ['{', /is no JSON/],
        [text.replace('derived/v2', 'derived/v3'), /version is "derived\/v3"/],
        [text.replace(/"name":"[^"]*"/, `"name":"x' or true"`), /name is "x' or true", expected a UUID/],
      ] as const) {
        await put(wrong)
        expect(await ask()).toEqual({ changes, remarks: expect.stringMatching(reason) })
        await expect(deployed.compact()).rejects.toThrow(reason)
      }

      // a file that is lost shows, and the next compaction makes its run again
      await put(text)
      const files = await deployed.derived.entries(changesPrefix('Damaged'))
      const ofItem = files.filter(file => file.key.includes(`bucket=${bucketOf(item, 1)}/`))
      await deployed.derived.remove(ofItem.map(file => file.key))
      expect(await ask()).toEqual({ changes, remarks: expect.stringContaining('is gone') })
      await deployed.compact()
      expect(await ask()).toEqual({ changes, remarks: '' })
    })

    it('stops at the signal', async () => {
      const deployed = await deploy('Stopped')
      await deployed.add(randomRows(11))
      await expect(deployed.compactor()({ signal: AbortSignal.abort() })).rejects.toThrow()
      expect(await deployed.manifest()).toBeUndefined()
    })
  },
)
