/** Bugs that are put into the source for a moment: the simulator must find each. */

/** One bug: a text of one of our files, what stands there instead, and what the story must say of the cause. */
export interface Planted {
  readonly name: string
  readonly file: string
  readonly right: string
  readonly wrong: string
  /** A seed that finds it; it is tried first, so that the test need not search as long as scenarios are what they were. */
  readonly seed?: number
  /** True where it takes minutes: it is looked for with `ITEMTRAIL_PLANTED` alone. */
  readonly isSlow?: boolean
  /** In the first problem, or in the story of the version that it names. */
  readonly cause: RegExp
}

export const PLANTED: readonly Planted[] = [
  {
    name: 'an error code of one record is taken for a success',
    seed: 30,
    file: 'capture/firehose-sender.ts',
    right: "return RecordId && !ErrorCode ? 'accepted' : ErrorCode || 'NoRecordId'",
    wrong: "return RecordId || ErrorCode ? 'accepted' : 'NoRecordId'",
    cause: /put-partial[\s\S]*believes/,
  },
  {
    name: 'a retry drops the last of what failed',
    seed: 2,
    file: 'capture/firehose-sender.ts',
    right: 'left = [...failed, ...left.slice(batch.length)]',
    wrong: 'left = [...failed.slice(0, -1), ...left.slice(batch.length)]',
    cause: /put-|s3-/,
  },
  {
    name: 'a call that throws counts as accepted',
    seed: 2,
    file: 'capture/firehose-sender.ts',
    right: 'return packs.map(() => (error as Error).name)',
    wrong: "return packs.map(() => 'accepted')",
    cause: /put-/,
  },
  {
    name: 'what is left when time is over counts as done',
    file: 'capture/firehose-sender.ts',
    right: 'return { accepted, left, retried, errors }',
    wrong: 'return { accepted, left: goOn ? left : [], retried, errors }',
    cause: /put-/,
  },
  {
    name: 'failures are not counted, so a call is tried without end',
    file: 'aws/patience.ts',
    right: 'this.failures++',
    wrong: 'this.failures += 0',
    cause: /Firehose was called/,
    isSlow: true,
  },
  {
    name: 'what is left is not counted',
    file: 'capture/forwarder.ts',
    right: 'RecordsLeft: countRecords(left)',
    wrong: 'RecordsLeft: 0',
    cause: /put-failures should fire/,
  },
  {
    name: 'large records are not counted',
    file: 'capture/forwarder.ts',
    right: 'RecordsOversize: kept.kept.length',
    wrong: 'RecordsOversize: 0',
    cause: /record-oversize should fire/,
  },
  {
    name: 'a gap is not seen',
    file: 'queries/verdict/findings.ts',
    right: 'return !first && previous !== null && previous !== entry && known(previous) && known(entry)',
    wrong: 'return first && previous !== null && previous !== entry && known(previous) && known(entry)',
    cause: /history of .* is UNBROKEN/,
  },
]
