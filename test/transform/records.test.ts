import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readAnswer, readRecord, recordNames, runRecord, writeAnswer } from '../fixtures/build.js'
import { canonicalForm, type RowColumns, wrongHashes } from './second-implementation.js'

const records = recordNames().map(name => ({ name, record: readRecord(name) }))

for (const { name, record } of records) {
  describe(`record ${name}`, () => {
    const golden: unknown = JSON.parse(readAnswer(name))
    const result = runRecord(record)

    it(record.about, () => {
      expect(result.kind === 'refused' ? { refused: result.reason } : rowsOf(result.lines)).toEqual(golden)
    })

    it('has the very answer that build.ts writes', () => {
      expect(readAnswer(name)).toBe(writeAnswer(result))
    })

    if (!isRows(golden)) return
    it('has hashes that anyone can compute', () => {
      expect(golden.map(wrongHashes)).toEqual(golden.map(() => []))
    })

    it('has images that are canonical to anyone', () => {
      for (const { item_key, old_image, new_image } of golden) {
        for (const text of [item_key, old_image, new_image].filter(text => typeof text === 'string')) {
          expect(canonicalForm(JSON.parse(text) as object)).toBe(text)
        }
      }
    })
  })
}

describe('golden answers', () => {
  it('stand beside a record each', () => {
    const answers = readdirSync(new URL('../fixtures/records/', import.meta.url)).filter(file =>
      file.endsWith('.row.json'),
    )
    expect(new Set(answers)).toEqual(new Set(recordNames().map(name => `${name}.row.json`)))
  })
})

function isRows(golden: unknown): golden is readonly RowColumns[] {
  return Array.isArray(golden)
}

/** A line feed ends each row line, so there is an empty text behind the last. */
function rowsOf(lines: string): readonly unknown[] {
  const texts = lines.split('\n')
  expect(texts.pop()).toBe('')
  return texts.map(text => JSON.parse(text) as unknown)
}
