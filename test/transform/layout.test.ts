import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  configurationKeyOf,
  dateOfKey,
  parseConfigurationKey,
  parsePartition,
  parseRefusedKey,
  partitionPrefix,
  REFUSED_PREFIX,
  type RefusedFolder,
  refusedPrefix,
  TOP_NAMES,
} from '../../transform/layout.js'
import { runs } from './arbitraries.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Folders without product code: tests spell prefixes to hold the layout to them, measures and examples make their own.
 * A bag of evidence is no archive: BagIt has a layout of its own.
 */
const OTHERS = ['node_modules', 'dist', 'test', 'bench', 'examples', 'evidence']

const sources = readdirSync(ROOT, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && !entry.name.startsWith('.') && !OTHERS.includes(entry.name))
  .flatMap(({ name }) => readdirSync(`${ROOT}/${name}`, { recursive: true }).map(file => `${name}/${String(file)}`))
  .filter(file => file.endsWith('.ts') && file !== 'transform/layout.ts')

const withoutComments = (text: string) => text.replaceAll(/^\s*\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/gm, '')

/** A prefix at the beginning of a text, or a name that only an archive has, anywhere in one. */
const SPELT =
  /['"`^](?:data|config|facts|refused|derived|log|aws\/lambda)\/(?!v\d)|['"`/](?:\.staging|\.tail|\.redriven)\b|event_date=|(?:processing-failed|format-conversion-failed|oversize)\//

describe('the layout of an archive', () => {
  it('is spelt in one file', () => {
    const spelling = sources.flatMap(file =>
      withoutComments(readFileSync(`${ROOT}/${file}`, 'utf8'))
        .split('\n')
        .filter(line => SPELT.test(line))
        .map(line => `${file}: ${line.trim()}`),
    )
    expect(sources.length).toBeGreaterThan(200)
    expect(spelling).toEqual([])
  })

  it('is known by its top names', () => {
    expect(TOP_NAMES).toEqual([
      'data',
      'config',
      'facts',
      'log',
      'refused',
      'derived',
      '.staging',
      '.tail',
      '.redriven.ndjson',
    ])
  })

  const table = fc.stringMatching(/^[A-Za-z0-9_.-]{3,20}$/)

  it('takes configurations to their keys and back', () => {
    fc.assert(
      fc.property(table, fc.stringMatching(/^[0-9a-f]{16}$/), (table, id) => {
        expect(parseConfigurationKey(configurationKeyOf(table, id))).toEqual({ table, id })
      }),
      runs(100),
    )
    for (const key of ['config/Orders', 'facts/Orders/a.json', 'config/Orders/a/b.json', 'config/Orders/a'])
      expect(parseConfigurationKey(key)).toBeUndefined()
  })

  it('takes refused objects to their keys and back', () => {
    const type = fc.constantFrom<RefusedFolder>('processing-failed', 'format-conversion-failed', 'oversize')
    fc.assert(
      fc.property(type, table, (type, table) => {
        expect(parseRefusedKey(`${refusedPrefix(type, table)}name`)).toEqual({ type, table })
        expect(refusedPrefix(type, table).startsWith(REFUSED_PREFIX)).toBe(true)
      }),
      runs(100),
    )
    for (const key of ['aws/lambda/m/s/a', 'refused/other/Orders/a', 'refused/oversize/a'])
      expect(parseRefusedKey(key)).toBeUndefined()
  })

  it('tells the day of an object that lies deeper than its folder, and of none without one', () => {
    const key = `${partitionPrefix({ table: 'Orders', date: '2026-11-20' })}17/object.parquet`
    expect(dateOfKey(key)).toBe(parsePartition(key).date)
    expect(dateOfKey(key.replaceAll('/', '\\'))).toBe('2026-11-20')
    expect(dateOfKey('data/Orders/object.parquet')).toBe('')
  })
})
