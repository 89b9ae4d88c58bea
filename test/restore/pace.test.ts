import { describe, expect, it, vi } from 'vitest'
import { Pace } from '../../restore/pace.js'

const throttled = () => Object.assign(new Error('slow down'), { name: 'ThrottlingException' })

/** A pace on a clock of its own, which only waiting moves. */
function paceOf(concurrency: number, patienceMs = 60_000) {
  const waits: number[] = []
  let time = 0
  const sleep = async (ms: number) => {
    waits.push(ms)
    time += ms
    await new Promise(resolve => setImmediate(resolve))
  }
  const errors: string[] = []
  const options = { concurrency, patienceMs, sleep, onWait: ({ name }: Error) => errors.push(name) }
  return { pace: new Pace({ ...options, now: () => time, random: () => 0.5 }), waits, errors }
}

describe('Pace', () => {
  it('calls again after a throttling, later each time', async () => {
    const { pace, waits, errors } = paceOf(4)
    let calls = 0
    const answer = await pace.run(async () => {
      if (++calls < 5) throw throttled()
      return 'done'
    })
    expect([answer, calls, errors]).toEqual(['done', 5, Array(4).fill('ThrottlingException')])
    expect(waits).toEqual([25, 50, 100, 200])
  })

  it('gives up when nothing passed for too long, with the error of the last call', async () => {
    const { pace, waits } = paceOf(4, 5000)
    await expect(pace.run(() => Promise.reject(throttled()))).rejects.toThrow('slow down')
    expect(waits.reduce((sum, ms) => sum + ms)).toBeGreaterThan(5000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000)
  })

  it('throws at once what no waiting would change', async () => {
    const { pace, waits } = paceOf(4)
    const error = Object.assign(new Error('no'), { name: 'ConditionalCheckFailedException' })
    await expect(pace.run(() => Promise.reject(error))).rejects.toBe(error)
    expect(waits).toEqual([])
  })

  it('has no more calls under way than allowed, fewer after a throttling, and all of them again later', async () => {
    const { pace } = paceOf(8)
    let running = 0
    let most = 0
    const call = (fails: () => boolean) =>
      pace.run(async () => {
        most = Math.max(most, ++running)
        await new Promise(resolve => setImmediate(resolve))
        running--
        if (fails()) throw throttled()
      })
    const batch = async (size: number, fails: () => boolean = () => false) => {
      most = 0
      await Promise.all(Array.from({ length: size }, () => call(fails)))
      return most
    }
    expect(await batch(30)).toBe(8)
    let failures = 3
    await batch(1, () => failures-- > 0)
    expect(await batch(2)).toBeLessThan(8)
    await batch(30)
    expect(await batch(30)).toBe(8)
  })
})

it('counts the time of a call from its turn on, not from when it began to wait for one', async () => {
  vi.useFakeTimers()
  try {
    const pace = new Pace({ concurrency: 1 })
    const call = () => new Promise(resolve => setTimeout(resolve, 40_000))
    const calls = Promise.all([pace.run(call), pace.run(call), pace.run(call)])
    await vi.advanceTimersByTimeAsync(120_000)
    await expect(calls).resolves.toHaveLength(3)
  } finally {
    vi.useRealTimers()
  }
})
