import { describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../queries/duckdb.js'
import { temporaryFolder } from '../local/desk.js'

describe('DuckDbEngine, stopped', () => {
  const long = 'select count(*) from range(10000000) as a(i), range(10000000) as b(i) where a.i * 7 = b.i * 11 + 1'

  it('ends a statement when its signal says so, gives the reason, and answers the next one', async () => {
    const engine = await DuckDbEngine.open(temporaryFolder())
    const controller = new AbortController()
    const running = engine.run(long, [], { signal: controller.signal })
    setTimeout(() => controller.abort('enough'), 50)
    const stopped = { name: 'QueryError', message: 'the statement was stopped', cause: 'enough' }
    await expect(running).rejects.toMatchObject(stopped)
    await expect(engine.run('select 1', [], { signal: controller.signal })).rejects.toMatchObject(stopped)
    expect((await engine.run('select 1')).numRows).toBe(1)
    engine.close()
  })
})
