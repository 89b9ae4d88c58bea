/**
 * An erasure beside functions that seal, one of them with the key in its memory, and beside a table that is put back
 * from a backup: each call to a real table (DynamoDB Local) can come before or after any other's.
 */
import { type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KEY_CACHE_MINUTES, KEY_TABLE_KEYS } from '../../config/key-store.js'
import { adoptCopy } from '../../erasure/adopt-copy.js'
import { eraseSubject } from '../../erasure/erase.js'
import { KeyTable } from '../../erasure/key-table.js'
import { KmsSecrets } from '../../erasure/kms-secrets.js'
import { sealAhead } from '../../erasure/seal-ahead.js'
import { createStore } from '../../erasure/store-entry.js'
import { TableKeyStore } from '../../erasure/table-key-store.js'
import { TableKeys } from '../../erasure/table-keys.js'
import { type AttributeValue, parseItem } from '../../transform/attribute-value.js'
import { readSealed, type SealedField } from '../../transform/sealed-field.js'
import { missingForDynamoDbLocal } from '../dynamodb-local.js'
import { orderOf } from '../erasure/orders.js'
import { type KmsServer, startKmsServer } from '../kms-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { MemoryObjects } from '../memory-objects.js'
import { createKeyTable } from './key-table.js'
import { useDynamoDbLocal } from './local-table.js'

const missing = missingForDynamoDbLocal()
const [partition, sort] = [KEY_TABLE_KEYS.partition, KEY_TABLE_KEYS.sort]
const TABLE = {
  table: 'Orders',
  capture: 'streams',
  keys: [],
  columns: [],
  erasable: [{ subject: ['buyer', 'id'], values: [{ path: ['buyer', 'name'] }] }],
} as const
const ITEM = parseItem(JSON.stringify(orderOf('o1', 'NEW')))
/** More of them: `RUNS=200 npm run test:live -- stack-races`. */
const RUNS = Number(process.env.RUNS ?? 30)
const NOW = Date.UTC(2026, 10, 29)

describe.skipIf(missing !== undefined)(`races about keys on DynamoDB Local${missing ? ` (${missing})` : ''}`, () => {
  const local = useDynamoDbLocal()
  let server: KmsServer
  beforeAll(async () => {
    server = await startKmsServer()
  })
  afterAll(() => server.stop())

  let tables = 0
  const secrets = () =>
    new KmsSecrets(new KMSClient({ ...LOOPBACK_CONNECTION, endpoint: server.endpoint }), 'arn:aws:kms:x:1:key/1')
  async function makeTable(): Promise<string> {
    const TableName = `races-${++tables}`
    await createKeyTable(local.client, TableName)
    return TableName
  }
  const itemsOf = async (TableName: string) =>
    (await local.client.send(new ScanCommand({ TableName, ConsistentRead: true }))).Items ?? []

  /**
   * A client of which each call waits for its turn, and ends in it, until the races are over; what it makes waits for
   * more turns than one, as a slow function would.
   */
  const inTurn = (s: fc.Scheduler, races: { areOver: boolean }, lag = 0) => {
    const send = local.client.send.bind(local.client) as (...given: unknown[]) => Promise<unknown>
    const next = s.scheduleFunction((...given: unknown[]) =>
      send(...given).then(
        answer => ({ answer }),
        error => ({ error }),
      ),
    )
    const inItsTurn = async (...given: unknown[]) => {
      for (let turn = 0; turn < lag && given[0] instanceof PutItemCommand; turn++) await s.schedule(Promise.resolve())
      const told = (await next(...given)) as { answer?: unknown; error?: unknown }
      if (told.error !== undefined) throw told.error
      return told.answer
    }
    return { send: (...given: unknown[]) => (races.areOver ? send : inItsTurn)(...given) } as unknown as DynamoDBClient
  }

  async function seal(keys: TableKeys): Promise<SealedField> {
    const { item } = (await sealAhead(TABLE, keys, sealing =>
      sealing.seal?.image(ITEM, 'once', '{"id":{"S":"o1"}}'),
    )) as unknown as {
      item: { buyer: { M: Record<string, AttributeValue> } }
    }
    return readSealed(item.buyer.M.name) as SealedField
  }

  // a number is who seals, and how slow
  it('lets no key come back, whoever seals meanwhile, and whatever backup is adopted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.oneof(fc.nat(12), fc.constantFrom('replay', 'erase again')), { minLength: 2, maxLength: 6 }),
        fc.boolean(),
        async (s, acts, isSeen) => {
          const [name, races] = [await makeTable(), { areOver: false }]
          const table = new KeyTable(inTurn(s, races), name)
          const plain = new KeyTable(local.client, name)
          await createStore(plain, secrets())
          const clock = { now: NOW }
          const now = () => clock.now
          // it has the key in its memory, or nobody has any yet
          const cached = await TableKeys.open(plain, secrets(), now)
          const before = isSeen ? await seal(cached) : undefined
          const backup = await itemsOf(name)
          const archive = new MemoryObjects()
          const erase = async () => {
            const keys = await TableKeyStore.open(table, secrets(), now)
            return eraseSubject(
              {
                archive,
                keys,
                tables: ['Orders'],
                rows: async function* () {},
                sealed: async () => new Set<string>(),
                refused: [],
                now,
              },
              { id: 'u-1', reason: 'asked', ticket: null, by: 'test' },
            )
          }
          const opened: TableKeys[] = [cached]
          const sealAnew = async (lag: number) => {
            const keys = await TableKeys.open(new KeyTable(inTurn(s, races, lag), name), secrets(), now)
            opened.push(keys)
            return seal(keys)
          }
          const sealed: SealedField[] = []
          const running = [
            erase(),
            ...acts.map(async act => {
              if (act === 'erase again') await erase()
              else sealed.push(await (act === 'replay' ? seal(cached) : sealAnew(Number(act))))
            }),
          ]
          await s.waitFor(Promise.all(running))
          races.areOver = true
          // whatever was sealed meanwhile was so under the one key that is gone, or not at all
          for (const field of sealed) expect(field.generation).toBe(1)
          clock.now += KEY_CACHE_MINUTES * 60_000 + 1
          for (const keys of [...opened, await TableKeys.open(plain, secrets(), now)])
            expect(await seal(keys)).toMatchObject({ ciphertext: '', generation: 1 })
          const token = (await TableKeyStore.open(plain, secrets(), now)).tokenOf('u-1')
          const ofPerson = async (of: string) => (await itemsOf(of)).filter(item => item[partition]?.S === token)
          expect(await ofPerson(name)).toEqual([
            expect.objectContaining({ [sort]: { S: 'key/1' }, erased: { S: expect.any(String) } }),
          ])
          expect(JSON.stringify(await ofPerson(name))).not.toContain('wrappedKey')
          // the table as it was before, in the place of this one
          const restored = await makeTable()
          for (const Item of backup) await local.client.send(new PutItemCommand({ TableName: restored, Item }))
          const copy = new KeyTable(local.client, restored)
          await expect(TableKeys.open(copy, secrets())).rejects.toThrow(/is a copy of arn:/)
          await adoptCopy(copy, archive, ['Orders'], now)
          const again = await TableKeys.open(copy, secrets(), now)
          expect(await seal(again)).toMatchObject({ ciphertext: '', generation: 1 })
          if (before !== undefined) {
            await again.fetch([before])
            expect(again.find(before)).toEqual({ state: 'erased', generation: 1 })
          }
          expect(JSON.stringify(await ofPerson(restored))).not.toContain('wrappedKey')
        },
      ),
      { numRuns: RUNS, seed: 15 },
    )
  })
})
