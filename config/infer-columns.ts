import type { AttributeValue, Item } from '../transform/attribute-value.js'
import { fitValue, sizeOfNumeral } from '../transform/flat-column.js'
import type { AttributePath, ConfiguredColumn, ConfiguredKey, DeclaredType } from '../transform/table-configuration.js'
import { type ColumnName, nameColumns } from './column-names.js'
import type { ColumnField } from './schema.js'

/** A column that a sample suggests for an attribute, or for a member of one that is a map. */
export interface InferredColumn {
  readonly path: AttributePath
  readonly column: string
  /** Its entry under `columns` of the configuration: name and declaration. */
  readonly entry: readonly [name: string, field: ColumnField]
  readonly type: DeclaredType
  readonly unit: 's' | 'ms' | undefined
  /** Values seen in old and new images. */
  readonly values: number
  /** Of these the ones that would not fit, by their type in DynamoDB or the reason. */
  readonly misfits: ReadonlyMap<string, number>
  /** What of it is a guess; empty where the values leave no choice. */
  readonly guess: string
}

/** An attribute that gets no column, and why. */
export interface LeftOut {
  readonly path: AttributePath
  readonly why: string
}

/** What a sample suggests for one table. */
export interface Inference {
  readonly columns: readonly InferredColumn[]
  readonly leftOut: readonly LeftOut[]
}

/** The type of a value in DynamoDB. */
type ValueType = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'M' | 'L' | 'SS' | 'NS' | 'BS'

const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
  S: 'string',
  N: 'number',
  B: 'binary',
  BOOL: 'boolean',
  NULL: 'null',
  M: 'map',
  L: 'list',
  SS: 'set of strings',
  NS: 'set of numbers',
  BS: 'set of binaries',
}

/** A table of more columns than this is no help to anybody; the images have everything. */
const MOST_COLUMNS = 50
/** A type is right for an attribute where so large a part of its values fits. */
const ENOUGH = 0.95
/** A map with more members than a record has is keyed by something, and each key would be a column. */
const MOST_MEMBERS = 20
/** A member is worth a column where so large a part of the maps has it. */
const USUAL = 0.5
/** Digits behind the point that an amount has room for: a currency has up to three, a price of a part of one more. */
const ROOM = 4

const column = (type: DeclaredType, unit?: 's' | 'ms'): ConfiguredColumn => ({
  column: 'c',
  path: ['c'],
  type,
  ...(unit !== undefined && { unit }),
})
const WHOLE = column('bigint')
const WRITTEN_TIME = column('timestamp')

/** What was seen of one attribute. */
class Attribute {
  readonly counts = new Map<ValueType, number>()
  private written = 0
  private whole = 0
  /** Digits before and after the point, at most. */
  private digits = { before: 0, after: 0 }
  /** Of the whole numbers, as seconds and as milliseconds since 1970, those in our time. */
  private recent = { s: 0, ms: 0 }

  /** Of a map: what was seen of its members; undefined once there are too many. */
  members: Map<string, Attribute> | undefined = new Map()

  constructor(readonly path: AttributePath) {}

  private get name(): string {
    return this.path.at(-1) as string
  }

  get values(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }

  note(value: AttributeValue): void {
    const [type] = Object.keys(value) as [ValueType]
    this.counts.set(type, this.count(type) + 1)
    if ('S' in value && fitValue(value, WRITTEN_TIME) !== undefined) this.written++
    if ('M' in value) this.noteMembers(value.M)
    if (!('N' in value)) return
    const { before, after } = sizeOfNumeral(value.N)
    this.digits = { before: Math.max(this.digits.before, before), after: Math.max(this.digits.after, after) }
    if (fitValue(value, WHOLE) === undefined) return
    this.whole++
    if (isRecent(Number(value.N) * 1000)) this.recent.s++
    if (isRecent(Number(value.N))) this.recent.ms++
  }

  /** One level of members: deeper ones are looked up in the images. */
  private noteMembers(map: Item): void {
    if (this.path.length > 1) return
    for (const [name, value] of Object.entries(map)) {
      if (this.members === undefined) return
      const member = this.members.get(name) ?? new Attribute([...this.path, name])
      this.members.set(name, member)
      member.note(value)
      if (this.members.size > MOST_MEMBERS) this.members = undefined
    }
  }

  /** The members that most of its maps have; none of what is not a map. */
  usualMembers(): readonly Attribute[] {
    const maps = this.count('M')
    if (maps === 0 || maps < (this.values - this.count('NULL')) * ENOUGH) return []
    return [...(this.members?.values() ?? [])].filter(({ values }) => values >= maps * USUAL)
  }

  count(type: ValueType): number {
    return this.counts.get(type) ?? 0
  }

  /** The type that fits, with its unit; undefined where a column would say little. */
  type(): readonly [type: DeclaredType, unit?: 's' | 'ms'] | undefined {
    const told = this.values - this.count('NULL')
    const scalars = (['S', 'N', 'BOOL'] as const).map(type => [type, this.count(type)] as const)
    const [main, most] = scalars.reduce((best, next) => (next[1] > best[1] ? next : best))
    if (told === 0 || most === 0) return undefined
    if (most >= told * ENOUGH) return this.scalarType(main)
    return scalars.reduce((sum, [, count]) => sum + count, 0) >= told * ENOUGH ? ['json'] : undefined
  }

  private scalarType(main: 'S' | 'N' | 'BOOL'): readonly [type: DeclaredType, unit?: 's' | 'ms'] {
    if (main === 'BOOL') return ['boolean']
    const count = this.count(main)
    if (main === 'S') return [this.written === count ? 'timestamp' : 'string']
    if (this.whole === count) {
      const unit = (['s', 'ms'] as const).find(unit => this.recent[unit] === count)
      if (unit !== undefined && SOUNDS_LIKE_A_TIME.test(this.name)) return ['timestamp', unit]
      return this.isMoney ? [`decimal(38,${ROOM})`] : ['bigint']
    }
    const { before, after } = this.digits
    // a number of many digits that never had a fraction, such as an id, gets none
    const room = after === 0 ? 0 : Math.max(after, ROOM)
    if (before + room <= 38) return [`decimal(38,${room})`]
    return before + after <= 38 ? [`decimal(38,${after})`] : ['number']
  }

  /** What of its type the values do not tell. */
  get guess(): string {
    const [type, unit] = this.type() ?? []
    if (unit !== undefined) return 'a time by its name'
    if (type?.startsWith('decimal') !== true || type.endsWith(',0)')) return ''
    const { after } = this.digits
    if (after === 0) return `an amount by its name, all seen are whole, room for ${ROOM} digits behind the point`
    return type.endsWith(`,${after})`)
      ? ''
      : `${after} ${after === 1 ? 'digit' : 'digits'} behind the point seen, room for ${ROOM}`
  }

  private get isMoney(): boolean {
    return SOUNDS_LIKE_MONEY.test(this.name) && !/cent|minor|micro/i.test(this.name)
  }
}

/** From 2001 to 2100: a number in seconds is never one in milliseconds, too. */
function isRecent(ms: number): boolean {
  return ms >= Date.UTC(2001, 0, 1) && ms < Date.UTC(2101, 0, 1)
}

/** A large whole number may be anything; called so it is a time. */
const SOUNDS_LIKE_A_TIME =
  /(^|_)(at|on|time|timestamp|date|ttl|expir\w*)$|[a-z](At|On|Time|Timestamp|Date|Ttl|TTL|Expiry)$/

/** A sample of whole amounts does not say that the next one is whole, unless it counts the smallest coin. */
const SOUNDS_LIKE_MONEY =
  /(^|_)(amount|price|total|subtotal|cost|fee|tax|refund|balance|discount)$|[a-z](Amount|Price|Total|Cost|Fee|Tax|Refund|Balance|Discount)$/

/** Gathers what the images of one table's changes hold, and suggests its flat columns. */
export class ColumnInference {
  private readonly attributes = new Map<string, Attribute>()

  /** Takes an image in: each attribute with its canonical text. */
  note(image: ReadonlyMap<string, string>): void {
    for (const [name, text] of image) {
      const attribute = this.attributes.get(name) ?? new Attribute([name])
      this.attributes.set(name, attribute)
      attribute.note(JSON.parse(text) as AttributeValue)
    }
  }

  /** The columns of all attributes but the keys, most frequent first where there are too many. */
  infer(keys: readonly ConfiguredKey[]): Inference {
    const others = [...this.attributes.values()].filter(
      ({ path: [name] }) => !keys.some(({ attribute }) => attribute === name),
    )
    const parts = others.map(attribute => [attribute, attribute.usualMembers().filter(hasColumn)] as const)
    const fitting = [...others.filter(hasColumn), ...parts.flatMap(([, members]) => members)]
    const kept = new Set(fitting.toSorted((a, b) => b.values - a.values).slice(0, MOST_COLUMNS))
    const columns = fitting.filter(attribute => kept.has(attribute))
    const names = nameColumns(
      keys,
      columns.map(({ path }) => path),
    )
    const isTaken = ([attribute, members]: (typeof parts)[number]) =>
      kept.has(attribute) || members.some(member => kept.has(member))
    const why = (attribute: Attribute) => (hasColumn(attribute) ? 'one column too many' : typesOf(attribute.counts))
    return {
      columns: columns.map((attribute, i) => suggest(attribute, names[i] as ColumnName)),
      leftOut: parts
        .filter(part => !isTaken(part))
        .map(([attribute]) => ({ path: attribute.path, why: why(attribute) })),
    }
  }
}

function hasColumn(attribute: Attribute): boolean {
  return !attribute.path.includes('') && attribute.type() !== undefined
}

function suggest(seen: Attribute, { column: name, isAlias }: ColumnName): InferredColumn {
  const { path, guess } = seen
  const [type, unit] = seen.type() as readonly [DeclaredType, 's' | 'ms' | undefined]
  const declared = { type, ...(unit !== undefined && { unit }) }
  const attribute = path.some(part => part.includes('.')) ? [...path] : path.join('.')
  const field = isAlias ? { attribute, ...declared } : unit === undefined ? type : declared
  const fits: readonly ValueType[] =
    type === 'json'
      ? (Object.keys(TYPE_NAMES) as ValueType[])
      : [type === 'boolean' ? 'BOOL' : isText(type, unit) ? 'S' : 'N']
  const misfits = [...seen.counts]
    .filter(([type]) => !fits.includes(type))
    .map(([type, count]) => [TYPE_NAMES[type], count] as const)
  return {
    path,
    column: name,
    entry: [isAlias ? name : (path[0] as string), field],
    type,
    unit,
    values: seen.values,
    misfits: new Map(misfits),
    guess,
  }
}

function isText(type: DeclaredType, unit: 's' | 'ms' | undefined): boolean {
  return type === 'string' || (type === 'timestamp' && unit === undefined)
}

function typesOf(counts: ReadonlyMap<ValueType, number>): string {
  return [...counts.keys()].map(type => TYPE_NAMES[type]).join(' or ')
}
