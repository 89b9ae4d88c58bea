/** What an application and a day's stream do to the tables of the world. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { type Environment, ROOT } from './emulator.js'
import { clientsOf, mustRun, writeInto } from './stack.js'

/** The first of a response of a function, which throws where the function did. */
export async function invoke(name: string, event: object, env: Environment, folder: string): Promise<unknown> {
  const payload = writeInto(folder, 'event.json', JSON.stringify(event))
  const answer = join(folder, 'answer.json')
  const options = ['--payload', `file://${payload}`, '--cli-read-timeout', '590', answer]
  const told = await mustRun(['aws', 'lambda', 'invoke', '--function-name', name, ...options], env, folder)
  const value = JSON.parse(readFileSync(answer, 'utf8') || 'null') as unknown
  if (told.includes('FunctionError')) throw new Error(`${name}: ${JSON.stringify(value)}`)
  return value
}

/** The bundled stream through the forwarder, as its mapping would hand it over; a file of what was sent. */
export async function feedBundledStream(forwarder: string, streamArn: string, env: Environment, folder: string) {
  const text = gunzipSync(readFileSync(join(ROOT, 'examples/orders/orders.jsonl.gz'))).toString()
  const lines = text.trimEnd().split('\n')
  const records = lines.map(line => ({ ...JSON.parse(line), eventSourceARN: streamArn }))
  const file = writeInto(folder, 'fed.jsonl', records.map(record => `${JSON.stringify(record)}\n`).join(''))
  let failures = 0
  for (let from = 0; from < records.length; from += 200) {
    const answer = await invoke(forwarder, { Records: records.slice(from, from + 200) }, env, folder)
    failures += (answer as { batchItemFailures: unknown[] }).batchItemFailures.length
  }
  return { file, records: records.length, failures }
}

const S = (value: string) => ({ S: value })

/** Changes of twenty orders and twenty carts; how many of each. */
export async function writeItems(env: Environment): Promise<{ readonly Orders: number; readonly Carts: number }> {
  const { dynamodb } = clientsOf(env)
  const made = { Orders: 0, Carts: 0 }
  const send = async (
    TableName: keyof typeof made,
    command: PutItemCommand | UpdateItemCommand | DeleteItemCommand,
  ): Promise<void> => {
    await dynamodb.send(command as PutItemCommand)
    made[TableName]++
  }
  for (let i = 0; i < 20; i++) {
    const binary = { B: Uint8Array.from([i, 255]) }
    const order = { TableName: 'Orders', Key: { order_id: S(`LIVE${i}`) } } as const
    const big = { N: '12345678901234567890123456789012345678' }
    const Item = { ...order.Key, status: S('PENDING'), updated_by: S('me'), total: { N: `${i}.25` }, big, bin: binary }
    await send('Orders', new PutItemCommand({ TableName: 'Orders', Item: { ...Item, tags: { SS: ['b', 'a'] } } }))
    const paid = {
      UpdateExpression: 'SET #s = :s',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':s': S('PAID') },
    }
    if (i % 2 === 1) await send('Orders', new UpdateItemCommand({ ...order, ...paid }))
    if (i % 5 === 0) await send('Orders', new DeleteItemCommand(order))
    const cart = { TableName: 'Carts', Key: { pk: S(`c#${i}`), sk: { N: `${i * 1.5}` } } } as const
    const lines = { L: [{ M: { sku: S('x'), q: { N: '1' } } }] }
    await send('Carts', new PutItemCommand({ TableName: 'Carts', Item: { ...cart.Key, lines, bin: binary } }))
    if (i % 4 === 0) await send('Carts', new DeleteItemCommand(cart))
  }
  return made
}

/** Members that come and are renamed. */
export async function writeMembers(env: Environment): Promise<void> {
  const { dynamodb } = clientsOf(env)
  for (const [id, name] of [
    ['u-1', 'Ann'],
    ['u-2', 'Bob'],
    ['u-1', 'Anna'],
  ] as const)
    await dynamodb.send(new PutItemCommand({ TableName: 'Members', Item: { id: S(id), name: S(name) } }))
}
