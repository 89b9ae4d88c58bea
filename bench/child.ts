import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

/** What a process took, from its beginning to its end, on all of its threads. */
export interface ProcessCost {
  readonly cpuMs: number
  readonly peakMb: number
  /** What it printed. */
  readonly output: string
}

const REPORT = `
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  process.stdout.write('\\n' + JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMb: maxRSS / 1024 }))
})
`

/** Runs ES module code in a Node of its own. Throws with its standard error where it fails. */
export async function runAlone(
  node: string,
  code: string,
  { input = '', env = {} }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProcessCost> {
  const argv = ['--input-type=module', '--eval', REPORT + code]
  const child = spawn(node, argv, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  child.stdin.on('error', () => {}).end(input)
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  if (child.exitCode !== 0) throw new Error(`process ended with ${child.exitCode}: ${errors}`)
  const end = output.lastIndexOf('\n')
  const { cpuMs, peakMb } = JSON.parse(output.slice(end)) as Pick<ProcessCost, 'cpuMs' | 'peakMb'>
  return { cpuMs, peakMb, output: output.slice(0, end) }
}

/** Loaded before a program: it tells what the process took on a stream of its own, of the main thread alone. */
const WATCH = `data:text/javascript,${encodeURIComponent(`
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
if (isMainThread) process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  writeSync(3, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMb: maxRSS / 1024 }))
})
`)}`

/** What a program took; of these the wall time is what other work beside it leaves. */
export interface ProgramCost extends Omit<ProcessCost, 'output'> {
  readonly wallMs: number
}

/** How a program may end, and what goes before it on its line, such as `taskset`. */
export interface ProgramOptions {
  readonly exits?: readonly number[]
  readonly before?: readonly string[]
}

/**
 * Runs a program of Node whose answer nobody reads. Throws with its standard error where it ends otherwise than it may.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  { exits = [0], before = [] }: ProgramOptions = {},
): Promise<ProgramCost> {
  const [command, ...line] = [...before, process.execPath, '--import', WATCH, path, ...args] as [string, ...string[]]
  const began = performance.now()
  const child = spawn(command, line, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const [errors, cost] = await Promise.all([
    text(child.stderr as Readable),
    text(child.stdio[3] as Readable),
    once(child, 'exit'),
  ])
  if (!exits.includes(child.exitCode ?? -1))
    throw new Error(`${args.join(' ')} ended with ${child.exitCode}: ${errors}`)
  return { ...(JSON.parse(cost) as Pick<ProcessCost, 'cpuMs' | 'peakMb'>), wallMs: performance.now() - began }
}
