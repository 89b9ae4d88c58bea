import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDocuments } from '../../capture/document-reader.js'
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
    expect(await documentsOf('[{"a":1},{"b":2}]\n{"c":3}')).toEqual(['[{"a":1},{"b":2}]', '{"c":3}'])
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
    const solid = (bytes: Buffer) => Buffer.from(bytes.filter(byte => !' \t\r\n'.includes(String.fromCharCode(byte))))
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

async function collect(documents: AsyncIterable<Uint8Array>): Promise<readonly Buffer[]> {
  const collected: Buffer[] = []
  for await (const document of documents) collected.push(Buffer.from(document))
  return collected
}
