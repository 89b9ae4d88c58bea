import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findSuites, loadSuite } from '../../bench/find.js'
import { readMachine } from '../../bench/machine.js'
import { type Bench, runBench } from '../../bench/run.js'
import type { Suite, SuiteResult } from '../../bench/suite.js'

const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const found: SuiteResult = {
  findings: [
    { what: 'ours', against: 'the | floor', figure: '0.82 (0.79-0.86)', target: '<= 1', reached: true },
    { what: 'size', against: 'none', figure: '3 MB' },
  ],
  remarks: ['made-up\n## records'],
  leftOut: [],
}

/** Suites by name; a text is what running one throws. */
const SUITES: Readonly<Record<string, SuiteResult | string>> = {
  first: found,
  impossible: { findings: [], remarks: [], leftOut: ['pyarrow: no Python here'] },
  broken: 'the disk is full',
}

let runs = 0

/** Runs some of the suites, the document being the one of `name`. */
async function bench(name: string, more: Partial<Bench> = {}) {
  let [out, note] = ['', '']
  const document = join(folder, name)
  const load = async (suite: string): Promise<Suite> => ({
    name: suite,
    question: `is ${suite} good enough?`,
    run: async tell => {
      tell('half-way')
      runs++
      const result = SUITES[suite] as SuiteResult | string
      if (typeof result === 'string') throw new Error(result)
      return result
    },
  })
  const exit = await runBench({
    known: ['first', 'impossible'],
    load,
    wanted: [],
    document,
    machine: { hardware: 'a processor, 2 cores', software: 'Node 20' },
    today: '2026-11-25',
    out: text => {
      out += text
    },
    note: text => {
      note += text
    },
    ...more,
  })
  return { exit, out, note, document }
}

describe('npm run bench', () => {
  it('prints a table and writes each suite with its machine, versions, date, remarks and what was left out', async () => {
    const { exit, out, note, document } = await bench('all.md')
    expect(exit).toBe(0)
    expect(note).toContain('first: half-way\n')
    expect(out).toBe(`first: is first good enough?
what  against      figure            target  reached
ours  the | floor  0.82 (0.79-0.86)  <= 1    yes
size  none         3 MB

impossible: is impossible good enough?
left out: pyarrow: no Python here

`)
    const text = readFileSync(document, 'utf8')
    expect(text).toMatch(/^# Benchmarks\n/)
    expect(text).toContain(`## first

is first good enough?

Measured on 2026-11-25: a processor, 2 cores; Node 20.

| what | against | figure | target | reached |
| --- | --- | --- | --- | --- |
| ours | the \\| floor | 0.82 (0.79-0.86) | <= 1 | yes |
| size | none | 3 MB |  |  |

Remarks:

- made-up ## records

## impossible

is impossible good enough?

Measured on 2026-11-25: a processor, 2 cores; Node 20.

Left out:

- pyarrow: no Python here
`)
  })

  it('replaces only the section of the suite that was named, and forgets suites that are gone', async () => {
    const { document } = await bench('some.md')
    const before = readFileSync(document, 'utf8')
    await bench('some.md', { wanted: ['impossible'], today: '2026-12-01' })
    const after = readFileSync(document, 'utf8')
    expect(after.split('## impossible')[0]).toBe(before.split('## impossible')[0])
    expect(after).toContain('Measured on 2026-12-01')
    await bench('some.md', { wanted: ['impossible'], known: ['impossible'] })
    expect(readFileSync(document, 'utf8')).not.toContain('## first')
  })

  it('gives the same document when the same is measured again', async () => {
    const { document } = await bench('twice.md')
    const before = readFileSync(document, 'utf8')
    await bench('twice.md')
    expect(readFileSync(document, 'utf8')).toBe(before)
  })

  it('goes on after a suite that throws, keeps its section of before and ends with 1', async () => {
    const { document } = await bench('broken.md', { known: ['broken', 'first'], wanted: ['first'] })
    const before = readFileSync(document, 'utf8')
    const { exit, out, note } = await bench('broken.md', { known: ['broken', 'first'] })
    expect(exit).toBe(1)
    expect(note).toContain('broken failed: Error: the disk is full')
    expect(note).toMatch(/failed: broken\n$/)
    expect(out).toContain('first: is first good enough?')
    expect(readFileSync(document, 'utf8')).toBe(before)
  })

  it('runs nothing when a name is unknown', async () => {
    const before = runs
    const { exit, note } = await bench('unknown.md', { wanted: ['first', 'frist'] })
    expect([exit, note]).toEqual([2, 'suite "frist" is unknown, expected first, impossible\n'])
    expect(runs).toBe(before)
  })

  it('finds the files that export a suite, each by the name of its file', async () => {
    const bench = join(import.meta.dirname, '../../bench')
    const names = findSuites(bench)
    expect(names).toContain('cost')
    for (const frame of ['main', 'suite', 'run', 'report']) expect(names).not.toContain(frame)
    expect((await loadSuite(bench, 'cost')).name).toBe('cost')
  })

  it('names no host, user or path', () => {
    const { hardware, software } = readMachine()
    expect(hardware).toMatch(/^.+, \d+ cores?, \d+ GB, \w+ [\d.]+$/)
    expect(software).toMatch(/^Node [\d.]+(, \S+ [\w.-]+)+$/)
  })
})
