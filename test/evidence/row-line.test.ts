import { describe, expect, it } from 'vitest'
import { formatRowLine, parseRowLines } from '../../evidence/row-line.js'

describe('a line of a row', () => {
  it('is read as it was written, numbers beyond 2^53 among it', () => {
    const row = { event_id: 'a"1234567890123456789', event_time_us: 1764000000000000, old_price: 1.5e-7, n: 1e21 }
    expect(parseRowLines(formatRowLine(row))).toEqual([row])
    const exact = formatRowLine({ ...row, new_total: 12345678901234567890123n, old_total: -9007199254740993n })
    expect(parseRowLines(exact)).not.toContain(undefined)
    expect(parseRowLines('')).toEqual([])
  })

  it.each([
    '{"a":1}',
    '{"a":1,"a":1}\n',
    '{"a":1,"\\u0061":1}\n',
    '{"a": 1}\n',
    '{"a":1}\r\n',
    '\ufeff{"a":1}\n',
    '{"a":null}\n',
    '{"a":1.0}\n',
    '{"a":{"b":1,"b":2}}\n',
    '{"a":9007199254740993,"a":1}\n',
    '[]\n',
    '\n',
  ])('is none: %j', text => {
    expect(parseRowLines(text)).toEqual([undefined])
  })
})
