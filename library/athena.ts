/** `itemtrail/athena`: the engine for an archive on AWS, its buckets, and what its stack derives. */
export { UnloadedCopies } from '../derived/unloaded-copies.js'
export * from '../queries/engines/athena.js'
export { Bucket } from '../store/s3.js'
