import { execFileSync } from 'node:child_process'
import { aessiv } from '@noble/ciphers/aes.js'
import { describe, expect, it } from 'vitest'
import { fieldKeyOf, openText, sealText } from '../../erasure/field.js'

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const PLACE = { table: 'Orders', path: ['lines', '*', 'note'], token: 'ab'.repeat(16), generation: 1 }
const KEY = fieldKeyOf(new Uint8Array(32).fill(7))

describe('a field', () => {
  it('is AES-SIV as RFC 5297 has it (A.1)', () => {
    const key = hex('fffefdfc fbfaf9f8 f7f6f5f4 f3f2f1f0 f0f1f2f3 f4f5f6f7 f8f9fafb fcfdfeff')
    const associated = hex('10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627')
    const sealed = aessiv(key, associated).encrypt(hex('11223344 55667788 99aabbcc ddee'))
    expect(Buffer.from(sealed).toString('hex')).toBe('85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c')
  })

  it('is AES-SIV as RFC 5297 has it, of several strings (A.2)', () => {
    const key = hex('7f7e7d7c 7b7a7978 77767574 73727170 40414243 44454647 48494a4b 4c4d4e4f')
    const associated = [
      '00112233 44556677 8899aabb ccddeeff deaddada deaddada ffeeddcc bbaa9988 77665544 33221100',
      '10203040 50607080 90a0',
      '09f91102 9d74e35b d84156c5 635688c0',
    ].map(hex)
    const text = '7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553'
    expect(Buffer.from(aessiv(key, ...associated).encrypt(hex(text))).toString('hex')).toBe(
      '7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d',
    )
  })

  it('opens where it was sealed, and nowhere else', () => {
    const sealed = sealText('{"S":"Ann \u{1f600}"}', KEY, PLACE)
    expect(openText(sealed, KEY, PLACE)).toBe('{"S":"Ann \u{1f600}"}')
    const others = [
      { ...PLACE, table: 'Order' },
      { ...PLACE, path: ['lines', 'note'] },
      { ...PLACE, token: 'cd'.repeat(16) },
      { ...PLACE, generation: 2 },
    ]
    for (const place of others) expect(openText(sealed, KEY, place)).toBeUndefined()
    expect(openText(sealed, fieldKeyOf(new Uint8Array(32)), PLACE)).toBeUndefined()
    expect(openText(`A${sealed.slice(1)}`, KEY, PLACE)).toBeUndefined()
    expect(openText('AAAA', KEY, PLACE)).toBeUndefined()
  })

  it('is the same of the same value, and of one length for short ones', () => {
    const sealed = ['{"S":"yes"}', '{"S":"no"}', '{"BOOL":true}'].map(text => sealText(text, KEY, PLACE))
    expect(sealText('{"S":"yes"}', KEY, PLACE)).toBe(sealed[0])
    expect(new Set(sealed.map(text => text.length))).toEqual(new Set([64]))
  })

  it.skipIf(!hasCryptography())('is opened by Python, which had no part in it', () => {
    const sealed = sealText('{"S":"Ann"}', KEY, PLACE)
    const associated = ['itemtrail/field/1', 'Orders', '["lines","*","note"]', PLACE.token, '1']
    const program = `
import base64, json, sys
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives import hashes
sealed, associated = json.loads(sys.argv[1])
key = HKDF(hashes.SHA256(), 64, None, b'itemtrail/field/1').derive(bytes([7] * 32))
found = AESSIV(key).decrypt(base64.urlsafe_b64decode(sealed + '=='), [text.encode() for text in associated])
print(found.decode().rstrip())`
    const found = execFileSync('python3', ['-c', program, JSON.stringify([sealed, associated])])
    expect(found.toString()).toBe('{"S":"Ann"}\n')
  })
})

function hasCryptography(): boolean {
  try {
    execFileSync('python3', ['-c', 'from cryptography.hazmat.primitives.ciphers.aead import AESSIV'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}
