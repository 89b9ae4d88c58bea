/** The canary of the deployed archive: what it measures, and the alarm of a write that did not arrive. */
import { DeleteObjectCommand, GetObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { aws, inRole, itemtrail } from './acting.js'
import { command, onCall } from './on-call.js'
import { clientsOf, keysBelow, waitFor } from './stack.js'
import { openWorld, outputOf, physicalOf, STACK, type World } from './world.js'

const opened = openWorld()
const world = opened as World

describe.skipIf(typeof opened === 'string')(`a canary${typeof opened === 'string' ? ` (${opened})` : ''}`, () => {
  let table: string
  let bucket: string
  beforeAll(() => {
    table = outputOf(world, 'CanaryTable')
    bucket = outputOf(world, 'ArchiveBucket')
  })
  const { call, run, count, goesOff, isOver } = onCall(world)
  const writeAndLook = () => call(/CanaryFunction[0-9A-F]{8}$/)
  const objects = () => keysBelow(bucket, `data/${table}/`, world.environment)

  interface Item {
    readonly written_at: { readonly S: string }
    readonly arrived?: { readonly S: string }
    readonly awaited: { readonly L: readonly { readonly S: string }[] }
  }
  /** Its item, by the command of the page. */
  const item = async (): Promise<Item> => (await run(command('The canary', /get-item/, { CANARY_TABLE: table }))).Item

  /** Writes, waits until that is in the archive, and tells of it: its instant, and its object. */
  async function write(): Promise<{ readonly at: string; readonly key: string }> {
    const before = await objects()
    await writeAndLook()
    const { written_at: at } = await item()
    const after = await waitFor(objects, keys => keys.length > before.length)
    return { at: at.S, key: after.find(key => !before.includes(key)) as string }
  }

  it('measures a write from its table into the archive, which status tells', async () => {
    const { at } = await write()
    await writeAndLook()
    const { arrived, awaited } = await item()
    expect(`${arrived?.S}` >= at).toBe(true)
    expect(awaited.L.map(({ S }) => S)).not.toContain(at)
    expect(await isOver('canary-silent')).toBe('OK')
    const { out } = await itemtrail(world, ['status', '--stack', STACK], await inRole(world, 'OperatorRole'))
    expect(out).toMatch(/^canary +from its table into the archive: \S.*second/m)
  })

  it('canary-missing: a write that is not there while later ones are is named, and found once it is', async () => {
    const { s3 } = clientsOf(world.environment)
    const lost = await write()
    const kept = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: lost.key }))
    const body = (await kept.Body?.transformToByteArray()) ?? new Uint8Array()
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: lost.key }))
    for (const { Key, VersionId } of Versions)
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId, BypassGovernanceRetention: true }))
    await write()
    await writeAndLook()
    expect((await item()).awaited.L.map(({ S }) => S)).toContain(lost.at)

    // it has to be so for half an hour
    await count('canary-missing', 'archive', 1, [5, 10, 15, 20, 25])
    expect(await goesOff('canary-missing')).toBe('ALARM')
    const log = physicalOf(world.resources, /Canary.*FunctionLog[^/]*$/, 'AWS::Logs::LogGroup')
    const { events } = await aws(world, ['logs', 'filter-log-events', '--log-group-name', log])
    expect(JSON.stringify(events)).toContain(`the write of ${lost.at} is not in the archive, and later ones are`)

    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: lost.key, Body: body }))
    await writeAndLook()
    expect((await item()).awaited.L.map(({ S }) => S)).not.toContain(lost.at)
  })
})
