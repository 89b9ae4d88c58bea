import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Document, readDocuments } from '../../capture/document-reader.js'
import { type Bounds, isOverlong } from '../../capture/overlong.js'
import { baselineDocument, kinesisDocument, streamsRecord } from '../factories.js'
import { item, runs } from '../transform/arbitraries.js'

describe('readDocuments', () => {
  it('has no documents for an empty input, nor for white space', async () => {
    expect(await documentsOf('')).toEqual([])
    expect(await documentsOf(' \n\r\n\t\n')).toEqual([])
  })

  it('reads JSON lines with their very bytes, the last with or without a line feed', async () => {
    expect(await documentsOf('{"a": 1}\n{"b":"ü"}\n')).toEqual(['{"a": 1}', '{"b":"ü"}'])
    expect(await documentsOf('{"a": 1}\n\n{"b":"ü"}')).toEqual(['{"a": 1}', '{"b":"ü"}'])
  })

  it('reads lines that end with CR and LF', async () => {
    expect(await documentsOf('{"a":1}\r\n{"b":2}\r\n')).toEqual(['{"a":1}', '{"b":2}'])
  })

  it('reads pretty-printed documents', async () => {
    const documents = [streamsRecord(), kinesisDocument(), baselineDocument()].map(document =>
      JSON.stringify(document, null, 2),
    )
    expect(await documentsOf(documents.join('\n'))).toEqual(documents)
    const crlf = documents.map(document => document.replaceAll('\n', '\r\n'))
    expect(await documentsOf(crlf.join('\r\n'))).toEqual(crlf)
  })

  it('reads documents that follow one another on a line, as Firehose stores them', async () => {
    expect(await documentsOf('{"a":1}{"b":"}{"}  {"c":[{}]}')).toEqual(['{"a":1}', '{"b":"}{"}', '{"c":[{}]}'])
  })

  it('is not misled by braces, quotes and backslashes in strings', async () => {
    const odd = [{ a: '{[' }, { b: '}]' }, { c: '\\' }, { d: '\\"' }, { e: '"}' }, { '{': ':"' }].map(value =>
      JSON.stringify(value),
    )
    expect(await documentsOf(odd.join('\n'))).toEqual(odd)
    expect(await documentsOf(odd.join(''))).toEqual(odd)
  })

  it('takes a byte order mark off the front and nowhere else', async () => {
    expect(await documentsOf('\ufeff{"a":1}\n')).toEqual(['{"a":1}'])
    expect(await documentsOf('{"a":1}\n\ufeff{"b":2}\n')).toEqual(['{"a":1}', '\ufeff', '{"b":2}'])
  })

  it('gives out what is no object, to be refused and kept', async () => {
    expect(await documentsOf('hello\n{"a":1} world\n42\n')).toEqual(['hello', '{"a":1}', ' world', '42'])
    expect(await documentsOf('\0\0\0\n{"a":1}\n\0')).toEqual(['\0\0\0', '{"a":1}', '\0'])
    expect(await documentsOf('[{"a":1},2]\n{"c":3}[]')).toEqual(['[{"a":1},2]', '{"c":3}', '[]'])
    expect(await documentsOf('}{"a":1}]\n')).toEqual(['}', '{"a":1}', ']'])
  })

  it('gives out bytes that only look like white space', async () => {
    for (const byte of [0x0b, 0x0c, 0x85, 0xa0]) {
      const documents = await readAll([Buffer.from([byte, 0x0a]), Buffer.from('{"a":1}\n')])
      expect(documents).toEqual([Buffer.of(byte), Buffer.from('{"a":1}')])
    }
  })

  it('gives out bytes that are no UTF-8 as they are', async () => {
    const bytes = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
    expect(await readAll([bytes])).toEqual([bytes])
  })
})

describe('an event {"Records":[...]}', () => {
  const records = [streamsRecord(), streamsRecord({ eventID: '2' }), streamsRecord({ eventID: '3' })]

  it('is taken apart, whether it holds one record, many or none', async () => {
    for (const held of [records.slice(0, 1), records, []]) {
      expect(await documentsOf(JSON.stringify({ Records: held }))).toEqual(held.map(record => JSON.stringify(record)))
    }
  })

  it('is taken apart when it is pretty-printed', async () => {
    const documents = await documentsOf(JSON.stringify({ Records: records }, null, 2))
    expect(documents.map(text => JSON.parse(text))).toEqual(records)
  })

  it('is taken apart wherever it says "Records", as get-records of the AWS CLI does', async () => {
    const answer = { NextShardIterator: 'arn:aws:dynamodb:"[{', Records: records, More: { Records: [1] } }
    expect(await documentsOf(JSON.stringify(answer))).toEqual(records.map(record => JSON.stringify(record)))
  })

  it('stands beside events and records on one line', async () => {
    const [first, second, third] = records.map(record => JSON.stringify(record)) as [string, string, string]
    expect(await documentsOf(`{"Records":[${first}]}{"Records":[${second}]}${third}`)).toEqual([first, second, third])
  })

  it('keeps the very bytes of each record', async () => {
    expect(await documentsOf('{"Records" : [ {"a" : 1.0},{"a":1e0} , 7 ]}')).toEqual([
      ' {"a" : 1.0}',
      '{"a":1e0} ',
      ' 7 ',
    ])
  })

  it('is none where an attribute, a value or a nested name is called Records', async () => {
    const named = [
      streamsRecord({ NewImage: { order_id: { S: 'ORD12345' }, Records: { L: [{ S: '"Records":[' }] } } }),
      { itemtrail: '"Records":[]', Records: { S: '[' } },
      { Records: 'none' },
    ].map(document => JSON.stringify(document))
    expect(await documentsOf(named.join('\n'))).toEqual(named)
  })

  it('loses no record where its brackets do not match', async () => {
    const documents = await documentsOf('{"Records":[{"a":1}}, {"b":2}]}\n{"c":3}\n')
    expect(documents.join('')).toContain('{"b":2}')
    expect(documents).toContain('{"c":3}')
  })

  it('loses no record where a string in it does not end', async () => {
    const documents = await documentsOf('{"Records":["a1\n]}\n{"c":3}\n')
    expect(documents.join('')).toContain('a1')
    expect(documents).toContain('{"c":3}')
  })
})

describe('a document that does not end', () => {
  const whole = JSON.stringify({ eventID: 'x', list: [1, { a: 'b,:[{' }], text: 'a "quoted" \\ text' })

  it('takes only itself along, wherever its line is cut', async () => {
    for (let cut = 1; cut < whole.length; cut++) {
      const lines = ['{"first":1}', whole.slice(0, cut), '{"second":2}', '{"third":3}']
      expect(await documentsOf(lines.join('\n')), `cut at ${cut}`).toEqual(lines)
    }
  })

  it('takes only itself along where the beginning of its line is missing', async () => {
    for (let cut = 1; cut < whole.length; cut++) {
      const documents = await documentsOf(`{"first":1}\n${whole.slice(cut)}\n{"second":2}\n{"third":3}\n`)
      expect(documents, `cut at ${cut}`).toEqual(expect.arrayContaining(['{"first":1}', '{"second":2}', '{"third":3}']))
      expect(documents.slice(1, -2).join('')).toBe(whole.slice(cut))
    }
  })

  it('takes only itself along where it is pretty-printed and cut in the middle', async () => {
    const pretty = '{\n  "a": {\n    "b": 1'
    expect(await documentsOf(`${pretty}\n{"second":2}\n`)).toEqual([pretty, '{"second":2}'])
  })

  it('leaves the records of an event in the next line alone', async () => {
    expect(await documentsOf('{"a":[\n{"Records":[{"b":2},{"c":3}]}\n{"d":4}')).toEqual([
      '{"a":[',
      '{"b":2}',
      '{"c":3}',
      '{"d":4}',
    ])
  })

  it('ends at the end of the line where a string does not', async () => {
    expect(await documentsOf('{"a":"x}\n{"b":2}\n')).toEqual(['{"a":"x}', '{"b":2}'])
    expect(await documentsOf('{"a":"x,\n{"b":2}\n')).toEqual(['{"a":"x,', '{"b":2}'])
  })
})

describe('what holds records', () => {
  const stream = streamsRecord({ eventID: 'a', NewImage: { order_id: { S: 'ORD12345' }, note: { S: '"detail":{' } } })
  const other = streamsRecord({ eventID: 'b' })
  const carried = [kinesisDocument(), kinesisDocument({ eventID: 'second' })].map(document => JSON.stringify(document))
  const base64 = carried.map(document => Buffer.from(document).toString('base64'))
  const texts = [stream, other].map(record => JSON.stringify(record))

  it('is a JSON array, on one line or on many, as EventBridge Pipes hand it over', async () => {
    expect(await documentsOf(`[${texts.join(',')}]\n[${texts[0]}]`)).toEqual([...texts, texts[0]])
    const pretty = await documentsOf(JSON.stringify([stream, other], null, 2))
    expect(pretty.map(text => JSON.parse(text))).toEqual([stream, other])
  })

  it('is an event of EventBridge, alone or among others', async () => {
    const event = { version: '0', id: 'x', 'detail-type': 'Event from aws:dynamodb', source: 'Pipe p', detail: stream }
    expect(await documentsOf(JSON.stringify(event))).toEqual([texts[0]])
    expect(await documentsOf(JSON.stringify({ detail: stream, 'detail-type': 'x' }))).toEqual([texts[0]])
    expect(await documentsOf(JSON.stringify([event, { ...event, detail: other }]))).toEqual(texts)
    expect(await documentsOf(JSON.stringify({ Records: [event] }))).toEqual([texts[0]])
    const pretty = await documentsOf(JSON.stringify({ ...event, more: { detail: {} } }, null, 2))
    expect(pretty.map(text => JSON.parse(text))).toEqual([stream])
  })

  it('is a list of what Kinesis or Firehose carries in base64', async () => {
    const lambda = base64.map(data => ({ kinesis: { data, sequenceNumber: '1' }, eventSource: 'aws:kinesis' }))
    const answer = base64.map(Data => ({
      SequenceNumber: '1',
      ApproximateArrivalTimestamp: 1,
      Data,
      PartitionKey: 'p',
    }))
    const firehose = base64.map((data, i) => ({ recordId: `${i}`, approximateArrivalTimestamp: 1, data }))
    expect(await documentsOf(JSON.stringify({ Records: lambda }))).toEqual(carried)
    expect(await documentsOf(JSON.stringify({ Records: answer, NextShardIterator: 'x' }, null, 4))).toEqual(carried)
    expect(await documentsOf(JSON.stringify({ invocationId: 'i', records: firehose, region: 'r' }))).toEqual(carried)
    expect(await documentsOf(JSON.stringify(answer))).toEqual(carried)
  })

  it.each([
    ['an attribute that is called detail', { ...stream, detail: { a: 1 } }],
    ['a record that has other names of wrappings', { ...stream, 'detail-type': 'x', data: 'e30=', recordId: '1' }],
    ['an event whose detail is no object', { 'detail-type': 'x', detail: 'none' }],
    ['data that is no JSON object', { recordId: '1', data: Buffer.from('[1]').toString('base64') }],
    ['data without a record around it', { data: base64[0] }],
    ['a nested array', [[stream]]],
    ['an array with something else in it', [stream, 1]],
    ['an array without anything', []],
  ])('is none: %s', async (_, document) => {
    expect(await documentsOf(JSON.stringify(document))).toEqual([JSON.stringify(document)])
  })

  it('that is cut off, or not well-formed, is kept as it came', async () => {
    const arrays = [`[${texts.join(',')}`, `[${texts.join(' ')}]`, `[${texts[0]},]`, `[,${texts[0]}]`, `[${texts[0]}}`]
    for (const text of [...arrays, `{"detail-type":"x","detail":{"a":1},}`])
      expect((await documentsOf(text)).join('')).toBe(text)
  })
})

describe('the documents of any input', () => {
  const value = fc.oneof(item, fc.constant({ Records: { L: [] } }), fc.constant({ text: 'two\nlines "}{" \\' }))
  const printed = fc
    .tuple(value, fc.constantFrom(undefined, 2, '\t'))
    .map(([it, indent]) => JSON.stringify(it, null, indent))

  it('are those that were written, one after the other in whatever layout', async () => {
    const separator = fc.constantFrom('\n', '\r\n', '\n\n', ' ', '')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(printed, separator), { maxLength: 8 }), async documents => {
        const text = documents.flat().join('')
        expect(await documentsOf(text)).toEqual(documents.map(([document]) => document))
      }),
      runs(150),
    )
  })

  const fragment = fc.oneof(
    { weight: 2, arbitrary: printed },
    fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '\n', '\r\n', ' ', '\0', '\ufeff', 'ü', '\u00a0'),
    fc.constantFrom('{"a":1}', '{"a":"x', '{"Records":[', '{"Records" : [ {"a":1} , {"b":"]}"}]}', ']}', '{"a":[1,'),
  )
  const input = fc.array(fragment, { maxLength: 12 }).map(parts => Buffer.from(parts.join('')))

  it('are the same however the input is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(input, fc.array(fc.nat(60), { maxLength: 20 }), async (bytes, sizes) => {
        const chunks: Buffer[] = []
        let rest = bytes
        for (const size of sizes) {
          chunks.push(rest.subarray(0, size))
          rest = rest.subarray(size)
        }
        expect(await readAll([...chunks, rest])).toEqual(await readAll([bytes]))
      }),
      runs(300),
    )
  })

  it('are the same where a chunk ends at every byte, even if its reader uses the buffer again', async () => {
    const event = JSON.stringify({ Records: [{ a: 'ü' }, { b: '😀"' }] }, null, 1)
    const bytes = Buffer.from(`\ufeff{"a":1}\r\n${event}\n{"cut":"\n{"b":[{}]}{"c":"\\"}`)
    const expected = await readAll([bytes])
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await readAll([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected)
    }
    const one = Buffer.alloc(1)
    const reused = async function* () {
      for (const byte of bytes) {
        one[0] = byte
        yield one
      }
    }
    expect(await collect(readDocuments(reused()))).toEqual(expected)
  })

  it('hold every byte but white space, in order, where there is no event', async () => {
    // an array of objects is taken apart between them
    const solid = (bytes: Buffer) =>
      Buffer.from(bytes.filter(byte => !' \t\r\n[],'.includes(String.fromCharCode(byte))))
    await fc.assert(
      fc.asyncProperty(input, async bytes => {
        fc.pre(!bytes.includes('"Records"'))
        const marked = bytes.subarray(0, 3).equals(Buffer.from('\ufeff')) ? bytes.subarray(3) : bytes
        expect(solid(Buffer.concat(await readAll([bytes]))).toString()).toBe(solid(marked).toString())
      }),
      runs(400),
    )
  })

  it('hold every element of an event, whatever stands in and around it', async () => {
    const inner = fc.constantFrom('{', '}', '[', ']', '"', ',', '\n', '{"Records":[', ']}', '{"a":', '}}')
    await fc.assert(
      fc.asyncProperty(fc.array(inner, { maxLength: 14 }), async parts => {
        const text = `{"Records":[${parts.map((part, i) => `#${i}#${part}`).join('')}#end#]}`
        const joined = (await documentsOf(text)).join('')
        for (const marker of text.match(/#\w+#/g) ?? []) expect(joined, text).toContain(marker)
      }),
      runs(400),
    )
  })
})

describe('what is longer than the bounds allow', () => {
  const bounds = { most: 20, kept: 8 }
  const long = 'y'.repeat(42)

  it('is kept with its beginning, its place, its length and its hash, and reading goes on behind its line', async () => {
    const read = await shownOf([Buffer.from(`\ufeff{"a":1}\n${long}\n{"b":2}`)], bounds)
    expect(read).toEqual(['{"a":1}', `yyyyyyyy… 42 from 11, ${hash('sha256', long)}`, '{"b":2}'])
  })

  it('ends where its brackets end, though others follow on its line', async () => {
    const document = `{"a":"${long}"}`
    const read = await shownOf([Buffer.from(`${document}{"b":2}\n{"c":3}`)], bounds)
    expect(read).toEqual([`{"a":"yy… 50 from 0, ${hash('sha256', document)}`, '{"b":2}', '{"c":3}'])
  })

  it('takes nothing along where it has no end: the next line that opens an object is read', async () => {
    const endless = `{${'"a":1,\n'.repeat(9)}`
    const read = await shownOf([Buffer.from(`${endless}{"b":2}\n  {"c":3}\n`)], bounds)
    expect(read).toEqual([`{"a":1,\n… ${endless.length} from 0, ${hash('sha256', endless)}`, '{"b":2}', '{"c":3}'])
  })

  it('is left out where it is white space, and may be open brackets without end', async () => {
    expect(await shownOf([Buffer.from(`${' '.repeat(50)}\n{"b":2}`)], bounds)).toEqual(['{"b":2}'])
    const brackets = `${'['.repeat(50)}\n`
    const read = await shownOf([Buffer.from(`${brackets}{"b":2}`)], bounds)
    expect(read).toEqual([`[[[[[[[[… 51 from 0, ${hash('sha256', brackets)}`, '{"b":2}'])
  })

  it('is told as a simple reference tells it, of any input, however it is cut into chunks', async () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '\n',
      '\n',
      ' ',
      'x',
      '{"a":1}',
      '\n{',
      '\n {"b":2}',
      long,
    )
    const input = fc.array(piece, { maxLength: 30 }).map(parts => Buffer.from(parts.join('')))
    const tiny = fc.record({ most: fc.integer({ min: 1, max: 24 }), kept: fc.integer({ min: 0, max: 9 }) })
    await fc.assert(
      fc.asyncProperty(input, tiny, fc.integer({ min: 1, max: 30 }), async (bytes, limits, size) => {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, i * size + size),
        )
        expect(await shownOf(chunks, limits)).toEqual(referenceOf(bytes, limits).flatMap(elementsApart))
      }),
      runs(1500),
    )
  })
})

/** What is read, overlong documents as their beginning, length, place and hash. */
async function shownOf(chunks: readonly Buffer[], bounds: Bounds): Promise<readonly string[]> {
  const input = (async function* () {
    yield* chunks
  })()
  const shown: string[] = []
  for await (const document of readDocuments(input, bounds)) {
    if (isOverlong(document)) {
      const { beginning, bytes, offset, sha256 } = document
      shown.push(`${beginning}… ${bytes} from ${offset}, ${sha256}`)
    } else shown.push(Buffer.from(document).toString())
  }
  return shown
}

/** The same byte by byte, with everything at hand. */
/** The objects of a text that is an array of objects, however they are written; any other text as it is. */
function elementsApart(text: string): readonly string[] {
  const inner = /^\[([\s\S]*)\]$/.exec(text)?.[1] ?? ''
  const parts = inner.split(',')
  const elements: string[] = []
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    while (!isJson(part) && parts.length > 0) part += `,${parts.shift()}`
    if (!/^[ \t\r\n]*\{/.test(part) || !isJson(part)) return [text]
    elements.push(part)
  }
  return isJson(text) ? elements : [text]
}

function referenceOf(input: Buffer, { most, kept }: Bounds): readonly string[] {
  const text = input.toString('latin1')
  const shown: string[] = []
  let [open, depth, inString] = ['', 0, false]
  const isBlank = (some: string) => /^[ \t\r\n]*$/.test(some)
  const tell = (at: number) => {
    if (open.length <= most) shown.push(open)
    else shown.push(`${open.slice(0, kept)}… ${open.length} from ${at - open.length}, ${hash('sha256', open)}`)
    open = ''
  }
  const endGarbage = (at: number) => {
    if (isBlank(open)) open = ''
    else tell(at)
  }
  const giveUp = (at: number) => {
    if (open.length > most) tell(at)
    let broken: string[] = []
    for (const line of [...open.replace(/\n[ \t\r]*$/, '').split('\n'), undefined]) {
      const isWhole = line !== undefined && /^[ \t\r]*\{/.test(line) && isJson(line)
      if (line !== undefined && !isWhole) broken.push(line)
      else if (broken.length > 0) {
        if (broken.join('\n') !== '') shown.push(broken.join('\n'))
        broken = []
      }
      if (isWhole) shown.push(line)
    }
    ;[open, depth, inString] = ['', 0, false]
  }
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as string
    const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
    if (byte === '\n') {
      inString = false
      if (depth === 0) endGarbage(at)
      else open += byte
      continue
    }
    if (byte === '{' && depth > 0 && isBlank(line)) {
      const isContinued = /[,:[{][ \t\r\n]*$/.test(open)
      if (!isContinued || (open.length > most && line === '')) giveUp(at)
    }
    if (inString) {
      open += byte
      const backslashes = /\\*$/.exec(open.slice(0, -1).slice(-at)) as RegExpExecArray
      if (byte === '"' && backslashes[0].length % 2 === 0) inString = false
      continue
    }
    if ((byte === '{' || byte === '[') && depth++ === 0) endGarbage(at)
    open += byte
    if (byte === '"' && depth > 0) inString = true
    if ((byte === '}' || byte === ']') && depth > 0 && --depth === 0) tell(at + 1)
  }
  if (depth > 0) giveUp(text.length)
  else endGarbage(text.length)
  return shown
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

async function documentsOf(text: string): Promise<readonly string[]> {
  return (await readAll([Buffer.from(text)])).map(document => document.toString())
}

async function readAll(chunks: readonly Buffer[]): Promise<readonly Buffer[]> {
  return collect(
    readDocuments(
      (async function* () {
        yield* chunks
      })(),
    ),
  )
}

async function collect(documents: AsyncIterable<Document>): Promise<readonly Buffer[]> {
  const collected: Buffer[] = []
  for await (const document of documents) {
    if (isOverlong(document)) expect.unreachable(`${document.bytes} bytes are not overlong`)
    else collected.push(Buffer.from(document))
  }
  return collected
}
