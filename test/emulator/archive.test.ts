/** The deployed archive, from changes of tables to answers of a copy; what even an administrator may not. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DescribeKinesisStreamingDestinationCommand } from '@aws-sdk/client-dynamodb'
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { asAdministrator, aws, copyArchive, itemtrail, outcomes } from './acting.js'
import { clientsOf, declaredIn, differences, keysBelow, resourcesOf, waitFor } from './stack.js'
import { openWorld, outputOf, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World

describe.skipIf(typeof opened === 'string')(
  `a deployed archive${typeof opened === 'string' ? ` (${opened})` : ''}`,
  () => {
    let bucket: string
    beforeAll(() => {
      bucket = outputOf(world, 'ArchiveBucket')
    })
    const env = () => world.environment

    it('has every resource of its templates, and nothing to change', async () => {
      const count = (type: string) => world.resources.filter(resource => resource.type === type).length
      for (const [type, declared] of declaredIn(world.assembly)) expect([type, count(type)]).toEqual([type, declared])
      expect(await differences(world.assembly, env())).toBe(0)
      expect(world.resources.length).toBe((await resourcesOf(STACK, env())).length)
    })

    it('has its saved queries where people find them', async () => {
      const group = ['--work-group', outputOf(world, 'WorkgroupName')]
      const { PreparedStatements } = await aws(world, ['athena', 'list-prepared-statements', ...group])
      const { NamedQueryIds } = await aws(world, ['athena', 'list-named-queries', ...group])
      const declared = declaredIn(world.assembly)
      expect([PreparedStatements.length, NamedQueryIds.length]).toEqual([
        declared.get('AWS::Athena::PreparedStatement'),
        declared.get('AWS::Athena::NamedQuery'),
      ])
    })

    it('attached a table that it did not make to Kinesis, by microseconds', async () => {
      const command = new DescribeKinesisStreamingDestinationCommand({ TableName: 'Carts' })
      const { KinesisDataStreamDestinations } = await clientsOf(env()).dynamodb.send(command)
      expect(KinesisDataStreamDestinations).toMatchObject([
        { DestinationStatus: 'ACTIVE', ApproximateCreationDateTimePrecision: 'MICROSECOND' },
      ])
    })

    it('keeps the configuration of each table', async () => {
      const keys = await keysBelow(bucket, 'config/', env())
      const tables = ['Boxes', 'Carts', 'Members', 'Orders', outputOf(world, 'CanaryTable')]
      expect(keys.map(key => key.split('/')[1]).sort()).toEqual(tables)
    })

    it('takes every change by either way, and refuses none', async () => {
      expect(world.fed).toMatchObject({ records: 2218, failures: 0 })
      const carts = await waitFor(
        () => keysBelow(bucket, 'data/Carts/', env()),
        keys => keys.length >= world.written.Carts,
      )
      expect(carts.length).toBeGreaterThanOrEqual(world.written.Carts)
      expect((await keysBelow(bucket, 'data/Orders/', env())).length).toBeGreaterThan(50)
    })

    it('locks what arrives, by an event, a queue and a function', async () => {
      const { s3 } = clientsOf(env())
      const keys = ['data/', 'config/'].map(async prefix => (await keysBelow(bucket, prefix, env())).slice(0, 3))
      for (const Key of (await Promise.all(keys)).flat()) {
        const modeOf = () =>
          s3.send(new GetObjectRetentionCommand({ Bucket: bucket, Key })).then(
            ({ Retention }) => Retention?.Mode,
            () => undefined,
          )
        expect([Key, await waitFor(modeOf, mode => mode !== undefined)]).toEqual([Key, 'GOVERNANCE'])
      }
    })

    it('lets an administrator neither write, delete nor unlock', async () => {
      const { s3 } = clientsOf(await asAdministrator(world))
      const data = { Bucket: bucket, Prefix: 'data/Orders/', MaxKeys: 1 }
      const { Versions: [version] = [] } = await s3.send(new ListObjectVersionsCommand(data))
      const object = { Bucket: bucket, Key: version?.Key, VersionId: version?.VersionId }
      const put = (Bucket: string, Key: string) => () => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
      const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
        data: put(bucket, 'data/Orders/event_date=2026-11-01/x.parquet'),
        facts: put(bucket, 'facts/Nothing/x.json'),
        config: put(bucket, 'config/Nothing/x.json'),
        log: put(bucket, 'log/checkpoint'),
        derived: put(outputOf(world, 'DerivedBucket'), 'derived/Orders/x'),
        version: () => s3.send(new DeleteObjectCommand({ ...object, BypassGovernanceRetention: true })),
        marker: () => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: version?.Key })),
        lock: () =>
          s3.send(
            new PutObjectRetentionCommand({
              ...object,
              BypassGovernanceRetention: true,
              Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 86_400_000) },
            }),
          ),
        hold: () => s3.send(new PutObjectLegalHoldCommand({ ...object, LegalHold: { Status: 'ON' } })),
      }
      expect(await outcomes(attempts)).toEqual(
        Object.fromEntries(Object.keys(attempts).map(name => [name, 'AccessDenied'])),
      )
    })

    it('is told by a copy as a desk tells it', async () => {
      const copy = await copyArchive(world, env(), `copy-${process.pid}`)
      expect(await itemtrail(world, ['verify', 'continuity', 'Orders', '--archive', copy])).toMatchObject({ code: 0 })
      expect(await itemtrail(world, ['reconcile', 'Carts', '--scan', '--archive', copy])).toMatchObject({
        out: expect.stringMatching(/equal +15 items/),
      })
      const tailed = await itemtrail(world, ['tail', 'Orders', '--until-caught-up', '--archive', `${copy}-tailed`])
      expect(tailed).toMatchObject({ code: 0, err: expect.stringContaining('caught up') })
    })

    it('has functions that were denied nothing', async () => {
      const log = readFileSync(join(world.folder, 'emulator.log'), 'utf8')
      const denied = log
        .split('\n')
        .filter(line => /not authorized to perform|AccessDenied/i.test(line) && /lambda/i.test(line))
      expect(denied).toEqual([])
    })
  },
)
