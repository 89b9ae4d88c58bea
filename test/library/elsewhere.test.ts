/** Archives that lie in no folder here: objects of any place, and a stack on AWS. */
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openArchive } from '../../index.js'
import { DiskArchive } from '../../store/folder.js'
import { success } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { describedStack } from '../described-stack.js'
import { sealFolder } from '../journal/desk-journal.js'
import { type Loopback, startLoopback } from '../loopback.js'
import { MemoryObjects } from '../memory-objects.js'
import { VKEY } from '../proof/vectors.js'
import { STORY, STORY_TABLE } from '../queries/story.js'
import { type S3Server, startS3Server } from '../s3-server.js'

let folder: string
let contents: [string, Uint8Array][]
beforeAll(async () => {
  folder = temporaryFolder()
  await ingestRecords(folder, STORY, { configuration: STORY_TABLE })
  const disk = new DiskArchive(folder)
  contents = await Promise.all(
    (await disk.list('')).map(async key => [key, await disk.open(key)] as [string, Uint8Array]),
  )
})

const copies = () => readdirSync(tmpdir()).filter(name => name.startsWith(`itemtrail-archive-${process.pid}-`))

describe('an archive of objects that lie elsewhere', () => {
  it('answers as its folder would, from a copy that is gone when it is closed', async () => {
    const [there, here] = [await openArchive(new MemoryObjects(contents)), await openArchive(folder)]
    expect(there.tables()).toEqual(here.tables())
    expect(await there.history('Orders', 'B')).toEqual(await here.history('Orders', 'B'))
    const [copy] = copies()
    expect(copy).toBeDefined()
    await Promise.all([there.close(), here.close()])
    expect(copies()).toEqual([])
  })

  it('is held against its journal where it lies', async () => {
    const sealed = temporaryFolder()
    await ingestRecords(sealed, STORY, { configuration: STORY_TABLE })
    await sealFolder(sealed)
    const disk = new DiskArchive(sealed)
    const memory = new MemoryObjects()
    for (const key of await disk.list('')) await memory.put(key, await disk.open(key))
    {
      await using whole = await openArchive(memory, { journalKey: VKEY })
      const { remarks } = await whole.history('Orders', 'B')
      expect(remarks).toEqual([expect.stringMatching(/^held against the journal of \S+ by the bytes of each object$/)])
    }
    memory.contents.delete((await memory.list('data/')).at(-1) as string)
    await using archive = await openArchive(memory, { journalKey: VKEY })
    expect((await archive.history('Orders', 'B')).confidence).toBe('GAP')
    for (const key of await memory.list('log/')) memory.contents.delete(key)
    await using unsealed = await openArchive(memory, { journalKey: VKEY })
    expect((await unsealed.history('Orders', 'B')).remarks.join()).toContain('against the key that is given for it')
  })

  it('is of the tables that are asked for', async () => {
    const more = new MemoryObjects(contents)
    await more.put('data/Customers/event_date=2026-11-20/a.parquet', Buffer.from('no Parquet'))
    await using archive = await openArchive(more, { only: ['Orders'] })
    expect(archive.tables()).toEqual(['Orders'])
    expect((await archive.history('Orders', 'B')).changes).toHaveLength(2)
  })

  it('is not copied where it is larger than is allowed, and told what to do', async () => {
    await expect(openArchive(new MemoryObjects(contents), { mostBytes: 1000 })).rejects.toThrow(
      /^archive has \d+ bytes to copy, expected at most 1000: `only` names the tables/,
    )
    expect(copies()).toEqual([])
  })

  it('puts nothing outside of its copy, whatever its keys are', async () => {
    const odd = new MemoryObjects([...contents, ['data/../../outside', 'x']])
    await expect(openArchive(odd)).rejects.toThrow('data/../../outside: leads out of the archive')
    expect([copies(), existsSync(`${tmpdir()}/outside`)]).toEqual([[], false])
  })
})

describe('an archive of a stack', () => {
  let [athena, s3, stacks] = [] as unknown as [AthenaServer, S3Server, Loopback]
  beforeEach(async () => {
    ;[athena, s3] = await Promise.all([startAthenaServer(), startS3Server()])
    const outputs = {
      ArchiveBucketAF8C3F6B: 'archive',
      DatabaseNameAF8C3F6B: 'audit',
      WorkgroupNameAF8C3F6B: 'auditors',
    }
    stacks = await startLoopback((_, body, response) => {
      if (new URLSearchParams(body.toString()).get('StackName') !== 'Itemtrail') return response.writeHead(400).end()
      return response.end(describedStack('Itemtrail', outputs))
    })
    for (const [key, body] of contents) s3.add({ key, body: Buffer.from(body) })
    const endpoints = { ATHENA: athena, S3: s3, CLOUDFORMATION: stacks }
    for (const [name, { endpoint }] of Object.entries(endpoints)) vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, endpoint)
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'test')
    vi.stubEnv('AWS_REGION', 'eu-central-1')
    athena.workgroup.name = 'auditors'
    athena.answer = success(['x integer'], [['1']])
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await Promise.all([athena.stop(), s3.stop(), stacks.stop()])
  })

  it('is asked in its workgroup and database, and knows the tables and columns of its bucket', async () => {
    await using archive = await openArchive({ stack: 'Itemtrail' })
    expect(archive.tables()).toEqual(['Orders'])
    expect(archive.table('orders').columns.map(({ column }) => column)).toEqual(['status', 'total'])
    expect([...(await archive.sql('select 1 as x'))]).toEqual([{ x: 1 }])
    expect(athena.queries.map(({ input }) => [input.WorkGroup, input.QueryExecutionContext?.Database])[0]).toEqual([
      'auditors',
      'audit',
    ])
    expect(await archive.engine.describe?.()).toMatchObject({ archive: { bucket: 'archive', database: 'audit' } })
  })

  it('is none where the stack cannot be described, or the bucket not be read', async () => {
    await expect(openArchive({ stack: 'Nope' })).rejects.toThrow(/^stack "Nope" cannot be described: /)
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    await expect(openArchive({ stack: 'Itemtrail' })).rejects.toMatchObject({ name: 'ArchiveError' })
  })
})
