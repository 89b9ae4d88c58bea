import type { OpenArchive } from '../../library/archive.js'
import type { Parameters } from '../../library/given.js'
import type { Answer } from '../../queries/answers/answer.js'
import type { QueryName } from '../../queries/query-types.js'

/** Asks a saved query whose name is told while the test runs, so that the compiler cannot know what it takes. */
export function askAny(archive: OpenArchive, name: string, table: string, parameters: object = {}): Promise<Answer> {
  return archive.run(name as QueryName, table, parameters as Parameters)
}
