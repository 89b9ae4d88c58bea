import type { Bucket as OpenBucket } from '../../store/s3.js'

/** Opens a bucket. The SDK is loaded when it is needed: it takes longer to load than most commands to run. */
export async function openBucket(name: string, region?: string): Promise<OpenBucket> {
  const [{ S3Client }, { Bucket }] = await Promise.all([import('@aws-sdk/client-s3'), import('../../store/s3.js')])
  return new Bucket(new S3Client(region === undefined ? {} : { region }), name)
}
