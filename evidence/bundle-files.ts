/** Where the files of a bundle lie, and what each is for. */
export const ANSWER_CSV = 'data/answer.csv'
export const ROWS = 'data/rows.ndjson'
export const RECEIPT = 'data/receipt.json'
export const VERDICT = 'data/verdict.json'
export const QUESTION = 'data/question.sql'
export const LOG_CHECKPOINT = 'data/log/checkpoint'
export const POLICY = 'data/log/policy'
export const PROOFS = 'data/proofs/'
export const PROGRAM = 'verify/verify.mjs'
export const BAG_INFO = 'bag-info.txt'

/** The label in `bag-info.txt` of each path that was left out. */
export const LEFT_OUT_LABEL = 'Itemtrail-Left-Out'

/** The answer, which the receipt names file by file. */
export const OF_ANSWER = ['data/report.html', ANSWER_CSV, 'data/answer.parquet'] as const

/** What every bundle has beside its proofs, its manifests among them. */
export const REQUIRED = [
  'bagit.txt',
  BAG_INFO,
  'manifest-sha256.txt',
  'tagmanifest-sha256.txt',
  ...OF_ANSWER,
  ROWS,
  QUESTION,
  RECEIPT,
  VERDICT,
  LOG_CHECKPOINT,
  POLICY,
  PROGRAM,
  'verify/HOWTO.txt',
] as const

/** The path of the proof of an event's row. */
export function proofPath(eventId: string): string {
  return `${PROOFS}${eventId}.row-proof`
}
