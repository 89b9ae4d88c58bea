import { describe, expect, it } from 'vitest'
import { isNetworkError, isThrottled, passes, patiently, type Service } from '../../aws/patience.js'
import { Permits } from '../../aws/permits.js'

const named = (name: string, more: object = {}) => Object.assign(new Error('on demand'), { name, ...more })
const ALL: readonly Service[] = ['dynamodb', 'streams', 'athena']

describe('an error', () => {
  it.each([
    ['ECONNREFUSED', named('Error', { code: 'ECONNREFUSED' })],
    ['ECONNRESET', named('Error', { code: 'ECONNRESET' })],
    ['a call that took too long', named('TimeoutError')],
    ['a status of the service', named('SomethingNew', { $metadata: { httpStatusCode: 503 } })],
    ['the page of a proxy', named('SyntaxError')],
    ['a throttling', named('ThrottlingException', { $metadata: { httpStatusCode: 400 } })],
  ])('of the way or of the machines passes for every service: %s', (_, error) => {
    expect(ALL.map(service => passes(error, service))).toEqual([true, true, true])
  })

  it.each([
    ['ProvisionedThroughputExceededException', ['dynamodb', 'streams']],
    ['LimitExceededException', ['streams']],
    ['TransactionConflictException', ['dynamodb']],
    ['ReplicatedWriteConflictException', ['dynamodb']],
    ['TooManyRequestsException', ['athena']],
    ['ValidationException', []],
    ['AccessDeniedException', []],
    ['ConditionalCheckFailedException', []],
    ['Error', []],
  ] as const)('of a service passes where that service says so: %s', (name, services) => {
    expect(ALL.filter(service => passes(named(name, { $metadata: { httpStatusCode: 400 } }), service))).toEqual(
      services,
    )
  })

  it('is a throttling, or the network, or neither', () => {
    expect(isThrottled(named('TransactionConflictException'), 'dynamodb')).toBe(false)
    expect(isNetworkError(named('ThrottlingException'))).toBe(false)
  })
})

describe('patience', () => {
  const options = { service: 'dynamodb', sleep: async () => {} } as const

  it('waits longer for what only asks for time', async () => {
    const tries = async (name: string) => {
      let calls = 0
      const call = async () => {
        calls++
        throw named(name)
      }
      await patiently(call, { ...options, tries: 3, throttledTries: 7 }).catch(() => {})
      return calls
    }
    expect([await tries('TimeoutError'), await tries('ThrottlingException'), await tries('Other')]).toEqual([3, 7, 1])
  })

  it('ends a call and every further try with its signal', async () => {
    const stop = new AbortController()
    let calls = 0
    const call = async (signal: AbortSignal) => {
      calls++
      stop.abort()
      signal.throwIfAborted()
    }
    await expect(patiently(call, { ...options, signal: stop.signal })).rejects.toThrow('aborted')
    await expect(patiently(call, { ...options, signal: stop.signal })).rejects.toThrow('aborted')
    expect(calls).toBe(1)
  })
})

describe('permits', () => {
  it('let in as many as are allowed by then, first come, first served', async () => {
    const permits = new Permits(1)
    const order: number[] = []
    let [running, most] = [0, 0]
    const work = (i: number) =>
      permits.use(async () => {
        most = Math.max(most, ++running)
        await new Promise(resolve => setImmediate(resolve))
        order.push(i)
        running--
        if (i === 2) permits.allowed = 3
      })
    await Promise.all([0, 1, 2].map(work))
    expect([order, most]).toEqual([[0, 1, 2], 1])
    await Promise.all([3, 4, 5, 6].map(work))
    expect([order.slice(0, 3), most]).toEqual([[0, 1, 2], 3])
  })
})
