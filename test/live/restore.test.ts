/** Restore against a real DynamoDB: the table itself is the judge. Needs Java. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CreateTableCommand, DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callDynamoDb, type WireOperation } from '../../capture/dynamodb-wire.js'
import { readStream } from '../../capture/stream-reader.js'
import { canonicalAttributes, canonicalItem } from '../../transform/attribute-value.js'
import type { JsonObject } from '../../transform/json.js'
import { linesOf, run } from '../cli/command-line.js'
import { type DynamoDbLocal, missingForDynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.js'

const missing = missingForDynamoDbLocal()
const CONNECTION = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
/** The first change of a table is given this time, each further one a second more: DynamoDB Local cuts times to the minute. */
const BEGAN = Date.UTC(2026, 10, 19, 3) / 1000

let local: DynamoDbLocal
let client: DynamoDBClient
let streams: DynamoDBStreamsClient
let folder: string
let tables = 0

beforeAll(async () => {
  if (missing !== undefined) return
  local = await startDynamoDbLocal()
  client = new DynamoDBClient({ ...CONNECTION, endpoint: local.endpoint })
  streams = new DynamoDBStreamsClient({ ...CONNECTION, endpoint: local.endpoint })
  folder = mkdtempSync(join(tmpdir(), 'itemtrail-restore-'))
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', AWS_REGION: 'us-east-1' })
})

afterAll(async () => {
  await local?.stop()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

type Key = readonly (readonly [name: string, type: 'S' | 'N' | 'B'])[]

/** A new table, and everything that a test does to it. */
class Subject {
  readonly archive = join(folder, `archive-${++tables}`)
  private arn = ''

  private constructor(readonly name: string) {}

  static async create(key: Key = [['pk', 'S']], name = `Table${tables + 1}`): Promise<Subject> {
    const subject = new Subject(name)
    const { TableDescription } = await client.send(
      new CreateTableCommand({
        TableName: name,
        AttributeDefinitions: key.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
        KeySchema: key.map(
          ([AttributeName], i): KeySchemaElement => ({ AttributeName, KeyType: i === 0 ? 'HASH' : 'RANGE' }),
        ),
        BillingMode: 'PAY_PER_REQUEST',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      }),
    )
    subject.arn = TableDescription?.LatestStreamArn as string
    return subject
  }

  call(operation: WireOperation, request: JsonObject) {
    return callDynamoDb(client, operation, { TableName: this.name, ...request })
  }

  put(item: JsonObject | string) {
    return this.call('PutItem', { Item: typeof item === 'string' ? JSON.parse(item) : item })
  }

  delete(key: JsonObject) {
    return this.call('DeleteItem', { Key: key })
  }

  /** What the table holds, in canonical text, sorted. */
  async scan(): Promise<readonly string[]> {
    const { body } = await this.call('Scan', { ConsistentRead: true })
    return (body.Items as readonly JsonObject[]).map(textOf).sort()
  }

  /** Archives the stream as it is by now, the nth change at second n. */
  async ingest(): Promise<void> {
    const records: unknown[] = []
    for await (const record of readStream(streams, this.arn))
      records.push({ ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: BEGAN + records.length } })
    const { exit, err } = await run(['ingest', '-', '--archive', this.archive], { stdin: linesOf(records) })
    expect([exit, err]).toEqual([0, expect.anything()])
  }

  restore(argv: readonly string[], endpoint = local.endpoint) {
    return run(['restore', ...argv, '--endpoint', endpoint, '--archive', this.archive])
  }
}

/** The moment after so many changes of a table. */
function after(changes: number): string {
  return new Date((BEGAN + changes - 1) * 1000).toISOString()
}

function textOf(item: JsonObject): string {
  return canonicalItem(canonicalAttributes(item, 'item', 'once'), 'item')
}

const EVERY_TYPE =
  '{"pk":{"S":"every type"},"__proto__":{"S":"a name like any other"},"constructor":{"M":{"__proto__":{"N":"1"},"10":{"S":"x"},"9":{"S":"y"}}},' +
  '"n":{"N":"12345678901234567890123456789012345678"},"small":{"N":"1E-130"},"big":{"N":"9.9999999999999999999999999999999999999E+125"},"b":{"B":"AAECAw=="},"empty":{"S":""},' +
  '"no bytes":{"B":""},"yes":{"BOOL":true},"no":{"BOOL":false},"nothing":{"NULL":true},"ss":{"SS":["b","a","～","😀"]},"ns":{"NS":["1","20","3"]},' +
  '"bs":{"BS":["AQ==","AA=="]},"l":{"L":[{"N":"1"},{"L":[]},{"M":{}},{"SS":["z","y"]}]},"m":{"M":{"deep":{"M":{"deeper":{"L":[{"NULL":true}]}}}}},"\\u2028":{"S":"\\u2028 \\u0000"}}'

/** What the tests read of an answer in JSON. */
interface Answer {
  readonly applied: object
  readonly outcomes: readonly { readonly item_key: { readonly pk: { readonly S: string } }; readonly outcome: string }[]
}

const title = `restore against DynamoDB Local${missing === undefined ? '' : ` (${missing})`}`

describe.skipIf(missing !== undefined)(title, () => {
  it('puts an item back to what it was, every type of attribute, and leaves others alone', async () => {
    const table = await Subject.create()
    await table.put(EVERY_TYPE)
    await table.put({ pk: { S: 'other' }, n: { N: '1' } })
    const was = await table.scan()
    await table.put({ pk: { S: 'every type' }, n: { N: '2' }, added: { S: 'wrong' } })
    await table.put({ pk: { S: 'other' }, n: { N: '2' } })
    await table.ingest()

    const plan = await table.restore([table.name, 'every type', '--as-of', after(2)])
    expect(plan.exit).toBe(0)
    expect(plan.out).toContain('~ every type  update\n')
    expect(plan.out).toContain('0 to put, 1 to update, 0 to delete; 0 as they are')
    expect(await table.scan()).not.toEqual(was)

    const one = ['--as-of', after(2), '--apply', '--plan', join(folder, 'one.jsonl')]
    const applied = await table.restore([table.name, 'every type', ...one])
    expect([applied.exit, applied.out]).toEqual([0, expect.stringContaining('1 restored\n')])
    expect(await table.scan()).toEqual([was[0], textOf({ pk: { S: 'other' }, n: { N: '2' } })].sort())
  })

  it('brings a whole table back, puts what is gone, and deletes what came only when it is asked to', async () => {
    const table = await Subject.create([
      ['pk', 'B'],
      ['sk', 'N'],
    ])
    const key = (i: number) => ({ pk: { B: Buffer.from([i % 3]).toString('base64') }, sk: { N: String(i - 5) } })
    for (let i = 0; i < 12; i++) await table.put({ ...key(i), v: { N: String(i) } })
    const was = await table.scan()
    await table.delete(key(0))
    await table.put({ ...key(1), v: { N: '-1' } })
    await table.put({ ...key(20), v: { N: '20' } })
    await table.ingest()

    const plan = join(folder, 'whole.jsonl')
    const planned = await table.restore([table.name, '--as-of', after(12), '--plan', plan])
    expect([planned.exit, planned.out.split('\n').at(-2)]).toEqual([
      0,
      '1 to put, 1 to update, 0 to delete; 10 as they are, 1 left',
    ])
    expect(planned.out).toContain('leave: it was not there: --delete deletes it')
    const applied = await table.restore(['--apply', '--plan', plan])
    expect([applied.exit, applied.out]).toEqual([0, expect.stringContaining('2 restored\n')])
    expect(await table.scan()).toEqual([...was, textOf({ ...key(20), v: { N: '20' } })].sort())

    const more = ['--as-of', after(12), '--delete', '--apply', '--plan', join(folder, 'deleting.jsonl')]
    const deleting = await table.restore([table.name, ...more])
    expect([deleting.exit, deleting.out]).toEqual([0, expect.stringContaining('1 restored\n')])
    expect(await table.scan()).toEqual(was)
  })

  it('overwrites nothing that changed between the plan and its performance', async () => {
    const table = await Subject.create()
    const names = [
      'updated',
      'deleted',
      'made again',
      'one attribute more',
      'untouched',
      'put by somebody',
      'not wanted',
    ]
    const rest = { SS: ['a', 'b'] }
    for (const name of names.slice(0, 6)) await table.put({ pk: { S: name }, v: { N: '1' }, rest })
    for (const name of names.slice(0, 5)) await table.put({ pk: { S: name }, v: { N: '2' }, rest })
    await table.delete({ pk: { S: 'put by somebody' } })
    await table.put({ pk: { S: 'not wanted' } })
    await table.ingest()
    const plan = join(folder, 'changed.jsonl')
    expect((await table.restore([table.name, '--as-of', after(6), '--delete', '--plan', plan])).exit).toBe(0)

    await table.put({ pk: { S: 'updated' }, v: { N: '3' }, rest })
    await table.delete({ pk: { S: 'deleted' } })
    await table.delete({ pk: { S: 'made again' } })
    await table.put({ pk: { S: 'made again' }, v: { N: '2' }, rest: { SS: ['b', 'a', 'c'] } })
    await table.put({ pk: { S: 'one attribute more' }, v: { N: '2' }, rest, seen: { BOOL: true } })
    await table.put({ pk: { S: 'put by somebody' }, v: { N: '9' } })
    await table.put({ pk: { S: 'not wanted' }, but: { S: 'now it is' } })
    const before = await table.scan()

    const { exit, out } = await table.restore(['--apply', '--plan', plan, '--format', 'json'])
    expect(exit).toBe(1)
    const answer = JSON.parse(out) as Answer
    expect(answer.applied).toEqual({ done: 1, already: 0, refused: 6, failed: 0, altered: 0 })
    const refused = answer.outcomes.filter(({ outcome }) => outcome === 'refused')
    expect(refused.map(({ item_key }) => item_key.pk.S).sort()).toEqual(
      names.filter(name => name !== 'untouched').sort(),
    )
    const restored = textOf({ pk: { S: 'untouched' }, v: { N: '1' }, rest })
    expect(await table.scan()).toEqual(before.map(item => (item.includes('untouched') ? restored : item)).sort())
  })

  it('fills another table with what the table was, item for item', async () => {
    const composite: Key = [
      ['pk', 'S'],
      ['sk', 'N'],
    ]
    const table = await Subject.create(composite)
    const key = (i: number) => ({ pk: { S: `p${i % 7}` }, sk: { N: String(i) } })
    for (let i = 0; i < 60; i++) await table.put({ ...key(i), v: { M: { i: { NS: [String(i), '0.5'] } } } })
    await table.put({ pk: { S: 'large' }, sk: { N: '0' }, big: { S: 'x'.repeat(395_000) } })
    const was = await table.scan()
    for (let i = 0; i < 60; i += 2) await table.delete(key(i))
    await table.ingest()

    const other = await Subject.create(composite)
    const to = ['--as-of', after(61), '--to', other.name, '--plan']
    const filled = await table.restore([table.name, ...to, join(folder, 'to.jsonl')])
    expect([filled.exit, filled.out]).toEqual([0, expect.stringContaining('61 restored\n')])
    expect(await other.scan()).toEqual(was)
    expect((await table.scan()).length).toBe(31)

    const again = await table.restore([table.name, ...to, join(folder, 'to2.jsonl')])
    expect([again.exit, again.err]).toEqual([2, expect.stringContaining('is not empty')])
    expect(existsSync(join(folder, 'to2.jsonl'))).toBe(false)
  })

  it('writes an export that holds the very items', async () => {
    const table = await Subject.create()
    await table.put(EVERY_TYPE)
    for (let i = 0; i < 20; i++) await table.put({ pk: { S: `i${i}` }, v: { N: String(i) } })
    const was = await table.scan()
    await table.delete({ pk: { S: 'i3' } })
    await table.ingest()
    const output = join(folder, 'export')
    const { exit, err } = await table.restore([table.name, '--as-of', after(21), '--output', output])
    expect([exit, err]).toEqual([0, expect.stringContaining('manifest-summary.json')])
    const names = readdirSync(output, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.json.gz'))
    const lines = names.flatMap(name =>
      gunzipSync(readFileSync(join(output, name)))
        .toString()
        .split('\n')
        .slice(0, -1),
    )
    expect(lines.map(line => textOf((JSON.parse(line) as { Item: JsonObject }).Item)).sort()).toEqual(was)
  })
})
