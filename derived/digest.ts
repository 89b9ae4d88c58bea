/**
 * What rows come to whatever their order: of the MD5 of a text of each row the lower 63 bits of both halves, each
 * summed over all rows, so many times each. Equal digests of equally many mean the same rows, equally often. It finds
 * faults, it is no defence against a forger: for that, the archive is the evidence.
 */
export function digestSql(text: string, times: string, engine: keyof typeof HALVES): string {
  const [upper, lower] = HALVES[engine](text).map(
    half => `coalesce(cast(sum(cast(${half} as decimal(38, 0)) * ${times}) as varchar), '0')`,
  )
  return `${upper} || '-' || ${lower}`
}

/** What a row of the archive is known by: which row of which change. */
export const ROW_TEXT = "event_id || ' ' || row_hash"

const LOWER_63_BITS = 2n ** 63n - 1n

/** The same numbers in both dialects: DuckDB's have the least byte first. */
const HALVES = {
  duckdb: (text: string) => ['upper', 'lower'].map(half => `(md5_number_${half}(${text}) & ${LOWER_63_BITS})`),
  trino: (text: string) =>
    [1, 9].map(
      from => `bitwise_and(from_big_endian_64(reverse(substr(md5(to_utf8(${text})), ${from}, 8))), ${LOWER_63_BITS})`,
    ),
} as const

/** The digest of all rows that several digests are of. */
export function sumDigests(digests: readonly string[]): string {
  const halves = digests.map(digest => digest.split('-').map(BigInt) as [bigint, bigint])
  return [0, 1].map(half => halves.reduce((sum, pair) => sum + (pair[half] as bigint), 0n)).join('-')
}
