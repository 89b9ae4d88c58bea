import { isDeepStrictEqual } from 'node:util'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { AttributeValue } from 'aws-lambda'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalAttributes, canonicalItem, parseItem } from '../../transform/attribute-value.js'
import { splitDocuments } from '../../transform/json.js'
import { transformRecord } from '../../transform/transform.js'
import {
  ARRIVAL,
  type Attributes,
  kinesisDocument,
  recordBytes,
  streamsRecord,
  tableConfiguration,
} from '../factories.js'
import { item, numeral, runs } from './arbitraries.js'
import { canonicalForm } from './second-implementation.js'

const table = tableConfiguration()

describe('canonical form', () => {
  it('gives back the very item that went in, sets in their order', () => {
    fc.assert(
      fc.property(item, item => {
        expect(
          isDeepStrictEqual(
            parseItem(canonical(item)),
            mapSets(item, set => set.toSorted(byUtf8)),
          ),
        ).toBe(true)
      }),
      runs(120),
    )
  })

  it('gives back the very item from a row line', () => {
    fc.assert(
      fc.property(item, item => {
        const row = rowOf(streamsRecord({ NewImage: item }))
        expect(
          isDeepStrictEqual(
            parseItem(String(row.new_image)),
            mapSets(item, set => set.toSorted(byUtf8)),
          ),
        ).toBe(true)
      }),
      runs(120),
    )
  })

  it('means the same to the SDK of AWS as the item that went in', () => {
    fc.assert(
      fc.property(item, item => {
        const text = canonical(item)
        fc.pre(!text.includes('__proto__')) // the SDK's reader assigns to it, and so loses it
        expect(isDeepStrictEqual(asNative(JSON.parse(text) as Attributes), asNative(item))).toBe(true)
      }),
      runs(150),
    )
  })

  it('is that of a second implementation', () => {
    fc.assert(
      fc.property(item, item => {
        expect(canonical(item)).toBe(canonicalForm(item))
      }),
      runs(120),
    )
  })

  it('is its own canonical form', () => {
    fc.assert(
      fc.property(item, item => {
        const text = canonical(item)
        expect(canonical(parseItem(text))).toBe(text)
      }),
      runs(120),
    )
  })

  it('is the same for any order of names and set elements, any white space and any escapes', () => {
    fc.assert(
      fc.property(item, fc.infiniteStream(fc.nat(0xffff)), (item, stream) => {
        const text = writeDisorderly(item, below => (stream.next().value as number) % below)
        expect(canonical(splitDocuments(text)[0]?.value)).toBe(canonical(item))
      }),
      runs(150),
    )
  })

  it('is one for every spelling of a number, and another for every other number', () => {
    fc.assert(
      fc.property(numeral, numeral, (one, other) => {
        const form = ({ text }: typeof one) => canonical({ n: { N: text }, s: { NS: [text] } })
        expect(form(one)).toBe(canonicalForm({ n: { N: one.text }, s: { NS: [one.text] } }))
        const shift = Math.min(one.exponent, other.exponent)
        const [a, b] = [one, other].map(({ digits, exponent }) => digits * 10n ** BigInt(exponent - shift))
        expect(form(one) === form(other)).toBe(a === b)
      }),
      runs(500),
    )
  })

  it('differs for items that differ', () => {
    fc.assert(
      fc.property(item, item, (one, other) => {
        const same = isDeepStrictEqual(mapSets(one, asSet), mapSets(other, asSet))
        expect(canonical(one) === canonical(other)).toBe(same)
      }),
      runs(150),
    )
  })

  it('is the same, with its hash, from a stream record and from a Kinesis document', () => {
    fc.assert(
      fc.property(item, item, (OldImage, NewImage) => {
        const streams = rowOf(streamsRecord({ OldImage, NewImage }))
        const kinesis = rowOf(kinesisDocument({ OldImage, NewImage }))
        for (const column of ['item_key', 'old_image', 'new_image', 'old_hash', 'new_hash', 'changed']) {
          expect(kinesis[column]).toEqual(streams[column])
        }
      }),
      runs(120),
    )
  })

  it('is refused to half a surrogate pair, wherever it stands', () => {
    const unit = fc.constantFrom('a', '\ud83d', '\ude00', '\ud83d\ude00')
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 6 }), fc.boolean(), (text, asName) => {
        const NewImage = asName ? { [text]: { S: 'a' } } : { a: { L: [{ SS: [text] }] } }
        const result = transformRecord(recordBytes(streamsRecord({ NewImage })), ARRIVAL, table)
        expect(result.kind).toBe(text.isWellFormed() ? 'transformed' : 'refused')
      }),
      runs(100),
    )
  })
})

function canonical(item: unknown): string {
  return canonicalItem(canonicalAttributes(item, 'item', 'once'), 'item')
}

function rowOf(document: object): Record<string, unknown> {
  const result = transformRecord(recordBytes(document), ARRIVAL, table)
  if (result.kind === 'refused') throw new Error(result.reason)
  return JSON.parse(result.lines) as Record<string, unknown>
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const asSet = (elements: readonly string[]) => new Set(elements)

/** The item with each of its sets as `change` makes it. */
function mapSets(item: Attributes, change: (elements: string[]) => unknown): object {
  const mapValue = (value: AttributeValue): unknown => {
    if (value.M !== undefined) return { M: mapSets(value.M, change) }
    if (value.L !== undefined) return { L: value.L.map(mapValue) }
    const [type, content] = Object.entries(value)[0] as [string, unknown]
    return { [type]: Array.isArray(content) ? change(content as string[]) : content }
  }
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, mapValue(value)]))
}

/** What the SDK makes of an item; its sets have no order and its numbers stay text. */
function asNative(item: Attributes): unknown {
  return unmarshall(item as Parameters<typeof unmarshall>[0], { wrapNumbers: true })
}

function hex4(unit: number): string {
  return unit.toString(16).padStart(4, '0')
}

/** JSON of an item with its names and set elements in any order, white space and escapes anywhere. */
function writeDisorderly(item: Attributes, random: (below: number) => number): string {
  const space = () => ' \n\t\r'.slice(random(5), random(5))
  const shuffled = <Element>(elements: readonly Element[]) => {
    const rest = [...elements]
    return elements.map(() => rest.splice(random(rest.length), 1)[0] as Element)
  }
  // a character above U+FFFF is escaped as its two surrogates, as JSON wants
  const escapedUnits = (character: string) =>
    Array.from({ length: character.length }, (_, i) => `\\u${hex4(character.charCodeAt(i))}`).join('')
  const string = (text: string) => {
    const characters = [...text].map(character =>
      random(4) === 0 ? escapedUnits(character) : JSON.stringify(character).slice(1, -1),
    )
    return `"${characters.join('')}"`
  }
  const list = (elements: readonly string[]) => `[${space()}${elements.join(`${space()},${space()}`)}${space()}]`
  const value = (attribute: AttributeValue): string => {
    const [type, content] = Object.entries(attribute)[0] as [string, unknown]
    return `{${space()}${string(type)}${space()}:${space()}${contentOf(type, content)}${space()}}`
  }
  const contentOf = (type: string, content: unknown): string => {
    if (type === 'M') return writeDisorderly(content as Attributes, random)
    if (type === 'L') return list((content as readonly AttributeValue[]).map(value))
    if (Array.isArray(content)) return list(shuffled(content as readonly string[]).map(string))
    return typeof content === 'string' ? string(content) : String(content)
  }
  const members = shuffled(Object.entries(item)).map(
    ([name, attribute]) => `${string(name)}${space()}:${value(attribute)}`,
  )
  return `{${space()}${members.join(`${space()},${space()}`)}${space()}}`
}
