import { MEMORY } from '../../queries/engines/duckdb-instance.js'
import { bytesOfSize } from '../../queries/engines/memory-size.js'
import { CommandError, type Options } from '../io.js'

/** What every command that reads whole tables takes: how much of them it holds. */
export const MEMORY_OPTION = [
  '--memory <size>',
  `what DuckDB may hold; more goes to a temporary folder, which TMPDIR places (${MEMORY})`,
] as const

/** The size that `--memory` gives; undefined where it is not given. Throws `CommandError` for anything else. */
export function memoryOf({ memory }: Options): string | undefined {
  if (memory === undefined) return undefined
  if (typeof memory === 'string' && bytesOfSize(memory) !== undefined) return memory
  throw new CommandError(`--memory is ${JSON.stringify(memory)}, expected a size such as 512MB or 4GB`)
}
