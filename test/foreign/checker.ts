/** A judge that is not ours: Go's x/mod and Tessera, built once from Go's module proxy into the cache. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('./checker/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../.cache/checker/', import.meta.url))
const CHECKER = `${CACHE}checker`

/** Says in one sentence what this machine lacks; undefined when nothing is missing. */
export function missingForChecker(): string | undefined {
  const version = /go1\.(\d+)/.exec(spawnSync('go', ['version'], { encoding: 'utf8' }).stdout ?? '')?.[1]
  if (version === undefined) return 'go is missing: the foreign checks need Go 1.26 or newer'
  return Number(version) < 26
    ? `go is too old: the foreign checks need Go 1.26 or newer, this is 1.${version}`
    : undefined
}

/** Builds the checker; Go does nothing where it is built. */
export function buildChecker(): void {
  mkdirSync(CACHE, { recursive: true })
  const built = spawnSync('go', ['build', '-o', CHECKER, '.'], { cwd: SOURCE, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`the checker cannot be built: ${built.stderr || built.error?.message}`)
}

/** What the checker says: `accepted`, or `refused: <reason>`. */
export function judge(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(CHECKER, args, { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(`the checker ended with ${status}: ${stderr}`)
  return stdout.trim()
}
