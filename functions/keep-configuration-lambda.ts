import { S3Client } from '@aws-sdk/client-s3'
import { createConfigurationResource } from './keep-configuration.js'

/** Entry point of the custom resource that keeps configurations in the archive. */
export const handler = createConfigurationResource(new S3Client({}))
