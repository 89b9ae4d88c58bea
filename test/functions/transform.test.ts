import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { TransformHandler } from '../../transform/handler.js'
import { firehoseEvent, streamsRecord, tableConfiguration } from '../factories.js'

const BUNDLE = fileURLToPath(new URL('../../dist/lambda/transform/index.mjs', import.meta.url))
const ENTRY = fileURLToPath(new URL('../../functions/transform.ts', import.meta.url))
const good = streamsRecord()

const NAME = 'Jane Doe'
const withValue = (value: unknown) => JSON.stringify(good).replace('{"S":"PENDING"}', JSON.stringify(value))
/** Each with what the log says of it. */
const situations: readonly (readonly [string, string, string?])[] = [
  ['a number that is none', withValue({ N: NAME }), 'NewImage... has N ..., which is no number that DynamoDB has'],
  ['base64 that is none', withValue({ B: NAME })],
  ['a boolean that is none', withValue({ BOOL: NAME })],
  ['a list that is none', withValue({ L: NAME })],
  ['an attribute that is plain JSON', withValue(NAME)],
  ['an unknown type', withValue({ X: NAME })],
  ['two types', withValue({ S: NAME, N: '1' })],
  ['an image that is plain text', JSON.stringify({ ...good, dynamodb: { ...good.dynamodb, NewImage: NAME } })],
  [
    'a key of a wrong type',
    JSON.stringify({ ...good, dynamodb: { ...good.dynamodb, Keys: { name: { SS: [NAME] } } } }),
  ],
  ['text that is no JSON', `${NAME},12 High Street`, 'record is not a JSON object, it starts with ...'],
  [
    'a map whose names are data',
    withValue({ M: { [NAME]: { M: { x: { BOOL: 'y' } } } } }),
    'NewImage... has BOOL ..., expected true or false',
  ],
  ['characters that the outline itself is made with', withValue({ N: `\ue001${NAME}\ue000` })],
  ['a value without quotes', `{"name":${NAME}}`],
  ['a comma too many', `{"name":"${NAME}",}`],
  ['a record cut off', `{"name":"${NAME}`],
  ['a duplicate name', `{"name":"${NAME}","name":"${NAME}"}`],
  ['a lone surrogate', withValue({ S: `${NAME} \ud800` })],
]

describe('the transform function as it is deployed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-lambda-'))
  let handler: TransformHandler

  beforeAll(async () => {
    copyFileSync(BUNDLE, join(folder, 'index.mjs'))
    writeFileSync(join(folder, 'table.json'), JSON.stringify(tableConfiguration()))
    handler = ((await import(pathToFileURL(join(folder, 'index.mjs')).href)) as { handler: TransformHandler }).handler
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it('reads its table from the file beside it', async () => {
    const { records } = await handler(firehoseEvent([good, streamsRecord({ eventSourceARN: undefined })]))
    expect(records.map(record => record.result)).toEqual(['Ok', 'ProcessingFailed'])
  })

  it('is smaller than 100 KB', () => {
    expect(statSync(BUNDLE).size).toBeLessThan(100_000)
  })

  it('is made of our own code and of Node itself', async () => {
    const { metafile } = await build({
      entryPoints: [ENTRY],
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
      metafile: true,
    })
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.filter(path => !path.startsWith('transform/'))).toEqual(['functions/transform.ts'])
    const imports = Object.values(metafile.outputs).flatMap(output => output.imports)
    expect(imports.filter(({ path }) => !path.startsWith('node:'))).toEqual([])
  })

  it.each(situations)(
    'logs why a record was refused, but no data of one with %s',
    async (_about, content = '', why?: string) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
      const { records } = await handler(firehoseEvent([content]))
      const logged = warn.mock.calls.flat().join('\n')
      warn.mockRestore()
      expect(records[0]?.result).toBe('ProcessingFailed')
      expect(logged).toContain(records[0]?.recordId)
      expect(logged).not.toContain('Jane')
      const told = JSON.parse(logged).why
      if (why !== undefined) expect(told).toBe(why)
      else expect(told).not.toBe('')
    },
  )
})
