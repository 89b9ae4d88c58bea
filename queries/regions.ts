import { regionOfSource } from '../transform/stream-record.js'

/**
 * The regions that the sources of rows name, sorted: of an ARN its own, of `region/table` what stands before the
 * table.
 */
export function regionsOf(sources: Iterable<string>): readonly string[] {
  const regions = [...sources].map(source => regionOfSource(source) ?? /^([a-z0-9-]{2,})\/[^/]+$/.exec(source)?.[1])
  return [...new Set(regions.filter(region => region !== undefined))].sort()
}

/** What is wrong where rows of one table are of several regions, for people; undefined where they are not. */
export function describeRegions(regions: readonly string[]): string | undefined {
  if (regions.length < 2) return undefined
  return `changes are of the streams of several regions, ${regions.join(' and ')}: each of them tells every change of a global table, so an archive takes one`
}
