import type { BinaryEncoding } from '../attribute-value.js'
import { CLOSE, COLON, COMMA, OPEN, QUOTE } from '../json-bytes.js'
import type { Capture, EventName, TimeUnit, ViewType } from '../stream-record.js'
import type { TableConfiguration } from '../table-configuration.js'
import { after, endOfField, endOfNumber, endOfTexts, isRange, NONE, pathBytes } from './bytes.js'
import { ItemScanner } from './item.js'
import type { ItemRange } from './slots.js'

/** The fields of a change that are known, some of which nobody reads. */
export const OUTER_FIELDS = [
  'eventID',
  'eventName',
  'eventVersion',
  'eventSource',
  'awsRegion',
  'dynamodb',
  'eventSourceARN',
  'userIdentity',
  'recordFormat',
  'tableName',
]
/** The fields of `dynamodb`, all of which are read. */
export const INNER_FIELDS = [
  'ApproximateCreationDateTime',
  'Keys',
  'NewImage',
  'OldImage',
  'SequenceNumber',
  'SizeBytes',
  'StreamViewType',
  'ApproximateCreationDateTimePrecision',
]
export const BASELINE_FIELDS = ['itemtrail', 'table', 'source', 'time', 'Item']
const EVENT_NAMES: readonly EventName[] = ['INSERT', 'MODIFY', 'REMOVE']
const VIEW_TYPES: readonly ViewType[] = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']

const bytesOf = (texts: readonly string[]) => texts.map(text => Buffer.from(text))
const OUTER_NAMES = bytesOf(OUTER_FIELDS)
const INNER_NAMES = bytesOf(INNER_FIELDS)
const BASELINE_NAMES = bytesOf(BASELINE_FIELDS)
const EVENT_NAME_BYTES = bytesOf(EVENT_NAMES)
const VIEW_TYPE_BYTES = bytesOf(VIEW_TYPES)
const NULL = Buffer.from('null')
/** A baseline where its marker comes first, as `capture/baseline.ts` writes it; `rewrite` puts it there. */
const BASELINE = Buffer.from('{"itemtrail":"baseline/v1",')

/**
 * Reads one stream record or baseline by its bytes: the fields of its envelope, its keys and images. Answers `NONE` for
 * a field that it does not know, one that occurs twice, or a value in any form but the usual one.
 */
export class RecordScanner {
  readonly items = new ItemScanner()
  bytes: Buffer = Buffer.alloc(0)
  eventName: EventName | undefined
  /** Of a baseline its source. */
  eventId: string | undefined
  region: string | undefined
  arn: string | undefined
  tableName: string | undefined
  /** JSON of `userIdentity`, as it stands there. */
  userIdentity: string | undefined
  /** As the record counts or writes it. */
  time: number | string | undefined
  timePrecision: string | undefined
  sequence: string | undefined
  sizeBytes: number | undefined
  viewType: ViewType | undefined
  keys: ItemRange | undefined
  oldImage: ItemRange | undefined
  newImage: ItemRange | undefined
  private readonly keysRange = { base: 0, end: 0, from: 0, to: 0 }
  private readonly oldRange = { base: 0, end: 0, from: 0, to: 0 }
  private readonly newRange = { base: 0, end: 0, from: 0, to: 0 }
  private itemEnd = 0
  private isBaseline = false
  private readonly binaryTwice: boolean
  private readonly keyNames: readonly Uint8Array[]

  constructor(table: TableConfiguration) {
    this.binaryTwice = table.capture === 'kinesis'
    this.keyNames = table.keys.flatMap(({ attribute }) => pathBytes([attribute]) ?? [])
  }

  /** The capture that the fields tell, as `stream-record.ts` decides it. */
  get capture(): Capture {
    if (this.isBaseline) return 'baseline'
    return this.arn !== undefined || this.sequence !== undefined ? 'streams' : 'kinesis'
  }

  get timeUnit(): TimeUnit {
    if (this.capture !== 'kinesis') return 's'
    return this.timePrecision === 'MICROSECOND' ? 'us' : 'ms'
  }

  /** Whether binary values were read as the capture encodes them. */
  get isBinaryRight(): boolean {
    const encoding: BinaryEncoding = this.items.binaryTwice ? 'twice' : 'once'
    return !this.items.hasBinary || encoding === (this.capture === 'kinesis' ? 'twice' : 'once')
  }

  /** Reads the document at `at`; what it writes goes to `spare`. Answers where the document ends. */
  record(bytes: Buffer, at: number, spare: number): number {
    this.bytes = bytes
    this.items.reset(bytes, spare)
    this.forget()
    this.isBaseline = after(bytes, at, BASELINE) !== NONE
    this.items.binaryTwice = this.binaryTwice && !this.isBaseline
    return this.isBaseline ? this.baseline(at) : this.members(at, OUTER_NAMES, this.outerField)
  }

  private baseline(at: number): number {
    const end = this.members(at, BASELINE_NAMES, this.baselineField)
    if (end === NONE || this.newImage === undefined || this.time === undefined) return NONE
    this.eventName = 'BASELINE'
    this.keys = this.keysOf(this.newImage)
    return end
  }

  /** The keys of an item as the configuration names them; a baseline has none of its own. */
  private keysOf(item: ItemRange): ItemRange | undefined {
    const { items, keysRange } = this
    keysRange.base = items.slots.top
    return items.pick(item, this.keyNames) ? this.endRange(keysRange) : undefined
  }

  private forget(): void {
    this.eventName = this.eventId = this.region = this.arn = this.tableName = this.userIdentity = undefined
    this.time = this.timePrecision = this.sequence = this.sizeBytes = this.viewType = undefined
    this.keys = this.oldImage = this.newImage = undefined
  }

  /** Reads an object whose fields are all among `fields` and occur once. */
  private members(at: number, fields: readonly Uint8Array[], read: (field: number, at: number) => number): number {
    const { bytes } = this
    let seen = 0
    if (bytes[at] !== OPEN) return NONE
    let position = at + 1
    for (;;) {
      if (bytes[position] !== QUOTE) return NONE
      const end = endOfField(bytes, position + 1)
      if (end === NONE || bytes[end + 1] !== COLON) return NONE
      const field = fieldOf(bytes, position + 1, end, fields)
      if (field === NONE || (seen & (1 << field)) !== 0) return NONE
      seen |= 1 << field
      position = read.call(this, field, end + 2)
      if (position === NONE) return NONE
      if (bytes[position] === CLOSE) return position + 1
      if (bytes[position] !== COMMA) return NONE
      position++
    }
  }

  private outerField(field: number, at: number): number {
    const { bytes } = this
    const name = OUTER_FIELDS[field]
    if (name === 'dynamodb') return this.members(at, INNER_NAMES, this.innerField)
    if (name === 'userIdentity') return this.identity(at)
    const end = this.field(at)
    if (end === NONE) return NONE
    switch (name) {
      case 'eventID':
        this.eventId = this.text(at, end)
        break
      case 'eventName':
        this.eventName = nameOf(EVENT_NAMES, EVENT_NAME_BYTES, bytes, at, end)
        if (this.eventName === undefined) return NONE
        break
      case 'awsRegion':
        this.region = this.text(at, end)
        break
      case 'eventSourceARN':
        this.arn = this.text(at, end)
        break
      case 'tableName':
        this.tableName = this.text(at, end)
    }
    return end
  }

  private baselineField(field: number, at: number): number {
    const name = BASELINE_FIELDS[field]
    if (name === 'Item') {
      this.newImage = this.itemRange(at, this.newRange)
      return this.itemEnd
    }
    const end = this.field(at)
    if (end === NONE) return NONE
    switch (name) {
      case 'table':
        this.tableName = this.text(at, end)
        break
      case 'source':
        this.eventId = this.text(at, end)
        break
      case 'time':
        this.time = this.text(at, end)
    }
    return end
  }

  private innerField(field: number, at: number): number {
    switch (INNER_FIELDS[field]) {
      case 'Keys':
        this.keys = this.itemRange(at, this.keysRange)
        return this.itemEnd
      case 'NewImage':
        this.newImage = this.itemRange(at, this.newRange, this.oldImage)
        return this.itemEnd
      case 'OldImage':
        this.oldImage = this.itemRange(at, this.oldRange, this.newImage)
        return this.itemEnd
      case 'ApproximateCreationDateTime': {
        if (this.bytes[at] === QUOTE) return this.plainField('ApproximateCreationDateTime', at)
        const end = endOfNumber(this.bytes, at)
        this.time = Number(this.bytes.toString('latin1', at, end))
        return end
      }
      case 'SizeBytes': {
        const end = endOfNumber(this.bytes, at)
        this.sizeBytes = Number(this.bytes.toString('latin1', at, end))
        return end
      }
      default:
        return this.plainField(INNER_FIELDS[field], at)
    }
  }

  private plainField(name: string | undefined, at: number): number {
    const end = this.field(at)
    if (end === NONE) return NONE
    switch (name) {
      case 'ApproximateCreationDateTime':
        this.time = this.text(at, end)
        break
      case 'SequenceNumber':
        this.sequence = this.text(at, end)
        break
      case 'StreamViewType':
        this.viewType = nameOf(VIEW_TYPES, VIEW_TYPE_BYTES, this.bytes, at, end)
        if (this.viewType === undefined) return NONE
        break
      case 'ApproximateCreationDateTimePrecision':
        this.timePrecision = this.text(at, end)
    }
    return end
  }

  /** The end of the text field at `at`, its quotes included. */
  private field(at: number): number {
    const quote = this.bytes[at] === QUOTE ? endOfField(this.bytes, at + 1) : NONE
    return quote === NONE ? NONE : quote + 1
  }

  private text(at: number, end: number): string {
    return this.bytes.toString('latin1', at + 1, end - 1)
  }

  private itemRange(at: number, range: ItemRange, like?: ItemRange): ItemRange {
    range.base = this.items.slots.top
    this.itemEnd = this.items.item(at, like)
    return this.endRange(range)
  }

  /** The range that began at its `base`, ended where the scanner is. */
  private endRange(range: ItemRange): ItemRange {
    const { items } = this
    range.end = items.slots.top
    range.from = items.from
    range.to = items.to
    return range
  }

  /** `null`, or an object that `endOfTexts` knows. */
  private identity(at: number): number {
    const { bytes } = this
    const nullEnd = after(bytes, at, NULL)
    if (nullEnd !== NONE || bytes[at] !== OPEN) return nullEnd
    const end = endOfTexts(bytes, at)
    if (end !== NONE) this.userIdentity = bytes.toString('latin1', at, end)
    return end
  }
}

function fieldOf(bytes: Uint8Array, from: number, to: number, fields: readonly Uint8Array[]): number {
  for (let field = 0; field < fields.length; field++) {
    if (isRange(bytes, from, to, fields[field] as Uint8Array)) return field
  }
  return NONE
}

/** The one of `names` that stands between quotes from `at` to `end`. */
function nameOf<Name extends string>(
  names: readonly Name[],
  bytesOfNames: readonly Uint8Array[],
  bytes: Uint8Array,
  at: number,
  end: number,
): Name | undefined {
  return names[fieldOf(bytes, at + 1, end - 1, bytesOfNames)]
}
