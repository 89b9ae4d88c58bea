import type { TableDeployment } from '../config/configuration.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { CapturedFacts, DeployedFact, KinesisDestination, TableFacts } from './deployed-facts.js'
import { type Check, type Judgement, judged, known, ok } from './judgement.js'

/** A table as configured and as found. */
export interface TableSubject {
  readonly configuration: TableConfiguration
  readonly deployment: TableDeployment
  readonly found: CapturedFacts
  /** The streams that the event source mappings of the stack read. */
  readonly mappings: DeployedFact<readonly string[]>
  /** Names of the Kinesis streams of the stack. */
  readonly kinesisStreams: readonly string[]
}

/** Judges a table if it was found and is there. */
function ofTable(
  { found, configuration }: TableSubject,
  promised: string,
  judge: (table: TableFacts) => Judgement,
): Judgement {
  return known(found.table, promised, table =>
    table === undefined ? judged(false, `no table ${configuration.table}`, promised) : judge(table),
  )
}

const EVERY_TABLE: readonly Check<TableSubject>[] = [
  {
    name: 'table',
    todo: 'is it the right account and region? a table that was deleted has no changes to keep: take it out of the configuration',
    judge: subject =>
      ofTable(subject, 'ACTIVE', ({ status }) =>
        // a table that is being updated takes writes
        judged(/^(ACTIVE|UPDATING)$/.test(status), status, 'ACTIVE'),
      ),
  },
  {
    name: 'keys',
    todo: 'set "keys" in the configuration to the key attributes of the table',
    judge: subject => {
      const keys = JSON.stringify(subject.configuration.keys.map(({ attribute }) => attribute))
      return ofTable(subject, keys, table =>
        judged(JSON.stringify(table.keys) === keys, JSON.stringify(table.keys), keys),
      )
    },
  },
]

/** What is checked of a table, by what carries its changes. */
export const TABLE_CHECKS: Readonly<Record<TableConfiguration['capture'], readonly Check<TableSubject>[]>> = {
  streams: [
    ...EVERY_TABLE,
    {
      name: 'stream',
      todo: 'switch the stream on; it will have a new ARN: set "streamArn" to it and deploy. Changes until then are a gap',
      judge: subject =>
        ofTable(subject, 'on', ({ viewType }) =>
          judged(viewType !== undefined, viewType === undefined ? 'off' : 'on', 'on'),
        ),
    },
    {
      name: 'view type',
      todo: 'a view type cannot be changed: make a new stream with it, set "streamArn", deploy',
      judge: subject => {
        const { allowed, promised } = viewTypesFor(subject.configuration)
        return ofTable(subject, promised, ({ viewType }) =>
          judged(viewType !== undefined && allowed.includes(viewType), viewType ?? 'none', promised),
        )
      },
    },
    {
      name: 'stream that is read',
      todo: 'a stream that was made anew has a new ARN, and the old one says nothing any more: set "streamArn" to it and deploy; changes since then are a gap, export the table for a baseline',
      judge: judgeStreamRead,
    },
    {
      name: 'one capture',
      todo: 'both give each change two ids: aws dynamodb disable-kinesis-streaming-destination, or take one capture out of the stack',
      judge: ({ found, kinesisStreams }) =>
        known(found.destinations, 'streams alone', destinations => {
          const ours = destinations.filter(destination => isActive(destination) && isOf(destination, kinesisStreams))
          if (ours.length > 0) return judged(false, `streams and kinesis (${arnsOf(ours)})`, 'streams alone')
          const others = destinations.filter(isActive)
          const beside = others.length === 0 ? '' : `; ${arnsOf(others)} is not of this stack`
          return ok(`streams${beside}`, 'streams alone')
        }),
    },
  ],
  kinesis: [
    ...EVERY_TABLE,
    {
      name: 'kinesis destination',
      todo: 'aws dynamodb enable-kinesis-streaming-destination with the stream of the stack; changes since it went off are a gap',
      judge: subject =>
        known(subject.found.destinations, 'ACTIVE', destinations => {
          const [own] = ownDestinations(destinations, subject)
          return judged(own?.status === 'ACTIVE', own?.status ?? 'none into a stream of this stack', 'ACTIVE')
        }),
    },
    {
      name: 'precision',
      todo: 'aws dynamodb update-kinesis-streaming-destination --update-kinesis-streaming-configuration ApproximateCreationDateTimePrecision=MICROSECOND',
      judge: subject =>
        known(subject.found.destinations, 'MICROSECOND', destinations => {
          const precision = ownDestinations(destinations, subject)[0]?.precision
          return judged(precision === 'MICROSECOND', precision ?? 'not said', 'MICROSECOND')
        }),
    },
    {
      name: 'one capture',
      todo: 'both give each change two ids: take the event source mapping, or the Kinesis stream, out of the stack',
      judge: ({ configuration: { table }, mappings }) =>
        known(mappings, 'kinesis alone', arns => {
          const read = arns.filter(arn => tableOf(arn) === table)
          return judged(
            read.length === 0,
            ['kinesis', ...read.map(arn => `streams (${arn})`)].join(' and '),
            'kinesis alone',
          )
        }),
    },
  ],
}

function viewTypesFor({ columns, lifecycle, actor }: TableConfiguration) {
  if (columns.length > 0 || lifecycle !== undefined)
    return { allowed: ['NEW_AND_OLD_IMAGES'], promised: 'NEW_AND_OLD_IMAGES, for "columns" and "lifecycle"' }
  const images = ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE']
  return actor === undefined
    ? { allowed: [...images, 'KEYS_ONLY'], promised: 'any' }
    : { allowed: images, promised: 'one with an image, for "actor"' }
}

function judgeStreamRead(subject: TableSubject): Judgement {
  const { configuration, deployment, mappings } = subject
  const configured = deployment.streamArn
  return ofTable(subject, configured ?? 'the latest stream of the table', ({ streamArn = 'none' }) => {
    if (configured !== undefined && configured !== streamArn) return judged(false, streamArn, configured)
    return known(mappings, streamArn, arns => {
      const read = arns.filter(arn => tableOf(arn) === configuration.table)
      return judged(read.includes(streamArn), `${read.join(', ') || 'none'} is read`, streamArn)
    })
  })
}

function tableOf(streamArn: string): string | undefined {
  return /:table\/([^/]+)\//.exec(streamArn)?.[1]
}

function isActive({ status }: KinesisDestination): boolean {
  return status === 'ACTIVE' || status === 'ENABLING' || status === 'UPDATING'
}

function isOf({ streamArn }: KinesisDestination, streams: readonly string[]): boolean {
  return streams.includes(streamArn.slice(streamArn.indexOf(':stream/') + ':stream/'.length))
}

/** Destinations in streams of the stack, one that is active first: a table remembers those that were switched off. */
function ownDestinations(
  destinations: readonly KinesisDestination[],
  { kinesisStreams }: TableSubject,
): readonly KinesisDestination[] {
  return destinations
    .filter(destination => isOf(destination, kinesisStreams))
    .sort((a, b) => Number(isActive(b)) - Number(isActive(a)))
}

function arnsOf(destinations: readonly KinesisDestination[]): string {
  return destinations.map(({ streamArn }) => streamArn).join(', ')
}
