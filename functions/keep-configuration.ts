import { hash } from 'node:crypto'
import { PutObjectCommand, type PutObjectCommandInput, type S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import type { CloudFormationCustomResourceEvent } from 'aws-lambda'
import { parseConfigurationKey } from '../transform/layout.js'
import { answerCloudFormation, failedBy, type ResourceOutcome } from './cloudformation-answer.js'
import type { RetentionRule } from './lock-objects.js'

type Properties = CloudFormationCustomResourceEvent['ResourceProperties']

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * The custom resource that keeps a configuration in the archive. Its properties are `Bucket`, `Key` and `Body`. What is
 * kept stays when the resource goes: rows were made under it.
 *
 * It is locked as it is written, where there is a rule: of a bucket that was just made no event comes that would have
 * it locked afterwards (S3 user guide, "Enabling Amazon EventBridge": around five minutes).
 */
export function createConfigurationResource(client: S3Client, rule?: RetentionRule, now = Date.now) {
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const { RequestType, ResourceProperties: properties } = event
    let outcome: ResourceOutcome = { Status: 'SUCCESS' }
    try {
      if (RequestType !== 'Delete') await keep(client, properties, rule && lockOf(rule, now()))
    } catch (error) {
      outcome = failedBy(error)
    }
    const id = 'PhysicalResourceId' in event ? event.PhysicalResourceId : event.LogicalResourceId
    await answerCloudFormation(event, typeof properties.Key === 'string' ? properties.Key : id, outcome)
  }
}

function lockOf({ mode, days }: RetentionRule, now: number): Partial<PutObjectCommandInput> {
  return { ObjectLockMode: mode, ObjectLockRetainUntilDate: new Date(now + days * DAY_MS) }
}

async function keep(
  client: S3Client,
  { Bucket, Key, Body }: Properties,
  lock: Partial<PutObjectCommandInput> = {},
): Promise<void> {
  const id = parseConfigurationKey(`${Key}`)?.id
  const found = hash('sha256', `${Body}`).slice(0, 16)
  if (id !== found) throw new Error(`key is ${JSON.stringify(Key)}, expected the content's id in it, ${found}`)
  try {
    await client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*', ...lock }))
  } catch (error) {
    // the key holds the content's hash, so what is there already is the same
    if (!(error instanceof S3ServiceException) || error.name !== 'PreconditionFailed') throw error
  }
}
