import type { ColumnInfo } from '@aws-sdk/client-athena'
import { Bool, Float64, Int32, Int64, type Table } from 'apache-arrow'
import {
  byBuilder,
  byDays,
  byDecimal,
  byMicroseconds,
  bySixtyFourBits,
  byStringList,
  byText,
  type Chunk,
  type ColumnMapping,
  tableOf,
} from './arrow-columns.js'
import { QueryError } from './engine.js'

/** The type of a column as Athena names it, in lower case. */
export function typeOf({ Type }: ColumnInfo): string {
  return Type?.toLowerCase() ?? 'varchar'
}

/** An answer, its values in their exact form, with the Arrow columns that DuckDB's answer has. */
export function toArrow(columns: readonly ColumnInfo[], chunks: readonly Chunk<string>[]): Table {
  return tableOf(uniqueNames(columns), columns.map(mappingOf), chunks)
}

/** The second column of a name is `name:1`, as DuckDB's client has it. */
function uniqueNames(columns: readonly ColumnInfo[]): readonly string[] {
  const names = columns.map(({ Name }) => Name ?? '')
  return names.map((name, i) => {
    const before = names.slice(0, i).filter(other => other === name).length
    return before === 0 ? name : `${name}:${before}`
  })
}

function mappingOf(column: ColumnInfo): ColumnMapping<string> {
  const type = typeOf(column)
  switch (type) {
    case 'boolean':
      return byBuilder(new Bool(), value => value === 'true')
    case 'tinyint':
    case 'smallint':
    case 'integer':
    // the type of a bare null, which DuckDB calls an integer
    case 'unknown':
      return byBuilder(new Int32(), Number)
    case 'bigint':
      return bySixtyFourBits(new Int64(), BigInt)
    case 'double':
      return byBuilder(new Float64(), Number)
    case 'float':
    case 'real':
      return byBuilder(new Float64(), value => Math.fround(Number(value)))
    case 'decimal': {
      const { Precision = 38, Scale = 0 } = column
      return byDecimal(Precision, Scale, value => unscaled(value, Scale))
    }
    case 'date':
      return byDays(daysOf)
    case 'timestamp':
      return byMicroseconds(null, microsecondsOf)
    case 'timestamp with time zone':
      return byMicroseconds('UTC', microsecondsOf)
    // of what, is not known where there are no rows
    case 'array':
      return byStringList(value => JSON.parse(value))
    default:
      return /^array\((varchar|char)\b/.test(type) ? byStringList(value => JSON.parse(value)) : byText()
  }
}

function unscaled(text: string, scale: number): bigint {
  const [whole, fraction = ''] = text.split('.') as [string, string?]
  return BigInt(whole + fraction.padEnd(scale, '0'))
}

function daysOf(text: string): number {
  const [, year, month, day] = /^(-?\d+)-(\d\d)-(\d\d)$/.exec(text) ?? unreadable('date', text)
  return new Date(0).setUTCFullYear(Number(year), Number(month) - 1, Number(day)) / 86_400_000
}

/** Digits beyond the microsecond are cut off, as DuckDB has none. */
function microsecondsOf(text: string): bigint {
  const [, date, hours, minutes, seconds, fraction = ''] =
    /^(\S+) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?: UTC)?$/.exec(text) ?? unreadable('timestamp', text)
  const whole = ((daysOf(date as string) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
  return BigInt(whole) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
}

function unreadable(type: string, text: string): never {
  throw new QueryError(`athena answered the ${type} ${JSON.stringify(text)}, which is none we can read`)
}
