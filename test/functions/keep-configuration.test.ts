import { S3Client } from '@aws-sdk/client-s3'
import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createConfigurationResource } from '../../functions/keep-configuration.js'
import type { RetentionRule } from '../../functions/lock-objects.js'
import { configurationKey } from '../../transform/layout.js'
import { rowConfiguration, unconfiguredTable } from '../../transform/table-configuration.js'
import { LOOPBACK_CONNECTION, type Loopback, startLoopback } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'

const ORDERS = unconfiguredTable('Orders')
const [KEY, BODY] = [configurationKey(ORDERS), rowConfiguration(ORDERS)]

let s3: S3Server
let cloudFormation: Loopback
let answers: CloudFormationCustomResourceResponse[]

beforeAll(async () => {
  s3 = await startS3Server()
  cloudFormation = await startLoopback((_request, body, response) => {
    answers.push(JSON.parse(body.toString()))
    response.writeHead(200).end()
  })
})
beforeEach(() => {
  answers = []
  s3.versions.length = 0
  s3.fault = () => undefined
})
afterAll(() => Promise.all([s3.stop(), cloudFormation.stop()]))

async function call(
  RequestType: 'Create' | 'Update' | 'Delete',
  properties: object = {},
  ...lock: [rule?: RetentionRule, now?: () => number]
) {
  const client = new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, forcePathStyle: true, maxAttempts: 1 })
  await createConfigurationResource(
    client,
    ...lock,
  )({
    RequestType,
    ResponseURL: cloudFormation.endpoint,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'Kept',
    ...(RequestType !== 'Create' && { PhysicalResourceId: KEY }),
    ResourceProperties: { ServiceToken: '', Bucket: 'archive', Key: KEY, Body: BODY, ...properties },
  } as unknown as CloudFormationCustomResourceEvent)
  return answers.at(-1)
}

const kept = () => s3.versions.map(({ key, body }) => [key, body.toString()])

describe('a kept configuration', () => {
  it('is written under the hash of its content', async () => {
    expect(await call('Create')).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: KEY, RequestId: 'request' })
    expect(kept()).toEqual([[KEY, BODY]])
  })

  it('is never written again, by another deployment or the same', async () => {
    await call('Create')
    expect(await call('Create')).toMatchObject({ Status: 'SUCCESS' })
    expect(await call('Update')).toMatchObject({ Status: 'SUCCESS' })
    expect(kept()).toHaveLength(1)
  })

  it('is locked as it is written: of a bucket just made no event tells the lock function', async () => {
    await call('Create', {}, { mode: 'GOVERNANCE', days: 30 }, () => Date.parse('2026-11-22T00:00:00Z'))
    const [put] = s3.requests.filter(({ operation }) => operation === 'PutObject').slice(-1)
    expect(put?.headers).toMatchObject({
      'x-amz-object-lock-mode': 'GOVERNANCE',
      'x-amz-object-lock-retain-until-date': '2026-12-22T00:00:00Z',
    })
  })

  it('has no lock where the archive has none, or its bucket locks', async () => {
    await call('Create')
    const [put] = s3.requests.filter(({ operation }) => operation === 'PutObject').slice(-1)
    expect(Object.keys(put?.headers ?? {}).filter(name => name.includes('lock'))).toEqual([])
  })

  it('stays when the resource goes', async () => {
    await call('Create')
    expect(await call('Delete')).toMatchObject({ Status: 'SUCCESS' })
    expect(kept()).toHaveLength(1)
  })

  it('is another object where the content is another, and never lies under a hash that is not its own', async () => {
    expect(await call('Update', { Body: BODY.replace('Orders', 'Others') })).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/key is ".*", expected the content's id in it, [0-9a-f]{16}$/),
    })
    expect(await call('Create', { Key: 'data/x.parquet' })).toMatchObject({ Status: 'FAILED' })
    expect(kept()).toEqual([])
  })

  it('fails the deployment where S3 refuses it', async () => {
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    expect(await call('Create')).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('AccessDenied') })
  })
})
