/** Bugs that are put into the source for a moment: the simulator must find each. */
import type { Scenario } from '../../simulation/scenario.js'

/** One bug: a text of one of our files, what stands there instead, and what the story must say of the cause. */
export interface Planted {
  /** Also the name of the file in `kept/` that has a scenario which finds it. */
  readonly name: string
  readonly file: string
  /** Stands in the file once. */
  readonly right: string
  readonly wrong: string
  /** In the first problem, or in the story of the version that it names. */
  readonly cause: RegExp
  /** Of which worlds the file is a part. @default - all */
  readonly worlds?: (scenario: Scenario) => boolean
}

const onAws = ({ path }: Scenario) => path === 'aws'
const hasLarge = ({ path, load }: Scenario) => path === 'aws' && load.oversize > 0

/** What of a captured table is on its way to Firehose. */
const FORWARDER: readonly Planted[] = [
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
    cause: /(put|function)-[\s\S]*believes/,
  },
  {
    name: 'a call that throws counts as accepted',
    file: 'capture/firehose-sender.ts',
    right: 'return packs.map(() => (error as Error).name)',
    wrong: "return packs.map(() => 'accepted')",
    cause: /put-(throttled|hangs)[\s\S]*believes/,
  },
  {
    name: 'a batch is acknowledged when its time is over',
    file: 'capture/firehose-sender.ts',
    right: 'return { accepted, left, retried, errors }',
    wrong: 'return { accepted, left: goOn ? left : [], retried, errors }',
    cause: /put-[\s\S]*believes/,
  },
  {
    name: 'the last record that failed is reported in place of the first',
    file: 'capture/forwarder.ts',
    right: 'const position = Math.min(',
    wrong: 'const position = Math.max(',
    cause: /is told of a failure at[\s\S]*believes/,
  },
  {
    name: 'a record that does not fit into a pack is in no other',
    file: 'capture/packing.ts',
    right: 'const opened = { lines: [line], positions: [position], bytes }',
    wrong: 'const opened = { lines: draft === undefined ? [line] : [], positions: [position], bytes }',
    cause: /believes/,
  },
  {
    name: 'a large record that could not be kept counts as kept',
    file: 'capture/oversize.ts',
    right: '$metadata?.httpStatusCode === 412 ? undefined : name',
    wrong: '$metadata?.httpStatusCode !== 500 ? undefined : name',
    cause: /puts refused.*\n.*s3-(refuses|slow)[\s\S]*believes/,
    worlds: hasLarge,
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
    worlds: hasLarge,
  },
]

/** What is said of an archive. */
const VERDICT: readonly Planted[] = [
  {
    name: 'a gap is not seen',
    file: 'queries/verdict/findings.ts',
    right: 'return !first && previous !== null && previous !== entry && known(previous) && known(entry)',
    wrong: 'return first && previous !== null && previous !== entry && known(previous) && known(entry)',
    cause: /history of .* is UNBROKEN/,
  },
]

export const PLANTED: readonly Planted[] = [...FORWARDER.map(bug => ({ worlds: onAws, ...bug })), ...VERDICT]
