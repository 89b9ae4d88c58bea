/** Keys in a real table (DynamoDB Local). KMS is a stand-in on loopback, by its protocol: no program of AWS is KMS. */
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KEY_CACHE_MINUTES, KEY_TABLE_KEYS, STORE_ENTRY } from '../../config/key-store.js'
import { KeyTable } from '../../erasure/key-table.js'
import { KmsSecrets } from '../../erasure/kms-secrets.js'
import { createStore } from '../../erasure/store-entry.js'
import { TableKeyStore } from '../../erasure/table-key-store.js'
import { TableKeys } from '../../erasure/table-keys.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { describeKeyStore, type KeyPlace } from '../erasure/key-contract.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { createKeyTable } from './key-table.js'
import { type SdkItem, useDynamoDbLocal } from './local-table.js'

const missing = missingForDynamoDbLocal()
const { partition, sort } = KEY_TABLE_KEYS
const KEY_ARN = 'arn:aws:kms:us-east-1:111122223333:key/1'

describe.skipIf(missing !== undefined)(`a key store on DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  const local = useDynamoDbLocal()
  let server: KmsServer
  let kms: KMSClient
  beforeAll(async () => {
    server = await startKmsServer()
    kms = new KMSClient({ ...LOOPBACK_CONNECTION, endpoint: server.endpoint })
  })
  afterAll(() => server.stop())

  let tables = 0
  async function makeTable(): Promise<KeyTable> {
    const TableName = `keys-${++tables}`
    await createKeyTable(local.client, TableName)
    return new KeyTable(local.client, TableName)
  }
  const secrets = () => new KmsSecrets(kms, KEY_ARN)
  const itemsOf = async ({ name: TableName }: KeyTable) =>
    (await local.client.send(new ScanCommand({ TableName, ConsistentRead: true }))).Items ?? []
  const put = ({ name: TableName }: KeyTable, Item: SdkItem) =>
    local.client.send(new PutItemCommand({ TableName, Item }))

  async function makePlace(): Promise<KeyPlace & { readonly table: KeyTable }> {
    const table = await makeTable()
    expect(await createStore(table, secrets())).toBe(true)
    const clock = { now: Date.UTC(2026, 10, 29) }
    const keyOf = async (token: string) =>
      (await itemsOf(table)).find(item => item[partition]?.S === token && item[sort]?.S === 'key/1') as SdkItem
    return {
      table,
      clock,
      cacheMs: KEY_CACHE_MINUTES * 60_000,
      open: async () => {
        const keys = await TableKeys.open(table, secrets(), () => clock.now)
        return {
          store: await TableKeyStore.open(table, secrets(), () => clock.now),
          current: async token => {
            if (keys.loaded(token) === undefined) await keys.load([token])
            return keys.current(token)
          },
          find: async name => {
            await keys.loadAll(name.token)
            return keys.find(name)
          },
        }
      },
      fence: async name => (await TableKeyStore.open(table, secrets(), () => clock.now)).fence(name),
      everything: async () =>
        JSON.stringify(
          (await itemsOf(table)).map(({ wrappedKey: wrapped, ...item }) => ({
            ...item,
            ...(wrapped?.B && { wrapped: Buffer.from(wrapped.B).toString('base64') }),
          })),
        ),
      exchange: async (token, other) => {
        await put(table, { ...(await keyOf(other)), ...{ [partition]: { S: token } } })
      },
      damage: async token => {
        await put(table, { ...(await keyOf(token)), version: { S: 'itemtrail.keys/v9' } })
      },
    }
  }

  describeKeyStore('keys in a table', makePlace)

  it('makes one store of a table, which a second deployment leaves as it is', async () => {
    const { table, open } = await makePlace()
    const token = (await open()).store.tokenOf('u-1')
    expect(await createStore(table, secrets())).toBe(false)
    expect((await open()).store.tokenOf('u-1')).toBe(token)
  })

  it('brings no key back with a copy of the table, as a restore makes it', async () => {
    const { table, open } = await makePlace()
    const { store, current } = await open()
    await current(store.tokenOf('u-1'))
    const copy = await makeTable()
    for (const item of await itemsOf(table)) await put(copy, item)
    await expect(TableKeys.open(copy, secrets())).rejects.toThrow(/key table "keys-\d+" is a copy of arn:/)
    await expect(TableKeys.open(await makeTable(), secrets())).rejects.toThrow(/holds no key store/)
  })

  it('loads a thousand persons in calls of a hundred, and asks nothing again while they are known', async () => {
    const { open, table, clock } = await makePlace()
    const { store } = await open()
    const tokens = Array.from({ length: 1000 }, (_, i) => store.tokenOf(`u-${i}`))
    await (await TableKeys.open(table, secrets())).load(tokens)
    let calls = 0
    const count = (next: (args: never) => unknown) => (args: never) => {
      calls++
      return next(args)
    }
    local.client.middlewareStack.add(count as never, { step: 'initialize', name: 'count' })
    try {
      const keys = await TableKeys.open(table, secrets(), () => clock.now)
      calls = 0
      await keys.load(tokens)
      expect(calls).toBe(10)
      expect(tokens.map(token => keys.current(token).state)).toEqual(tokens.map(() => 'live'))
      expect(calls).toBe(10)
      clock.now += KEY_CACHE_MINUTES * 60_000
      expect(tokens.map(token => keys.loaded(token))).toEqual(tokens.map(() => undefined))
    } finally {
      local.client.middlewareStack.remove('count')
    }
  })

  it('opens what makes tokens without what opens keys, and tells KMS what each is for', async () => {
    const { table } = await makePlace()
    server.requests.length = 0
    await TableKeyStore.open(table, secrets())
    const contexts = server.requests.map(({ body }) => body.EncryptionContext)
    expect(contexts).toEqual([{ 'itemtrail:purpose': 'tokens', 'itemtrail:store': expect.any(String) }])
    const items = await itemsOf(table)
    const own = items.find(item => item[partition]?.S === STORE_ENTRY.subject) as SdkItem
    await put(table, { ...own, keys: own.tokens as never })
    await expect(TableKeys.open(table, secrets())).rejects.toThrow(
      /secret "keys" of the key store is not opened by KMS/,
    )
  })

  describe('under load', () => {
    const PATIENCE = { tries: 4, firstMs: 1, random: () => 0 }
    const FAULT = 'fault'
    /** Lets every call through this: it throws in the place of DynamoDB, or changes what DynamoDB says. */
    async function meeting<T>(
      meet: (operation: string, answer: () => Promise<unknown>) => unknown,
      act: () => Promise<T>,
    ) {
      const step =
        (next: (args: object) => Promise<unknown>, { commandName }: { commandName?: string }) =>
        (args: object) =>
          meet(`${commandName}`, () => next(args))
      local.client.middlewareStack.add(step as never, { step: 'initialize', name: FAULT })
      try {
        return await act()
      } finally {
        local.client.middlewareStack.remove(FAULT)
      }
    }
    const throttled = () => Object.assign(new Error('too fast'), { name: 'ProvisionedThroughputExceededException' })

    async function opened() {
      const { table, open } = await makePlace()
      const { store } = await open()
      const patient = new KeyTable(local.client, table.name, PATIENCE)
      const tokens = Array.from({ length: 150 }, (_, i) => store.tokenOf(`u-${i}`))
      return { table, tokens, openKeys: () => TableKeys.open(patient, secrets()) }
    }

    it('waits while it is throttled, and every key is the one that everybody has', async () => {
      const { tokens, openKeys } = await opened()
      const [first, second] = [await openKeys(), await openKeys()]
      await first.load(tokens)
      let left = 3
      await meeting(
        async (_, answer) => {
          if (left-- > 0) throw throttled()
          return answer()
        },
        () => second.load(tokens),
      )
      expect(tokens.map(token => second.current(token))).toEqual(tokens.map(token => first.current(token)))
    })

    it('asks again for what a call leaves unread, and takes nobody for new', async () => {
      const { table, tokens, openKeys } = await opened()
      const [first, second] = [await openKeys(), await openKeys()]
      await first.load(tokens)
      const before = await itemsOf(table)
      let calls = 0
      await meeting(
        async (operation, answer) => {
          expect(operation).toBe('BatchGetItemCommand')
          const given = (await answer()) as {
            output: { Responses: Record<string, SdkItem[]>; UnprocessedKeys: object }
          }
          const found = given.output.Responses[table.name] ?? []
          if (calls++ % 2 === 1) return given
          const unread = found.splice(0, Math.ceil(found.length / 2))
          const Keys = unread.map(item => ({ [partition]: item[partition], [sort]: item[sort] }))
          given.output.UnprocessedKeys = { [table.name]: { Keys } }
          return given
        },
        () => second.load(tokens),
      )
      expect(calls).toBe(4)
      expect(tokens.map(token => second.current(token))).toEqual(tokens.map(token => first.current(token)))
      expect(await itemsOf(table)).toHaveLength(before.length)
    })

    it('throws where that does not end, and gives nobody a key that is not kept', async () => {
      const { table, tokens, openKeys } = await opened()
      const keys = await openKeys()
      const load = meeting(
        async (operation, answer) => {
          if (operation === 'PutItemCommand') throw throttled()
          return answer()
        },
        () => keys.load(tokens),
      )
      await expect(load).rejects.toThrow('too fast')
      expect(tokens.map(token => keys.loaded(token))).toEqual(tokens.map(() => undefined))
      expect(await itemsOf(table)).toHaveLength(1)
    })

    it('uses the key that is kept where the answer to its own writing is lost', async () => {
      const { tokens, openKeys } = await opened()
      const keys = await openKeys()
      const [token = ''] = tokens
      let lost = false
      await meeting(
        async (operation, answer) => {
          const given = await answer()
          if (operation !== 'PutItemCommand' || lost) return given
          lost = true
          throw Object.assign(new Error('gone'), { code: 'ECONNRESET' })
        },
        () => keys.load([token]),
      )
      expect(lost).toBe(true)
      const other = await openKeys()
      await other.load([token])
      expect(keys.current(token)).toEqual(other.current(token))
    })
  })
})
