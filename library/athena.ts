/** `itemtrail/athena`: the engine for an archive on AWS, and what its stack derives. */
export { UnloadedCopies } from '../derived/unloaded-copies.js'
export * from '../queries/engines/athena.js'
