/** Bugs of what goes on around the path of a record: locks, what is sent again, Kinesis, alarms, other columns. */
import type { Scenario } from '../../simulation/scenario.js'
import { isQuick, type Planted, strikes } from './plant.js'

const isLocked = (scenario: Scenario) => isQuick(scenario) && scenario.lock !== undefined
const isOperated = (scenario: Scenario) => isQuick(scenario) && scenario.isOperated
const byKinesis = (scenario: Scenario) => isQuick(scenario) && scenario.capture === 'kinesis'
const isSealed = (scenario: Scenario) => isQuick(scenario) && scenario.isSealed
const isIngested = (scenario: Scenario) => isQuick(scenario) && scenario.isIngested === true
const isReconciled = (scenario: Scenario) => isQuick(scenario) && scenario.isReconciled === true
const isAwaited = (scenario: Scenario) => isReconciled(scenario) && scenario.isAwaited === true
const isRestored = (scenario: Scenario) => isQuick(scenario) && scenario.isRestored
const isRedeployed = (scenario: Scenario) => isQuick(scenario) && scenario.isRedeployed === true

/** The function that locks each version of an object. */
const LOCKS: readonly Planted[] = [
  {
    name: 'a version that could not be locked counts as locked',
    file: 'functions/lock-objects.ts',
    right: 'if (failures.length > 0) throw',
    wrong: 'if (failures.length > 1) throw',
    cause: /is not locked, and no alarm tells[\s\S]*last seen.*locker \d+: asks/,
  },
  {
    name: 'a lock ends a day early',
    file: 'functions/lock-objects.ts',
    right: 'const wanted = new Date(time.getTime() + rule.days * DAY_MS)',
    wrong: 'const wanted = new Date(time.getTime() + (rule.days - 1) * DAY_MS)',
    cause: /is locked until \d+, expected \d+[\s\S]*locks archive/,
  },
].map(bug => ({ worlds: isLocked, ...bug }))

/** What was refused, sent again. */
const REDRIVE: readonly Planted[] = [
  {
    name: 'what was tried counts as sent',
    file: 'delivery/redrive.ts',
    right: 'for (const document of resent.accepted) accepted.add(contentOf(document))',
    wrong: 'for (const document of fresh) accepted.add(contentOf(document))',
    cause: /was refused, sent again and is not archived/,
  },
  {
    name: 'a record is remembered as sent again before it is',
    file: 'delivery/redrive.ts',
    right: 'const resent = await target.send(fresh)',
    wrong: 'remember(chunk)\n    const resent = await target.send(fresh)',
    cause: /was refused, sent again and is not archived/,
    worlds: strikes(isOperated, 'transform-fails'),
  },
].map(bug => ({ worlds: isOperated, ...bug }))

/** Comparisons with the live table. */
const COMPARED: readonly Planted[] = [
  {
    name: 'an item that only the table or only the archive has is taken as equal',
    file: 'restore/reconcile.ts',
    right: 'where kept.hash is distinct from told.hash',
    wrong: 'where kept.hash <> told.hash',
    cause: /reconcile with the live table says nothing of ORD-\d+/,
  },
  {
    name: 'what has arrived while it was waited for is told all the same',
    file: 'restore/reconcile-findings.ts',
    right: 'late = await compareLate(late, source, table, archived)',
    wrong: 'await compareLate(late, source, table, archived)',
    cause: /reconcile with the live table says \S+ of ORD-\d+, of which (\d+) of \1 versions are there/,
    worlds: isAwaited,
  },
].map(bug => ({ worlds: isReconciled, ...bug }))

/** Restores to what an archive says of a moment. */
const RESTORED: readonly Planted[] = [
  {
    name: 'a state at a moment is the last one',
    file: 'queries/verdict/state-at.ts',
    right: 'const state = lastState(until.steps)',
    wrong: 'const state = lastState(all.steps)',
    cause: /restore (plans another state than the archive has of|leaves) ORD-\d+ at /,
  },
  {
    name: 'a restore acts on a history with a break in it',
    file: 'restore/restore-plan.ts',
    right: 'const isDoubted = !CERTAIN.includes(confidence) && !accepted.has(confidence)',
    wrong: "const isDoubted = ![...CERTAIN, 'GAP'].includes(confidence) && !accepted.has(confidence)",
    cause: /restore plans with a break before it ORD-\d+ at /,
  },
].map(bug => ({ worlds: isRestored, ...bug }))

/** Changes that come by Kinesis. */
const KINESIS: readonly Planted[] = [
  {
    name: 'a change is known by the id that its delivery has',
    file: 'transform/fast/row.ts',
    right: "const eventId = capture === 'kinesis' ? '-' : (scanner.eventId ?? '-')",
    wrong: "const eventId = scanner.eventId ?? '-'",
    cause: /counted \d+ times/,
  },
].map(bug => ({ worlds: byKinesis, ...bug }))

/** What a journal's alarms count. */
const COUNTS: readonly Planted[] = [
  {
    name: 'a sealing that failed counts as one',
    file: 'functions/seal-archive.ts',
    right: 'if (sealed.reason instanceof JournalError)',
    wrong: 'writeMetrics({ [JOURNAL_METRICS.seals]: 1 })\n      if (sealed.reason instanceof JournalError)',
    cause: /seal-late should fire[\s\S]*sealer \d+: failed/,
  },
  {
    name: "a use of the journal's key is looked for once the sealer has used it itself",
    file: 'functions/seal-archive.ts',
    right: 'const [sealed] = await Promise.allSettled([sealArchive(options, time)])',
    wrong:
      'const [sealed] = await Promise.allSettled([sealArchive({ ...options, isForeignKey: true }, time)])\n    await sealArchive(options, time)',
    cause: /key of the journal was used at .*, and nobody[\s\S]*signs for a stranger/,
  },
  {
    name: 'the sealer signs though it could not look who had used its key',
    file: 'functions/seal-archive.ts',
    right: 'await countUses(options, log)',
    wrong: 'await countUses(options, log).catch(() => {})',
    cause: /key of the journal was used at .*, and nobody[\s\S]*signs for a stranger/,
  },
].map(bug => ({ worlds: isSealed, ...bug }))

/** Columns that deployments change. */
const COLUMNS: readonly Planted[] = [
  {
    name: 'a row names a configuration by its columns in the order of the file',
    file: 'transform/table-configuration.ts',
    right: 'return [...columns].sort((a, b) => (a.column < b.column ? -1 : 1))',
    wrong: 'return [...columns].reverse()',
    cause: /(which is not kept|holds .* expected)[\s\S]*deployment: has columns/,
  },
].map(bug => ({ worlds: isRedeployed, ...bug }))

/** Files that are brought to a desk. */
const INGEST: readonly Planted[] = [
  {
    name: 'the last day of an input is not written',
    file: 'delivery/partition-buffers.ts',
    right:
      'for (const partition of [...this.partitions.values()]) await this.deliver(partition)\n    await this.settle(1)',
    wrong:
      'for (const partition of [...this.partitions.values()].slice(0, -1)) await this.deliver(partition)\n    await this.settle(1)',
    cause: /is neither archived nor kept[\s\S]*last seen.*export: writes .* into records/,
  },
  {
    name: 'what is taken of a line at a pause is taken once more',
    file: 'capture/line-blocks.ts',
    right: '    rest.clear()\n    return',
    wrong: '    if (isWhole) rest.clear()\n    return',
    cause: /desk refused/,
  },
].map(bug => ({ worlds: isIngested, ...bug }))

/** All of them. */
export const AROUND: readonly Planted[] = [
  ...LOCKS,
  ...REDRIVE,
  ...COMPARED,
  ...RESTORED,
  ...KINESIS,
  ...COUNTS,
  ...COLUMNS,
  ...INGEST,
]
