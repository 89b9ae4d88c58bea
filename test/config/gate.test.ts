import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checkJson, count, exactly, FileError, instant, listOf, readBounded, record, text } from '../../config/gate.js'

const folder = mkdtempSync(join(tmpdir(), 'itemtrail-gate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const note = record({ version: exactly('note/v1'), when: instant, runs: listOf(record({ name: text, rows: count })) })
const good = { version: 'note/v1', when: '2026-11-22T10:00:00Z', runs: [{ name: 'a', rows: 1 }] }
const check = (value: unknown) => checkJson(JSON.stringify(value), note, 'notes/a.json')

describe('the gate', () => {
  test('lets through what the schema describes, without what it does not know', () => {
    expect(check({ ...good, later: 1 })).toEqual(good)
  })

  test.each([
    [{ ...good, version: 'note/v2' }, 'notes/a.json: version is "note/v2", expected "note/v1"'],
    [{ ...good, when: 'now' }, 'notes/a.json: when is "now", expected ISO 8601 in UTC'],
    [{ ...good, when: undefined }, 'notes/a.json: when is missing, expected ISO 8601 in UTC'],
    [{ ...good, runs: [{ name: 'a', rows: -1 }] }, 'notes/a.json: runs[0].rows is -1, expected a whole number from 0'],
    [{ ...good, runs: [null] }, 'notes/a.json: runs[0] is null, expected an object'],
    [null, 'notes/a.json: it is null, expected an object'],
    [[], 'notes/a.json: it is [], expected an object'],
  ])('names the file, the field and what is allowed in %j', (value, message) => {
    expect(() => check(value)).toThrow(new FileError('notes/a.json', [message.slice('notes/a.json: '.length)]))
  })

  test('says where a text is no JSON, without showing it', () => {
    const refused = () => checkJson('{"a": \u001b[31m}', note, 'a')
    expect(refused).toThrow('a: is no JSON: line 1, column 7 has "\\u001b", expected a value')
  })

  test('refuses bytes that are not UTF-8', () => {
    expect(() => checkJson(Uint8Array.of(0x22, 0xff, 0x22), text, 'a')).toThrow('a: is not UTF-8')
  })

  test('takes any depth without a trace', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000)
    expect(() => checkJson(deep, note, 'a')).toThrow(FileError)
    expect(() => checkJson(`{"version":${deep}}`, note, 'a')).toThrow('nested too deep')
  })

  test('reads no file over the bound, and knows one that is not there', () => {
    const path = join(folder, 'a.json')
    writeFileSync(path, JSON.stringify(good))
    expect(readBounded(path, 'a')?.toString()).toBe(JSON.stringify(good))
    expect(() => readBounded(path, 'a', { maxBytes: 10 })).toThrow('bytes, expected at most 10')
    expect(() => readBounded(folder, 'a')).toThrow('a: is no file')
    expect(readBounded(join(folder, 'none'), 'a')).toBeUndefined()
  })
})
