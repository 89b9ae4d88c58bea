/** The bundles that are deployed, run as Lambda would run them. */
import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CloudFormationCustomResourceEvent, FirehoseTransformationResult } from 'aws-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHECKED } from '../../derived/athena-statements.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { createHandler } from '../../transform/handler.js'
import { success } from '../athena-engine.js'
import { startAthenaServer } from '../athena-server.js'
import { firehoseEvent, streamsRecord, tableConfiguration } from '../factories.js'
import { type FirehoseServer, startFirehoseServer } from '../firehose-server.js'
import { startKmsServer } from '../kms-server.js'
import { bundlePath, findNode24, type Invocation, invokeBundle } from '../lambda-runtime.js'
import { startLoopback } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'
import { EXPORT_ARN, incrementalSummary, TABLE_ARN, writeExport } from '../table-export.js'

const node = await findNode24()

/** Takes messages as SNS does. */
async function startSnsServer() {
  const published: URLSearchParams[] = []
  const loopback = await startLoopback((_, body, response) => {
    published.push(new URLSearchParams(body.toString()))
    const answer = '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>'
    response.writeHead(200, { 'content-type': 'text/xml' }).end(answer)
  })
  return { ...loopback, published }
}

/** An object as a desk writes it, which Node 24 reads without DuckDB. */
function zstdParquet(): Promise<Buffer> {
  return parquetOf('select sha256(i::varchar) as row_hash, i as event_time_us from range(25000) t(i)', 'zstd')
}

async function parquetOf(rows: string, compression: 'snappy' | 'zstd'): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-parquet-'))
  const [path, duckDb] = [join(folder, 'rows.parquet'), await openDuckDb()]
  const connection = await duckDb.connect()
  await connection.run(`copy (${rows}) to '${path}' (format parquet, compression ${compression}, row_group_size 20000)`)
  connection.closeSync()
  duckDb.closeSync()
  const bytes = readFileSync(path)
  rmSync(folder, { recursive: true })
  return bytes
}

describe.skipIf(node === undefined)(
  `bundles on Node 24${node ? '' : ' (node@24 cannot be had)'}`,
  { timeout: 30_000 },
  () => {
    const run = (options: Parameters<typeof invokeBundle>[1]): Promise<Invocation> =>
      invokeBundle(node as string, options)

    let firehose: FirehoseServer
    let s3: S3Server
    beforeAll(async () => {
      firehose = await startFirehoseServer()
      s3 = await startS3Server()
    })
    afterAll(() => Promise.all([firehose.stop(), s3.stop()]))

    describe('transform', () => {
      const table = tableConfiguration({ columns: [{ column: 'status', path: ['status'], type: 'string' }] })
      let folder: string
      beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), 'itemtrail-transform-'))
        copyFileSync(bundlePath('transform'), join(folder, 'index.mjs'))
        writeFileSync(join(folder, 'table.json'), JSON.stringify(table))
      })
      afterAll(() => rmSync(folder, { recursive: true, force: true }))
      const transform = (event: object, memoryMb = 128) => run({ bundle: join(folder, 'index.mjs'), event, memoryMb })

      it('is smaller than 100 KB', () => {
        expect(statSync(bundlePath('transform')).size).toBeLessThan(100_000)
      })

      it('answers 500 records as the source does', async () => {
        const contents = Array.from({ length: 500 }, (_, i) =>
          i % 50 === 49 ? 'no JSON' : streamsRecord({ SequenceNumber: String(i), eventID: `event${i}` }),
        )
        const event = firehoseEvent(contents)
        const { answer, log } = await transform(event)
        expect(answer).toEqual(JSON.parse(JSON.stringify(await createHandler(table)(event))))
        expect(log.trim().split('\n')).toHaveLength(10)
        expect(JSON.parse(log.split('\n')[0] as string)).toMatchObject({ level: 'WARN', table: 'Orders' })
      })

      it('answers 3 MB in 128 MB of memory', async () => {
        const fill = 'x'.repeat(760)
        const pack = (from: number) =>
          Array.from({ length: 250 }, (_, i) =>
            JSON.stringify(streamsRecord({ SequenceNumber: String(from + i), NewImage: { order_id: { S: fill } } })),
          ).join('\n')
        const event = firehoseEvent(Array.from({ length: 10 }, (_, i) => pack(i * 250)))
        expect(JSON.stringify(event).length).toBeGreaterThan(3_800_000)
        const { answer, answerBytes } = await transform(event)
        expect((answer as FirehoseTransformationResult).records.map(({ result }) => result)).toEqual(
          Array(10).fill('Ok'),
        )
        expect(answerBytes).toBeGreaterThan(4_000_000)
      })
    })

    describe('forwarder', () => {
      const environment = (stream: string) => ({
        ITEMTRAIL_TABLE: 'Orders',
        ITEMTRAIL_DELIVERY_STREAM: stream,
        ITEMTRAIL_REFUSED_BUCKET: 'refused',
        AWS_ENDPOINT_URL_FIREHOSE: firehose.endpoint,
        AWS_ENDPOINT_URL_S3: s3.endpoint,
      })
      const forward = (stream: string, Records: readonly object[], timeoutMs = 30_000) =>
        run({
          bundle: bundlePath('forwarder'),
          event: { Records },
          environment: environment(stream),
          memoryMb: 256,
          timeoutMs,
        })

      it('forwards a batch, keeps what is too large, and writes its metrics on one line', async () => {
        const { accepted } = firehose.stream('well')
        const scan = { B: Buffer.alloc(399_000).toString('base64') }
        const large = streamsRecord({ SequenceNumber: '1000', OldImage: { scan }, NewImage: { scan } })
        const records = Array.from({ length: 999 }, (_, i) => streamsRecord({ SequenceNumber: String(i + 1) }))
        const { answer, log } = await forward('well', [...records, large])
        expect(answer).toEqual({ batchItemFailures: [] })
        expect(accepted.flatMap(data => data.toString().split('\n'))).toEqual(records.map(one => JSON.stringify(one)))
        expect(s3.versions.map(({ key }) => key)).toEqual([
          expect.stringMatching(/^refused\/oversize\/Orders\/[0-9a-f]{64}$/),
        ])
        const [metrics] = log.split('\n').filter(line => line.includes('_aws'))
        expect(JSON.parse(metrics as string)).toMatchObject({
          Table: 'Orders',
          RecordsAccepted: 999,
          RecordsOversize: 1,
        })
      })

      it('ends before its time when Firehose does not answer, and reports everything', async () => {
        firehose.stream('silent').fault = () => ({ kind: 'silence' })
        const { answer, handlerMs } = await forward('silent', [streamsRecord({ SequenceNumber: '7' })], 2_000)
        expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '7' }] })
        expect(handlerMs).toBeLessThan(2_000)
      })

      it('does not start without its configuration', async () => {
        const { error } = await run({ bundle: bundlePath('forwarder'), event: { Records: [] } })
        expect(error?.errorMessage).toContain('ITEMTRAIL_TABLE, ITEMTRAIL_DELIVERY_STREAM, ITEMTRAIL_REFUSED_BUCKET')
      })
    })

    it('lock-objects locks the version that an event names', async () => {
      const version = s3.add({ key: 'data/Orders/event_date=2026-11-22/a b.parquet' })
      const object = { key: version.key, 'version-id': version.versionId }
      const created = { time: '2026-11-22T10:15:00Z', detail: { bucket: { name: 'archive' }, object } }
      const event = { Records: [{ messageId: 'message', body: JSON.stringify(created) }] }
      const environment = {
        ITEMTRAIL_LOCK_MODE: 'COMPLIANCE',
        ITEMTRAIL_LOCK_DAYS: '10',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
      }
      const { error } = await run({ bundle: bundlePath('lock-objects'), event, environment, memoryMb: 128 })
      expect(error).toBeUndefined()
      expect(version.retention).toEqual({ mode: 'COMPLIANCE', until: '2026-12-02T10:15:00Z' })
    })

    it('watch-refused counts what is about to expire, by the name of the archive', async () => {
      s3.add({ key: 'refused/processing-failed/Orders/old', lastModified: '2020-01-01T00:00:00Z' })
      const environment = {
        ITEMTRAIL_ARCHIVE: 'audit',
        ITEMTRAIL_ARCHIVE_BUCKET: 'archive',
        ITEMTRAIL_REFUSED_BUCKET: 'refused',
        ITEMTRAIL_REFUSED_DAYS: '365',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
      }
      const { error, log } = await run({ bundle: bundlePath('watch-refused'), event: {}, environment, memoryMb: 128 })
      expect(error).toBeUndefined()
      // both buckets are one server here
      expect(JSON.parse(log)).toMatchObject({ Archive: 'audit', RefusedExpiring: 2 })
    })

    it('seal-archive seals a bucket with a key in KMS, and check-journal holds it against the journal', async () => {
      s3.versions.length = 0
      const [kms, sns] = [await startKmsServer(), await startSnsServer()]
      s3.add({ key: 'facts/Orders/a.json', body: Buffer.from('{}'), lastModified: '2026-11-22T10:00:00Z' })
      s3.add({ key: 'data/Orders/event_date=2026-11-22/a.parquet', body: await zstdParquet() })
      const environment = {
        ITEMTRAIL_ARCHIVE: 'audit',
        ITEMTRAIL_ARCHIVE_BUCKET: 'archive',
        ITEMTRAIL_ARCHIVE_KEY: 'arn:aws:kms:us-east-1:123456789012:key/archive',
        ITEMTRAIL_CHECKPOINT_TOPIC: 'arn:aws:sns:us-east-1:123456789012:checkpoints',
        ITEMTRAIL_ORIGIN: 'audit.example/log',
        ITEMTRAIL_REFUSED_DAYS: '365',
        ITEMTRAIL_SEAL_KEY: 'arn:aws:kms:us-east-1:123456789012:key/seal',
        ITEMTRAIL_SEAL_KEY_OWNER: 'archive',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ENDPOINT_URL_KMS: kms.endpoint,
        AWS_ENDPOINT_URL_SNS: sns.endpoint,
      }
      const options = { event: {}, environment, memoryMb: 256, timeoutMs: 900_000 }
      const sealed = await run({ bundle: bundlePath('seal-archive'), ...options })
      expect(sealed.error).toBeUndefined()
      const lines = sealed.log
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
      expect(lines).toContainEqual(expect.objectContaining({ message: 'sealed', size: 3, objects: 2, rows: 25_000 }))
      expect(lines).toContainEqual(expect.objectContaining({ Archive: 'audit', Seals: 1, ObjectsSealed: 2 }))
      const checked = await run({ bundle: bundlePath('check-journal'), ...options })
      await Promise.all([kms.stop(), sns.stop()])
      expect(checked.error).toBeUndefined()
      expect(checked.log).toContain('"sound":2')
      expect(checked.log).toContain('"findings":0')
      expect(sns.published.map(message => message.get('Subject'))).toEqual([
        'Itemtrail checkpoint 3 of audit.example/log',
      ])
    })

    it('compact-table has Athena write what is due, compares, and publishes', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'itemtrail-compact-'))
      cpSync(dirname(bundlePath('compact-table')), folder, { recursive: true })
      writeFileSync(join(folder, 'table.json'), JSON.stringify(tableConfiguration()))
      s3.versions.length = 0
      s3.add({ key: 'data/Orders/event_date=2026-11-20/a.parquet', lastModified: '2026-11-20T10:00:00Z' })
      const athena = await startAthenaServer()
      athena.answer = (sql, parameters) => {
        if (sql.startsWith('unload')) return { state: 'SUCCEEDED', columns: [], rows: [] }
        const names = ['side', ...CHECKED, 'began_us', 'sample_key', 'days']
        const values = ['7', '7', '1-1', '0', '1795341600000000', '{"order_id":{"S":"A"}}', '2026-11-20']
        return success(
          names.map(name => `${name} varchar`),
          ['archive', 'copy'].map(side => [side, ...values]),
        )(sql, parameters)
      }
      const environment = {
        ITEMTRAIL_ARCHIVE_BUCKET: 'archive',
        ITEMTRAIL_DERIVED_BUCKET: 'derived',
        ITEMTRAIL_DATABASE: 'audit',
        ITEMTRAIL_IDENTIFIER: 'orders',
        ITEMTRAIL_WORKGROUP: 'itemtrail',
        ITEMTRAIL_RUN_BYTES: '1000000',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ENDPOINT_URL_ATHENA: athena.endpoint,
      }
      const options = { bundle: join(folder, 'index.mjs'), event: {}, environment, memoryMb: 256, timeoutMs: 900_000 }
      const { error, log } = await run(options)
      const published = log.trim().split('\n')
      expect(error).toBeUndefined()
      // a run and three answers
      expect(published).toHaveLength(4)
      for (const line of published)
        expect(JSON.parse(line)).toMatchObject({ message: 'published', table: 'Orders', days: 1, rows: 7 })
      const manifest = s3.versions.find(({ key }) => key === 'derived/Orders/manifest.json')
      expect(JSON.parse(`${manifest?.body}`)).toMatchObject({
        version: 'derived/v2',
        runs: [{ days: [['2026-11-20', '2026-11-20']] }],
      })
      await athena.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    it('canary finds its earlier write in an object as Firehose writes it, and writes the next', async () => {
      const [written, arrived] = ['2026-11-22T10:00:00.000Z', '2026-11-22T10:07:00.000Z']
      const puts: { readonly Item: object }[] = []
      const stub = await startLoopback((request, body, response) => {
        if (request.headers['x-amz-target'] === 'DynamoDB_20120810.PutItem') puts.push(JSON.parse(body.toString()))
        const answer = JSON.stringify({ Item: { id: { S: 'canary' }, written_at: { S: written } } })
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(answer)
      })
      s3.versions.length = 0
      const rows = `select '{"id":{"S":"canary"},"written_at":{"S":"${written}"}}' as new_image`
      const key = 'data/audit_canary/event_date=2026-11-22/a.parquet'
      s3.add({ key, body: await parquetOf(rows, 'snappy'), lastModified: arrived })
      const environment = {
        ITEMTRAIL_ARCHIVE: 'audit',
        ITEMTRAIL_ARCHIVE_BUCKET: 'archive',
        ITEMTRAIL_CANARY_TABLE: 'audit_canary',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: stub.endpoint,
      }
      const { error, log } = await run({ bundle: bundlePath('canary'), event: {}, environment, memoryMb: 256 })
      await stub.stop()
      expect(error).toBeUndefined()
      expect(JSON.parse(log)).toMatchObject({ Archive: 'audit', EndToEndLag: 420, CanaryMissing: 0 })
      expect(log).toContain('{"Name":"EndToEndLag","Unit":"Seconds"}')
      expect(puts).toMatchObject([{ TableName: 'audit_canary', Item: { arrived: { S: written }, awaited: { L: [] } } }])
    })

    it('reconcile-table compares an export that is there with what Athena says, and keeps the fact', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'itemtrail-reconcile-'))
      cpSync(dirname(bundlePath('reconcile-table')), folder, { recursive: true })
      writeFileSync(join(folder, 'table.json'), JSON.stringify(tableConfiguration()))
      const [exportFromTime, exportToTime] = ['2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z']
      const id = EXPORT_ARN.split('/').at(-1)
      const exported = writeExport(join(folder, 'bucket'), {
        prefix: 'exports/Orders',
        files: [[{ Metadata: {}, Keys: { order_id: { S: 'A' } }, NewImage: { order_id: { S: 'A' } } }]],
        summary: incrementalSummary({ exportFromTime, exportToTime }),
      })
      s3.versions.length = 0
      for (const name of readdirSync(exported))
        s3.add({ key: `exports/Orders/AWSDynamoDB/${id}/${name}`, body: readFileSync(join(exported, name)) })
      const data = 'exports/Orders/AWSDynamoDB/data/part0.json.gz'
      s3.add({ key: data, body: readFileSync(join(folder, 'bucket', data)) })
      const [began, at] = ['2026-11-20T12:00:00.000000Z', (time: string) => time.replace('.000Z', '.000000Z')]
      const running = { from: at(exportFromTime), to: at(exportToTime), exportArn: EXPORT_ARN }
      const state = { version: 'nightly/v1', began, comparedUntil: null, hours: 24, attempt: 0, running }
      s3.add({ key: 'state/Orders.json', body: Buffer.from(JSON.stringify(state)) })
      const athena = await startAthenaServer()
      const hash = createHash('sha256').update('{"order_id":{"S":"A"}}').digest('hex')
      const columns = ['item_key varchar', 'entry_state varchar', 'exit_state varchar', 'last_us bigint']
      athena.answer = success(columns, [['{"order_id":{"S":"A"}}', 'absent', hash, '1795255200000000']])
      const dynamo = await startLoopback((_, __, response) => {
        const answer = JSON.stringify({ ExportDescription: { ExportArn: EXPORT_ARN, ExportStatus: 'COMPLETED' } })
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(answer)
      })
      const environment = {
        ITEMTRAIL_ARCHIVE_BUCKET: 'archive',
        ITEMTRAIL_ARCHIVE_KEY: 'arn:aws:kms:us-east-1:123456789012:key/archive',
        ITEMTRAIL_DATABASE: 'audit',
        ITEMTRAIL_EXPORTS_BUCKET: 'exports',
        ITEMTRAIL_IDENTIFIER: 'orders',
        ITEMTRAIL_TABLE_ARN: TABLE_ARN,
        ITEMTRAIL_WORKGROUP: 'itemtrail',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ENDPOINT_URL_ATHENA: athena.endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      }
      const options = { bundle: join(folder, 'index.mjs'), event: {}, environment, memoryMb: 256, timeoutMs: 900_000 }
      const { error, log } = await run(options)
      await Promise.all([athena.stop(), dynamo.stop()])
      rmSync(folder, { recursive: true, force: true })
      expect(error).toBeUndefined()
      expect(log).toContain('1 items compared, 0 differ, 0 unsettled, kept as facts/Orders/')
      expect(log).toContain('"Table":"Orders","ReconcileDifferences":0')
      const kept = (key: string) => JSON.parse(`${s3.versions.findLast(one => one.key.startsWith(key))?.body}`)
      expect(kept('facts/Orders/')).toMatchObject({
        kind: 'reconciliation',
        source: EXPORT_ARN,
        items: 1,
        differing: [],
      })
      expect(kept('state/Orders.json')).toMatchObject({ comparedUntil: running.to, running: null })
    })

    it('kinesis-destination answers CloudFormation', async () => {
      const answers: unknown[] = []
      const streamArn = 'arn:aws:kinesis:us-east-1:123456789012:stream/changes'
      const active = {
        StreamArn: streamArn,
        DestinationStatus: 'ACTIVE',
        ApproximateCreationDateTimePrecision: 'MICROSECOND',
      }
      const stub = await startLoopback((request, body, response) => {
        if (request.method === 'PUT') answers.push(JSON.parse(body.toString()))
        const headers = { 'content-type': 'application/x-amz-json-1.0' }
        response.writeHead(200, headers).end(JSON.stringify({ KinesisDataStreamDestinations: [active] }))
      })
      const event = {
        RequestType: 'Create',
        ResponseURL: `${stub.endpoint}/answer`,
        StackId: 'stack',
        RequestId: 'request',
        LogicalResourceId: 'Destination',
        ResourceProperties: {
          ServiceToken: 'token',
          TableName: 'Orders',
          StreamArn: streamArn,
          ApproximateCreationDateTimePrecision: 'MICROSECOND',
        },
      } as unknown as CloudFormationCustomResourceEvent
      const environment = { AWS_ENDPOINT_URL_DYNAMODB: stub.endpoint }
      await run({ bundle: bundlePath('kinesis-destination'), event, environment, memoryMb: 128 })
      await stub.stop()
      expect(answers).toEqual([expect.objectContaining({ Status: 'SUCCESS', LogicalResourceId: 'Destination' })])
    })
  },
)
