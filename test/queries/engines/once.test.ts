import { expect, it, vi } from 'vitest'
import type { QueryEngine } from '../../../queries/engines/engine.js'
import { fewOnce, once } from '../../../queries/engines/once.js'

it('of an archive that goes on what was told a minute ago is asked again', async () => {
  let asked = 0
  const ask = (engine: QueryEngine) => once(engine, 'anything', async () => ++asked)
  const few = async (engine: QueryEngine) => {
    const rows: number[] = []
    const source = async function* () {
      yield ++asked
    }
    for await (const row of fewOnce(engine, 'few', source)) rows.push(row)
    return rows[0]
  }
  const [fixed, live] = [true, false].map(isFixed => ({ isFixed, run: () => Promise.reject(), close: () => {} }))
  vi.useFakeTimers({ now: 0, toFake: ['Date'] })
  try {
    for (const [engine, expected] of [
      [live, [1, 2, 1, 2, 3, 4]],
      [fixed, [5, 6, 5, 6, 5, 6]],
    ] as const) {
      const answers: unknown[] = []
      for (const passed of [0, 59_000, 2000]) {
        vi.setSystemTime(Date.now() + passed)
        answers.push(await ask(engine as QueryEngine), await few(engine as QueryEngine))
      }
      expect(answers).toEqual(expected)
    }
  } finally {
    vi.useRealTimers()
  }
})
