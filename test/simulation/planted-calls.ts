/** Bugs that ask for too much: whatever they do is right, and done too often. */
import type { Scenario } from '../../simulation/scenario.js'
import { isQuick, type Planted, strikes } from './plant.js'

const onDesk = (scenario: Scenario) => isQuick(scenario) && scenario.path === 'desk'
/** In a longer one nothing else is done than to ask. */
const hasShortOutage = (scenario: Scenario) =>
  onDesk(scenario) &&
  scenario.faults.some(({ kind, rate }) => kind === 'stream-throttled' && rate >= 0.5) &&
  scenario.faults.every(
    ({ kind, rate, fromMs, toMs }) => kind !== 'stream-throttled' || rate < 1 || toMs - fromMs <= 300_000,
  )
const isSealed = (scenario: Scenario) => isQuick(scenario) && scenario.isSealed
const isCompacted = (scenario: Scenario) => isQuick(scenario) && scenario.isCompacted === true
const hasPersons = ({ load }: Scenario) => load.persons !== undefined

export const PLANTED_CALLS: readonly Planted[] = [
  {
    name: 'a call of a stream is made again at once',
    file: 'capture/stream-source.ts',
    right: "return patiently(call, { ...this.options, service: 'streams'",
    wrong: "return patiently(call, { ...this.options, sleep: async () => {}, service: 'streams'",
    cause: /tries streams \S+ .*times in a row with pauses of \d+ ms[\s\S]*stream-throttled/,
    worlds: hasShortOutage,
  },
  {
    name: 'a table that throttles is asked again without end',
    file: 'capture/table-scan.ts',
    right: "return patiently(send, { ...TABLE_PATIENCE, ...patience, service: 'dynamodb'",
    wrong:
      "const [tries, throttledTries] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]\n  return patiently(send, { ...TABLE_PATIENCE, ...patience, tries, throttledTries, service: 'dynamodb'",
    cause: /tries table \S+ .*times in a row .*expected at most 68 times[\s\S]*table-throttled/,
    worlds: strikes(scenario => isQuick(scenario) && scenario.hasBaselines, 'table-throttled'),
  },
  {
    name: 'a sealer reads all entries again for every object',
    file: 'journal/seal.ts',
    right: 'const { entries, vanished } = await describeAll(',
    wrong: 'for (const _ of rest) await sealed.readTo(head)\n    const { entries, vanished } = await describeAll(',
    cause: /sealer \d+ asks \d+ times for s3 GetObject log/,
    worlds: isSealed,
  },
  {
    name: 'a sealer lists for every object',
    file: 'journal/bucket-objects.ts',
    right: 'const version = await this.bucket.openVersion(key)',
    wrong:
      "if (!(await this.bucket.list(key.slice(0, key.indexOf('/') + 1))).includes(key)) return undefined\n    const version = await this.bucket.openVersion(key)",
    cause: /sealer( \d+)? asks \d+ times for s3 ListObjectsV2 data/,
    worlds: isSealed,
  },
  {
    name: 'a sealer describes what is sealed, too',
    file: 'journal/new-objects.ts',
    right: 'if (!named.has(object.key)) this.objects.push(object)',
    wrong: 'if (named.has(object.key)) await this.archive.describe(object)\n      else this.objects.push(object)',
    cause: /sealer \d+ reads archive\/\S+ which sealer \d+ has sealed/,
    worlds: isSealed,
  },
  {
    name: 'a statement of Athena is looked at without a pause',
    file: 'queries/engines/athena-service.ts',
    right: 'await sleep(Math.min(POLL.first * 1.5 ** attempt, POLL.longest) * (1 + random()) * 0.5, signal)',
    wrong: 'await sleep(0, signal)',
    cause: /compactor( \d+)? asks \d+ times for athena GetQueryExecution query-\d+/,
    worlds: isCompacted,
  },
  {
    name: 'keys are read one by one',
    file: 'erasure/key-table.ts',
    right: 'const MOST_READ = 100',
    wrong: 'const MOST_READ = 1',
    cause: /transform \d+ asks \d+ times for keys BatchGetItem/,
    worlds: hasPersons,
  },
]
