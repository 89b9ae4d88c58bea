/** Bugs that are put into the source for a moment: the simulator must find each. */
import type { Scenario } from '../../simulation/scenario.js'
import { isQuick, type Planted, strikes } from './plant.js'
import { PLANTED_ALARMS } from './planted-alarms.js'
import { AROUND } from './planted-around.js'
import { PLANTED_CALLS } from './planted-calls.js'
import { PLANTED_COPY } from './planted-copy.js'
import { PLANTED_PERSONS } from './planted-persons.js'

const onAws = (scenario: Scenario) => isQuick(scenario) && scenario.path === 'aws' && scenario.capture === 'streams'

/** A long one is as long a story of calls that fail. */
const hasShortOutage = (scenario: Scenario) =>
  onAws(scenario) &&
  scenario.faults.some(({ kind, rate }) => kind.startsWith('put-') && rate === 1) &&
  scenario.faults.every(
    ({ kind, rate, fromMs, toMs }) => !kind.startsWith('put-') || rate < 1 || toMs - fromMs <= 3_600_000,
  )
const hasLarge = (scenario: Scenario) => onAws(scenario) && scenario.load.oversize > 0
const onDesk = (scenario: Scenario) => isQuick(scenario) && scenario.path === 'desk'
const isSealed = (scenario: Scenario) => isQuick(scenario) && scenario.isSealed

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
    name: 'failures are not counted, so a call is tried without end',
    file: 'aws/patience.ts',
    right: 'this.failures++',
    wrong: 'this.failures += 0',
    cause: /tries firehose PutRecordBatch \d+ times in a row[\s\S]*turns away/,
    worlds: hasShortOutage,
  },
  {
    name: 'what is left is not counted',
    file: 'capture/forwarder.ts',
    right: 'RecordsLeft: countRecords(left)',
    wrong: 'RecordsLeft: 0',
    cause: /put-failures should fire[\s\S]*is told of a failure/,
  },
  {
    name: 'large records are not counted',
    file: 'capture/forwarder.ts',
    right: 'RecordsOversize: kept.kept.length',
    wrong: 'RecordsOversize: 0',
    cause: /record-oversize should fire[\s\S]*were kept whole/,
    worlds: hasLarge,
  },
  {
    name: 'records of two days go together',
    file: 'capture/packing.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source
    right: '`${dateOf(time.us)} ${table}`',
    wrong: 'table',
    cause: /transform refused/,
  },
]

/** What makes rows of records. */
const TRANSFORM: readonly Planted[] = [
  {
    name: 'a change that arrives twice has two ids',
    file: 'transform/fast/row.ts',
    right: 'const facts = this.factsOf(eventName, keys, envelope, time)',
    wrong:
      'const made = this.factsOf(eventName, keys, envelope, time)\n    const facts = { ...made, id: (made.id + arrival).slice(-32) }',
    cause: /counted \d+ times/,
  },
  {
    name: 'a row lies under the day on which it arrived',
    file: 'transform/fast/transform.ts',
    right: 'const day = dateOf(time.us)',
    wrong: 'const day = dateOf(arrival * 1000)',
    cause: /expected its own day/,
  },
]

/** A tail on a desk. */
const TAIL: readonly Planted[] = [
  {
    name: 'a checkpoint is saved before its rows',
    file: 'capture/intake.ts',
    right:
      'if (this.waiting > 0) await sink.flush()\n        this.waiting = 0\n        if (lineage.isDue && !finished) return\n        const checkpoint = { table, stream, finished, saved: now(), shards }\n        await sink.save(checkpoint)',
    wrong:
      'const checkpoint = { table, stream, finished, saved: now(), shards }\n        await sink.save(checkpoint)\n        if (this.waiting > 0) await sink.flush()\n        this.waiting = 0',
    cause: /last seen.* reads[\s\S]*then.*remembers[\s\S]*then.*dies/,
    worlds: strikes(onDesk, 'function-killed'),
  },
  {
    name: 'a reader begins again with the newest record when its iterator has expired',
    file: 'capture/stream-calls.ts',
    right: "after: 'AFTER_SEQUENCE_NUMBER'",
    wrong: "after: 'LATEST'",
    cause: /last seen.*has version[\s\S]*then.*LATEST/,
    worlds: strikes(onDesk, 'function-killed'),
  },
  {
    name: 'of a shard of which nothing was read nothing is missed once the stream forgot it',
    file: 'capture/gap.ts',
    right: 'if (emptyAt === null) return after !== null || dueSince !== null',
    wrong: 'if (emptyAt === null) return after !== null',
    cause: /is neither archived nor kept[\s\S]*last seen.*has version/,
    worlds: strikes(onDesk, 'desk-off'),
    mended: 'c7cb459',
  },
  {
    name: 'a gap is told, and its fact is not kept',
    file: 'delivery/tail-sink.ts',
    right: 'if (!known.includes(contentOf(fact))) await keepFact(this.archive, fact)',
    wrong: 'if (known.includes(contentOf(fact))) await keepFact(this.archive, fact)',
    cause: /last seen.*has version[\s\S]*then.*tells a gap/,
    worlds: strikes(onDesk, 'desk-off'),
  },
]

/** The journal of an archive. */
const JOURNAL: readonly Planted[] = [
  {
    name: 'a claim is named by the size that it leads to',
    file: 'journal/seal.ts',
    right: 'const path = claimPath(head.size)\n  if (',
    wrong: 'const path = claimPath(next.size)\n  if (',
    cause: /leads to size \d+, expected more/,
  },
  {
    name: 'a checkpoint is moved on before its tiles are written',
    file: 'journal/head.ts',
    right:
      'await writeFiles(store, await stagedFiles(store, head))\n  await proveRoot(store, head)\n  await moveOn(store, head)',
    wrong: 'await moveOn(store, head)\n  await writeFiles(store, await stagedFiles(store, head))',
    cause: /function-killed[\s\S]*sealer.*is missing|last check fails.*is missing/,
    worlds: strikes(isSealed, 'function-killed'),
  },
  {
    name: 'a sealing that lost its claim goes on as if it had won',
    file: 'journal/seal.ts',
    right: '!(await isMine(store, path, note))) {',
    wrong: '!(await isMine(store, path, note)) && head.size < 0) {',
    cause: /altered, has another root|forked/,
    worlds: strikes(isSealed, 'sealed-twice'),
  },
  {
    name: 'a checkpoint is published before its claim is won',
    file: 'journal/seal.ts',
    right: 'const path = claimPath(head.size)\n  if (',
    wrong: "const path = claimPath(head.size)\n  await store.replace('checkpoint', Buffer.from(note))\n  if (",
    cause: /are of two histories|journal-forked fires for nothing[\s\S]*is of other entries than those/,
    worlds: strikes(isSealed, 'sealed-twice'),
  },
  {
    name: 'a published checkpoint goes back',
    file: 'journal/head.ts',
    right: 'if (cached !== undefined && sizeOf(cached) >= head.size) return',
    wrong: 'if (cached !== undefined && sizeOf(cached) === head.size) return',
    cause: /log\/checkpoint of size \d+ .*takes the place of log\/checkpoint of size \d+/,
    worlds: strikes(isSealed, 's3-slow'),
  },
  {
    name: 'objects that come late are never listed again',
    file: 'journal/new-objects.ts',
    right:
      'const since = dayOf(now - DAY_MS)\n  const isDue = turn !== undefined || sealed.lastWhole?.time.slice(0, 10) !== dayOf(now)',
    wrong: 'const since = dayOf(now)\n  const isDue = sealed.lastWhole === undefined',
    cause: /object data\S+ is named by no entry of the journal[\s\S]*last seen.*keeps archive\/data/,
    worlds: strikes(isSealed, 's3-refuses'),
  },
  {
    name: 'a check does not look where a sealing that died has staged its tiles',
    file: 'functions/check-journal.ts',
    right: 'log.findings.length > 0 ? (path: string) => store.read(path) : await readerTo(store, log.state.front)',
    wrong: 'log.findings.length >= 0 ? (path: string) => store.read(path) : await readerTo(store, log.state.front)',
    cause: /journal-forked fires for nothing[\s\S]*sealer \d+: dies[\s\S]*check \d+: finds that .* is missing/,
    worlds: strikes(isSealed, 'function-killed'),
    mended: '461807c',
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

export const PLANTED: readonly Planted[] = [
  ...FORWARDER.map(bug => ({ worlds: onAws, ...bug })),
  ...TRANSFORM,
  ...TAIL.map(bug => ({ worlds: onDesk, ...bug })),
  ...JOURNAL.map(bug => ({ worlds: isSealed, ...bug })),
  ...VERDICT,
  ...AROUND,
  ...PLANTED_ALARMS,
  ...PLANTED_PERSONS,
  ...PLANTED_COPY,
  ...PLANTED_CALLS,
]
