import type { Configuration, TableDeployment } from '../config/configuration.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { ARCHIVE_CHECKS, BUCKET_CHECKS } from './bucket-checks.js'
import { CANARY_CHECKS } from './canary-checks.js'
import { CLEAR_PLACE_CHECKS } from './clear-place-checks.js'
import type { BucketFacts, DeployedFact, DriftFacts, Facts, StackFacts } from './deployed-facts.js'
import { JOURNAL_CHECKS } from './journal-checks.js'
import { type Check, type DoctorFinding, judged, unchecked } from './judgement.js'
import { ARCHIVE_KEY_CHECKS, SEAL_KEY_CHECKS } from './key-checks.js'
import { NIGHTLY_CHECKS } from './nightly-checks.js'
import { PERSON_KEY_CHECKS } from './person-key-checks.js'
import { PERSONAL_CHECK } from './personal-checks.js'
import { DRIFT_CHECKS, STACK_CHECKS } from './stack-checks.js'
import { TABLE_CHECKS } from './table-checks.js'
import { TOPIC_CHECKS } from './topic-checks.js'
import { TRAIL_CHECKS, trailSettings } from './trail-checks.js'

/** Every check of an archive, over everything that was found of it. */
export function judgeArchive(facts: Facts, configuration: Configuration): readonly DoctorFinding[] {
  const { stack, drift, archive, refused } = facts
  const { lock } = configuration
  const mappings = mappingsOf(
    drift.map(({ found }) => found),
    stack,
  )
  const kinesisStreams = stack.resources
    .filter(({ type }) => type === 'AWS::Kinesis::Stream')
    .map(({ physicalId }) => physicalId)
  const tables = [...facts.tables].flatMap(([name, found]) => {
    const table = configuration.tables.get(name) as TableConfiguration
    const deployment = configuration.deployments.get(name) as TableDeployment
    const subject = { configuration: table, deployment, mappings, kinesisStreams, found }
    return [
      ...run(TABLE_CHECKS[table.capture], `table ${name}`, subject),
      ...(deployment.reconcile ? run(NIGHTLY_CHECKS, `table ${name}`, found.compared) : []),
      ...run([PERSONAL_CHECK], `table ${name}`, table).filter(({ verdict }) => verdict === 'note'),
    ]
  })
  return [
    ...run(STACK_CHECKS, `stack ${stack.name}`, stack),
    ...drift.flatMap(({ stack: name, found }) => run(DRIFT_CHECKS, `stack ${nameOfStack(name)}`, found)),
    ...tables,
    ...judgeBucket(archive, 'archive', ARCHIVE_CHECKS, bucket => ({
      ...bucket,
      promisedLock: lock,
      isSealed: facts.journal !== undefined,
      locks: facts.locks,
    })),
    ...run(ARCHIVE_KEY_CHECKS, "the archive's key", facts.archiveKey),
    ...judgeJournal(facts, configuration),
    ...judgeCanary(facts, configuration),
    ...judgeCallers(facts, configuration),
    ...judgeTopic(facts, configuration),
    ...judgePersons(facts, configuration),
    ...judgeBucket(refused, 'refused', BUCKET_CHECKS, bucket => bucket),
  ]
}

function run<Subject>(checks: readonly Check<Subject>[], name: string, subject: Subject): readonly DoctorFinding[] {
  return checks.map(({ name: check, judge, todo }) => {
    const judgement = judge(subject)
    return { subject: name, check, ...judgement, todo: judgement.verdict === 'ok' ? null : todo }
  })
}

function judgeCanary({ canary }: Facts, { canary: isAsked }: Configuration): readonly DoctorFinding[] {
  if (canary !== undefined) return run(CANARY_CHECKS, 'the canary', canary)
  return isAsked ? run([missing('canary', 'has none', 'a canary')], 'the canary', undefined) : []
}

function judgeCallers({ callers, drift }: Facts, { callers: asked, tables }: Configuration): readonly DoctorFinding[] {
  const name = 'the trail of callers'
  if (callers === undefined)
    return asked === undefined ? [] : run([missing('trail', 'has none', 'a trail of who called')], name, undefined)
  const settings = trailSettings(drift.map(({ found }) => found))
  return run(TRAIL_CHECKS, name, { settings, delivered: callers, tables: [...tables.keys()] })
}

/** What the configuration asks for and the stack lacks. */
function missing(name: string, found: string, promised: string): Check<undefined> {
  return { name, todo: 'deploy the stack again', judge: () => judged(false, `the stack ${found}`, promised) }
}

function judgeJournal({ journal, stack }: Facts, { seal }: Configuration): readonly DoctorFinding[] {
  if (journal !== undefined) {
    const role = stack.resources.find(({ logicalId }) => /JournalSealerRole[0-9A-F]{8}$/.test(logicalId))
    const key = { key: journal.key, sealerRole: role?.physicalId }
    return [...run(SEAL_KEY_CHECKS, "the journal's key", key), ...run(JOURNAL_CHECKS, 'the journal', journal.found)]
  }
  return seal === undefined ? [] : run([missing('journal', 'keeps none', 'a signed journal')], 'the journal', undefined)
}

function judgeTopic({ alarmTopic: topic }: Facts, { notify }: Configuration): readonly DoctorFinding[] {
  return topic === undefined ? [] : run(TOPIC_CHECKS, 'alarms', { topic, notify })
}

/** Without erasable values everything is in clear, wherever it is. */
function judgePersons(facts: Facts, { refusedDays }: Configuration): readonly DoctorFinding[] {
  const { persons } = facts
  if (persons === undefined) return []
  return [
    ...run(PERSON_KEY_CHECKS, 'the keys of persons', persons),
    ...run(CLEAR_PLACE_CHECKS, 'places of clear values', { ...facts, refusedDays }),
  ]
}

function judgeBucket<Subject>(
  bucket: DeployedFact<BucketFacts>,
  name: string,
  checks: readonly Check<Subject>[],
  toSubject: (bucket: BucketFacts) => Subject,
): readonly DoctorFinding[] {
  if (bucket.kind === 'found') return run(checks, `${name} bucket ${bucket.value.name}`, toSubject(bucket.value))
  const find: Check<undefined> = {
    name: 'bucket',
    todo: 'deploy the stack of an AuditArchive, or name that one',
    judge: () => unchecked(bucket.why, 'an output of the stack'),
  }
  return run([find], `${name} bucket`, undefined)
}

/** `Itemtrail-Queries-1ABC` of its ARN. */
function nameOfStack(name: string): string {
  return /:stack\/([^/]+)\//.exec(name)?.[1] ?? name
}

/** The streams that are read, if every event source mapping of the stack could be looked at. */
function mappingsOf(
  drifts: readonly DeployedFact<DriftFacts>[],
  { resources }: StackFacts,
): DeployedFact<readonly string[]> {
  const mappings = drifts.flatMap(drift => (drift.kind === 'found' ? drift.value.mappings : []))
  const count = resources.filter(({ type }) => type === 'AWS::Lambda::EventSourceMapping').length
  // a stack that could not be looked at may have more of them than were listed
  return mappings.length >= count && drifts.every(({ kind }) => kind === 'found')
    ? { kind: 'found', value: mappings }
    : {
        kind: 'unknown',
        why: 'what the event source mappings read is told by drift detection, which did not look at them',
      }
}
