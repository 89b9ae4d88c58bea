import type { QueryEngine } from '../queries/engine.js'
import type { Io } from './io.js'
import { printable } from './text.js'

/** Tells on standard error what the engine remarked while it answered, such as that a copy could not be used. */
export function tellRemarks(engine: QueryEngine, io: Io): void {
  for (const remark of engine.remarks?.() ?? []) io.err(`${printable(remark)}\n`)
}
