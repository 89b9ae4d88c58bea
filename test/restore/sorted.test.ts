import { readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFileLines } from '../../restore/lines.js'
import { type KeyedText, sortByKey } from '../../restore/sorted.js'
import { compareUtf8 } from '../../transform/json.js'
import { makeFolder } from '../cli/command-line.js'
import { runs } from '../transform/arbitraries.js'

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}

async function collect<T>(values: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

const folders = () => readdirSync(tmpdir()).filter(name => name.startsWith('itemtrail-sort-')).length

const text = fc.string({ unit: 'binary', maxLength: 20 }).map(value => JSON.stringify(value))

describe('sortByKey', () => {
  it('gives back every text in the order of its key, in memory or through files', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: text, text }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 400 }),
        async (values, room) => {
          const sorted = await collect(sortByKey(each(values), room))
          const bytes = ({ key, text }: KeyedText) => `${key}\t${text}`
          expect(sorted.map(({ key }) => key)).toEqual(values.map(({ key }) => key).sort(compareUtf8))
          expect(sorted.map(bytes).sort()).toEqual(values.map(bytes).sort())
        },
      ),
      runs(60),
    )
  })

  it('leaves no file behind, also where nobody reads to the end or the source fails', async () => {
    const before = folders()
    const values = Array.from({ length: 50 }, (_, i) => ({ key: String(i), text: 'x'.repeat(10) }))
    for await (const _ of sortByKey(each(values), 50)) break
    async function* failing() {
      yield* values
      throw new Error('the table went away')
    }
    await expect(collect(sortByKey(failing(), 50))).rejects.toThrow('the table went away')
    expect(folders()).toBe(before)
  })
})

describe('readLines', () => {
  it('breaks lines at line feeds only, whatever else JSON has in its strings', async () => {
    const path = join(makeFolder(), 'lines')
    const lines = ['a\u2028b\u2029c\r', '', '😀'.repeat(400_000), 'no feed at the end']
    writeFileSync(path, lines.join('\n'))
    expect(await collect(readFileLines(path))).toEqual(lines)
    writeFileSync(path, '')
    expect(await collect(readFileLines(path))).toEqual([])
  })
})
