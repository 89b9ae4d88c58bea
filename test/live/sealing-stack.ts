/**
 * A stack with erasable values for tests: the bundled functions on Lambda's Node, keys in DynamoDB Local, stand-ins by
 * their protocols for KMS, S3 and Athena, whose answers are DuckDB's over the very rows that the bundle made.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import type { FirehoseTransformationResult } from 'aws-lambda'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import { checkConfiguration } from '../../config/configuration.js'
import { ParquetConverter } from '../../delivery/parquet-conversion.js'
import type { CaptureProps } from '../../infra/archive-props.js'
import { columnsOf } from '../../transform/audit-row.js'
import { configurationKey } from '../../transform/layout.js'
import { rowConfiguration, type TableConfiguration } from '../../transform/table-configuration.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { answerFromFolder } from '../desk-athena.js'
import { CHANGED_AT, firehoseEvent, streamsRecord } from '../factories.js'
import { TABLE_KINDS, templateOf } from '../infra/archives.js'
import { may } from '../infra/policies.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { bundlePath, invokeBundle } from '../lambda-runtime.js'
import { type Loopback, startLoopback } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'
import { createKeyTable } from './key-table.js'
import { useDynamoDbLocal } from './local-table.js'

/** The day of the changes. */
export const DATE = new Date(CHANGED_AT * 1000).toISOString().slice(0, 10)
const KEY_TABLE = 'Stack-Keys'

const ERASABLE: NonNullable<CaptureProps['erasable']> = [
  { subject: 'buyer.id', attributes: ['buyer.name', { attribute: 'buyer.mail', keep: 'domain' }] },
  { subject: 'seller.id', attributes: ['seller.name'] },
]
const configurationWith = (more: object) => ({
  lock: { mode: 'none' },
  erasure: { keys: 'of the stack' },
  tables: { Orders: { since: '2026-11-01', keys: ['order_id'], erasable: ERASABLE, ...more } },
})

/** An order of Ann (`u-4711`) from Bob (`u-2`). */
export const orderOf = (status: string, name = 'Ann') => ({
  order_id: { S: 'A' },
  status: { S: status },
  buyer: { M: { id: { S: 'u-4711' }, name: { S: name }, mail: { S: 'ann@secret.example' } } },
  seller: { M: { id: { S: 'u-2' }, name: { S: 'Bob' } } },
})
/** A change of its status. */
export const changeOf = (number: number, before: string, after: string) =>
  streamsRecord({
    eventID: `e${number}`,
    SequenceNumber: String(number),
    Keys: { order_id: { S: 'A' } },
    OldImage: orderOf(before),
    NewImage: orderOf(after),
  })

/** A stack for the tests of a file, which is there from the first of them on. `node` is Lambda's. */
export function useSealingStack(node: string | undefined, more: Partial<CaptureProps> = {}) {
  const configuration = configurationWith(more)
  const local = useDynamoDbLocal()
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-stack-'))
  const [root, bundle, config] = ['archive', 'bundle', 'itemtrail.config.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const table = checkConfiguration(configuration, 'test').tables.get('Orders') as TableConfiguration
  const servers = {} as { kms: KmsServer; s3: S3Server; athena: AthenaServer; outputs: Loopback; answers: Loopback }
  const answered: object[] = []
  const state = { keyTable: KEY_TABLE }

  beforeAll(async () => {
    for (const path of [bundle, join(root, 'data/Orders', `event_date=${DATE}`)]) mkdirSync(path, { recursive: true })
    writeFileSync(config, JSON.stringify(configuration))
    copyFileSync(bundlePath('sealing-transform'), join(bundle, 'index.mjs'))
    writeFileSync(join(bundle, 'table.json'), JSON.stringify(table))
    const [kms, s3, athena] = await Promise.all([startKmsServer(), startS3Server(), startAthenaServer()])
    const outputs = await startLoopback((_, __, response) => response.writeHead(200).end(stackOf(state.keyTable)))
    const answers = await startLoopback((_, body, response) => {
      answered.push(JSON.parse(body.toString()))
      response.writeHead(200).end()
    })
    Object.assign(servers, { kms, s3, athena, outputs, answers })
    s3.add({ key: configurationKey(table), body: Buffer.from(rowConfiguration(table)) })
    athena.workgroup.name = 'people'
    athena.answer = answerFromFolder(root, 'archive')
    const endpoints = { S3: s3, ATHENA: athena, CLOUDFORMATION: outputs, KMS: kms }
    for (const [name, { endpoint }] of Object.entries(endpoints)) vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, endpoint)
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', local.endpoint)
    await createKeyTable(local.client, KEY_TABLE)
  })
  afterAll(async () => {
    await Promise.all(Object.values(servers).map(server => server.stop()))
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
        ITEMTRAIL_KEY_TABLE: state.keyTable,
        ITEMTRAIL_SUBJECT_KEY: 'arn:aws:kms:us-east-1:111122223333:key/1',
        AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
        AWS_ENDPOINT_URL_KMS: servers.kms.endpoint,
      },
    })
  const transform = (records: readonly object[]) => invoke(join(bundle, 'index.mjs'), firehoseEvent(records))

  let objects = 0
  /** Records through the bundle, and its rows into the archive, as an object of a day; the row lines. */
  async function deliverOn(date: string, records: readonly object[]): Promise<string> {
    const { answer, error } = await transform(records)
    expect(error).toBeUndefined()
    const results = (answer as FirehoseTransformationResult).records
    expect(results.map(({ result }) => result)).toEqual(records.map(() => 'Ok'))
    const lines = results.map(({ data }) => Buffer.from(data as string, 'base64').toString()).join('')
    const converter = await ParquetConverter.create()
    writeFileSync(join(folder, 'lines'), lines)
    const path = join(root, 'data/Orders', `event_date=${date}`, `${++objects}.parquet`)
    mkdirSync(dirname(path), { recursive: true })
    await converter.convert(join(folder, 'lines'), path, columnsOf(table), records.length)
    converter.close()
    return lines
  }

  /** What the bucket has besides rows, beside them: as a copy of it would have it. */
  const copyArchive = () => {
    for (const { key, body } of servers.s3.versions.filter(one => /^(facts|config)\//.test(one.key))) {
      mkdirSync(dirname(join(root, key)), { recursive: true })
      writeFileSync(join(root, key), body)
    }
  }
  const makeStore = (RequestType = 'Create') =>
    invoke(bundlePath('make-key-store'), {
      RequestType,
      ResponseURL: servers.answers.endpoint,
      StackId: 'stack',
      RequestId: RequestType,
      LogicalResourceId: 'Store',
      ResourceProperties: { Table: KEY_TABLE },
    })
  const items = async () =>
    (await local.client.send(new ScanCommand({ TableName: state.keyTable, ConsistentRead: true }))).Items ?? []
  const deliver = (...records: readonly object[]) => deliverOn(DATE, records)
  return {
    ...{ local, folder, root, config, table, servers, answered, state, items },
    ...{ transform, deliver, deliverOn, copyArchive, makeStore },
  }
}

interface Call {
  readonly service: string
  readonly operation: string
  readonly input: Readonly<Record<string, string | undefined>>
}

/** Something that IAM is asked for. */
export type Need = readonly [action: string, resource: string]

/** What IAM is asked for while something is done, each once. */
export async function needsWhile(act: () => Promise<unknown>): Promise<readonly Need[]> {
  const calls: Call[] = []
  const sdk = Object.getPrototypeOf(S3Client.prototype) as { send: (...given: unknown[]) => unknown }
  const send = sdk.send
  const spy = vi.spyOn(sdk, 'send').mockImplementation(function (this: { config: { serviceId: string } }, ...given) {
    const command = given[0] as { constructor: { name: string }; input: Call['input'] }
    const service = this.config.serviceId.toLowerCase()
    calls.push({ service, operation: command.constructor.name.replace(/Command$/, ''), input: command.input })
    return send.apply(this, given)
  })
  try {
    await act()
  } finally {
    spy.mockRestore()
  }
  return [...new Map(calls.map(call => [needOf(call).join(' '), needOf(call)])).values()]
}

/** What a role of a stack with erasable values lacks of these. */
export function lackingOf(role: string, needs: readonly Need[]): readonly string[] {
  const orders = { since: '2026-11-01', keys: ['order_id'], erasable: ERASABLE, table: TABLE_KINDS.imported }
  resources ??= templateOf({ Orders: orders }).resources
  const deployed = resources
  return needs.filter(need => !may(deployed, role, ...need)).map(need => need.join(' '))
}
let resources: ReturnType<typeof templateOf>['resources'] | undefined

const HERE = 'eu-central-1:111122223333'
/** What IAM asks for a call, by the names that a template has. */
const RESOURCES: Readonly<Record<string, string>> = {
  dynamodb: '<AuditPersonsKeysTable.Arn>',
  kms: '<AuditPersonsKeysKey.Arn>',
  cloudformation: `arn:aws:cloudformation:${HERE}:stack/Stack/id`,
  athena: `arn:aws:athena:${HERE}:workgroup/<AuditWorkgroup>`,
  firehose: '<AuditTablesOrdersDeliveryStream.Arn>',
}
const BUCKETS: Readonly<Record<string, string>> = {
  archive: '<AuditArchiveBucket.Arn>',
  refused: '<AuditRefused.Arn>',
}

function needOf({ service, operation, input }: Call): Need {
  if (service === 'dynamodb' && JSON.stringify(input).includes('"Orders"'))
    return [`dynamodb:${operation}`, `arn:aws:dynamodb:${HERE}:table/Orders`]
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
