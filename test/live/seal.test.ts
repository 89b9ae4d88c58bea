/** `itemtrail seal --follow` beside a `tail`, over a real table that is written to, both killed again and again. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEntries } from '../../journal/entries.js'
import { cachedHead } from '../../journal/head.js'
import { KeptLog } from '../../journal/kept-log.js'
import { readVerifier } from '../../journal/key-file.js'
import { DiskArchive } from '../../store/folder.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'
import { randomOf } from '../random.js'
import { reportFigures } from '../reliability/figures.js'
import { Judge } from './judge.js'
import { startItemtrail } from './live-table.js'
import { WORKLOAD_TABLES, Workload, type WorkloadTable } from './workload.js'

const missing = missingForDynamoDbLocal()

/** More of them: `KILLS=50 npm run test:live -- seal`. */
const KILLS = Number(process.env.KILLS ?? 5)
const SEED = 20261129

describe.skipIf(missing !== undefined)(`seal beside a tail${missing ? ` (${missing})` : ''}`, () => {
  let local: DynamoDbLocal
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-seal-'))
  const [root, key] = [join(folder, 'archive'), join(folder, 'seal.key')]
  process.env.XDG_STATE_HOME = join(folder, 'state')
  beforeAll(async () => {
    local = await startDynamoDbLocal()
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await local?.stop()
  })

  const start = (...argv: readonly string[]) => startItemtrail(argv, local.endpoint)
  // sealing asks no table, so it takes no endpoint
  const startAlone = (...argv: readonly string[]) => startItemtrail(argv)
  const seal = () => startAlone('seal', '--archive', root, '--key', key)

  it(
    `loses no change and no sealed object and never forks, tail or seal killed ${KILLS} times`,
    async () => {
      const orders: WorkloadTable = { ...(WORKLOAD_TABLES[0] as WorkloadTable), name: 'Sealed' }
      const workload = new Workload({ endpoint: local.endpoint, tables: [orders], seed: SEED })
      await workload.createTables()
      await startAlone('seal', '--init', '--key', key, '--origin', 'live.example/test', '--archive', root).ended
      const follow = () => start('tail', orders.name, '--archive', root, '--flush-interval', '0.2')
      let writing = true
      const writer = (async () => {
        while (writing) {
          await workload.step()
          await sleep(10)
        }
      })()
      const random = randomOf(SEED)
      let tail = follow()
      while (!existsSync(join(root, 'data'))) await sleep(20)
      // how long a sealing takes tells where the instants should lie
      const begun = performance.now()
      expect((await seal().ended).exit).toBe(0)
      const whole = performance.now() - begun
      const kept = new Map<string, string>()
      const killed = { tail: 0, seal: 0, midway: 0 }
      for (let i = 0; i < KILLS; i++) {
        const sealing = seal()
        await sleep(whole * (0.4 + 0.7 * random()))
        if (random() < 0.35) {
          tail.child.kill('SIGKILL')
          await tail.ended
          tail = follow()
          killed.tail++
          await sealing.ended
        } else {
          sealing.child.kill('SIGKILL')
          await sealing.ended
          killed.seal++
          if (!isSettled(root)) killed.midway++
        }
        // whoever keeps each checkpoint that ever was there notices a fork
        if (existsSync(join(root, 'log/checkpoint'))) {
          const note = readFileSync(join(root, 'log/checkpoint'), 'utf8')
          const [, size = '', hash = ''] = note.split('\n')
          expect(kept.get(size) ?? hash).toBe(hash)
          kept.set(size, hash)
        }
      }
      writing = false
      await writer
      tail.child.kill('SIGTERM')
      await tail.ended
      const caught = await start('tail', orders.name, '--archive', root, '--until-caught-up', '--format', 'json').ended
      expect([caught.exit, JSON.parse(caught.out).gaps]).toEqual([0, []])
      // two more seals, and whatever nobody sealed is found
      for (let i = 0; i < 2; i++) expect((await seal().ended).exit).toBe(0)
      const verified = await startAlone('verify', '--archive', root, '--key', key, '--full', '--format', 'json').ended
      const { journal } = JSON.parse(verified.out)
      expect({ exit: verified.exit, ...journal }).toMatchObject({ exit: 0, findings: [], not_sealed: [] })
      const judge = await Judge.open(root)
      await judge.expectVersions(orders.name, workload.versions)
      const rows = await judge.countRows(orders.name)
      judge.close()
      expect(rows).toBeGreaterThanOrEqual(workload.versions.length)
      // each object once, and every row of the archive
      const sealed = await sealedIn(root, key)
      expect(new Set(sealed.map(entry => entry.key)).size).toBe(sealed.length)
      expect(sealed.reduce((sum, entry) => sum + (entry.rows ?? 0), 0)).toBe(rows)
      for (const [size, hash] of kept) expect(await rootAt(root, Number(size))).toBe(hash)
      reportFigures('seal-kills', {
        columns: ['tail killed', 'seal killed', 'of these midway', 'versions written', 'checkpoints', 'lost', 'forks'],
        rows: [
          [
            `${killed.tail}`,
            `${killed.seal}`,
            `${killed.midway}`,
            `${workload.versions.length}`,
            `${journal.checkpoints}`,
            '0',
            '0',
          ],
        ],
      })
      expect(killed.seal).toBeGreaterThan(0)
    },
    120_000 + KILLS * 30_000,
  )
})

/** False where a sealing died after it had staged what it was about to claim. */
function isSettled(root: string): boolean {
  const staging = join(root, 'log/staging')
  return !existsSync(staging) || readdirSync(staging).length === 0
}

/** What the journal names. */
async function sealedIn(root: string, key: string) {
  const log = new KeptLog(new DiskArchive(root))
  const verifier = readVerifier(key)
  const { size } = await cachedHead(log, { origin: verifier.name, known: [verifier] })
  const sealed: { readonly key: string; readonly rows?: number | undefined }[] = []
  for await (const { entry } of readEntries(path => log.read(path), { from: 0, to: size, size }))
    if (entry?.type === 'object@1') sealed.push(entry)
  return sealed
}

/** The root that the chain of claims has at a size, in base64. */
async function rootAt(root: string, wanted: number): Promise<string | undefined> {
  for (const name of readdirSync(join(root, 'log/next'))) {
    const [, size, hash] = readFileSync(join(root, 'log/next', name), 'utf8').split('\n')
    if (Number(size) === wanted) return hash
  }
  return undefined
}
