import { beforeEach, describe, expect, it } from 'vitest'
import { DiskArchive } from '../../store/folder.js'
import type { Objects } from '../../store/objects.js'
import { objectName, RefusedObjects, type RefusedRecord } from '../../store/refused-objects.js'
import { type RefusedEntry, readRefused, reasonOf } from '../../store/refused-reader.js'
import { refusedPrefix } from '../../transform/layout.js'
import { temporaryFolder } from '../delivery/desk.js'
import { ARRIVAL, recordBytes, streamsRecord, tableConfiguration } from '../factories.js'

let archive: DiskArchive
beforeEach(() => {
  archive = new DiskArchive(temporaryFolder())
})

const record = (fields: Partial<RefusedRecord> = {}): RefusedRecord => ({
  type: 'processing-failed',
  data: Buffer.from('no JSON'),
  arrival: ARRIVAL,
  attempts: 1,
  code: 'Lambda.ProcessingFailedStatus',
  message: 'ProcessingFailed status set for record',
  ...fields,
})

async function readAll(from: Objects = archive) {
  const damaged: string[] = []
  const entries: RefusedEntry[] = []
  for await (const { entry } of readRefused(from, key => damaged.push(key))) entries.push(entry)
  return { entries, damaged }
}

describe('refused objects', () => {
  it('come back with their bytes, whatever they are', async () => {
    const refused = new RefusedObjects(archive, 'Orders', () => ARRIVAL)
    const bytes = [Buffer.from([0, 0xff, 0x0a, 0x22]), Buffer.alloc(0), Buffer.from('😀')]
    for (const data of bytes) await refused.add(record({ data }))
    await refused.add(record({ type: 'format-conversion-failed', code: 'c', message: 'm', data: Buffer.from('line') }))
    await refused.flush()
    const { entries, damaged } = await readAll()
    expect(damaged).toEqual([])
    expect(entries.filter(entry => entry.type === 'processing-failed').map(entry => entry.data)).toEqual(bytes)
    expect(entries.find(entry => entry.type === 'format-conversion-failed')).toEqual({
      type: 'format-conversion-failed',
      table: 'Orders',
      data: Buffer.from('line'),
      arrival: ARRIVAL,
      code: 'c',
      message: 'm',
    })
  })

  it('are written when there is much of it, and once', async () => {
    const refused = new RefusedObjects(archive, 'Orders', () => ARRIVAL)
    const megabyte = record({ data: Buffer.alloc(1024 * 1024) })
    for (let i = 0; i < 3; i++) await refused.add(megabyte)
    expect(await archive.list('refused/')).toHaveLength(0)
    await refused.add(megabyte)
    expect(await archive.list('refused/')).toHaveLength(1)
    await refused.add(megabyte)
    await refused.flush()
    await refused.flush()
    expect(await archive.list(refusedPrefix('processing-failed', 'Orders'))).toHaveLength(2)
    expect((await readAll()).entries).toHaveLength(5)
  })

  it('are named as Firehose names them', () => {
    const name = objectName('Orders', Date.UTC(2026, 10, 22, 10, 0, 2, 250))
    expect(name).toMatch(/^Orders-1-2026-11-22-10-00-02-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(objectName('Orders', 0)).not.toBe(objectName('Orders', 0))
  })
})

describe('reading refused objects', () => {
  const rawData = Buffer.from('x').toString('base64')
  const put = (name: string, text: string) =>
    archive.put(`refused/format-conversion-failed/Orders/${name}`, Buffer.from(text))

  it('knows all generations of field names', async () => {
    await put('a', JSON.stringify({ errorCode: 'A', errorMessage: 'a', rawData, arrivalTimestamp: 1 }))
    await put('b', JSON.stringify({ ErrorCode: 'B', ErrorMessage: 'b', rawData }))
    await put('c', `${JSON.stringify({ lastErrorCode: 'C', lastErrorMessage: 'c', rawData })}\n`)
    const { entries } = await readAll()
    expect(entries.map(({ code, message, arrival }) => [code, message, arrival])).toEqual([
      ['A', 'a', 1],
      ['B', 'b', 0],
      ['C', 'c', 0],
    ])
  })

  it('tells which objects are damaged, and reads the lines beside', async () => {
    await put('a', `{"rawData":"${rawData}"}\n{"rawData":\n42\n{"errorCode":"no data"}\n{"rawData":"${rawData}"}\n`)
    const { entries, damaged } = await readAll()
    expect(entries).toHaveLength(2)
    expect(damaged).toEqual(Array(3).fill('refused/format-conversion-failed/Orders/a'))
  })

  it.each(['', '\n', '\n \n'])('tells of an object that is empty: none is written for nothing (%j)', async content => {
    await put('a', content)
    const { entries, damaged } = await readAll()
    expect([entries, new Set(damaged)]).toEqual([[], new Set(['refused/format-conversion-failed/Orders/a'])])
  })
})

it.each([
  ['a time that cannot be', { arrivalTimestamp: 1e300 }],
  ['a time before 1970', { arrivalTimestamp: -1 }],
  ['no time', { arrivalTimestamp: 'soon' }],
  ['base64 that is none', { rawData: 'eA=' }],
])('a line with %s is damaged', async (_, fields) => {
  const line = { errorCode: 'A', errorMessage: 'a', rawData: 'eA==', arrivalTimestamp: '1', ...fields }
  await archive.put('refused/processing-failed/Orders/a', Buffer.from(JSON.stringify(line)))
  expect(await readAll()).toEqual({ entries: [], damaged: ['refused/processing-failed/Orders/a'] })
})

describe('the reason why a record was refused', () => {
  const entry = (data: string | Uint8Array, fields: Partial<RefusedEntry> = {}): RefusedEntry => ({
    type: 'processing-failed',
    table: 'Orders',
    data: Buffer.from(data),
    arrival: ARRIVAL,
    code: 'c',
    message: 'ProcessingFailed status set for record',
    ...fields,
  })

  it('is told by the transform, which is asked again', () => {
    expect(reasonOf(entry('no JSON'), tableConfiguration())).toContain('record is not a JSON object')
    expect(reasonOf(entry(Buffer.of(0xff)), tableConfiguration())).toBe('record is not UTF-8')
  })

  it('may be gone by now', () => {
    const good = entry(recordBytes(streamsRecord()))
    expect(reasonOf(good, tableConfiguration())).toBe(
      'ProcessingFailed status set for record; the transform takes it now',
    )
    expect(reasonOf(good, tableConfiguration({ since: '2026-12-01' }))).toContain('before the archive')
  })

  it('is the message of a line that could not become a row', () => {
    const line = entry('{}', { type: 'format-conversion-failed', message: 'column event_id is missing' })
    expect(reasonOf(line, tableConfiguration())).toBe('column event_id is missing')
  })
})
