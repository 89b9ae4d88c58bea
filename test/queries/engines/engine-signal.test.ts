import { describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { temporaryFolder } from '../../delivery/desk.js'

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

  it('ends no other statement that runs beside the one whose signal it is', async () => {
    const engine = await DuckDbEngine.open(temporaryFolder())
    const controller = new AbortController()
    const other = engine.run(
      'select count(*) as n from range(4000) as a(i), range(20000) as b(i) where a.i * b.i % 7 = 3',
    )
    const running = engine.run(long, [], { signal: controller.signal })
    setTimeout(() => controller.abort('enough'), 50)
    await expect(running).rejects.toMatchObject({ message: 'the statement was stopped' })
    expect((await other).numRows).toBe(1)
    engine.close()
  })

  it('lets no statement wait for another that takes long', async () => {
    const controller = new AbortController()
    const engine = await DuckDbEngine.open(temporaryFolder(), [], { signal: controller.signal })
    const running = engine.run(long).catch((error: Error) => error.message)
    const counted = Promise.all(Array.from({ length: 3 }, () => engine.run('select 1')))
    expect((await counted).map(({ numRows }) => numRows)).toEqual([1, 1, 1])
    controller.abort('enough')
    expect(await running).toBe('the statement was stopped')
    engine.close()
  })

  it('gives no part of an answer for the whole where a stream is stopped, or fails half-way', async () => {
    const engine = await DuckDbEngine.open(temporaryFolder())
    const controller = new AbortController()
    const stop = async () => {
      for await (const _ of engine.stream('select * from range(3000000)', [], { signal: controller.signal }))
        controller.abort('enough')
    }
    await expect(stop()).rejects.toMatchObject({ name: 'QueryError', cause: 'enough' })
    const bad = `select cast(case when range = 2900000 then 'x' else '1' end as integer) as n from range(3000000)`
    const fail = async () => {
      for await (const _ of engine.stream(bad));
    }
    await expect(fail()).rejects.toMatchObject({
      name: 'QueryError',
      message: expect.stringContaining("Could not convert string 'x' to INT32"),
    })
    engine.close()
  })
})
