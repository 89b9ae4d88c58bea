/** What Firehose gathers before it asks the transform and before it writes an object. Each figure stands here once. */

/** What is gathered for one object unless the configuration says otherwise, whichever comes first. */
export const BUFFER = { mb: 128, seconds: 900 } as const

/** What it can be told to gather: with conversion to Parquet from 64 MB, with dynamic partitioning from 60 s. */
export const BUFFER_RANGES = {
  mb: { least: 64, most: 128, whole: true },
  seconds: { least: 60, most: 900, whole: true },
} as const

/**
 * What is gathered for one call of the transform. One megabyte, because an answer with flat columns is larger and has
 * to stay under Lambda's 6 MB.
 */
export const TRANSFORM_BUFFER: { readonly mb: number; readonly seconds: number } = { mb: 1, seconds: 60 }

/** A failing transform is tried so often again (developer guide, "Handle failure in data transformation"). */
export const TRANSFORM_RETRIES = 3
