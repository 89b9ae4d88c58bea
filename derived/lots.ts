/** Buckets of a run that are written together, so that no more rows are sorted at a time than fit in memory. */

/** A bucket that is to be written, and what it has to come to. */
export interface PlannedBucket {
  readonly name: string
  readonly deliveries: number
  /** What its rows take, uncompressed: as the sizes of their records are to one another, of what the objects hold. */
  readonly bytes: number
  readonly digest: string
}

/** Buckets side by side, of no more bytes than there is room for; one that is larger than that is alone. */
export interface Lot {
  readonly buckets: readonly PlannedBucket[]
  /** In how many parts its rows have to be sorted. */
  readonly slices: number
}

/** What rows are read for: each pass reads all of them. */
export function passesOf(lots: readonly Lot[]): number {
  return lots.reduce((sum, { slices }) => sum + slices, 0)
}

/** Buckets in lots, in their order. */
export function planLots(buckets: readonly PlannedBucket[], room: number): readonly Lot[] {
  const lots: PlannedBucket[][] = []
  let left = 0
  for (const bucket of buckets) {
    if (lots.length === 0 || bucket.bytes > left) {
      lots.push([])
      left = room
    }
    lots.at(-1)?.push(bucket)
    left -= bucket.bytes
  }
  return lots.map(some => ({ buckets: some, slices: Math.max(1, Math.ceil(roomOf(some) / room)) }))
}

/** Where so little does not fit, less will not either. */
const LEAST_BYTES = 1024 ** 2

/** A lot that did not fit, in smaller ones; none where it is small already. */
export function halvesOf({ buckets, slices }: Lot): readonly Lot[] {
  if (roomOf(buckets) / slices < LEAST_BYTES) return []
  if (buckets.length === 1) return [{ buckets, slices: slices * 2 }]
  const half = Math.ceil(buckets.length / 2)
  return [buckets.slice(0, half), buckets.slice(half)].map(some => ({ buckets: some, slices: 1 }))
}

/** What buckets come to. */
export function roomOf(buckets: readonly PlannedBucket[]): number {
  return buckets.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Deliveries up to which one hex digit, and two, name a bucket: of some ten thousand rows, of 65,536 at most. */
const ONE_DIGIT = 262_144
const TWO_DIGITS = 16_777_216

/** Bytes of a bucket, on average, above which there are more of them: items may have 400 KB. */
const BUCKET_BYTES = 64 * 1024 ** 2

/** How many digits a run of so many rows, that take so much, wants. */
export function digitsFor(deliveries: number, bytes: number): 1 | 2 | 3 {
  const isFew = (most: number, buckets: number) => deliveries <= most && bytes <= buckets * BUCKET_BYTES
  return isFew(ONE_DIGIT, 16) ? 1 : isFew(TWO_DIGITS, 256) ? 2 : 3
}
