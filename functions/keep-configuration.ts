import { hash } from 'node:crypto'
import { PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import type { CloudFormationCustomResourceEvent } from 'aws-lambda'
import { parseConfigurationKey } from '../transform/layout.js'
import { answerCloudFormation, failedBy, type ResourceOutcome } from './cloudformation-answer.js'

type Properties = CloudFormationCustomResourceEvent['ResourceProperties']

/**
 * The custom resource that keeps a configuration in the archive. Its properties are `Bucket`, `Key` and `Body`. What is
 * kept stays when the resource goes: rows were made under it.
 */
export function createConfigurationResource(client: S3Client) {
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const { RequestType, ResourceProperties: properties } = event
    let outcome: ResourceOutcome = { Status: 'SUCCESS' }
    try {
      if (RequestType !== 'Delete') await keep(client, properties)
    } catch (error) {
      outcome = failedBy(error)
    }
    const id = 'PhysicalResourceId' in event ? event.PhysicalResourceId : event.LogicalResourceId
    await answerCloudFormation(event, typeof properties.Key === 'string' ? properties.Key : id, outcome)
  }
}

async function keep(client: S3Client, { Bucket, Key, Body }: Properties): Promise<void> {
  const id = parseConfigurationKey(`${Key}`)?.id
  const found = hash('sha256', `${Body}`).slice(0, 16)
  if (id !== found) throw new Error(`key is ${JSON.stringify(Key)}, expected the content's id in it, ${found}`)
  try {
    await client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' }))
  } catch (error) {
    // the key holds the content's hash, so what is there already is the same
    if (!(error instanceof S3ServiceException) || error.name !== 'PreconditionFailed') throw error
  }
}
