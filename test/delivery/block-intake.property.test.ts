/** Block by block or document by document, what is read is the same. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Document, readDocuments } from '../../capture/document-reader.js'
import { readEnvelope } from '../../capture/envelope.js'
import { LineBlockReader } from '../../capture/line-blocks.js'
import { isOverlong } from '../../capture/overlong.js'
import { BlockIntake } from '../../delivery/block-intake.js'
import type { BlockRows } from '../../delivery/block-transform.js'
import { transformRecord } from '../../transform/transform.js'
import { ARRIVAL, baselineDocument, kinesisDocument, streamsRecord, tableConfiguration } from '../factories.js'
import { runs } from '../transform/arbitraries.js'

const BOUNDS = { most: 20_000, kept: 100 }
const configurationOf = (table: string) => tableConfiguration({ table, ...(table === 'Sealed' && SEALED) })
const SEALED = { erasable: [{ subject: ['person'], values: [{ path: ['name'] }] }] }

const DOCUMENTS = [
  streamsRecord(),
  streamsRecord({ eventName: 'REMOVE', SequenceNumber: '12' }),
  streamsRecord({ eventSourceARN: 'arn:aws:dynamodb:eu-west-1:1:table/Other/stream/x', awsRegion: 'eu-west-1' }),
  streamsRecord({ eventSourceARN: 'arn:aws:dynamodb:us-east-1:1:table/Sealed/stream/x' }),
  streamsRecord({ ApproximateCreationDateTime: undefined }),
  streamsRecord({ Keys: {} }),
  { ...streamsRecord(), eventSourceARN: undefined },
  kinesisDocument(),
  baselineDocument(),
  { Records: [streamsRecord(), { broken: true }, streamsRecord({ SequenceNumber: '13' })] },
]
const TEXTS = [
  ...DOCUMENTS.map(document => JSON.stringify(document)),
  ...DOCUMENTS.map(pretty),
  `{"a":"${'x'.repeat(21_000)}"}`,
]
const MARKS = [
  '\n',
  '\n',
  '\n',
  '\r\n',
  '',
  ' ',
  '{',
  '}',
  '"',
  'no JSON',
  '\n{"open":\n',
  '\0',
  '[{}]',
  '\ufeff',
  '\u00e9',
]

function pretty(document: object): string {
  return JSON.stringify(document, null, 1)
}

const input = fc.record({
  texts: fc.array(fc.tuple(fc.constantFrom(...TEXTS), fc.constantFrom(...MARKS)), { maxLength: 12 }),
  sizes: fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 8 }),
  pauses: fc.boolean(),
})

describe('an input read in blocks', () => {
  it('holds the documents that it holds read one by one, and their very lines', async () => {
    await fc.assert(
      fc.asyncProperty(input, async ({ texts, sizes, pauses }) => {
        const pieces = [...piecesOf(Buffer.from(texts.map(pair => pair.join('')).join('')), sizes)]
        const expected: string[] = []
        for await (const document of readDocuments(streamOf(pieces), BOUNDS)) expected.push(outcomeOf(document))
        expect((await readInBlocks(pieces, pauses)).sort()).toEqual(expected.sort())
      }),
      runs(150),
    )
  })

  it('gives out what came of a line before it could be read no further', async () => {
    const pieces = [Buffer.from(`${TEXTS[0]}\n${TEXTS[1]}`)]
    expect(await readInBlocks(pieces, true)).toHaveLength(2)
  })
})

/** What becomes of each document: its row line, or its bytes where it is not for a transform that knows no key. */
async function readInBlocks(pieces: readonly Buffer[], pauses: boolean): Promise<string[]> {
  const read: string[] = []
  const sink = {
    takes: async ({ regions }: BlockRows) => regions.length === 1,
    putRows: async ({ lines }: BlockRows) => void read.push(...lines.toString().split(/(?<=\n)/)),
    put: async (document: Document) => void read.push(outcomeOf(document)),
  }
  const intake = new BlockIntake({ sink, configurationOf, bounds: BOUNDS, threads: 1, now: () => ARRIVAL })
  const reader = new LineBlockReader()
  for await (const block of reader.read(streamOf(pieces))) {
    await intake.take(block)
    const rest = pauses ? reader.takeRest() : undefined
    if (rest !== undefined) await intake.take(rest)
  }
  await intake.settle()
  return read
}

function outcomeOf(document: Document): string {
  if (isOverlong(document)) return `${document.offset} ${document.bytes} ${document.sha256}`
  const { table, hasTime, isUnnamed } = readEnvelope(document)
  const isForTransform = table !== undefined && table !== 'Sealed' && hasTime && !isUnnamed
  const outcome = isForTransform ? transformRecord(document, ARRIVAL, configurationOf(table)) : undefined
  return outcome?.kind === 'transformed' ? outcome.lines : Buffer.from(document).toString('latin1')
}

function* piecesOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function* streamOf(pieces: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}
