import { describe, expect, it } from 'vitest'
import type { AttributeValue, BinaryEncoding } from '../../transform/attribute-value.js'
import { canonicalNumeral } from '../../transform/numeral.js'
import { isKeyToken, replaceKeys } from '../../transform/personal-key.js'

describe('a token in the place of a key', () => {
  const token = '00112233445566778899aabbccddeeff'
  const standsFor = (value: AttributeValue, digits: string, binary: BinaryEncoding) =>
    replaceKeys({ key: value, other: value }, ['key', 'none'], binary, () => digits).key as AttributeValue

  it.each([
    [{ S: 'a' }, /^token:[0-9a-f]{32}$/],
    [{ N: '42' }, /^1\d{36}1$/],
    [{ B: 'AQID' }, /^[A-Za-z0-9+/]+=*$/],
  ])('is a key of the type of %j', (value, form) => {
    const stands = standsFor(value, token, 'once')
    expect(Object.keys(stands)).toEqual(Object.keys(value))
    expect(String(Object.values(stands)[0])).toMatch(form)
    expect([isKeyToken(stands), isKeyToken(value)]).toEqual([true, false])
  })

  it('is a number that DynamoDB takes as it is, whatever its digits', () => {
    for (const digits of [token, '0'.repeat(32), 'f'.repeat(32)]) {
      const { N: number } = standsFor({ N: '1' }, digits, 'once') as { N: string }
      expect(canonicalNumeral(number)).toBe(number)
    }
  })

  it('is encoded as often as the value was', () => {
    const once = standsFor({ B: 'AQID' }, token, 'once') as { B: string }
    const twice = standsFor({ B: 'QVFJRA==' }, token, 'twice') as { B: string }
    expect(Buffer.from(twice.B, 'base64').toString()).toBe(once.B)
  })
})
