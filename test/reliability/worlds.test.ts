import { describe, expect, it } from 'vitest'
import { emptyTally } from '../../simulation/tally.js'
import { keptScenarios, worldFigures } from './worlds.js'

describe('figures of simulated worlds', () => {
  it('add up tallies, and name what was found and mended with its seed', () => {
    const one = { ...emptyTally(1), next: 11, hours: 1680, cpuSeconds: 40, versions: 1_234_567, failed: 1 }
    const other = { ...emptyTally(500), next: 505, hours: 840, cpuSeconds: 44, versions: 1 }
    const struck = { ...one, struck: { 's3-slow': 7 }, worlds: { 's3-slow': 2 } }
    const [kept] = keptScenarios()
    if (kept === undefined) throw new Error('no scenario is kept')
    const found = {
      ...kept,
      bug: 'a row is lost',
      mended: 'abcdef0',
      scenario: { ...kept.scenario, seed: 3, hours: 5 },
    }
    const figures = worldFigures([struck, other], [{ ...kept, mended: null }, found])
    expect(figures.get('worlds')?.rows).toEqual(
      expect.arrayContaining([
        ['seeds', '15: 1 to 10, 500 to 504'],
        ['simulated hours', '2,520'],
        ['the same for each second of CPU', '30'],
        ['versions that the tables had', '1,234,568'],
        ['worlds in which something was wrong', '1'],
      ]),
    )
    expect(
      figures
        .get('world-faults')
        ?.rows.find(([kind]) => kind === '`s3-slow`')
        ?.slice(2),
    ).toEqual(['7', '2'])
    expect(figures.get('world-found')?.rows).toEqual([['a row is lost', '3, of 5 hours', 'abcdef0']])
  })
})
