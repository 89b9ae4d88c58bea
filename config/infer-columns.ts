import type { AttributeValue } from '../transform/attribute-value.js'
import { fitValue, sizeOfNumeral } from '../transform/flat-column.js'
import type { ConfiguredColumn, ConfiguredKey, DeclaredType } from '../transform/table-configuration.js'
import { nameColumns } from './column-names.js'
import type { ColumnField } from './schema.js'

/** A column that a sample suggests for a top-level attribute. */
export interface InferredColumn {
  readonly attribute: string
  readonly column: string
  /** Its entry under `columns` of the configuration: name and declaration. */
  readonly entry: readonly [name: string, field: ColumnField]
  readonly type: DeclaredType
  readonly unit: 's' | 'ms' | undefined
  /** Values seen in old and new images. */
  readonly values: number
  /** Of these the ones that would not fit, by their type in DynamoDB or the reason. */
  readonly misfits: ReadonlyMap<string, number>
}

/** An attribute that gets no column, and why. */
export interface LeftOut {
  readonly attribute: string
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

  constructor(private readonly name: string) {}

  get values(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }

  note(value: AttributeValue): void {
    const [type] = Object.keys(value) as [ValueType]
    this.counts.set(type, this.count(type) + 1)
    if ('S' in value && fitValue(value, WRITTEN_TIME) !== undefined) this.written++
    if (!('N' in value)) return
    const { before, after } = sizeOfNumeral(value.N)
    this.digits = { before: Math.max(this.digits.before, before), after: Math.max(this.digits.after, after) }
    if (fitValue(value, WHOLE) === undefined) return
    this.whole++
    if (isRecent(Number(value.N) * 1000)) this.recent.s++
    if (isRecent(Number(value.N))) this.recent.ms++
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
      return unit !== undefined && SOUNDS_LIKE_A_TIME.test(this.name) ? ['timestamp', unit] : ['bigint']
    }
    const { before, after } = this.digits
    return before + after <= 38 ? [`decimal(38,${after})`] : ['number']
  }
}

/** From 2001 to 2100: a number in seconds is never one in milliseconds, too. */
function isRecent(ms: number): boolean {
  return ms >= Date.UTC(2001, 0, 1) && ms < Date.UTC(2101, 0, 1)
}

/** A large whole number may be anything; called so it is a time. */
const SOUNDS_LIKE_A_TIME =
  /(^|_)(at|on|time|timestamp|date|ttl|expir\w*)$|[a-z](At|On|Time|Timestamp|Date|Ttl|TTL|Expiry)$/

/** Gathers what the images of one table's changes hold, and suggests its flat columns. */
export class ColumnInference {
  private readonly attributes = new Map<string, Attribute>()

  /** Takes an image in: each attribute with its canonical text. */
  note(image: ReadonlyMap<string, string>): void {
    for (const [name, text] of image) {
      const attribute = this.attributes.get(name) ?? new Attribute(name)
      this.attributes.set(name, attribute)
      attribute.note(JSON.parse(text) as AttributeValue)
    }
  }

  /** The columns of all attributes but the keys, most frequent first where there are too many. */
  infer(keys: readonly ConfiguredKey[]): Inference {
    const isKey = (name: string) => keys.some(({ attribute }) => attribute === name)
    const others = [...this.attributes].filter(([name]) => !isKey(name))
    const fitting = others.filter(([name, attribute]) => name !== '' && attribute.type() !== undefined)
    const kept = new Set(fitting.toSorted(([, a], [, b]) => b.values - a.values).slice(0, MOST_COLUMNS))
    const names = nameColumns(
      keys,
      fitting.filter(entry => kept.has(entry)).map(([name]) => name),
    )
    const why = ([name, attribute]: [string, Attribute]) =>
      fitting.some(([fits]) => fits === name) ? 'one column too many' : typesOf(attribute.counts)
    return {
      columns: fitting
        .filter(entry => kept.has(entry))
        .map(([name, attribute]) => suggest(name, attribute, names.get(name) as ColumnName)),
      leftOut: others.filter(entry => !kept.has(entry)).map(entry => ({ attribute: entry[0], why: why(entry) })),
    }
  }
}

type ColumnName = ReturnType<typeof nameColumns> extends ReadonlyMap<string, infer Name> ? Name : never

function suggest(attribute: string, seen: Attribute, { column: name, isAlias }: ColumnName): InferredColumn {
  const [type, unit] = seen.type() as readonly [DeclaredType, 's' | 'ms' | undefined]
  const declared = { type, ...(unit !== undefined && { unit }) }
  const path = attribute.includes('.') ? [attribute] : attribute
  const field = isAlias ? { attribute: path, ...declared } : unit === undefined ? type : declared
  const fits: readonly ValueType[] =
    type === 'json'
      ? (Object.keys(TYPE_NAMES) as ValueType[])
      : [type === 'boolean' ? 'BOOL' : isText(type, unit) ? 'S' : 'N']
  const misfits = [...seen.counts]
    .filter(([type]) => !fits.includes(type))
    .map(([type, count]) => [TYPE_NAMES[type], count] as const)
  return {
    attribute,
    column: name,
    entry: [isAlias ? name : attribute, field],
    type,
    unit,
    values: seen.values,
    misfits: new Map(misfits),
  }
}

function isText(type: DeclaredType, unit: 's' | 'ms' | undefined): boolean {
  return type === 'string' || (type === 'timestamp' && unit === undefined)
}

function typesOf(counts: ReadonlyMap<ValueType, number>): string {
  return [...counts.keys()].map(type => TYPE_NAMES[type]).join(' or ')
}
