import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { openArchive } from '../library/open-archive.js'
import { createApp } from '../view/app.js'
import { ArchiveInView } from '../view/archive-in-view.js'
import { STYLE } from '../view/paper/style.js'
import { Admission } from '../view/safety.js'
import { type Finding, type Suite, type SuiteResult, spreadOf } from './suite.js'
import { makeSyntheticArchive, SYNTHETIC_TABLE } from './synthetic-archive.js'

export interface PageSize {
  readonly items: number
  readonly versions: number
  readonly days: number
  readonly objectsPerDay: number
  /** Servers that are started anew for each screen. */
  readonly rounds: number
}

const SIZE: PageSize = {
  items: Number(process.env.BENCH_ITEMS ?? 100_000),
  versions: 10,
  days: 60,
  objectsPerDay: 8,
  rounds: 5,
}

export const suite: Suite = {
  name: 'page',
  question: 'How long does `itemtrail view` take, and what does it weigh?',
  run: note => measurePage(SIZE, note),
}

const HOST = '127.0.0.1:4711'
const KEY = 'ORD000000001'

/** A screen, how long it may take, and what was looked at before. */
const SCREENS: readonly (readonly [what: string, path: string, mostMs?: number])[] = [
  ['the first screen, tables', '/', 1500],
  ['the first screen, the days of a table', '/t/Orders', 1500],
  ['the first screen, changes', '/t/Orders/changes', 1500],
  ['a facet: one actor', '/t/Orders/changes?actor=user-7@ops.example', 1000],
  ['a facet: one day', '/t/Orders/changes?from=2026-02-01&to=2026-02-02', 1000],
  ['an item', `/t/Orders/i/${KEY}`, 1000],
]

/** Asks a page for its screens as a browser does, each of a server that was just started, and once again. */
export async function measurePage(size: PageSize, note: (text: string) => void): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
  try {
    const changes = size.items * size.versions
    note(`making ${changes} changes`)
    await makeSyntheticArchive(folder, size)
    const findings: Finding[] = []
    for (const [what, path, mostMs] of SCREENS) {
      note(what)
      const [cold, warm]: [number[], number[]] = [[], []]
      for (let round = 0; round < size.rounds; round++) {
        const [first, again] = await timesOf(folder, path)
        cold.push(first)
        warm.push(again)
      }
      findings.push(findingOf(what, cold, warm, mostMs))
    }
    return { findings: [...findings, weightOf()], remarks: [remarkOf(changes, size)], leftOut: [] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Milliseconds of a screen of a new server, and of the same again. */
async function timesOf(root: string, path: string): Promise<readonly [first: number, again: number]> {
  const view = new ArchiveInView(signal => openArchive(root, { tables: [SYNTHETIC_TABLE], signal }))
  const admission = new Admission()
  const app = createApp({ view, root, onAws: false, admission, hosts: () => [HOST] })
  const host = { host: HOST }
  const opened = await app.request(`http://${HOST}/open?token=${admission.token}`, { headers: host })
  const headers = { ...host, cookie: opened.headers.get('set-cookie')?.split(';')[0] ?? '' }
  const look = async () => {
    const begin = performance.now()
    const response = await app.request(`http://${HOST}${path}`, { headers })
    const html = await response.text()
    if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}: ${html.slice(0, 300)}`)
    return performance.now() - begin
  }
  try {
    return [await look(), await look()]
  } finally {
    await view.close()
  }
}

function findingOf(what: string, cold: readonly number[], warm: readonly number[], mostMs?: number): Finding {
  const [first, again] = [spreadOf(cold), spreadOf(warm)]
  const text = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  const finding = {
    what,
    against: `the same again: ${text(again.median)}`,
    figure: `${text(first.median)} (${text(first.p10)}-${text(first.p90)})`,
  }
  return mostMs === undefined
    ? finding
    : { ...finding, target: `under ${mostMs / 1000} s`, reached: first.median < mostMs }
}

function weightOf(): Finding {
  const script = readFileSync(join(import.meta.dirname, '../view/page.js'))
  const parts = [Buffer.from(STYLE), script]
  const sum = (pack: (bytes: Buffer) => Buffer) => parts.reduce((bytes, part) => bytes + pack(part).length, 0)
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`
  return {
    what: 'script and style',
    against: `as they are: ${kib(sum(bytes => bytes))}`,
    figure: `gzip ${kib(sum(gzipSync))}, brotli ${kib(sum(brotliCompressSync))}`,
    target: 'under 30 KB compressed',
    reached: sum(gzipSync) < 30 * 1024,
  }
}

function remarkOf(changes: number, { items, days, rounds }: PageSize): string {
  const count = (n: number) => n.toLocaleString('en-US')
  return `${count(changes)} changes of ${count(items)} items in ${days} days, not compacted. Each screen is the first that a server which was just started shows, ${rounds} times; a verdict that takes longer than the screen waits comes with the next look.`
}
