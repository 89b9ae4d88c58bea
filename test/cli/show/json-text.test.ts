import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toJson } from '../../../cli/show/json-text.js'
import { runs } from '../../transform/arbitraries.js'

describe('JSON for a terminal', () => {
  it('says what it was given, with nothing in it that steers or hides', () => {
    const value = fc.jsonValue({ stringUnit: 'binary' })
    fc.assert(
      fc.property(value, value => {
        const text = toJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u)
      }),
      runs(300),
    )
  })

  it('has integers of any size as digits, at any depth', () => {
    const value = { a: 2n ** 70n, b: [{ c: -1n, d: 'x"\u202e\u001b' }], e: undefined, f: null, g: 1.5 }
    expect(toJson(value)).toBe('{"a":1180591620717411303424,"b":[{"c":-1,"d":"x\\"\\u202e\\u001b"}],"f":null,"g":1.5}')
    expect(toJson(7n)).toBe('7')
  })

  it('leaves out what is undefined, and keeps names as it does texts', () => {
    expect(toJson({ a: undefined, '\u0000\u200b': 'é\u200dü😀' })).toBe('{"\\u0000\\u200b":"é\u200dü😀"}')
    expect(toJson(JSON.parse('{"__proto__":{"S":"x"},"toJSON":{"S":"y"}}'))).toBe(
      '{"__proto__":{"S":"x"},"toJSON":{"S":"y"}}',
    )
  })
})
