import { hash } from 'node:crypto'
import { ROW_VERSION } from '../audit-row.js'
import { type ActorSource, actorOf, servicePrincipal } from '../change.js'
import { formatTimestamp, type Instant } from '../instant.js'
import { canonicalJson, splitDocuments } from '../json.js'
import { QUOTE } from '../json-bytes.js'
import { type EventName, readTime, regionOfSource, streamOf } from '../stream-record.js'
import { configurationId, type TableConfiguration } from '../table-configuration.js'
import { AttributeFinder } from './attribute.js'
import { compareRanges, pathBytes } from './bytes.js'
import { FlatWriter } from './flat.js'
import type { Output } from './output.js'
import type { RecordScanner } from './record.js'
import { type ItemRange, SLOT } from './slots.js'

const B = 0x42
const N = 0x4e
const S = 0x53

/** Writes the row line of the record that a scanner has read. All texts here hold one byte a character. */
export class RowWriter {
  private readonly flat: FlatWriter
  private readonly finder: AttributeFinder
  private readonly actorPath: readonly Uint8Array[] | undefined
  private readonly configId: string
  /** Whether every byte of the record is ASCII, so that its texts are hashed as they are. */
  isAscii = true
  private actor: string | null = null
  private separator = ''
  private actorSource: ActorSource = 'unknown'
  private lastWriter: string | null = null
  private userIdentity: string | null = null
  private identity = { json: '', canonical: null as string | null, principal: null as string | null }

  constructor(
    private readonly table: TableConfiguration,
    private readonly scanner: RecordScanner,
    private readonly output: Output,
  ) {
    this.flat = new FlatWriter(table, scanner.items, output)
    this.finder = new AttributeFinder(scanner.items)
    this.actorPath = table.actor && pathBytes(table.actor)
    this.configId = configurationId(table)
  }

  /**
   * The time of the change, or undefined where the plain path has to decide. Throws a `Refusal` as the plain path does.
   */
  write(arrival: number): Instant | undefined {
    const { scanner, output } = this
    const { eventName, keys, oldImage, newImage, sizeBytes } = scanner
    if (eventName === undefined || keys === undefined || !this.areKeys(keys) || !scanner.isBinaryRight) return undefined
    if (sizeBytes !== undefined && !Number.isSafeInteger(sizeBytes)) return undefined
    const envelope = this.envelope()
    if (envelope === undefined) return undefined
    const time = readTime(scanner.time, scanner.timeUnit) ?? { us: arrival * 1000, precision: 'arrival' as const }
    this.findActor(oldImage, newImage)
    const facts = this.factsOf(eventName, keys, envelope, time)
    this.writeHead(facts)
    output.escaped(scanner.bytes, keys.from, keys.to)
    this.writeImage('","old_image":"', oldImage)
    this.writeImage('","new_image":"', newImage)
    output.text(`"${textMember('old_hash', facts.oldHash)}${textMember('new_hash', facts.newHash)}`)
    this.writeChanged(oldImage, newImage)
    this.writeTail(facts, arrival)
    if (!this.flat.write(keys, oldImage, newImage)) return undefined
    output.text('}\n')
    return time
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
    const { table, scanner, actorSource, configId } = this
    const { eventId, viewType } = scanner
    const record = `${id}\n${eventId ?? '-'}\n${table.table}\n${region ?? '-'}\n${source}\n${viewType ?? '-'}`
    const change = `${eventName}\n${sequence ?? '-'}\n${time.us}\n${time.precision}\n${actorSource}\n${configId}`
    const images = `${oldHash ?? '-'}\n${newHash ?? '-'}`
    const people = `${this.hashOf(this.actor)}\n${this.hashOf(this.lastWriter)}\n${this.hashOf(this.userIdentity)}\n-`
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
    const { actor, actorSource, lastWriter, userIdentity, configId } = this
    const { sizeBytes } = this.scanner
    const who = `${jsonMember('actor', actor)},"actor_source":"${actorSource}"${jsonMember('last_writer', lastWriter)}`
    const identity = jsonMember('user_identity', userIdentity)
    const size = sizeBytes === undefined ? '' : `,"size_bytes":${sizeBytes}`
    const arrived = `,"arrived_at":"${formatTimestamp(arrival)}","config_id":"${configId}"`
    this.output.text(
      `${who}${identity}${size}${arrived},"row_version":"${ROW_VERSION}","row_hash":"${this.rowHash(facts)}"`,
    )
  }

  /** DynamoDB's keys are texts, numbers and binary; a configuration names them all. */
  private areKeys({ base, end }: ItemRange): boolean {
    const { bytes, items } = this.scanner
    if (base === end || (this.table.keys.length > 0 && end - base !== SLOT * this.table.keys.length)) return false
    for (let slot = base; slot < end; slot += SLOT) {
      const from = items.slots.ints[slot + 3] as number
      const type = bytes[from + 2]
      if (bytes[from + 3] !== QUOTE || (type !== S && type !== N && type !== B)) return false
    }
    return true
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
    return text === null ? '-' : this.sha256(text)
  }

  /** As `change.ts` finds it. */
  private findActor(oldImage: ItemRange | undefined, newImage: ItemRange | undefined): void {
    const json = this.scanner.userIdentity
    if (json !== undefined && json !== this.identity.json) this.identity = readIdentity(json)
    this.userIdentity = json === undefined ? null : this.identity.canonical
    const isBaseline = this.scanner.eventName === 'BASELINE'
    const principal = json === undefined ? null : this.identity.principal
    this.actor = principal ?? (isBaseline ? null : this.actorIn(newImage))
    this.actorSource = principal !== null ? 'service' : this.actor !== null ? 'new_image' : 'unknown'
    this.lastWriter = this.actorIn(isBaseline ? newImage : oldImage)
  }

  private actorIn(image: ItemRange | undefined): string | null {
    const { finder, actorPath } = this
    if (image === undefined || actorPath === undefined || !finder.find(image, actorPath)) return null
    const actor = finder.content ?? bytesOf(actorOf(finder.value, 'once'))
    return actor === '' ? null : actor
  }

  private writeImage(opening: string, image: ItemRange | undefined): void {
    if (image === undefined) return
    this.output.text(opening)
    this.output.escaped(this.scanner.bytes, image.from, image.to)
  }

  private writeChanged(oldImage: ItemRange | undefined, newImage: ItemRange | undefined): void {
    this.separator = ',"changed":["'
    switch (this.scanner.eventName) {
      case 'INSERT':
        if (newImage !== undefined) this.writeNames(newImage)
        break
      case 'REMOVE':
        if (oldImage !== undefined) this.writeNames(oldImage)
        break
      case 'MODIFY':
        if (oldImage !== undefined && newImage !== undefined) this.writeDifferences(oldImage, newImage)
    }
    if (this.separator === '","') this.output.text('"]')
  }

  private writeNames({ base, end }: ItemRange): void {
    const { order } = this.scanner.items.slots
    for (let i = base; i < end; i += SLOT) this.writeName(order[i / SLOT] as number)
  }

  /** Both sides are sorted, so they are walked side by side. */
  private writeDifferences(oldImage: ItemRange, newImage: ItemRange): void {
    const { slots } = this.scanner.items
    const { order } = slots
    let i = oldImage.base
    let j = newImage.base
    while (i < oldImage.end || j < newImage.end) {
      const before = order[i / SLOT] as number
      const after = order[j / SLOT] as number
      const relation = i === oldImage.end ? 1 : j === newImage.end ? -1 : slots.compare(before, after)
      if (relation !== 0 || this.differ(before, after)) this.writeName(relation < 0 ? before : after)
      if (relation <= 0) i += SLOT
      if (relation >= 0) j += SLOT
    }
  }

  private differ(a: number, b: number): boolean {
    const { bytes, items } = this.scanner
    const { ints } = items.slots
    const from = ints[a + 3] as number
    const to = ints[a + 4] as number
    const other = ints[b + 3] as number
    const otherEnd = ints[b + 4] as number
    return to - from !== otherEnd - other || compareRanges(bytes, from, to, other, otherEnd) !== 0
  }

  private writeName(slot: number): void {
    const { bytes, items } = this.scanner
    this.output.text(this.separator)
    this.output.range(bytes, items.slots.ints[slot + 1] as number, items.slots.ints[slot + 2] as number)
    this.separator = '","'
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

const NOT_ASCII = /[\x80-\xff]/

/** A text of one byte a character. */
function bytesOf(text: string | null): string | null {
  return text === null ? null : Buffer.from(text).toString('latin1')
}

function textMember(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":"${text}"`
}

function jsonMember(name: string, text: string | null): string {
  return text === null ? '' : `,"${name}":${JSON.stringify(text)}`
}

function readIdentity(json: string) {
  const text = Buffer.from(json, 'latin1').toString()
  const canonical = canonicalJson(splitDocuments(text)[0]?.value, 'userIdentity')
  return { json, canonical: bytesOf(canonical), principal: bytesOf(servicePrincipal(canonical)) }
}
