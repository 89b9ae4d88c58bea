/** Bugs that are put into the source for a moment: the simulator must find each. */

/** One bug: a text of one of our files, what stands there instead, and what the story must say of the cause. */
export interface Planted {
  readonly name: string
  readonly file: string
  readonly right: string
  readonly wrong: string
  /** A seed that finds it; it is tried first, so that the test need not search as long as scenarios are what they were. */
  readonly seed?: number
  /** In the first problem, or in the story of the version that it names. */
  readonly cause: RegExp
}

export const PLANTED: readonly Planted[] = [
  {
    name: 'an error code of one record is taken for a success',
    file: 'capture/firehose-sender.ts',
    right: "return RecordId && !ErrorCode ? 'accepted' : ErrorCode || 'NoRecordId'",
    wrong: "return RecordId || ErrorCode ? 'accepted' : 'NoRecordId'",
    cause: /put-partial[\s\S]*believes/,
  },
  {
    name: 'a retry drops the last of what failed',
    file: 'capture/firehose-sender.ts',
    right: 'left = [...failed, ...left.slice(batch.length)]',
    wrong: 'left = [...failed.slice(0, -1), ...left.slice(batch.length)]',
    cause: /put-|s3-/,
  },
  {
    name: 'a call that throws counts as accepted',
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
    name: 'the last record that was not accepted is reported, not the first',
    file: 'capture/forwarder.ts',
    right: 'Math.min(...left',
    wrong: 'Math.max(...left',
    cause: /is told of a failure/,
  },
  {
    name: 'a large record that was not kept is acknowledged',
    file: 'capture/forwarder.ts',
    right: 'const left = [...sent.left, ...kept.left]',
    wrong: 'const left = [...sent.left]',
    cause: /s3-/,
  },
  {
    name: 'large records are named by their size',
    file: 'capture/oversize.ts',
    right: "createHash('sha256').update(data).digest('hex')",
    wrong: "createHash('sha256').update(String(data.length >> 7)).digest('hex')",
    cause: /believes/,
  },
  {
    name: 'every refusal of S3 is taken for an object that is there already',
    file: 'capture/oversize.ts',
    right: 'httpStatusCode === 412',
    wrong: '(httpStatusCode ?? 0) >= 412',
    cause: /s3-refuses/,
  },
  {
    name: 'a pack holds changes of two days',
    file: 'capture/packing.ts',
    right: 'dateOf(time.us)} $',
    wrong: '1} $',
    cause: /refused/,
  },
  {
    name: 'failures are not counted, so a call is tried without end',
    file: 'aws/patience.ts',
    right: 'this.failures++',
    wrong: 'this.failures += 0',
    cause: /Firehose was called/,
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
    name: 'the two ways to a row give one change two ids',
    file: 'transform/audit-row.ts',
    right: "record.sequence ?? '-',",
    wrong: "'-',",
    cause: /is counted 2 times/,
  },
  {
    name: 'the stream behind is told of after a week',
    file: 'infra/alarms.ts',
    right: 'const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000]',
    wrong: 'const [SECOND, MINUTE, HOUR] = [1000, 60_000, 604_800_000]',
    cause: /forgotten/,
  },
  {
    name: 'a gap is not seen',
    file: 'queries/verdict/findings.ts',
    right: 'return !first && previous !== null && previous !== entry && known(previous) && known(entry)',
    wrong: 'return first && previous !== null && previous !== entry && known(previous) && known(entry)',
    cause: /history of .* is UNBROKEN/,
  },
]
