import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { tableConfiguration } from '../../config/configuration.js'
import { NO_TABLE } from '../../delivery/ingest.js'
import { type Redriven, type RedriveTarget, redrive as redriveRefused } from '../../delivery/redrive.js'
import {
  type RefusedGroup,
  type RefusedSurvey,
  type SurveyOptions,
  surveyRefused,
} from '../../delivery/refused-survey.js'
import { streamInArchive } from '../../delivery/table-origin.js'
import { judgedOnly } from '../../erasure/seal-image.js'
import { DiskArchive } from '../../store/folder.js'
import type { Objects } from '../../store/objects.js'
import { archiveLedger, bucketLedger, Ledger } from '../../store/redriven.js'
import { configurationKeyOf, configurationPrefix, GIVEN_UP_PREFIX, REFUSED_PREFIX } from '../../transform/layout.js'
import { openBucket } from '../ask/open-bucket.js'
import { ARCHIVE_OPTION, archiveRoot, CONFIG_OPTION, loadConfiguration, suggestion } from '../ask/workspace.js'
import { callAws } from '../failures.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { grouped, Progress } from '../show/progress.js'
import { shorterTime } from '../show/table.js'
import { paint } from '../show/terminal.js'
import { printable } from '../show/text.js'

/** Lists what was refused and why, and sends it again. */
export const redrive: Command = {
  usage: 'redrive [table]',
  summary: 'lists what was refused and why; with --send, sends again what would pass now',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--bucket <name>', 'the bucket that keeps what was refused (default: the archive)'],
    ['--prefix <prefix>', `where in the bucket (${REFUSED_PREFIX} and ${GIVEN_UP_PREFIX})`],
    ['--send', 'sends it again; without, nothing is changed anywhere'],
    ['--delivery-stream <name>', 'the Firehose that it is sent to: the output ReplayStream of the table'],
    ['--all', 'sends what the transform here refuses, too: the one behind the delivery stream may be newer'],
    ['--ledger <file>', 'remembers what was sent (beside the archive, or redriven-<bucket>.ndjson here)'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail redrive Orders --bucket BUCKET --send --delivery-stream NAME',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const table = args[0]
    checkUse(table, options)
    const source = await openSource(options)
    const progress = new Progress(io, 'object')
    const redriveOptions = toSurveyOptions(source, table, options, (done, total) => progress.update(done, done, total))
    const survey = await source.reading(() => surveyRefused(redriveOptions))
    progress.end()
    checkTable(table, survey, options)
    // before anything is sent, which may take long
    format.tell(io).page(() => printSurvey(survey, source.name, io))
    const redriven = options.send === true ? await send(survey, redriveOptions, source, options, io) : undefined
    const page = () => {
      if (redriven !== undefined) printRedriven(redriven, io)
      else if (survey.days.size > 0) io.err('nothing was sent: --send does\n')
    }
    await format.print({ page, whole: () => describe(survey, redriven) }, io)
    return exitOf(survey, redriven)
  },
}

function checkUse(table: string | undefined, options: Options): void {
  const { bucket, prefix, send, all, deliveryStream } = options
  if (prefix !== undefined && bucket === undefined) throw new CommandError('--prefix is of a bucket, expected --bucket')
  if (send !== true && deliveryStream !== undefined)
    throw new CommandError('--delivery-stream says where to send, expected --send with it')
  if (send === true && bucket !== undefined && deliveryStream === undefined)
    throw new CommandError(
      'what a bucket keeps goes back to Firehose, expected --delivery-stream NAME',
      EXIT.usage,
      'it is the output ReplayStream of the stack: aws cloudformation describe-stacks --query "Stacks[].Outputs"',
    )
  if (deliveryStream !== undefined && table === undefined)
    throw new CommandError('a delivery stream is for one table, expected itemtrail redrive TABLE')
  if (all === true && deliveryStream === undefined)
    throw new CommandError(
      '--all needs --delivery-stream',
      EXIT.usage,
      'here the transform that refuses would be the one that is sent to',
    )
}

/** Where refused records are kept. */
interface Source {
  readonly name: string
  readonly objects: Objects
  readonly prefixes: readonly string[]
  readonly ledger: Ledger
  readonly archive: DiskArchive | undefined
  /** Runs something that reads, and says what could not be read. */
  readonly reading: <T>(read: () => Promise<T>) => Promise<T>
}

async function openSource(options: Options): Promise<Source> {
  const { bucket, prefix, ledger } = options
  if (typeof bucket === 'string') {
    const name = `s3://${bucket}`
    return {
      name,
      objects: await openBucket(bucket),
      prefixes: typeof prefix === 'string' ? [prefix] : [REFUSED_PREFIX, GIVEN_UP_PREFIX],
      ledger: typeof ledger === 'string' ? Ledger.open(ledger, name) : bucketLedger(bucket),
      archive: undefined,
      reading: read => callAws(`bucket ${JSON.stringify(bucket)} cannot be read`, read),
    }
  }
  const root = archiveRoot(options)
  if (!existsSync(root)) throw new CommandError(`archive ${JSON.stringify(root)} is not there`, EXIT.unchecked)
  const archive = new DiskArchive(root)
  return {
    name: join(root, REFUSED_PREFIX),
    objects: archive,
    prefixes: [REFUSED_PREFIX, GIVEN_UP_PREFIX],
    ledger: Ledger.open(typeof ledger === 'string' ? ledger : archiveLedger(root), 'archive'),
    archive,
    reading: read => read(),
  }
}

function toSurveyOptions(
  { objects, prefixes, ledger, archive }: Source,
  table: string | undefined,
  options: Options,
  onObject: (done: number, total: number) => void,
): SurveyOptions {
  const configuration = loadConfiguration(options)
  return {
    objects,
    prefixes,
    ledger,
    configurationOf: name => {
      const found = tableConfiguration(configuration, name)
      // what a bucket keeps is sealed by the function that it is sent to, whose keys are not here
      return archive === undefined ? judgedOnly(found) : found
    },
    ...(archive && { streamOf: onceEach(name => streamInArchive(archive, name)) }),
    isKept: async (name, id) => (await objects.list(configurationPrefix(name))).includes(configurationKeyOf(name, id)),
    to: archive === undefined || options.deliveryStream !== undefined ? 'firehose' : 'archive',
    ...(table !== undefined && { table }),
    all: options.all === true,
    onObject,
  }
}

/** Asks once for each table. */
function onceEach<T>(ask: (table: string) => Promise<T>): (table: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>()
  return table => {
    const answer = answers.get(table) ?? ask(table)
    answers.set(table, answer)
    return answer
  }
}

/** A name with a slip in it would look as if nothing of it were refused. */
function checkTable(table: string | undefined, { groups, done }: RefusedSurvey, options: Options): void {
  if (table === undefined || groups.length > 0 || done > 0) return
  const known = [...(loadConfiguration(options)?.tables.keys() ?? [])]
  if (known.length > 0 && !known.includes(table)) {
    const message = `nothing of a table ${JSON.stringify(table)} was refused, and none is configured`
    throw new CommandError(message, EXIT.usage, suggestion('table', table, known))
  }
}

async function send(
  survey: RefusedSurvey,
  redriveOptions: SurveyOptions,
  source: Source,
  options: Options,
  io: Io,
): Promise<Redriven> {
  const nothing: Redriven = { sent: 0, refusedAgain: 0, waiting: 0, left: 0, errors: new Map() }
  if (survey.days.size === 0) return nothing
  const destination = await openDestination(redriveOptions, source, options)
  const progress = new Progress(io, 'change')
  try {
    const onSent = (sent: number, total: number) => progress.update(sent, sent, total)
    return await source.reading(() => redriveRefused(survey, destination, { ...redriveOptions, onSent }))
  } finally {
    progress.end()
  }
}

async function openDestination(
  { table, configurationOf }: SurveyOptions,
  { archive }: Source,
  { deliveryStream }: Options,
): Promise<RedriveTarget> {
  if (typeof deliveryStream !== 'string') {
    const { ArchiveRedrive } = await import('../../delivery/redrive-to-archive.js')
    return new ArchiveRedrive(archive as DiskArchive, configurationOf)
  }
  const [{ FirehoseClient }, { findObstacle, FirehoseRedrive }] = await Promise.all([
    import('@aws-sdk/client-firehose'),
    import('../../delivery/redrive-to-firehose.js'),
  ])
  const name = `delivery stream ${JSON.stringify(deliveryStream)}`
  const obstacle = await callAws(`${name} cannot be described`, () =>
    findObstacle(new FirehoseClient({}), deliveryStream, table as string),
  )
  if (obstacle !== undefined) throw new CommandError(`${name} ${obstacle}`)
  return new FirehoseRedrive(new FirehoseClient({ maxAttempts: 1 }), deliveryStream)
}

function exitOf({ groups, damaged }: RefusedSurvey, redriven: Redriven | undefined): ExitCode {
  if (damaged.length > 0) return EXIT.unchecked
  const changes = groups.reduce((sum, group) => sum + group.changes, 0)
  const isLeft = changes > (redriven?.sent ?? 0) || (redriven?.refusedAgain ?? 0) > 0
  return isLeft ? EXIT.findings : EXIT.done
}

function describe({ groups, damaged, done, counts }: RefusedSurvey, redriven: Redriven | undefined): object {
  return {
    refused: groups.map(group => ({
      ...group,
      table: nameOf(group),
      first: instant(group.first),
      last: instant(group.last),
    })),
    changes: {
      ready: counts.ready,
      refused: counts.refused,
      too_large: counts['too-large'],
      needs_original: counts['needs-original'],
    },
    redriven_before: done,
    damaged,
    sent: redriven === undefined ? null : redriven.sent,
    refused_again: redriven === undefined ? null : redriven.refusedAgain,
    waiting: redriven === undefined ? null : redriven.waiting,
    not_accepted: redriven === undefined ? null : redriven.left,
    errors: [...(redriven?.errors ?? [])].map(([code, times]) => ({ code, times })),
  }
}

function nameOf({ table }: RefusedGroup): string | null {
  return table === NO_TABLE ? null : table
}

function instant(time: number): string {
  return new Date(time).toISOString()
}

function printSurvey({ groups, damaged, done, counts }: RefusedSurvey, source: string, io: Io): void {
  if (groups.length === 0) io.out(`${paint(io, 'green', 'nothing is refused')} in ${printable(source)}\n`)
  for (const group of groups.slice(0, SHOWN_GROUPS)) printGroup(group, io)
  if (groups.length > SHOWN_GROUPS)
    io.out(`and ${grouped(groups.length - SHOWN_GROUPS)} further reasons: --format json tells all\n`)
  if (done > 0) io.err(`${grouped(done)} refused records were sent again before and are not listed\n`)
  const notes = [
    [counts.refused, 'the transform still refuses: mend the cause, or the configuration here'],
    [counts['too-large'], 'too large to pass; they are kept whole where they are'],
    [
      counts['needs-original'],
      'rows that were not converted, or documents kept in part: only the originals can be sent, see docs/redrive.md',
    ],
  ] as const
  for (const [count, note] of notes) if (count > 0) io.err(`${grouped(count)} × ${note}\n`)
  for (const key of damaged) io.out(`${paint(io, 'red', 'unreadable')} ${printable(key)}\n`)
}

const SHOWN_GROUPS = 20

function printGroup(group: RefusedGroup, io: Io): void {
  const { records, changes, ready, first, last, reason } = group
  const [from, to] = [first, last].map(time => shorterTime(`${instant(time).slice(0, 19)}Z`))
  const whose = nameOf(group) ?? 'no table'
  io.out(
    `${grouped(records)} × ${printable(`${whose}: ${reason}`)}\n` +
      `    ${from === to ? from : `${from} to ${to}`}, ${grouped(changes)} ${changes === 1 ? 'change' : 'changes'}, ${grouped(ready)} ready to be sent\n`,
  )
}

function printRedriven({ sent, refusedAgain, waiting, left, errors }: Redriven, io: Io): void {
  io.out(`${grouped(sent)} sent again\n`)
  if (refusedAgain > 0) io.out(`${paint(io, 'red', grouped(refusedAgain))} of them were refused once more\n`)
  if (waiting > 0)
    io.err(
      `${grouped(waiting)} of further days wait: Firehose holds 500 days at a time, run it again in half an hour\n`,
    )
  if (left > 0) {
    const codes = [...errors].map(([code, times]) => `${times} × ${code}`).join(', ')
    io.err(`${grouped(left)} were not accepted (${printable(codes)}): run it again, it goes on where it was\n`)
  }
}
