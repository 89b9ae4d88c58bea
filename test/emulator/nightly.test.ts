/** The comparison of a table with its archive each night: asked for, waited for, compared, kept; and its alarm. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { aws, inRole, itemtrail } from './acting.js'
import { invoke } from './drive.js'
import { onCall } from './on-call.js'
import { clientsOf, keysBelow, waitFor } from './stack.js'
import { openWorld, outputOf, physicalOf, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World
const asks = typeof opened === 'string' ? opened : opened.noQuestions

const DAY_MS = 86_400_000
/** The midnight that a day began with, so many days ago. */
const midnight = (daysAgo: number) => Math.floor(Date.now() / DAY_MS - daysAgo) * DAY_MS

describe.skipIf(asks !== undefined)(`a nightly comparison${asks === undefined ? '' : ` (${asks})`}`, () => {
  let archive: string
  let exported: string
  beforeAll(async () => {
    archive = outputOf(world, 'ArchiveBucket')
    exported = physicalOf(world.resources, /ExportsBucket[0-9A-F]{8}$/, 'AWS::S3::Bucket')
    await changeThatNeverWas()
    const began = instant(midnight(2))
    const state = { version: 'nightly/v1', began, comparedUntil: null, hours: 24, attempt: 0, running: null }
    await clientsOf(world.environment).s3.send(
      new PutObjectCommand({ Bucket: exported, Key: 'state/Boxes.json', Body: JSON.stringify(state) }),
    )
  })
  const { call, functionOf, goesOff } = onCall(world)
  const step = () => call(/Boxes.*ReconciliationFunction[^/]*$/)
  const instant = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}.000000Z`

  /** Of two days ago, as the forwarder would be handed it: the table never had it. */
  async function changeThatNeverWas(): Promise<void> {
    const { Table } = await aws(world, ['dynamodb', 'describe-table', '--table-name', 'Boxes'])
    const Keys = { id: { S: 'ghost' } }
    const record = {
      ...{ eventID: 'ghost', eventName: 'INSERT', eventVersion: '1.1', eventSource: 'aws:dynamodb' },
      ...{ awsRegion: 'us-east-1', eventSourceARN: Table.LatestStreamArn },
      dynamodb: {
        ...{ Keys, NewImage: Keys, SequenceNumber: '100000000000000000001', SizeBytes: 9 },
        ...{ StreamViewType: 'NEW_AND_OLD_IMAGES', ApproximateCreationDateTime: midnight(2) / 1000 + 3600 },
      },
    }
    const forwarder = functionOf(/Boxes.*\/ForwarderFunction[^/]*$/)
    await invoke(forwarder, { Records: [record] }, world.environment, world.folder)
    await waitFor(
      () => keysBelow(archive, 'data/Boxes/', world.environment),
      keys => keys.length > 0,
    )
  }

  const comparedUntil = async () => {
    const { s3 } = clientsOf(world.environment)
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: exported, Key: 'state/Boxes.json' }))
    return JSON.parse((await Body?.transformToString()) ?? '').comparedUntil
  }
  /** Calls it until a day is compared, as its schedule does. */
  const compare = (day: number) =>
    waitFor(
      async () => {
        await step()
        return comparedUntil()
      },
      until => until === instant(day),
    )

  it('reconcile-differs: tells of what the table never had, in its log, by a fact and to whoever asks', async () => {
    expect(await compare(midnight(1))).toBe(instant(midnight(1)))
    expect(await goesOff('reconcile-differs', 'Boxes')).toBe('ALARM')
    const log = physicalOf(world.resources, /Boxes.*ReconciliationFunctionLog[^/]*$/, 'AWS::Logs::LogGroup')
    const { events } = await aws(world, ['logs', 'filter-log-events', '--log-group-name', log])
    expect(JSON.stringify(events)).toMatch(/1 items compared, 1 differ, 0 unsettled, kept as facts\/Boxes\//)
    expect(await keysBelow(archive, 'facts/Boxes/', world.environment)).toHaveLength(1)
    const operator = await inRole(world, 'OperatorRole')
    const asked = await itemtrail(world, ['history', 'Boxes', 'ghost', '--stack', STACK], operator)
    expect(asked).toMatchObject({ code: 1, out: expect.stringContaining('DIFFERS') })
    const { out } = await itemtrail(world, ['status', '--stack', STACK], operator)
    expect(out).toMatch(/^compared +\S.*1 item differed/m)
  })

  it('goes on with the next day, in which nothing differs', async () => {
    expect(await compare(midnight(0))).toBe(instant(midnight(0)))
    expect(await keysBelow(archive, 'facts/Boxes/', world.environment)).toHaveLength(2)
  })
})
