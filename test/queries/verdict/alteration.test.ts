import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../bench/random.js'
import { alterationOf } from '../../../queries/verdict/alteration.js'
import { canonicalImage, type Item } from '../../../transform/attribute-value.js'
import { splitDocuments } from '../../../transform/json.js'
import { Refusal } from '../../../transform/refusal.js'
import { item, runs } from '../../transform/arbitraries.js'
import { mutate } from '../../transform/mutations.js'

const sha256 = (text: string) => hash('sha256', text)

describe('an image beside its hash', () => {
  it('is what it says where the plain code can read it, and is told as unreadable where that cannot', () => {
    const random = createRandom(17)
    const counts = { canonical: 0, readable: 0, unreadable: 0 }
    for (const [i, text] of fc
      .sample(
        item.map(item => canonicalImage(item as Item)),
        runs(400),
      )
      .entries()) {
      const image = i % 5 === 0 ? text : mutate(Buffer.from(text), random).toString()
      const form = plainForm(image)
      counts[form === undefined ? 'unreadable' : form === image ? 'canonical' : 'readable']++
      const told = alterationOf(image, sha256(image))
      expect(typeof told, image).toBe(form === undefined ? 'string' : 'undefined')
      if (form !== undefined) expect(alterationOf(image, sha256(`${image} `)), image).toBe(null)
    }
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(2)
  })

  it.each([
    ['no JSON', 'none'],
    ['no object', '["a"]'],
    ['an attribute of no type', '{"a":{"X":"1"}}'],
    ['a name twice', '{"a":{"S":"1"},"a":{"S":"1"}}'],
    ['two items', '{"a":{"S":"1"}}{"a":{"S":"1"}}'],
    ['what does not end', '{"a":{"S":"1\\'],
    ['a zero behind it', '{"a":{"S":"1"}}\0'],
    ['nothing', ''],
  ])('is unreadable where it is %s, although the hash is right', (_, image) => {
    expect(alterationOf(image, sha256(image))).toBeTypeOf('string')
  })
})

/** What the plain code writes for a text; undefined where it is no item. */
function plainForm(text: string): string | undefined {
  try {
    const [document, ...more] = splitDocuments(text)
    return document === undefined || more.length > 0 ? undefined : canonicalImage(document.value as Item)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
