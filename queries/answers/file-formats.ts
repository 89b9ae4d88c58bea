/**
 * Files that an answer can become, with their media types. What is no text is not for a terminal. This knows no
 * encoder, so that a list of formats costs nothing to load.
 */
export const FILE_FORMATS = {
  csv: { mediaType: 'text/csv; charset=utf-8; header=present', isText: true },
  parquet: { mediaType: 'application/vnd.apache.parquet', isText: false },
  arrow: { mediaType: 'application/vnd.apache.arrow.file', isText: false },
  html: { mediaType: 'text/html; charset=utf-8', isText: true },
} as const

/** The name of a format in `FILE_FORMATS`. */
export type FileFormat = keyof typeof FILE_FORMATS
