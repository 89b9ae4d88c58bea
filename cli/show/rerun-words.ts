import type { Receipt } from '../../queries/answers/receipt.js'
import type { Rerun } from '../../queries/answers/rerun.js'
import type { ComparedFile } from '../../queries/answers/rerun-file.js'
import { EXIT, type ExitCode } from '../io.js'

/** What a receipt is about, in words. */
export function tellQuestion({ query, table }: Receipt['question']): string {
  return query === null ? 'SQL' : `${query} of ${table}`
}

/** Said of another answer where the receipt cannot tell which rows it is another in. */
export const NO_ROW_HASHES = 'which rows are new cannot be told: the receipt has no hashes of rows'

/** Rows of another answer that are told, by their places or whole; `--format json` has them all. */
export const MOST_ROWS_TOLD = 20

/** The places of rows, as many as are told. */
export function tellPlaces(rows: readonly { readonly place: number }[]): string {
  const told = rows.slice(0, MOST_ROWS_TOLD).map(({ place }) => place)
  return `${told.join(', ')}${rows.length > MOST_ROWS_TOLD ? ', ...' : ''}`
}

/** What came of asking again, in words. */
export const OUTCOME_WORDS: Readonly<Record<Rerun['outcome'], string>> = {
  same: 'the same answer, to the byte',
  reordered: 'the same rows, in another order, which the question leaves open',
  different: 'another answer',
  edited: 'the receipt was edited',
  'not run': 'not run',
}

const EXITS: Readonly<Record<Rerun['outcome'], ExitCode>> = {
  same: EXIT.done,
  // a question that leaves the order open was answered with the same rows
  reordered: EXIT.done,
  different: EXIT.findings,
  edited: EXIT.findings,
  'not run': EXIT.unchecked,
}

/** How asking again ends. */
export function exitOfRerun({ outcome }: Rerun): ExitCode {
  return EXITS[outcome]
}

/** How holding a file against its receipt and the archive ends: done is only what both say. */
export function exitOfFile({ receipt, archive }: ComparedFile): ExitCode {
  if (receipt === 'different' || archive === 'different') return EXIT.findings
  return archive === 'unknown' ? EXIT.unchecked : EXIT.done
}

const OF_RECEIPT: Readonly<Record<ComparedFile['receipt'], string>> = {
  same: 'the file of the receipt',
  different: 'NOT the file of the receipt',
  'not recorded': 'not in the receipt, which was made without --output',
}

const OF_ARCHIVE: Readonly<Record<ComparedFile['archive'], string>> = {
  same: 'what the archive answers now',
  different: 'NOT what the archive answers now',
  unknown: 'whether the archive answers so cannot be told',
}

/** What a file is, in words. */
export function tellFile({ receipt, archive }: ComparedFile): string {
  return `${OF_RECEIPT[receipt]}; ${OF_ARCHIVE[archive]}`
}
