import { toDynamoDbJson } from '../json-text.js'
import type { AnswerFormat } from '../output-format.js'
import { tellBeside } from '../surface.js'

/** Items as an export to S3 has them, which imports take. */
export const DYNAMODB_LINES: AnswerFormat = {
  name: 'dynamodb',
  of: 'items',
  isRowsAlone: true,
  about: '{"Item":{...}} lines as in its export',
  print: async (surface, io) => {
    for await (const image of surface.images?.() ?? []) io.out(`${toDynamoDbJson(image)}\n`)
    await tellBeside(surface, io)
  },
}
