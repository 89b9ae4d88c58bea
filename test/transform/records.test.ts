import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readAnswer, readRecord, recordNames, runRecord, writeAnswer } from '../fixtures/build.js'
import { canonicalForm, type RowColumns, wrongHashes } from './second-implementation.js'

for (const name of recordNames()) {
  const record = readRecord(name)

  describe(`record ${name}`, () => {
    it(record.about, () => {
      const result = runRecord(record)
      const answer = result.kind === 'refused' ? { refused: result.reason } : rowsOf(result.lines)
      expect(answer).toEqual(JSON.parse(readAnswer(name)))
    })

    it('has the very answer that build.ts writes', () => {
      expect(readAnswer(name)).toBe(writeAnswer(runRecord(record)))
    })

    if (name.startsWith('refused-')) {
      it('is refused', () => {
        expect(runRecord(record).kind).toBe('refused')
      })
      return
    }

    it('has hashes that anyone can compute', () => {
      for (const row of readRows(name)) expect(wrongHashes(row)).toEqual([])
    })

    it('has images that are canonical to anyone', () => {
      for (const { item_key, old_image, new_image } of readRows(name)) {
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

function readRows(name: string): readonly RowColumns[] {
  return JSON.parse(readAnswer(name)) as readonly RowColumns[]
}

/** A line feed ends each row line, so there is an empty text behind the last. */
function rowsOf(lines: string): readonly unknown[] {
  const texts = lines.split('\n')
  expect(texts.pop()).toBe('')
  return texts.map(text => JSON.parse(text) as unknown)
}
