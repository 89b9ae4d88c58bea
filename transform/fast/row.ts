import { hash } from 'node:crypto'
import { ROW_VERSION } from '../audit-row.js'
import { formatTimestamp, type Instant } from '../instant.js'
import { type EventName, readTime, regionOfSource, streamOf } from '../stream-record.js'
import { configurationId, type TableConfiguration } from '../table-configuration.js'
import { ChangedNames } from './changed.js'
import type { FoundState } from './declined.js'
import { FlatWriter } from './flat.js'
import type { Output } from './output.js'
import { People } from './people.js'
import type { RecordScanner } from './record.js'
import type { ItemRange } from './slots.js'

/** Writes the row line of the record that a scanner has read. All texts here hold one byte a character. */
export class RowWriter {
  private readonly flat: FlatWriter
  private readonly changed: ChangedNames
  private readonly people: People
  private readonly configId: string
  /** Of what people are called, who are few, in ASCII. */
  private readonly hashes = new Map<string, string>()
  /** Whether every byte of the record is ASCII, so that its texts are hashed as they are. */
  isAscii = true
  /** Of which region the last row is. */
  region: string | undefined

  constructor(
    private readonly table: TableConfiguration,
    private readonly scanner: RecordScanner,
    private readonly output: Output,
  ) {
    this.flat = new FlatWriter(table, scanner.items, output)
    this.changed = new ChangedNames(scanner.items, output, ',"changed":["')
    this.people = new People(table, scanner.items)
    this.configId = configurationId(table)
  }

  /**
   * The time of the change, or undefined where the plain path has to decide. Throws a `Refusal` as the plain path does.
   */
  write(arrival: number): Instant | undefined {
    const { scanner, output } = this
    const { eventName, oldImage, newImage, sizeBytes } = scanner
    const keys = this.keys()
    if (eventName === undefined || keys === undefined) return undefined
    if (sizeBytes !== undefined && !Number.isSafeInteger(sizeBytes)) return undefined
    const envelope = this.envelope()
    if (envelope === undefined) return undefined
    this.region = envelope.region
    const time = readTime(scanner.time, scanner.timeUnit) ?? { us: arrival * 1000, precision: 'arrival' as const }
    this.people.find(eventName, scanner.userIdentity, oldImage, newImage)
    const facts = this.factsOf(eventName, keys, envelope, time)
    this.writeHead(facts)
    output.escaped(scanner.bytes, keys.from, keys.to)
    this.writeImage('","old_image":"', oldImage)
    this.writeImage('","new_image":"', newImage)
    output.text(`"${textMember('old_hash', facts.oldHash)}${textMember('new_hash', facts.newHash)}`)
    this.changed.write(eventName, oldImage, newImage)
    this.writeTail(facts, arrival)
    if (!this.flat.write(keys, oldImage, newImage)) return undefined
    output.text('}\n')
    return time
  }

  /** What the item of a baseline is, or undefined where the plain path has to decide. */
  itemState(): FoundState | undefined {
    const { newImage, capture, time, timeUnit, bytes } = this.scanner
    const keys = this.keys()
    if (capture !== 'baseline' || keys === undefined || newImage === undefined) return undefined
    if (this.envelope() === undefined || readTime(time, timeUnit) === null) return undefined
    const text = ({ from, to }: ItemRange) => bytes.toString(this.isAscii ? 'latin1' : 'utf8', from, to)
    return { itemKey: text(keys), image: text(newImage), hash: this.imageHash(newImage) as string }
  }

  /** The item's keys, where they and all binary values are as they have to be. */
  private keys(): ItemRange | undefined {
    const { items, keys, isBinaryRight } = this.scanner
    return keys !== undefined && items.areKeys(keys, this.table.keys.length) && isBinaryRight ? keys : undefined
  }

  /** What the id, the leaf and the line have in common. */
  private factsOf(eventName: EventName, keys: ItemRange, { source, region, sequence }: Origin, time: Instant): Facts {
    const { scanner } = this
    const key = scanner.bytes.toString('latin1', keys.from, keys.to)
    const oldHash = this.imageHash(scanner.oldImage)
    const newHash = this.imageHash(scanner.newImage)
    const { capture } = scanner
    const eventId = capture === 'kinesis' ? '-' : (scanner.eventId ?? '-')
    const us = scanner.time === undefined ? '-' : time.us
    const hashes = `${oldHash ?? '-'}\n${newHash ?? '-'}`
    const id = this.sha256(
      `${capture}\n${region ?? '-'}\n${this.table.table}\n${key}\n${eventName}\n${us}\n${eventId}\n${sequence ?? '-'}\n${hashes}`,
    )
    return { id: id.slice(0, 32), eventName, key, source, region, sequence, time, oldHash, newHash }
  }

  /** As `leafOf` in `audit-row.ts` puts it together. */
  private rowHash({ id, eventName, key, source, region, sequence, time, oldHash, newHash }: Facts): string {
    const { table, scanner, configId } = this
    const { eventId, viewType } = scanner
    const { actor, actorSource, lastWriter, userIdentity } = this.people
    const record = `${id}\n${eventId ?? '-'}\n${table.table}\n${region ?? '-'}\n${source}\n${viewType ?? '-'}`
    const change = `${eventName}\n${sequence ?? '-'}\n${time.us}\n${time.precision}\n${actorSource}\n${configId}`
    const images = `${oldHash ?? '-'}\n${newHash ?? '-'}`
    const people = `${this.hashOf(actor)}\n${this.hashOf(lastWriter)}\n${this.hashOf(userIdentity)}\n-`
    return hash('sha256', `\0${ROW_VERSION}\n${record}\n${change}\n${images}\n${this.sha256(key)}\n${people}`)
  }

  /** The line up to the content of `item_key`. */
  private writeHead({ id, eventName, source, region, sequence, time }: Facts): void {
    const { eventId, viewType } = this.scanner
    const moment = formatTimestamp(Math.floor(time.us / 1000))
    const name = `{"event_id":"${id}"${textMember('source_event_id', eventId)},"event_name":"${eventName}"`
    const when = `,"event_time":"${moment}","event_time_us":${time.us},"time_precision":"${time.precision}"`
    const where = `,"table_name":"${this.table.table}"${textMember('region', region)},"source":"${source}"`
    const rest = `${textMember('view_type', viewType)},"item_key":"`
    this.output.text(`${name}${when}${textMember('sequence', sequence)}${where}${rest}`)
  }

  /** The line from `actor` to `row_hash`. */
  private writeTail(facts: Facts, arrival: number): void {
    const { configId } = this
    const { actor, actorSource, lastWriter, userIdentity } = this.people
    const { sizeBytes } = this.scanner
    const who = `${jsonMember('actor', actor)},"actor_source":"${actorSource}"${jsonMember('last_writer', lastWriter)}`
    const identity = jsonMember('user_identity', userIdentity)
    const size = sizeBytes === undefined ? '' : `,"size_bytes":${sizeBytes}`
    const arrived = `,"arrived_at":"${formatTimestamp(arrival)}","config_id":"${configId}"`
    this.output.text(
      `${who}${identity}${size}${arrived},"row_version":"${ROW_VERSION}","row_hash":"${this.rowHash(facts)}"`,
    )
  }

  /** Where the record is from; undefined unless that is this table. */
  private envelope(): Origin | undefined {
    const { arn, tableName, capture, eventId, sequence } = this.scanner
    if (capture === 'baseline') {
      if (eventId === undefined || tableName !== this.table.table) return undefined
      return { source: eventId, region: regionOfSource(eventId) ?? undefined, sequence: undefined }
    }
    const stream = arn === undefined ? undefined : streamOf(arn)
    if ((stream === undefined ? tableName : stream.table) !== this.table.table) return undefined
    if (tableName !== undefined && tableName !== this.table.table) return undefined
    const region = this.scanner.region ?? stream?.region
    if (arn === undefined && capture === 'streams') return undefined
    const source = arn ?? `${region ?? '-'}/${this.table.table}`
    if (sequence === undefined || capture === 'kinesis') return { source, region, sequence: undefined }
    return /^\d{1,40}$/.test(sequence) ? { source, region, sequence: sequence.padStart(40, '0') } : undefined
  }

  private sha256(text: string): string {
    return hash('sha256', this.isAscii || !NOT_ASCII.test(text) ? text : Buffer.from(text, 'latin1'))
  }

  private imageHash(image: ItemRange | undefined): string | undefined {
    return image && hash('sha256', this.scanner.bytes.subarray(image.from, image.to))
  }

  private hashOf(text: string | null): string {
    if (text === null) return '-'
    if (text.length > MOST_HASHED || !ASCII.test(text)) return this.sha256(text)
    const known = this.hashes.get(text)
    if (known !== undefined) return known
    const found = this.sha256(text)
    if (this.hashes.size === MOST_HASHES) this.hashes.clear()
    this.hashes.set(text, found)
    return found
  }

  private writeImage(opening: string, image: ItemRange | undefined): void {
    if (image === undefined) return
    this.output.text(opening)
    this.output.escaped(this.scanner.bytes, image.from, image.to)
  }
}

/** Where a record is from. */
interface Origin {
  readonly source: string
  readonly region: string | undefined
  readonly sequence: string | undefined
}

interface Facts extends Origin {
  readonly id: string
  readonly eventName: EventName
  readonly key: string
  readonly time: Instant
  readonly oldHash: string | undefined
  readonly newHash: string | undefined
}

/** Hashes that are kept, and characters of a text of which one is. */
const MOST_HASHES = 1000
const MOST_HASHED = 256

const ASCII = /^[\0-\x7f]*$/
const NOT_ASCII = /[\x80-\xff]/

function textMember(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":"${text}"`
}

function jsonMember(name: string, text: string | null): string {
  return text === null ? '' : `,"${name}":${JSON.stringify(text)}`
}
