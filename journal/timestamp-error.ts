/** An answer of an authority that is no time stamp of what was asked. */
export class TimestampError extends Error {
  override readonly name = 'TimestampError'
}
