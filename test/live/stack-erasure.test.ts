/**
 * A person in a stack, from the deployment of the keys to the certificate: the bundled functions on Lambda's Node, keys
 * in DynamoDB Local, and the command line. KMS, S3 and Athena are stand-ins by their protocols; Athena's answers are
 * DuckDB's over the very rows that the bundle made.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import type { FirehoseTransformationResult } from 'aws-lambda'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { checkConfiguration } from '../../config/configuration.js'
import { KEY_TABLE_KEYS } from '../../config/key-store.js'
import { ParquetConverter } from '../../delivery/parquet-conversion.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { columnsOf } from '../../transform/audit-row.js'
import { configurationKey } from '../../transform/layout.js'
import { rowConfiguration } from '../../transform/table-configuration.js'
import { success } from '../athena-engine.js'
import { type AthenaServer, type Outcome, startAthenaServer } from '../athena-server.js'
import { run } from '../cli/command-line.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { CHANGED_AT, firehoseEvent, streamsRecord } from '../factories.js'
import { templateOf } from '../infra/archives.js'
import { may } from '../infra/policies.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { bundlePath, findNode24, invokeBundle } from '../lambda-runtime.js'
import { type Loopback, startLoopback } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'
import { useDynamoDbLocal } from './local-table.js'

const missing = missingForDynamoDbLocal()
const node = await findNode24()
/** What `keep` keeps of an address stays. */
const CLEAR = /Ann|Bob|ann@/
const KEY_TABLE = 'Stack-Keys'
const DATE = new Date(CHANGED_AT * 1000).toISOString().slice(0, 10)

const CONFIGURATION = {
  lock: { mode: 'none' },
  erasure: { keys: 'of the stack' },
  tables: {
    Orders: {
      since: '2026-11-01',
      keys: ['order_id'],
      erasable: [
        { subject: 'buyer.id', attributes: ['buyer.name', { attribute: 'buyer.mail', keep: 'domain' }] },
        { subject: 'seller.id', attributes: ['seller.name'] },
      ],
    },
  },
}

const orderOf = (status: string) => ({
  order_id: { S: 'A' },
  status: { S: status },
  buyer: { M: { id: { S: 'u-4711' }, name: { S: 'Ann' }, mail: { S: 'ann@secret.example' } } },
  seller: { M: { id: { S: 'u-2' }, name: { S: 'Bob' } } },
})
const changeOf = (number: number, before: string, after: string) =>
  streamsRecord({
    eventID: `e${number}`,
    SequenceNumber: String(number),
    Keys: { order_id: { S: 'A' } },
    OldImage: orderOf(before),
    NewImage: orderOf(after),
  })

describe.skipIf(missing !== undefined || node === undefined)('a person in a stack', () => {
  const local = useDynamoDbLocal()
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-stack-'))
  const [root, bundle, config] = ['archive', 'bundle', 'itemtrail.config.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const table = checkConfiguration(CONFIGURATION, 'test').tables.get('Orders') as NonNullable<
    ReturnType<ReturnType<typeof checkConfiguration>['tables']['get']>
  >
  let [kms, s3, athena, outputs, answers] = [] as unknown as [KmsServer, S3Server, AthenaServer, Loopback, Loopback]
  const answered: object[] = []
  let keyTable = KEY_TABLE
  const [partition, sort] = [KEY_TABLE_KEYS.partition, KEY_TABLE_KEYS.sort]
  const createKeyTable = (TableName: string) =>
    local.client.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions: [partition, sort].map(AttributeName => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [
          { AttributeName: partition, KeyType: 'HASH' },
          { AttributeName: sort, KeyType: 'RANGE' },
        ],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    )

  beforeAll(async () => {
    for (const path of [bundle, join(root, 'data/Orders', `event_date=${DATE}`)]) mkdirSync(path, { recursive: true })
    writeFileSync(config, JSON.stringify(CONFIGURATION))
    copyFileSync(bundlePath('sealing-transform'), join(bundle, 'index.mjs'))
    writeFileSync(join(bundle, 'table.json'), JSON.stringify(table))
    ;[kms, s3, athena] = await Promise.all([startKmsServer(), startS3Server(), startAthenaServer()])
    outputs = await startLoopback((_, __, response) => response.writeHead(200).end(stackOf(keyTable)))
    answers = await startLoopback((_, body, response) => {
      answered.push(JSON.parse(body.toString()))
      response.writeHead(200).end()
    })
    s3.add({ key: configurationKey(table), body: Buffer.from(rowConfiguration(table)) })
    athena.workgroup.name = 'people'
    athena.answer = (sql, parameters) => askDuckDb(root, sql, parameters)
    const endpoints = { S3: s3, ATHENA: athena, CLOUDFORMATION: outputs, KMS: kms }
    for (const [name, { endpoint }] of Object.entries(endpoints)) vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, endpoint)
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', local.endpoint)
    await createKeyTable(KEY_TABLE)
  })
  afterAll(async () => {
    await Promise.all([kms, s3, athena, outputs, answers].map(server => server?.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  /** A function as Lambda calls it, each time in a container of its own. */
  const invoke = (path: string, event: object) =>
    invokeBundle(node as string, {
      bundle: path,
      event,
      memoryMb: 256,
      environment: {
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        ITEMTRAIL_KEY_TABLE: keyTable,
        ITEMTRAIL_SUBJECT_KEY: 'arn:aws:kms:us-east-1:111122223333:key/1',
        AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
        AWS_ENDPOINT_URL_KMS: kms.endpoint,
      },
    })

  /** Records through the bundle, and its rows into the archive; the row lines. */
  async function deliver(...records: readonly object[]): Promise<string> {
    const { answer, error } = await invoke(join(bundle, 'index.mjs'), firehoseEvent(records))
    expect(error).toBeUndefined()
    const results = (answer as FirehoseTransformationResult).records
    expect(results.map(({ result }) => result)).toEqual(records.map(() => 'Ok'))
    const lines = results.map(({ data }) => Buffer.from(data as string, 'base64').toString()).join('')
    const converter = await ParquetConverter.create()
    writeFileSync(join(folder, 'lines'), lines)
    const path = join(root, 'data/Orders', `event_date=${DATE}`, `${s3.versions.length}-${records.length}.parquet`)
    await converter.convert(join(folder, 'lines'), path, columnsOf(table), records.length)
    converter.close()
    return lines
  }

  const subject = (act: string, id: string, ...more: readonly string[]) =>
    run(['subject', act, id, '--stack', 'Stack', '--config', config, ...more])
  const items = async () =>
    (await local.client.send(new ScanCommand({ TableName: keyTable, ConsistentRead: true }))).Items ?? []
  const factsKept = () =>
    s3.versions
      .filter(({ key }) => key.startsWith('facts/'))
      .map(({ key, body }) => ({ key, fact: JSON.parse(body.toString()) }))

  it('has a key store once it is deployed, and the same after every deployment', async () => {
    const event = (RequestType: string) => ({
      RequestType,
      ResponseURL: answers.endpoint,
      StackId: 'stack',
      RequestId: RequestType,
      LogicalResourceId: 'Store',
      ResourceProperties: { Table: KEY_TABLE },
    })
    for (const type of ['Create', 'Update', 'Delete']) await invoke(bundlePath('make-key-store'), event(type))
    expect(answered).toEqual(
      ['Create', 'Update', 'Delete'].map(RequestId =>
        expect.objectContaining({ RequestId, Status: 'SUCCESS', PhysicalResourceId: `${KEY_TABLE}/store` }),
      ),
    )
    expect(await items()).toHaveLength(1)
  })

  it('is sealed by the function, under the same key in every container', async () => {
    const first = await deliver(changeOf(1, 'NEW', 'PAID'), changeOf(2, 'PAID', 'SENT'))
    expect(first).not.toMatch(CLEAR)
    expect(first).toContain('secret.example')
    const [after] = first.split('\n').map(line => line && JSON.parse(line).new_hash)
    const second = await deliver(changeOf(3, 'PAID', 'DONE'))
    // the same image, by another container
    expect(JSON.parse(second.split('\n')[0] as string).old_hash).toBe(after)
    expect((await items()).map(item => item.entry?.S).sort()).toEqual(['key/1', 'key/1', 'store'])
  })

  it('is found and told what is kept of him, and nothing of others', async () => {
    const found = await subject('find', 'u-4711', '--format', 'json')
    expect(found.err).toBe('')
    expect(JSON.parse(found.out)).toMatchObject({
      state: 'readable',
      generation: 1,
      tables: [{ table: 'Orders', rows: 3, objects: 2, values: 12, clear: 0 }],
    })
    const { out, exit } = await subject('export', 'u-4711')
    expect(exit).toBe(0)
    const rows = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows.map(row => row.new_image.buyer)).toEqual(['PAID', 'SENT', 'DONE'].map(it => orderOf(it).buyer))
    expect(out).not.toContain('Bob')
  })

  it('is not erased while a case holds that back', async () => {
    expect((await subject('hold', 'u-4711', '--case', 'C-1', '--reason', 'a suit')).exit).toBe(0)
    expect(await subject('erase', 'u-4711', '--reason', 'asked')).toMatchObject({ exit: 1 })
    expect(factsKept()).toEqual([])
    expect((await subject('release', 'u-4711', '--case', 'C-1')).exit).toBe(0)
  })

  it('is erased: a fence, then the key, then a certificate that says what is left and when it is effective', async () => {
    const rawData = Buffer.from(JSON.stringify(changeOf(9, 'NEW', 'PAID'))).toString('base64')
    const line = JSON.stringify({ attemptsMade: 4, arrivalTimestamp: 1795341600000, errorCode: 'x', rawData })
    const refused = s3.add({ key: 'refused/processing-failed/Orders/x', body: Buffer.from(`${line}\n`) })
    kms.requests.length = 0
    const first = await subject('erase', 'u-4711', '--reason', 'asked', '--ticket', 'T-1', '--format', 'json')
    expect(first.exit).toBe(1)
    expect(JSON.parse(first.out).certificates[0].pending).toEqual(
      ['archive', 'refused'].map(bucket =>
        expect.stringMatching(`^s3://${bucket}/refused/processing-failed/Orders/x has 1`),
      ),
    )
    // who erases opens no key
    expect(kms.requests.map(({ body }) => (body.EncryptionContext as object)['itemtrail:purpose' as never])).toEqual([
      'tokens',
    ])
    s3.versions.splice(s3.versions.indexOf(refused), 1)
    const { exit, out } = await subject('erase', 'u-4711', '--reason', 'asked', '--format', 'json')
    expect(exit).toBe(0)
    const [certificate] = JSON.parse(out).certificates
    expect(certificate).toMatchObject({
      kind: 'erasure',
      table: 'Orders',
      rows: 3,
      objects: 2,
      values: 12,
      pending: [],
    })
    const lingers = Date.parse(certificate.effective) - Date.parse(certificate.destroyed)
    expect(lingers).toBe((7 * 24 * 60 + 5 + 2) * 60_000)
    expect(factsKept().map(({ fact }) => fact.kind)).toEqual(['erasing', 'erasure', 'erasure'])
    expect(await items()).toContainEqual(
      expect.objectContaining({ entry: { S: 'key/1' }, erased: { S: expect.any(String) } }),
    )
  })

  it('leaves nothing of late records, which make no key; the other one stays whole', async () => {
    const late = await deliver(changeOf(4, 'DONE', 'GONE'))
    expect(late).not.toMatch(CLEAR)
    expect((await subject('export', 'u-4711')).out).not.toMatch(CLEAR)
    expect((await subject('export', 'u-2')).out.match(/"Bob"/g)).toHaveLength(8)
    expect(JSON.parse((await subject('find', 'u-4711', '--format', 'json')).out)).toMatchObject({
      state: 'erased',
      certificates: [{ ticket: 'T-1' }, { pending: [] }],
    })
    const { exit, err } = await subject('hold', 'u-4711', '--case', 'C-2', '--reason', 'late')
    expect({ exit, err }).toMatchObject({ exit: 1, err: expect.stringContaining('nothing left to hold') })
  })

  it('does not come back with a table that was restored, which is refused until it is adopted', async () => {
    const old = (await items()).map(({ erased: _, ...item }) =>
      // as it was before the erasure
      item.entry?.S === 'key/1' && !item.wrappedKey ? { ...item, wrappedKey: { B: Buffer.alloc(60) } } : item,
    )
    keyTable = 'Stack-Restored'
    await createKeyTable(keyTable)
    for (const Item of old) await local.client.send(new PutItemCommand({ TableName: keyTable, Item }))
    const refused = await subject('find', 'u-4711')
    expect(refused).toMatchObject({ exit: 3, err: expect.stringContaining('"Stack-Restored" is a copy of arn:') })
    const failed = await invoke(join(bundle, 'index.mjs'), firehoseEvent([changeOf(7, 'NEW', 'PAID')]))
    expect(failed.error?.errorMessage).toContain('is a copy of arn:')
    const { exit, out } = await run(['subject', 'adopt', '--stack', 'Stack', '--config', config, '--format', 'json'])
    expect([exit, JSON.parse(out)]).toEqual([0, { table: 'Stack-Restored', destroyed: 1 }])
    expect((await items()).filter(item => item.erased && !item.wrappedKey)).toHaveLength(1)
    expect((await subject('export', 'u-4711')).out).not.toMatch(CLEAR)
    expect((await subject('export', 'u-2')).out).toContain('"Bob"')
    expect(await deliver(changeOf(8, 'GONE', 'LATE'))).not.toMatch(CLEAR)
  })

  it('has its certificate in the end where it was not kept at first, and tells so', async () => {
    s3.fault = (operation, key) =>
      operation === 'PutObject' && key.endsWith('-erasure.json') ? { status: 403, code: 'AccessDenied' } : undefined
    const { exit, err } = await subject('erase', 'u-2', '--reason', 'asked')
    expect([exit, err]).toEqual([expect.any(Number), expect.stringContaining('AccessDenied')])
    expect(exit).not.toBe(0)
    s3.fault = () => undefined
    expect((await subject('erase', 'u-2', '--reason', 'asked')).exit).toBe(0)
    const ofBob = factsKept().slice(-2)
    expect(ofBob.map(({ fact }) => fact.kind)).toEqual(['erasing', 'erasure'])
    expect((await subject('export', 'u-2')).out).not.toContain('"Bob"')
  })

  it('gets a new key for a new life, and only then', async () => {
    expect((await subject('renew', 'u-4711')).exit).toBe(0)
    const renewed = await deliver(changeOf(5, 'NEW', 'BACK'))
    expect(renewed).toMatch(/"1\.2\.[0-9a-f]{32}\.[A-Za-z0-9_-]{40,}"|1\.2\.[0-9a-f]{32}\.[A-Za-z0-9_-]{40,}/)
    const { out } = await subject('export', 'u-4711')
    expect(out.match(/"Ann"/g)).toHaveLength(2)
  })

  it.each([
    ['AuditPersonsRolesEraser', ['token', 'find', 'hold', 'release', 'erase', 'renew']],
    ['AuditPersonsRolesRevealer', ['token', 'find', 'export']],
  ] as const)('is what the role %s may act about, and no other role', async (role, acts) => {
    const { resources } = templateOf({
      Orders: {
        since: '2026-11-01',
        keys: ['order_id'],
        erasable: [{ subject: 'buyer.id', attributes: ['buyer.name'] }],
      },
    })
    const calls: Call[] = []
    const sdk = Object.getPrototypeOf(S3Client.prototype) as { send: (...given: unknown[]) => unknown }
    const send = sdk.send
    const spy = vi.spyOn(sdk, 'send').mockImplementation(function (this: { config: { serviceId: string } }, ...given) {
      const command = given[0] as { constructor: { name: string }; input: Call['input'] }
      const service = this.config.serviceId.toLowerCase()
      calls.push({ service, operation: command.constructor.name.replace(/Command$/, ''), input: command.input })
      return send.apply(this, given)
    })
    for (const act of acts) {
      const { err } = await subject(act, `${role}-1`, '--reason', 'asked', '--case', 'C-1')
      expect([act, err.replaceAll(/^(athena:|\d+ rows? of|itemtrail seal).*\n/gm, '')]).toEqual([act, ''])
    }
    spy.mockRestore()
    const needs = [...new Map(calls.map(call => [needOf(call).join(' '), needOf(call)])).values()]
    expect(needs.length).toBeGreaterThan(5)
    const lacking = (who: string) => needs.filter(need => !may(resources, who, ...need)).map(need => need.join(' '))
    expect(lacking(role)).toEqual([])
    for (const other of ['QueryUser', 'Auditor', 'Operator', 'Baseline', 'Restorer'])
      expect(lacking(`AuditRoles${other}`)).toContain('kms:Decrypt <AuditPersonsKeysKey.Arn>')
  })

  it('is never named to Athena, which keeps what it was asked', () => {
    expect(athena.requests.length).toBeGreaterThan(10)
    expect(JSON.stringify(athena.requests)).not.toContain('u-4711')
  })

  it('has the function throw where a key cannot be had, so that nothing is stored in clear', async () => {
    kms.answers.set('Decrypt', 'AccessDeniedException')
    const { answer, error } = await invoke(join(bundle, 'index.mjs'), firehoseEvent([changeOf(6, 'NEW', 'PAID')]))
    expect(answer).toBeUndefined()
    expect(error?.errorMessage).toMatch(/secret "\w+" of the key store is not opened by KMS: AccessDeniedException/)
    kms.answers.delete('Decrypt')
  })
})

/** What IAM asks for a call, by the names that a template has. */
const RESOURCES: Readonly<Record<string, string>> = {
  dynamodb: '<AuditPersonsKeysTable.Arn>',
  kms: '<AuditPersonsKeysKey.Arn>',
  cloudformation: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/Stack/id',
  athena: 'arn:aws:athena:eu-central-1:111122223333:workgroup/<AuditWorkgroup>',
}
const BUCKETS: Readonly<Record<string, string>> = {
  archive: '<AuditArchiveBucket.Arn>',
  refused: '<AuditRefused.Arn>',
}

interface Call {
  readonly service: string
  readonly operation: string
  readonly input: Readonly<Record<string, string | undefined>>
}

function needOf({ service, operation, input }: Call): readonly [action: string, resource: string] {
  if (service !== 's3') return [`${service}:${operation}`, `${RESOURCES[service]}`]
  const { Bucket = '', Key } = input
  const action = operation === 'ListObjectsV2' ? 'ListBucket' : operation
  return [`s3:${action}`, Key === undefined ? `${BUCKETS[Bucket]}` : `${BUCKETS[Bucket]}/${Key}`]
}

const OUTPUTS = {
  AuditArchiveBucket: 'archive',
  AuditRefusedBucket: 'refused',
  AuditDatabaseName: 'audit',
  AuditWorkgroupName: 'people',
}
const member = ([key, value]: readonly string[]) =>
  `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`
const stackOf = (keyTable: string) =>
  `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>Stack</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>${Object.entries(
    { ...OUTPUTS, AuditPersonsKeyTable: keyTable },
  )
    .map(member)
    .join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`

/** What DuckDB says of the rows, as Athena tells it. */
async function askDuckDb(root: string, sql: string, parameters: readonly string[]): Promise<Outcome> {
  const instance = await openDuckDb(':memory:', { memory_limit: '1GB' })
  const connection = await instance.connect()
  try {
    const rows = `select *, filename as "$path" from read_parquet('${root}/data/Orders/**/*.parquet', filename = true)`
    await connection.run(`create view orders_deliveries as ${rows}`)
    const values = [...parameters]
    const answer = await connection.runAndReadAll(sql.replaceAll('?', () => values.shift() ?? ''))
    const columns = answer.columnNames().map(name => `${name} ${name === 'n' ? 'bigint' : 'varchar'}`)
    const texts = answer.getRows().map(row => row.map(value => (value === null ? null : String(value))))
    return (success(columns, texts) as (sql: string, parameters: readonly string[]) => Outcome)(sql, parameters)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
