/** Erasures and deliveries as processes, both killed at any moment, and then left to end. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { everythingIn } from '../erasure/everything-in.js'
import { LATER, LIFE, makePlace } from '../erasure/orders.js'
import { randomOf } from '../random.js'
import { startItemtrail } from './live-table.js'

/** More of them: `KILLS=50 npm run test:live -- erasure-kills`. */
const KILLS = Number(process.env.KILLS ?? 6)
const LONGEST_MS = 1500

it(`comes to an end after ${KILLS} kills: no key, no clear byte, no broken file`, async () => {
  const random = randomOf(20261129)
  const { folder, archive, keys, config, ask, ingest, askJson } = await makePlace()
  await ingest(LIFE)
  const input = join(folder, 'later.jsonl')
  writeFileSync(input, [...LIFE, LATER].map(record => `${JSON.stringify(record)}\n`).join(''))
  const start = (...argv: readonly string[]) => startItemtrail([...argv, '--archive', archive, '--config', config])
  for (let kill = 0; kill < KILLS; kill++) {
    const running = [start('subject', 'erase', 'u-1', '--reason', 'asked'), start('ingest', input)]
    await sleep(random() * LONGEST_MS)
    for (const { child } of running) child.kill('SIGKILL')
    for (const { ended } of running) await ended
  }
  expect(await start('subject', 'erase', 'u-1', '--reason', 'asked').ended).toMatchObject({ exit: 0 })
  expect(await start('ingest', input).ended).toMatchObject({ exit: 0 })
  const found = await askJson('subject', 'find', 'u-1')
  expect(found).toMatchObject({ state: 'erased', generation: 1 })
  expect(found.certificates.length).toBeGreaterThan(0)
  const subjects = join(keys, 'subjects', found.token.slice(0, 2))
  for (const name of readdirSync(subjects).filter(file => file.startsWith(found.token)))
    expect(readFileSync(join(subjects, name), 'utf8'), name).not.toContain('wrapped')
  expect(await everythingIn(archive)).not.toMatch(/Ann|Secret/)
  expect((await ask('subject', 'export', 'u-1')).out).not.toMatch(/Ann|Secret/)
  expect((await ask('subject', 'export', 'u-2')).out).toContain('Bob Shop')
  expect((await ask('verify', 'rows')).exit).toBe(0)
  expect((await ask('verify', 'continuity')).exit).toBe(0)
}, 600_000)
