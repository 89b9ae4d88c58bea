import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readKept } from '../../simulation/kept.js'
import { runScenario } from '../../simulation/run.js'
import { KEPT } from './plant.js'

/** Each found something once, in a source with a bug; the source as it is has none. */
describe('a scenario that is kept', () => {
  it.each(readdirSync(KEPT))('finds nothing any more: %s', async name => {
    const { scenario } = readKept(join(KEPT, name))
    expect((await runScenario(scenario)).problems).toEqual([])
  })
})
