import { bundlePath, parseTilePath, partialTiles, TILE_WIDTH, tilePath } from '../proof/tiles.js'
import { CHECKPOINT, claimPath } from './log-store.js'
import { timestampPath } from './timestamp.js'

/** Files below `log/` that a chain of claims does not explain, by path. */
export interface StrayFiles {
  /** Of a size that the chain does not reach: whoever seals claims first and writes then, so that there was more. */
  readonly beyond: readonly string[]
  /** Claims that the chain does not come by: there was, or is to be, another history. */
  readonly besides: readonly string[]
  /** What no sealer of ours writes, and nobody has looked at. */
  readonly strange: readonly string[]
}

/** Holds the files of a journal, listed before its claims were read, against the sizes that the claims lead to. */
export function strayFiles(paths: readonly string[], sizes: readonly number[]): StrayFiles {
  const end = sizes.at(-1) ?? 0
  const known = new Set([CHECKPOINT, ...[0, ...sizes.slice(0, -1)].map(claimPath), ...sizes.flatMap(filesOf)])
  const [beyond, besides, strange]: [string[], string[], string[]] = [[], [], []]
  for (const path of paths) {
    if (known.has(path) || STAGED.test(path)) continue
    const size = sizeAt(path)
    if (size === undefined) strange.push(path)
    else if (size > end) beyond.push(path)
    else if (CLAIM.test(path)) besides.push(path)
    else if (!isFullTile(path)) strange.push(path)
  }
  return { beyond, besides, strange }
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
