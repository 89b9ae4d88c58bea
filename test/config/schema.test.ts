import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BUFFER, BUFFER_RANGES } from '../../aws/firehose-buffer.js'
import { parseConfiguration } from '../../config/configuration.js'
import { editorSchema } from '../../config/schema.js'

const schema = JSON.parse(JSON.stringify(editorSchema()))
const guide = readFileSync('docs/configuration.md', 'utf8')

test('docs/itemtrail.schema.json is what the source gives; else run: npx tsx config/write-schema.ts', () => {
  expect(JSON.parse(readFileSync('docs/itemtrail.schema.json', 'utf8'))).toEqual(schema)
})

interface Field {
  readonly name: string
  readonly schema: { readonly description?: string; readonly examples?: readonly string[] }
}

/** The fields at every depth of a JSON Schema. */
function fieldsOf(node: unknown): readonly Field[] {
  if (typeof node !== 'object' || node === null) return []
  const { properties = {} } = node as { properties?: Record<string, Field['schema']> }
  return [
    ...Object.entries(properties).map(([name, schema]) => ({ name, schema })),
    ...Object.values(node).flatMap(fieldsOf),
    ...Object.values(properties).flatMap(fieldsOf),
  ]
}

describe('each field', () => {
  const fields = fieldsOf(schema)

  test('has a description for editors', () => {
    expect(fields.length).toBeGreaterThan(15)
    expect(fields.filter(({ schema }) => !schema.description).map(({ name }) => name)).toEqual([])
  })

  test('and each type is in the guide', () => {
    const types = fields.flatMap(({ schema }) => schema.examples ?? []).map(type => type.replace(/\(.*/, '('))
    const missing = [...fields.map(({ name }) => name), ...types].filter(
      word => !new RegExp(`\`(\\w+\\.)?${word.replaceAll(/[$(]/g, '\\$&')}`).test(guide),
    )
    expect(missing).toEqual([])
  })
})

test("what is said of Firehose's buffer is what aws/firehose-buffer.ts has", () => {
  const { mb, seconds } = BUFFER_RANGES
  const [row = ''] = /^\| `buffer` .*/m.exec(guide) ?? []
  expect(row).toContain(`\`{ "mb": ${BUFFER.mb}, "seconds": ${BUFFER.seconds} }\``)
  expect(row).toContain(`\`mb\` is ${mb.least} to ${mb.most}, \`seconds\` ${seconds.least} to ${seconds.most} `)
  // as infra/archive-props.ts says
  expect(BUFFER).toMatchObject({ mb: mb.most, seconds: seconds.most })
})

test("the guide's example is a configuration", () => {
  const [, example] = /```json\n(.*?)```/s.exec(guide) as RegExpExecArray
  expect(parseConfiguration(example as string, 'docs/configuration.md').tables.size).toBe(2)
})
