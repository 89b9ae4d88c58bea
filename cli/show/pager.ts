import { spawn, spawnSync } from 'node:child_process'
import type { Pager } from '../io.js'

/**
 * Runs the command of PAGER, or `less`, with what is written; as in git, `less` ends at once where all fits on the
 * screen. Undefined where PAGER is empty or `cat`, or the command is not there.
 */
export function openPager(env: NodeJS.ProcessEnv = process.env): Pager | undefined {
  const command = (env.PAGER ?? 'less').trim()
  if (command === '' || command === 'cat' || !isThere(command, env)) return undefined
  // F: ends where all fits; R: colours; X: leaves what was read on the screen
  const child = spawn(command, {
    shell: true,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { LESS: 'FRX', LV: '-c', ...env },
  })
  // whoever leaves it early wants to hear no more
  child.stdin.on('error', () => {})
  // Ctrl-C is for the pager to hear
  const ignore = () => {}
  process.on('SIGINT', ignore)
  const ended = new Promise<void>(resolve => {
    child.on('error', () => resolve())
    child.on('close', () => resolve())
  })
  return {
    write: text => {
      if (child.stdin.writable) child.stdin.write(text)
    },
    end: async () => {
      child.stdin.end()
      await ended
      process.off('SIGINT', ignore)
    },
  }
}

function isThere(command: string, env: NodeJS.ProcessEnv): boolean {
  const [name] = command.split(/\s+/) as [string]
  return spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', name], { env, stdio: 'ignore' }).status === 0
}
