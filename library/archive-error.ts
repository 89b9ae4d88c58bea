/** An archive, a table or a saved query that is not there, or an archive that cannot be read. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
}
