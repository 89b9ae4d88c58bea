import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FolderFences } from '../../erasure/fences.js'
import { type ErasingFact, FACT_VERSION, writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { makeFolder } from '../cli/command-line.js'

function erasing(token: string, second: number): ErasingFact {
  const recorded = `2026-11-30T01:00:0${second}.000000Z`
  const why = { reason: 'asked', ticket: null, by: 'ops' }
  return { version: FACT_VERSION, kind: 'erasing', table: 'Orders', recorded, token, generation: 1, ...why }
}

describe('fences of an archive in a folder', () => {
  it('are seen that were raised within one tick of the clock of the file system', () => {
    const archive = makeFolder()
    const [first, second] = [erasing('a'.repeat(32), 1), erasing('b'.repeat(32), 2)]
    const folder = join(archive, factKey(first), '..')
    mkdirSync(folder, { recursive: true })
    const raise = (fact: ErasingFact) => writeFileSync(join(archive, factKey(fact)), writeFact(fact))
    const fences = new FolderFences(archive)
    raise(first)
    const { atime, mtime } = statSync(folder)
    utimesSync(folder, atime, mtime)
    expect([fences.of(first), fences.of(second)]).toEqual(['erasing', undefined])
    raise(second)
    utimesSync(folder, atime, mtime)
    expect([fences.of(first), fences.of(second)]).toEqual(['erasing', 'erasing'])
  })
})
