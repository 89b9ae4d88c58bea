import { readFileSync } from 'node:fs'
import { leafHash, rootOf } from '../../proof/tree.js'

/** Vectors of a log whose entries are `entry 0`, `entry 1` and so on; other programs than ours have accepted them. */

/** The seed of the log's key: 00 01 02 ... 1f. */
export const SEED = Buffer.from(Array.from({ length: 32 }, (_, i) => i))
export const ORIGIN = 'itemtrail.example/test'
export const VKEY = 'itemtrail.example/test+ed6ee825+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'

/** The seed of the witness's key: 20 21 22 ... 3f. */
export const WITNESS_SEED = Buffer.from(Array.from({ length: 32 }, (_, i) => i + 0x20))
export const WITNESS = 'witness.example/w1'
export const WITNESS_VKEY = 'witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X'

export const entry = (index: number) => Buffer.from(`entry ${index}`)
export const entries = (size: number) => Array.from({ length: size }, (_, index) => entry(index))
export const rootOfEntries = (from: number, to: number) => rootOf(entries(to).slice(from).map(leafHash))

interface Vector {
  readonly size: number
  readonly root: string
  readonly signature: string
}

/** Roots (hex) and signatures (base64, with the key's id) of checkpoints by size. */
export const CHECKPOINTS: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../fixtures/proof/checkpoints.json', import.meta.url), 'utf8'),
)
