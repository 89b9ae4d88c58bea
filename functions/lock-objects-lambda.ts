import { S3Client } from '@aws-sdk/client-s3'
import { readEnvironment } from './environment.js'
import { createLocker, parseRule } from './lock-objects.js'

const environment = readEnvironment(process.env, ['ITEMTRAIL_LOCK_MODE', 'ITEMTRAIL_LOCK_DAYS'])

/** Entry point of the function that locks objects after delivery. */
export const handler = createLocker(
  new S3Client({}),
  parseRule(environment.ITEMTRAIL_LOCK_MODE, environment.ITEMTRAIL_LOCK_DAYS),
)
