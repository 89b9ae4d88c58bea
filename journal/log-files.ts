import { bundlePath, parseTilePath, partialTiles, TILE_WIDTH, tilePath } from '../proof/tiles.js'
import { LOG_PREFIX } from '../transform/layout.js'
import type { JournalFinding } from './finding.js'
import { CHECKPOINT, claimPath, isOfHistory } from './log-store.js'
import { SEALER_MEMORY } from './seal-memory.js'
import { timestampPath } from './timestamp.js'

/** What files below `log/` say that a chain of claims does not come by. */
export interface StrayFiles {
  readonly findings: readonly {
    readonly kind: JournalFinding['kind']
    readonly path: string
    readonly message: string
  }[]
  /** What no sealer of ours writes, and nobody has looked at, for people; undefined where there is none. */
  readonly remark: string | undefined
}

/**
 * Holds the files of a journal, listed before its claims were read, against the sizes that the claims lead to. Whoever
 * seals claims first and writes then: files that follow no claim are what is left of a journal.
 */
export function strayFiles(paths: readonly string[], sizes: readonly number[]): StrayFiles {
  if (sizes.length === 0) return { findings: whatIsLeft(paths.filter(isOfHistory)), remark: undefined }
  const end = sizes.at(-1) ?? 0
  const known = new Set([
    CHECKPOINT,
    SEALER_MEMORY,
    ...[0, ...sizes.slice(0, -1)].map(claimPath),
    ...sizes.flatMap(filesOf),
  ])
  const [beyond, besides, strange]: [string[], string[], string[]] = [[], [], []]
  for (const path of paths) {
    if (known.has(path) || STAGED.test(path)) continue
    const size = sizeAt(path)
    if (size === undefined) strange.push(path)
    else if (size > end) beyond.push(path)
    else if (CLAIM.test(path)) besides.push(path)
    else if (!isFullTile(path)) strange.push(path)
  }
  const found = (kind: 'cut-off' | 'forked', of: readonly string[], message: string) =>
    of[0] === undefined ? [] : [{ kind, path: of[0], message: `${isThere(of)}, and ${message}` }]
  const gone = `the chain of claims ends at ${end}: what came then is gone`
  const what = 'no file of a journal, or of a size that nobody signed'
  return {
    findings: [...found('cut-off', beyond, gone), ...found('forked', besides, 'the chain of claims does not come by')],
    remark: strange[0] && `what ${LOG_PREFIX}${strange[0]} is, which ${isThere(strange)}: ${what}`,
  }
}

function whatIsLeft(history: readonly string[]): StrayFiles['findings'] {
  if (history.length === 0) return []
  const message = `is not there, ${LOG_PREFIX}${history[0]} ${isThere(history)}: the journal has no beginning`
  return [{ kind: 'missing', path: claimPath(0), message }]
}

/** What is said of the first of some files. */
function isThere({ length }: readonly string[]): string {
  return length === 1 ? 'is there' : `is there with ${length - 1} more`
}

/** The sizes that claims among some files follow, in order. */
export function claimsIn(paths: readonly string[]): readonly number[] {
  return paths.flatMap(path => CLAIM.exec(path)?.[1] ?? []).map(Number)
}

const CLAIM = /^next\/(\d{20})$/
const STAMP = /^timestamps\/(0|[1-9]\d*)\.tsr$/
const STAGED = /^staging\/\d+-[0-9a-f]{64}$/

/** What is written for one size alone: the tiles and the bundle that are not full, and what an authority said. */
function filesOf(size: number): readonly string[] {
  const partial = partialTiles(size)
  const bundles = partial.filter(({ level }) => level === 0)
  return [timestampPath(size), ...partial.map(tilePath), ...bundles.map(bundlePath)]
}

/** The least size of a journal that has such a file; undefined for what is no file of one. */
function sizeAt(path: string): number | undefined {
  const tile = parseTilePath(path)
  if (tile !== undefined) return (tile.index * TILE_WIDTH + tile.width) * TILE_WIDTH ** tile.level
  const [, claimed, stamped] = CLAIM.exec(path) ?? [undefined, undefined, STAMP.exec(path)?.[1]]
  // a claim leads from its size to a greater one
  if (claimed !== undefined) return Number(claimed) + 1
  return stamped === undefined ? undefined : Number(stamped)
}

function isFullTile(path: string): boolean {
  return parseTilePath(path)?.width === TILE_WIDTH
}
