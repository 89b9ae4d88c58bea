import { hash } from 'node:crypto'
import { ROW_VERSION } from '../audit-row.js'
import { type ActorSource, actorOf, servicePrincipal } from '../change.js'
import { formatTimestamp, type Instant } from '../instant.js'
import { canonicalJson, readDocuments } from '../json.js'
import { readTime, streamOf } from '../stream-record.js'
import { configurationId, type TableConfiguration } from '../table-configuration.js'
import { AttributeFinder, pathBytes } from './attribute.js'
import { compareRanges, QUOTE } from './bytes.js'
import { FlatWriter } from './flat.js'
import { SLOT } from './item.js'
import type { Output } from './output.js'
import type { ItemRange, RecordScanner } from './record.js'

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
  private identity = { json: '', canonical: '', principal: null as string | null }

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

  /** The time of the change, or undefined where the plain path has to decide. Throws a `Refusal` as the plain path does. */
  write(arrival: number): Instant | undefined {
    const { scanner, output } = this
    const { eventName, keys, oldImage, newImage, capture, sizeBytes } = scanner
    if (eventName === undefined || keys === undefined || !this.areKeys(keys) || !scanner.isBinaryRight) return undefined
    const envelope = this.envelope()
    if (envelope === undefined) return undefined
    if (sizeBytes !== undefined && !Number.isSafeInteger(sizeBytes)) return undefined
    const time = readTime(scanner.time, scanner.timeUnit) ?? { us: arrival * 1000, precision: 'arrival' }
    const { bytes } = scanner
    const oldHash = this.imageHash(oldImage)
    const newHash = this.imageHash(newImage)
    const key = bytes.toString('latin1', keys.from, keys.to)
    const { source, region, sequence } = envelope
    const eventId = scanner.eventId
    const id = this.sha256(
      `${capture}\n${source}\n${key}\n${eventName}\n${scanner.time === undefined ? '-' : time.us}\n${(capture === 'kinesis' ? undefined : eventId) ?? '-'}\n${sequence ?? '-'}\n${oldHash ?? '-'}\n${newHash ?? '-'}`,
    ).slice(0, 32)
    if (!this.findActor(oldImage, newImage)) return undefined
    const { actor, actorSource, configId, identity } = this
    const userIdentity = scanner.userIdentity === undefined ? null : identity.canonical
    const viewType = scanner.viewType
    const rowHash = hash(
      'sha256',
      `\0${ROW_VERSION}\n${id}\n${eventId ?? '-'}\n${this.table.table}\n${region ?? '-'}\n${source}\n${viewType ?? '-'}\n${eventName}\n${sequence ?? '-'}\n${time.us}\n${time.precision}\n${actorSource}\n${configId}\n${oldHash ?? '-'}\n${newHash ?? '-'}\n${this.sha256(key)}\n${actor === null ? '-' : this.sha256(actor)}\n${userIdentity === null ? '-' : this.sha256(userIdentity)}\n-`,
    )
    output.text(
      `{"event_id":"${id}"${textMember('source_event_id', eventId)},"event_name":"${eventName}","event_time":"${formatTimestamp(Math.floor(time.us / 1000))}","event_time_us":${time.us},"time_precision":"${time.precision}"${textMember('sequence', sequence)},"table_name":"${this.table.table}"${textMember('region', region)},"source":"${source}"${textMember('view_type', viewType)},"item_key":"`,
    )
    output.escaped(bytes, keys.from, keys.to)
    this.writeImage('","old_image":"', oldImage)
    this.writeImage('","new_image":"', newImage)
    output.text(`"${textMember('old_hash', oldHash)}${textMember('new_hash', newHash)}`)
    this.writeChanged(oldImage, newImage)
    output.text(
      `${actor === null ? '' : `,"actor":${JSON.stringify(actor)}`},"actor_source":"${actorSource}"${userIdentity === null ? '' : `,"user_identity":${JSON.stringify(userIdentity)}`}${sizeBytes === undefined ? '' : `,"size_bytes":${sizeBytes}`},"arrived_at":"${formatTimestamp(arrival)}","config_id":"${configId}","row_version":"${ROW_VERSION}","row_hash":"${rowHash}"`,
    )
    if (!this.flat.write(keys, oldImage, newImage)) return undefined
    output.text('}\n')
    return time
  }

  /** DynamoDB's keys are texts, numbers and binary; a configuration names them all. */
  private areKeys({ base, end }: ItemRange): boolean {
    const { bytes, items } = this.scanner
    if (base === end || (this.table.keys.length > 0 && end - base !== SLOT * this.table.keys.length)) return false
    for (let slot = base; slot < end; slot += SLOT) {
      const from = items.slots[slot + 3] as number
      const type = bytes[from + 2]
      if (bytes[from + 3] !== QUOTE || (type !== S && type !== N && type !== B)) return false
    }
    return true
  }

  /** Where the record is from; undefined unless that is this table. */
  private envelope(): { source: string; region: string | undefined; sequence: string | undefined } | undefined {
    const { arn, tableName, capture, sequence } = this.scanner
    const stream = arn === undefined ? undefined : streamOf(arn)
    if ((stream === undefined ? tableName : stream.table) !== this.table.table) return undefined
    if (tableName !== undefined && tableName !== this.table.table) return undefined
    const region = this.scanner.region ?? stream?.region
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

  /** As `change.ts` finds it. False where the plain path has to. */
  private findActor(oldImage: ItemRange | undefined, newImage: ItemRange | undefined): boolean {
    const { userIdentity } = this.scanner
    this.actor = null
    this.actorSource = 'unknown'
    if (userIdentity !== undefined) {
      if (userIdentity !== this.identity.json) this.identity = readIdentity(userIdentity)
      this.actor = this.identity.principal
      if (this.actor !== null) this.actorSource = 'service'
    }
    if (this.actor === null && this.actorIn(newImage)) this.actorSource = 'new_image'
    if (this.actor === null && this.actorIn(oldImage)) this.actorSource = 'old_image'
    return true
  }

  private actorIn(image: ItemRange | undefined): boolean {
    const { finder, actorPath } = this
    if (image === undefined || actorPath === undefined || !finder.find(image, actorPath)) return false
    this.actor = finder.content ?? bytesOf(actorOf(finder.value))
    if (this.actor === '') this.actor = null
    return this.actor !== null
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
      default:
        if (oldImage !== undefined && newImage !== undefined) this.writeDifferences(oldImage, newImage)
    }
    if (this.separator === '","') this.output.text('"]')
  }

  private writeNames({ base, end }: ItemRange): void {
    const { order } = this.scanner.items
    for (let i = base; i < end; i += SLOT) this.writeName(order[i / SLOT] as number)
  }

  /** Both sides are sorted, so they are walked side by side. */
  private writeDifferences(oldImage: ItemRange, newImage: ItemRange): void {
    const { items } = this.scanner
    const { order } = items
    let i = oldImage.base
    let j = newImage.base
    while (i < oldImage.end || j < newImage.end) {
      const before = order[i / SLOT] as number
      const after = order[j / SLOT] as number
      const relation = i === oldImage.end ? 1 : j === newImage.end ? -1 : items.compare(before, after)
      if (relation !== 0 || this.differ(before, after)) this.writeName(relation < 0 ? before : after)
      if (relation <= 0) i += SLOT
      if (relation >= 0) j += SLOT
    }
  }

  private differ(a: number, b: number): boolean {
    const { bytes, items } = this.scanner
    const { slots } = items
    const from = slots[a + 3] as number
    const to = slots[a + 4] as number
    const other = slots[b + 3] as number
    const otherEnd = slots[b + 4] as number
    return to - from !== otherEnd - other || compareRanges(bytes, from, to, other, otherEnd) !== 0
  }

  private writeName(slot: number): void {
    const { bytes, items } = this.scanner
    this.output.text(this.separator)
    this.output.range(bytes, items.slots[slot + 1] as number, items.slots[slot + 2] as number)
    this.separator = '","'
  }
}

const NOT_ASCII = /[\x80-\xff]/

/** A text of one byte a character. */
function bytesOf(text: string | null): string | null {
  return text === null ? null : Buffer.from(text).toString('latin1')
}

function textMember(name: string, text: string | null | undefined): string {
  return text === undefined || text === null ? '' : `,"${name}":"${text}"`
}

function readIdentity(json: string) {
  const canonical = canonicalJson(readDocuments(json)[0]?.value, 'userIdentity')
  return { json, canonical, principal: servicePrincipal(canonical) }
}
