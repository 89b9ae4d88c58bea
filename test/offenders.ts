/**
 * What does not keep to the rules of `house.test.ts` yet. Each list is exact: what is mended is struck out, and nothing
 * is added.
 */

/** Who imports whom although it should not, and why. */
export const NOT_YET: { readonly [arrow: string]: string } = {}

/** Files that import one another, of types too. */
export const CIRCLES: readonly string[] = []

/** Names that two files export. */
export const SHARED: readonly string[] = []

/** What only tests use of what is exported, and why they do not use what the product does. */
export const UNUSED: { readonly [name: string]: string } = {
  'cli/commands/init/infer-configuration.ts noteDocument': 'a law over many documents has no file for each',
  'cli/commands/tail/progress.ts describeStatus':
    'what a terminal shows between two instants, without waiting for them',
  'cli/main.ts COMMANDS': 'that each is documented, escapes and refuses is a loop over all of them',
  'derived/duckdb-writer.ts digitsFor': 'the next digit takes 16 million deliveries',
  'journal/row-hashes.ts rowHashesOfFile': 'the reader that the small one is held against',
  'journal/seal.ts MOST_OBJECTS': 'a test has to have more objects than that',
  'queries/answers/canonical-answer.ts columnTypesOf':
    "holds an answer's types against the headers of the saved queries",
  'queries/answers/csv.ts DISARMED': 'documented for whoever reads a CSV back, which is what its test does',
  'queries/answers/receipt.ts queryVersion': 'a forged receipt names the true version',
  'queries/catalog.ts parseSavedQuery': 'a saved query that is not in the catalogue',
  'queries/verdict/reconstruct.ts AHEAD_US': 'the law over moments needs the day that may be ahead',
  'queries/verdict/reconstruct.ts stateAsOf': 'the fold that every SQL of a state is held against, on Trino too',
  'transform/derived.ts answersPrefix': 'what Athena loses in a test lies there',
  'transform/derived.ts checkpointsPrefix': 'what Athena loses in a test lies there',
}

/** Lines of comments and SQL of over 120 columns, by room. */
export const LONG: { readonly [room: string]: number } = {}

/** Rooms with files that ARCHITECTURE.md names neither themselves nor by a folder. */
export const OFF_THE_MAP: readonly string[] = []

/** Files that CONTRIBUTING.md names as they will be. */
export const NOT_THERE_YET: readonly string[] = []
