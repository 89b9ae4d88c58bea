import { ANSWER_FILES } from './formats/answer-files.js'
import { DYNAMODB_LINES } from './formats/dynamodb-lines.js'
import { FOR_PEOPLE } from './formats/for-people.js'
import { JSON_LINES } from './formats/json-lines.js'
import { JSON_VALUE } from './formats/json-value.js'
import type { OutputFormat } from './output-format.js'

/**
 * Every format that a command answers in; the first is what it answers in unasked. A new one is a file in `formats/`
 * and its line here: what reads and explains `--format` is made of this list.
 */
export const FORMATS: readonly OutputFormat[] = [FOR_PEOPLE, JSON_VALUE, JSON_LINES, ...ANSWER_FILES, DYNAMODB_LINES]
