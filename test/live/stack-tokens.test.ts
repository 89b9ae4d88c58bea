/** Keys that name persons in a stack: tokens by the bundled function, and asked for in clear by the command line. */
import { describe, expect, it } from 'vitest'
import { run } from '../cli/command-line.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { CHANGED_AT, streamsRecord } from '../factories.js'
import { findNode24 } from '../lambda-runtime.js'
import { orderOf, useSealingStack } from './sealing-stack.js'

const missing = missingForDynamoDbLocal()
const node = await findNode24()
const ANN = 'USER#ann@secret.example'
const CLEAR = /ann@|USER#/
const LATER = new Date(CHANGED_AT * 1000 + 60_000).toISOString()

const userOf = (status: string) => {
  const { status: set, seller } = orderOf(status)
  return { order_id: { S: ANN }, status: set, seller }
}
const changeOf = (number: number, before: string, after: string) =>
  streamsRecord({
    eventID: `e${number}`,
    SequenceNumber: String(number),
    Keys: { order_id: { S: ANN } },
    OldImage: userOf(before),
    NewImage: userOf(after),
  })

describe.skipIf(missing !== undefined || node === undefined)('a key that names a person in a stack', () => {
  const { config, servers, deliver, makeStore } = useSealingStack(node, { keyIsPersonal: ['order_id'] })
  const ask = (...argv: readonly string[]) => run([...argv, '--stack', 'Stack', '--config', config])

  it('is a token of the function, the same in every container', async () => {
    await makeStore()
    const lines = [await deliver(changeOf(1, 'NEW', 'PAID')), await deliver(changeOf(2, 'PAID', 'SENT'))]
    expect(lines.join('')).not.toMatch(CLEAR)
    const [first, second] = lines.map(line => JSON.parse(line))
    expect(first.key_order_id).toMatch(/^token:[0-9a-f]{32}$/)
    expect([second.item_key, second.old_hash]).toEqual([first.item_key, first.new_hash])
  })

  it('is asked for in clear, of which Athena hears the token alone', async () => {
    const asked = servers.athena.requests.length
    for (const question of [
      ['history', 'Orders', ANN],
      ['history', 'Orders', `order_id=${ANN}`],
      ['as-of', 'Orders', ANN, LATER],
      ['items', 'Orders', ANN],
      ['find', 'Orders', ANN, '--attribute', 'order_id'],
      ['query', 'item-history', 'Orders', '--param', `item_key=${ANN}`],
    ]) {
      const { exit, out, err } = await ask(...question, '--format', 'json')
      expect([question, exit < 2 ? '' : err]).toEqual([question, ''])
      expect([question, out]).toEqual([question, expect.stringMatching(/token:[0-9a-f]{32}/)])
      expect([question, out + err]).toEqual([question, expect.not.stringMatching(CLEAR)])
    }
    const heard = JSON.stringify(servers.athena.requests.slice(asked))
    expect(heard).toContain('token:')
    expect(heard).not.toMatch(CLEAR)
    const told = await ask('subject', 'token', ANN, '--table', 'Orders')
    expect(heard).toContain(told.out.trim())
  })

  it('is refused in words where nobody makes the token', async () => {
    const without = ['--workgroup', 'people', '--database', 'audit', '--config', config]
    const { exit, err } = await run(['history', 'Orders', ANN, ...without])
    expect([exit, err]).toEqual([2, expect.stringContaining('keys of persons on AWS are those of a stack')])
    servers.kms.answers.set('Decrypt', 'AccessDeniedException')
    const denied = await ask('history', 'Orders', ANN)
    expect([denied.exit, denied.out]).toEqual([3, ''])
    expect(denied.err).toMatch(/is not opened by KMS: AccessDeniedException/)
    servers.kms.answers.delete('Decrypt')
  })
})
