import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sealingOf } from '../../erasure/seal-image.js'
import { canonicalKey, storedKey } from '../../queries/item-key.js'
import type { Item } from '../../transform/attribute-value.js'
import { transformRecord } from '../../transform/transform.js'
import { type Attributes, kinesisDocument, streamsRecord, tableConfiguration } from '../factories.js'
import { runs } from '../transform/arbitraries.js'

const KEYS = ['pk', 'a.b "sk"']
const CONFIGURED = tableConfiguration({
  keys: KEYS.map((attribute, i) => ({ attribute, column: `k${i}` })),
  keyIsPersonal: KEYS,
  erasable: [{ subject: ['pk'], values: [{ path: ['name'] }] }],
})
const TABLE = {
  ...CONFIGURED,
  seal: sealingOf(CONFIGURED, {
    tokenOf: id => hash('sha256', id).slice(0, 32),
    current: () => ({ state: 'live', generation: 1, fieldKey: new Uint8Array(64).fill(7) }),
    find: () => undefined,
  }),
}

const value = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }).map(S => ({ S })),
  fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }).map(n => ({ N: String(n) })),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map(bytes => ({ B: Buffer.from(bytes).toString('base64') })),
)
it('has one token for a key, however it comes, and however it is asked for', () => {
  fc.assert(
    fc.property(value, value, (pk, sk) => {
      const Keys: Attributes = { [KEYS[0] as string]: pk, [KEYS[1] as string]: sk }
      const NewImage: Attributes = { ...Keys, name: { S: 'Ann' } }
      const documents = [
        streamsRecord({ Keys, NewImage, OldImage: undefined, eventName: 'INSERT' }),
        kinesisDocument({ Keys, NewImage, OldImage: undefined, eventName: 'INSERT' }),
      ]
      const rows = documents.map(document => {
        const made = transformRecord(Buffer.from(JSON.stringify(document)), Date.now(), TABLE)
        if (made.kind === 'refused') throw new Error(made.reason)
        return made.rows[0]
      })
      const asked = canonicalKey(Keys, JSON.stringify(Keys))
      const stored = storedKey(asked, TABLE)
      expect(rows.map(row => row?.item_key)).toEqual([stored, stored])
      // asked by the token it is the same, and nothing of the key is left in the row but its kind
      expect(storedKey(stored, TABLE)).toBe(stored)
      expect(stored).not.toBe(asked)
      for (const row of rows)
        for (const [name, one] of Object.entries(JSON.parse(row?.new_image ?? '{}') as Item))
          if (KEYS.includes(name)) expect({ [name]: one }).toEqual({ [name]: (JSON.parse(stored) as Item)[name] })
    }),
    runs(200),
  )
})
