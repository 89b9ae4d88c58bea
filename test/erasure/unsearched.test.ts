import { describe, expect, it } from 'vitest'
import { unsearchedIn } from '../../erasure/unsearched.js'
import { keepFact } from '../../store/kept-facts.js'
import type { ErasureFact } from '../../transform/fact.js'
import { MemoryObjects } from '../memory-objects.js'

const certificate = (token: string, fields: Partial<ErasureFact> = {}): ErasureFact => ({
  version: 'fact/v1',
  kind: 'erasure',
  table: 'Orders',
  recorded: '2026-11-20T10:00:02.000000Z',
  token: token.repeat(32),
  generation: 1,
  reason: 'asked',
  ticket: null,
  by: 'ann',
  asked: '2026-11-20T10:00:00.000000Z',
  destroyed: '2026-11-20T10:00:01.000000Z',
  effective: '2026-11-20T10:00:01.000000Z',
  objects: 1,
  rows: 1,
  values: 1,
  pending: [],
  searched: '2026-11-20T10:00:02.000000Z',
  ...fields,
})
const refused = (...times: readonly string[]) => times.map(time => ({ modified: Date.parse(`${time}Z`) }))
async function told(facts: readonly ErasureFact[], objects: ReturnType<typeof refused>) {
  const archive = new MemoryObjects()
  // each is recorded at a time of its own, by which its file is named
  for (const [i, fact] of facts.entries())
    await keepFact(archive, { ...fact, recorded: `2026-12-01T00:00:0${i}.000000Z` })
  return (await unsearchedIn(archive, objects)).map(({ token, searched, objects: count }) => [
    token[0],
    searched.slice(8, 19),
    count,
  ])
}

describe('what was refused after a search', () => {
  it('is told of each erased person, from the last search until what was on its way cannot come any more', async () => {
    const objects = refused('2026-11-20T10:00:02', '2026-11-20T10:00:03', '2026-11-28T10:00:01', '2026-11-28T10:00:02')
    expect(await told([certificate('a')], objects)).toEqual([['a', '20T10:00:02', 2]])
    expect(await told([certificate('a', { searched: '2026-11-29T00:00:00.000000Z' })], objects)).toEqual([])
    expect(await told([certificate('a')], [])).toEqual([])
  })

  it('counts from the last search of several tables and certificates, and by person and generation', async () => {
    const later = { searched: '2026-11-21T00:00:00.000000Z' }
    const facts = [
      certificate('a', { table: 'Users', ...later }),
      certificate('a'),
      certificate('b'),
      certificate('b', { generation: 2, destroyed: '2026-11-22T10:00:01.000000Z', ...later }),
    ]
    expect(await told(facts, refused('2026-11-20T12:00:00', '2026-11-21T12:00:00'))).toEqual([
      ['a', '21T00:00:00', 1],
      ['b', '20T10:00:02', 2],
      ['b', '21T00:00:00', 1],
    ])
  })

  it('counts from the destruction of the key where a certificate has no search', async () => {
    const { searched: _, ...older } = certificate('a')
    expect(await told([older], refused('2026-11-20T10:00:01', '2026-11-20T10:00:02'))).toEqual([
      ['a', '20T10:00:01', 1],
    ])
  })
})
