import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eraseSubject } from '../../erasure/erase.js'
import { FolderFences } from '../../erasure/fences.js'
import { createFolderKeys, FolderKeys } from '../../erasure/folder-keys.js'
import { renewSubject } from '../../erasure/renew.js'
import { DiskArchive } from '../../store/folder.js'
import { readFacts } from '../../store/kept-facts.js'
import { makeFolder } from '../cli/command-line.js'

async function* none(): AsyncGenerator<never> {}

it('gives no new key before the erasure of the old one has its certificate, which then is of the old one', async () => {
  const folder = makeFolder()
  const archive = new DiskArchive(join(folder, 'archive'))
  createFolderKeys(join(folder, 'keys'))
  const fences = new FolderFences(join(folder, 'archive'))
  const keys = FolderKeys.open(join(folder, 'keys'), name => fences.of(name))
  const token = keys.tokenOf('u-1')
  const place = { archive, keys, rows: none, refused: [], tables: ['Orders'], sealed: async () => new Set<string>() }
  const request = { id: 'u-1', reason: 'asked', ticket: null, by: 'test' }
  expect(await renewSubject(place, token)).toEqual({ kind: 'not-erased' })
  keys.current(token)
  const killed = () => {
    throw new Error('killed')
  }
  await expect(eraseSubject({ ...place, rows: killed }, request)).rejects.toThrow('killed')
  expect(await renewSubject(place, token)).toEqual({ kind: 'unfinished', table: 'Orders', token, generation: 1 })
  await eraseSubject(place, request)
  const facts = await readFacts(archive, 'Orders')
  expect(facts.map(fact => [fact.kind, 'generation' in fact && fact.generation])).toEqual([
    ['erasing', 1],
    ['erasure', 1],
  ])
  expect(await renewSubject(place, token)).toEqual({ kind: 'renewed', token, generation: 2 })
  expect(keys.current(token)).toMatchObject({ state: 'live', generation: 2 })
  rmSync(folder, { recursive: true })
})
