/** Ways to spoil the bytes of a record, blindly and by its structure, each from a seeded random. */
import type { Random } from '../../bench/random.js'

type Mutation = (bytes: Buffer, random: Random) => Buffer

/** Up to three mutations of a record. */
export function mutate(record: Buffer, random: Random): Buffer {
  let bytes = record
  for (let left = below(4, random); left > 0; left--) {
    const mutation = MUTATIONS[below(MUTATIONS.length, random)] as Mutation
    bytes = mutation(bytes, random)
  }
  return bytes
}

function below(count: number, random: Random): number {
  return Math.floor(random() * count)
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[below(values.length, random)] as T
}

function spliced(bytes: Buffer, from: number, to: number, text: string | Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(text as string), bytes.subarray(to)])
}

/** What JSON, UTF-8 and DynamoDB JSON stumble over. */
const TOKENS: readonly (string | Buffer)[] = [
  ...'"\\{}[]:,-+.eE0123456789 \n\r\t\0/u',
  ...[
    '\\"',
    '\\\\',
    '\\n',
    '\\/',
    '\\b',
    '\\u0041',
    '\\u001f',
    '\\u001F',
    '\\u0008',
    '\\u007f',
    '\\ud800',
    '\\ud83d\\ude00',
  ],
  ...['null', 'true', 'false', '{}', '[]', '""', '{"S":""}', '{"NULL":false}', '{"N":"1"}', '{"M":{}}', '{"L":[]}'],
  ...['"S"', '"N"', '"B"', '"SS":["b","a"]', '"BS"', '"x":1,', '__proto__', '-', '1e5', '00', '-0', '1.', '.5', 'NaN'],
  ...['😀', 'é', '\u2028', '\ufeff', '\uffff', 'AAA=', 'AA==', 'AB==', 'A===', '=', '"itemtrail":"baseline/v1",'],
  ...[[0x80], [0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]].map(Buffer.from),
]

/** Escapes that are canonical, and escapes that are not. */
const ESCAPES: readonly string[] = [
  ...['\\n', '\\"', '\\\\', '\\/', '\\a', '\\', '\\u0000', '\\u000a', '\\u001f', '\\u001F', '\\u0020'],
  ...['\\u007f', '\\u00e9', '\\u2028', '\\ud800', '\\ud83d\\ude00', '\\u12', '\u007f', 'é', '😀', '\t'],
]

/** Where one of these bytes stands, or anywhere. */
function positionOf(bytes: Buffer, wanted: string, random: Random): number {
  const start = below(bytes.length + 1, random)
  for (let i = start; i < bytes.length; i++) {
    if (wanted.includes(String.fromCharCode(bytes[i] as number))) return i
  }
  return start
}

/** The range of one value, `{...}`, that opens somewhere behind a random position. */
function valueRange(bytes: Buffer, random: Random): readonly [number, number] {
  const from = positionOf(bytes, '{', random)
  let depth = 0
  for (let i = from; i < bytes.length; i++) {
    if (bytes[i] === 0x7b) depth++
    if (bytes[i] === 0x7d && --depth === 0) return [from, i + 1]
  }
  return [from, bytes.length]
}

/** The range of a member `"name":{...}`, where one can be found. */
function memberRange(bytes: Buffer, random: Random): readonly [number, number] {
  const [opening, to] = valueRange(bytes, random)
  if (bytes[opening - 1] !== 0x3a) return [opening, to]
  const from = bytes.lastIndexOf(0x22, opening - 3)
  return [Math.max(from, 0), to]
}

/** Fields of the envelopes. */
const FIELDS: readonly string[] = [
  ...[
    'itemtrail',
    'table',
    'source',
    'time',
    'Item',
    'eventID',
    'eventName',
    'awsRegion',
    'dynamodb',
    'eventSourceARN',
  ],
  ...['userIdentity', 'tableName', 'Keys', 'SequenceNumber', 'SizeBytes', 'ApproximateCreationDateTime'],
]

/** What a field may hold, and what it may not. */
const FIELD_VALUES: readonly string[] = [
  ...['null', '1', '"1"', '1.5', '{}', '""', '"-"', '"a b"', '"é"', '"a\\"b"', '"\\u0061"', '"\\n"', '"\u007f"'],
  ...['"baseline/v1"', '"baseline/v2"', '"Orders"', '"Others"', '"INSERT"', '"BASELINE"', '"eu-west-1"'],
  ...['"arn:aws:dynamodb:eu-west-1:1:table/Orders"', '"arn:aws:dynamodb:-:1:x"', '"arn:aws:dynamodb::1:x"', '"arn:x"'],
  ...['"2026-11-22T09:59Z"', '"2026-11-22t09:59:00,1234567+01:00"', '"2026-11-22"', '"2026-02-30T00:00:00Z"'],
  ...['{"a":{"b":["é","\\n"],"a":"\\u00e9"}}', '{"principalId":"é"}', '{"a":1e400}', '{"a":-0}', '{"a":}', '{"a":"1"]'],
  ...['"1969-12-31T23:59:59.9Z"', '"9999-12-31T23:59:59Z"', '"2026-11-22T00:10:00.000001+00:30"'],
]

const MUTATIONS: readonly Mutation[] = [
  function truncate(bytes, random) {
    return bytes.subarray(0, below(bytes.length + 1, random))
  },
  function insert(bytes, random) {
    const at = below(bytes.length + 1, random)
    return spliced(bytes, at, at, pick(TOKENS, random))
  },
  function replace(bytes, random) {
    const at = below(bytes.length + 1, random)
    return spliced(bytes, at, at + 1 + below(3, random), pick(TOKENS, random))
  },
  function remove(bytes, random) {
    const at = below(bytes.length + 1, random)
    return spliced(bytes, at, at + 1 + below(8, random), '')
  },
  function flip(bytes, random) {
    const flipped = Buffer.from(bytes)
    const at = below(bytes.length, random)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8, random))
    return flipped
  },
  function repeat(bytes, random) {
    const from = below(bytes.length + 1, random)
    const to = Math.min(bytes.length, from + below(60, random))
    return spliced(bytes, to, to, bytes.subarray(from, to))
  },
  function swap(bytes, random) {
    const [a, b, c] = [0, 0, 0].map(() => below(bytes.length + 1, random)).sort((x, y) => x - y) as [
      number,
      number,
      number,
    ]
    return Buffer.concat([bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c)])
  },
  function putBeforeStructure(bytes, random) {
    const at = positionOf(bytes, '{}[]:,"', random)
    return spliced(bytes, at, at, pick(TOKENS, random))
  },
  function putWhiteSpace(bytes, random) {
    const at = positionOf(bytes, '{}[]:,', random) + 1
    return spliced(bytes, at, at, pick([' ', '\n', '\t', '\r\n', '\f', '\u00a0'], random))
  },
  function repeatMember(bytes, random) {
    const [from, to] = memberRange(bytes, random)
    return spliced(bytes, to, to, Buffer.concat([Buffer.from(','), bytes.subarray(from, to)]))
  },
  function moveMember(bytes, random) {
    const [from, to] = memberRange(bytes, random)
    const without = spliced(bytes, from, bytes[to] === 0x2c ? to + 1 : to, '')
    const at = positionOf(without, '{', random) + 1
    return spliced(without, at, at, Buffer.concat([bytes.subarray(from, to), Buffer.from(',')]))
  },
  function copyValue(bytes, random) {
    const [from, to] = valueRange(bytes, random)
    const [target, end] = valueRange(bytes, random)
    return spliced(bytes, target, end, bytes.subarray(from, to))
  },
  function nestValue(bytes, random) {
    const [from, to] = valueRange(bytes, random)
    const depth = 1 + below(pick([2, 45, 140], random), random)
    const value = bytes.toString('latin1', from, to)
    return spliced(bytes, from, to, Buffer.from(`${'{"L":['.repeat(depth)}${value}${']}'.repeat(depth)}`, 'latin1'))
  },
  function escapeLetter(bytes, random) {
    const at = positionOf(bytes, 'abcdefghijklmnopqrstuvwxyz0123456789', random)
    return spliced(bytes, at, at + 1, `\\u00${(bytes[at] ?? 0x41).toString(16).padStart(2, '0')}`)
  },
  function changeDigit(bytes, random) {
    const at = positionOf(bytes, '0123456789', random)
    return spliced(bytes, at, at + 1, pick(['', '0', '00', '.', '-', 'e3', '1E-7', '.0', '9'.repeat(210), '١'], random))
  },
  function replaceName(bytes, random) {
    const at = positionOf(bytes, '"', random) + 1
    const end = bytes.indexOf(0x22, at)
    const names = [...FIELDS, 'S', 'order_id', '__proto__', 'status', '', 'a"b', '\\u0061', 'é', 'zz']
    return spliced(bytes, at, end === -1 ? at : end, pick(names, random))
  },
  function replaceField(bytes, random) {
    const present = FIELDS.map(field => `"${field}":`).filter(text => bytes.includes(text))
    if (present.length === 0) return bytes
    const name = pick(present, random)
    const at = bytes.indexOf(name)
    const from = at + name.length
    const end = bytes.indexOf(0x2c, from)
    return spliced(bytes, from, end === -1 ? from : end, pick(FIELD_VALUES, random))
  },
  function moveField(bytes, random) {
    const name = `"${pick(FIELDS, random)}":"`
    const from = bytes.indexOf(name)
    const to = bytes.indexOf('",', from + name.length) + 2
    if (from === -1 || to === 1) return bytes
    const without = spliced(bytes, from, to, '')
    const at = positionOf(without, '{,', random) + 1
    return spliced(without, at, at, bytes.subarray(from, to))
  },
  function putInText(bytes, random) {
    const at = bytes.indexOf(pick(['"S":"', '"S":"', '"SS":["', '"M":{"'], random), below(bytes.length, random))
    if (at === -1) return bytes
    const start = bytes.indexOf(0x22, at + 4) + 1
    return spliced(bytes, start, start, pick(ESCAPES, random))
  },
  function changeBinary(bytes, random) {
    const at = bytes.indexOf('"B":"', below(bytes.length, random))
    const end = at === -1 ? -1 : bytes.indexOf(0x22, at + 5)
    if (end === -1) return bytes
    const from = Math.max(at + 5, end - below(5, random))
    return spliced(bytes, from, end, pick(['', '=', '==', 'A', 'AB==', 'AA==', 'AAB=', 'AAA=', '_-A=', 'AAAA'], random))
  },
  function addToSet(bytes, random) {
    const at = bytes.indexOf('"SS":[', below(bytes.length, random))
    if (at === -1) return bytes
    return spliced(bytes, at + 6, at + 6, pick(['"b",', '"",', '"é","a",', '"\\n",', '1,'], random))
  },
  function append(bytes, random) {
    return spliced(
      bytes,
      bytes.length,
      bytes.length,
      Buffer.concat([
        Buffer.from(pick(['', '\n', '\r\n', ' ', ','], random)),
        bytes.subarray(0, pick([bytes.length, 0, 5], random)),
      ]),
    )
  },
]
