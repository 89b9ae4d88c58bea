import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ColumnType, columnsOf } from '../../transform/audit-row.js'
import { formatInstant } from '../../transform/instant.js'
import { transformRecord } from '../../transform/transform.js'
import {
  ARRIVAL,
  type Attributes,
  baselineDocument,
  type KinesisFields,
  kinesisDocument,
  recordBytes,
  type StreamsFields,
  streamsRecord,
} from '../factories.js'
import { changeDocument, runs, typedTable as table } from './arbitraries.js'
import { leafHash, leafText, type RowColumns, sha256, wrongHashes } from './second-implementation.js'

/** How a change of a stored row is seen: by its leaf, by the hash of an image, or by deriving the column again. */
type Check = 'leaf' | 'image hash' | 'derivation'

const SEEN_BY: { readonly [column: string]: Check } = {
  event_id: 'leaf',
  source_event_id: 'leaf',
  event_name: 'leaf',
  event_time: 'derivation',
  event_time_us: 'leaf',
  time_precision: 'leaf',
  sequence: 'leaf',
  table_name: 'leaf',
  region: 'leaf',
  source: 'leaf',
  view_type: 'leaf',
  item_key: 'leaf',
  old_image: 'image hash',
  new_image: 'image hash',
  old_hash: 'leaf',
  new_hash: 'leaf',
  changed: 'derivation',
  actor: 'leaf',
  actor_source: 'leaf',
  last_writer: 'leaf',
  user_identity: 'leaf',
  subjects: 'leaf',
  config_id: 'leaf',
  row_version: 'derivation',
  row_hash: 'leaf',
  key_order_id: 'derivation',
  misfits: 'derivation',
  ...Object.fromEntries(
    table.columns.flatMap(({ column }) => [`old_${column}`, `new_${column}`]).map(column => [column, 'derivation']),
  ),
}

/** What `row_hash` leaves out and nothing in the row derives. */
const NOT_PROTECTED = ['size_bytes', 'arrived_at']

const columns = columnsOf(table)

/** A row line of a random change, parsed. */
const row = changeDocument.map(document => rowsOf(recordBytes(document))[0] as RowColumns)

describe('audit row', () => {
  it('protects every column but arrived_at and size_bytes', () => {
    expect(new Set([...Object.keys(SEEN_BY), ...NOT_PROTECTED])).toEqual(new Set(columns.map(({ name }) => name)))
  })

  it('passes every check when nothing was changed', () => {
    fc.assert(
      fc.property(row, row => {
        expect(problemsOf(row)).toEqual([])
      }),
      runs(200),
    )
  })

  for (const { name, type } of columns.filter(({ name }) => !NOT_PROTECTED.includes(name))) {
    it(`shows by ${SEEN_BY[name]} that ${name} was changed or taken away`, () => {
      fc.assert(
        fc.property(row, fc.boolean(), (row, takenAway) => {
          const other = takenAway && row[name] !== undefined ? undefined : otherValue(row[name], type)
          expect(problemsOf({ ...row, [name]: other })).toContain(SEEN_BY[name])
        }),
        runs(25),
      )
    })
  }

  it('shows that a hyphen was put where a column is absent, though the leaf is the same', () => {
    const optional = ['source_event_id', 'region', 'sequence', 'view_type', 'old_hash', 'new_hash']
    fc.assert(
      fc.property(row, fc.constantFrom(...optional), (row, name) => {
        fc.pre(row[name] === undefined)
        expect(problemsOf({ ...row, [name]: '-' })).not.toEqual([])
      }),
      runs(150),
    )
  })

  it('is the same when the record is delivered again', () => {
    fc.assert(
      fc.property(changeDocument, document => {
        const data = recordBytes(document)
        expect(transformRecord(data, ARRIVAL, table)).toEqual(transformRecord(data, ARRIVAL, table))
      }),
      runs(100),
    )
  })

  it('is the same but for arrived_at when a record with a time is delivered later', () => {
    fc.assert(
      fc.property(changeDocument, fc.nat(1e9), (document, later) => {
        const [first, second] = [ARRIVAL, ARRIVAL + later].map(arrival => rowsOf(recordBytes(document), arrival)[0])
        fc.pre(first?.time_precision !== 'arrival')
        expect({ ...second, arrived_at: first?.arrived_at }).toEqual(first)
      }),
      runs(100),
    )
  })

  it('keeps its id when a record without a time is delivered later', () => {
    fc.assert(
      fc.property(changeDocument, fc.nat(1e9), (document, later) => {
        const [first, second] = [ARRIVAL, ARRIVAL + later].map(arrival => rowsOf(recordBytes(document), arrival)[0])
        fc.pre(first?.time_precision === 'arrival')
        expect(second?.event_id).toBe(first?.event_id)
      }),
      runs(100),
    )
  })

  it('is the same whether its record came alone or in a pack', () => {
    fc.assert(
      fc.property(changeDocument, changeDocument, fc.constantFrom('', '\n', '\r\n '), (one, other, between) => {
        const apart = [one, other].flatMap(document => rowsOf(recordBytes(document)))
        fc.pre(String(apart[0]?.event_time).slice(0, 10) === String(apart[1]?.event_time).slice(0, 10))
        expect(rowsOf(recordBytes([one, other].map(document => JSON.stringify(document)).join(between)))).toEqual(apart)
      }),
      { ...runs(40), maxSkipsPerRun: 10_000 },
    )
  })

  it('keeps its id when Kinesis repeats a change under another eventID', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (one, other) => {
        const [first, second] = [one, other].map(eventID => rowsOf(recordBytes(kinesisDocument({ eventID })))[0])
        expect(second?.event_id).toBe(first?.event_id)
      }),
      runs(20),
    )
  })
})

describe('transformRecord', () => {
  const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const tokens = [...'"\\{}[],:1-e\n\0', 'null', '{}', '\\ud800', '"S":']
  const edit: fc.Arbitrary<Edit> = fc.record({
    kind: fc.constantFrom('truncate', 'insert', 'replace', 'swap'),
    positions: fc.tuple(position, position),
    text: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }), fc.constantFrom(...tokens)),
  })

  it('never throws for a text that was tampered with, and refuses it where JSON.parse does', () => {
    fc.assert(
      fc.property(changeDocument, fc.array(edit, { minLength: 1, maxLength: 3 }), (document, edits) => {
        const text = edits.reduce(applyEdit, JSON.stringify(document))
        const result = transformRecord(Buffer.from(text), ARRIVAL, table)
        if (result.kind === 'transformed') expect(parsedRows(result.lines).flatMap(wrongHashes)).toEqual([])
        if (!isJson(text)) expect(result.kind).toBe('refused')
      }),
      runs(700),
    )
  })

  it('never throws for bytes that were tampered with, and refuses what is not UTF-8', () => {
    fc.assert(
      fc.property(
        changeDocument,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (document, bytes) => {
          const data = Buffer.from(JSON.stringify(document))
          for (const [at, byte] of bytes) data[at % data.length] = byte
          const result = transformRecord(data, ARRIVAL, table)
          if (!Buffer.from(data.toString('utf8')).equals(data)) expect(result.kind).toBe('refused')
        },
      ),
      runs(400),
    )
  })

  it('never throws for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), json => {
        expect(transformRecord(Buffer.from(json), ARRIVAL, table).kind).toBe('refused')
      }),
      runs(300),
    )
  })

  it('never throws for any JSON where a record has a field', () => {
    const envelope =
      'eventID eventName awsRegion eventSourceARN tableName userIdentity dynamodb itemtrail Item source time table'
    const inner = 'Keys NewImage OldImage SequenceNumber SizeBytes StreamViewType ApproximateCreationDateTime'
    const field = fc.constantFrom(...envelope.split(' '), ...inner.split(' '))
    fc.assert(
      fc.property(changeDocument, field, fc.jsonValue(), (document, name, value) => {
        const under = 'dynamodb' in document ? (document.dynamodb as object) : {}
        const changed =
          name in under ? { ...document, dynamodb: { ...under, [name]: value } } : { ...document, [name]: value }
        expect(['transformed', 'refused']).toContain(transformRecord(recordBytes(changed), ARRIVAL, table).kind)
      }),
      runs(400),
    )
  })
})

/** One act of tampering with a text, at positions that are parts of its length. */
interface Edit {
  readonly kind: 'truncate' | 'insert' | 'replace' | 'swap'
  readonly positions: readonly [number, number]
  readonly text: string
}

function applyEdit(before: string, { kind, positions, text }: Edit): string {
  const [from, to] = positions.map(position => Math.floor(position * before.length)).sort((a, b) => a - b) as [
    number,
    number,
  ]
  switch (kind) {
    case 'truncate':
      return before.slice(0, from)
    case 'insert':
      return before.slice(0, from) + text + before.slice(from)
    case 'replace':
      return before.slice(0, from) + text + before.slice(from + text.length)
    case 'swap':
      return before.slice(0, from) + before.slice(to) + before.slice(from, to)
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function rowsOf(data: Uint8Array, arrival = ARRIVAL): readonly RowColumns[] {
  const result = transformRecord(data, arrival, table)
  if (result.kind === 'refused') throw new Error(result.reason)
  return parsedRows(result.lines)
}

/** Row lines parsed; numbers as the text of the line, so that a bigint above 2^53 is told from its neighbour. */
function parsedRows(lines: string): readonly RowColumns[] {
  const exact = lines.replaceAll(/"((?:old|new)_bigint)":(-?\d+)/g, '"$1":"$2"')
  return exact
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as RowColumns)
}

function otherValue(value: unknown, type: ColumnType): unknown {
  if (Array.isArray(value)) return [...value, 'one more']
  switch (type) {
    case 'boolean':
      return value !== true
    case 'bigint':
      return typeof value === 'number' ? value + 1 : `${value ?? ''}1`
    case 'array<string>':
      return ['one']
    default:
      return `${value ?? ''}x`
  }
}

/** The checks that find a fault in a stored row. */
function problemsOf(row: RowColumns): readonly Check[] {
  const problems: Check[] = []
  if (leafHash(leafText(row)) !== row.row_hash) problems.push('leaf')
  if (hashOf(row.old_image) !== row.old_hash || hashOf(row.new_image) !== row.new_hash) problems.push('image hash')
  if (!derivesAgain(row)) problems.push('derivation')
  return problems
}

function hashOf(image: unknown): string | undefined {
  return image === undefined ? undefined : sha256(String(image))
}

/** Whether the record that a row tells of gives that row again. */
function derivesAgain(row: RowColumns): boolean {
  const arrival = row.time_precision === 'arrival' ? Number(row.event_time_us ?? 0) / 1000 : ARRIVAL
  const result = transformRecord(recordBytes(recordOf(row)), arrival, table)
  const [derived] = result.kind === 'transformed' ? parsedRows(result.lines) : []
  return columns.every(({ name }) => NOT_PROTECTED.includes(name) || isSame(derived?.[name], row[name]))
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** A record that would give a row: of the kind that the row says, with the row's time as text. */
function recordOf(row: RowColumns): object {
  const column = (name: string) => row[name] as string | undefined
  const itemIn = (name: string) => parsed(column(name)) as Attributes | undefined
  const time = timeOf(row)
  if (row.event_name === 'BASELINE') {
    const Item = itemIn('new_image') as Attributes
    return baselineDocument({ table: String(row.table_name), source: String(row.source), time: String(time), Item })
  }
  const common = {
    eventID: column('source_event_id'),
    eventName: row.event_name as StreamsFields['eventName'],
    userIdentity: parsed(column('user_identity')) as NonNullable<KinesisFields['userIdentity']>,
    awsRegion: column('region'),
    Keys: itemIn('item_key'),
    OldImage: itemIn('old_image'),
    NewImage: itemIn('new_image'),
  }
  const arn = column('source')?.startsWith('arn:') ? column('source') : undefined
  const record =
    arn === undefined && row.sequence === undefined
      ? kinesisDocument({ ...common, tableName: column('table_name') })
      : streamsRecord({
          ...common,
          eventSourceARN: arn,
          SequenceNumber: column('sequence'),
          StreamViewType: row.view_type as StreamsFields['StreamViewType'],
        })
  const { ApproximateCreationDateTimePrecision: _, ...dynamodb } = record.dynamodb as Record<string, unknown>
  return { ...record, tableName: row.table_name, dynamodb: { ...dynamodb, ApproximateCreationDateTime: time } }
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function timeOf(row: RowColumns): string | undefined {
  const digits = { s: 0, ms: 3, us: 6 }[String(row.time_precision)] as 0 | 3 | 6 | undefined
  return digits === undefined || row.event_time_us === undefined
    ? undefined
    : formatInstant(Number(row.event_time_us), digits)
}
