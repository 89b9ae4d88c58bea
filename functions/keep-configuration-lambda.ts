import { S3Client } from '@aws-sdk/client-s3'
import { createConfigurationResource } from './keep-configuration.js'
import { parseRule } from './lock-objects.js'

const { ITEMTRAIL_LOCK_MODE: mode, ITEMTRAIL_LOCK_DAYS: days = '' } = process.env

/** Entry point of the custom resource that keeps configurations in the archive. */
export const handler = createConfigurationResource(
  new S3Client({}),
  mode === undefined ? undefined : parseRule(mode, days),
)
