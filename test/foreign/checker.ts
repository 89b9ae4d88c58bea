/**
 * Judges that are not ours: Go's x/mod and Tessera, and torchwood, built once from Go's module proxy into the cache.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A program in a folder of its own; torchwood needs a Go so new that Go fetches it. */
export type Judge = 'checker' | 'torchwood'
const TOOLCHAINS = { checker: undefined, torchwood: 'go1.27.3' } as const

const SOURCES = fileURLToPath(new URL('./', import.meta.url))
const CACHE = fileURLToPath(new URL('../../.cache/checker/', import.meta.url))

/** Says in one sentence what this machine lacks; undefined when nothing is missing. */
export function missingForChecker(): string | undefined {
  const version = /go1\.(\d+)/.exec(spawnSync('go', ['version'], { encoding: 'utf8' }).stdout ?? '')?.[1]
  if (version === undefined) return 'go is missing: the foreign checks need Go 1.26 or newer'
  return Number(version) < 26
    ? `go is too old: the foreign checks need Go 1.26 or newer, this is 1.${version}`
    : undefined
}

/** The same of torchwood, whose Go may have to be fetched. */
export function missingForTorchwood(): string | undefined {
  const missing = missingForChecker()
  if (missing !== undefined) return missing
  const { status } = spawnSync('go', ['version'], { env: environmentOf('torchwood'), encoding: 'utf8' })
  return status === 0 ? undefined : `${TOOLCHAINS.torchwood} is missing and cannot be fetched: torchwood needs it`
}

/** Builds a judge; Go does nothing where it is built. */
export function buildChecker(judge: Judge = 'checker'): void {
  mkdirSync(CACHE, { recursive: true })
  const options = { cwd: `${SOURCES}${judge}`, env: environmentOf(judge), encoding: 'utf8' } as const
  const built = spawnSync('go', ['build', '-o', CACHE + judge, '.'], options)
  if (built.status !== 0) throw new Error(`${judge} cannot be built: ${built.stderr || built.error?.message}`)
}

/** What Tessera and x/mod say: `accepted`, or `refused: <reason>`. */
export function judge(...args: readonly string[]): string {
  return judgeWith('checker', ...args)
}

/** What a judge says. */
export function judgeWith(name: Judge, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(CACHE + name, args, { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(`${name} ended with ${status}: ${stderr}`)
  return stdout.trim()
}

function environmentOf(judge: Judge): NodeJS.ProcessEnv {
  const toolchain = TOOLCHAINS[judge]
  return toolchain === undefined ? process.env : { ...process.env, GOTOOLCHAIN: toolchain }
}
