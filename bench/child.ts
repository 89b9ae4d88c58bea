import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What a process took, from its beginning to its end. */
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
