import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { DiskArchive, type StagedFile } from '../../store/folder.js'
import { temporaryFolder } from '../delivery/desk.js'
import { runs } from '../transform/arbitraries.js'

let archive: DiskArchive
beforeEach(() => {
  archive = new DiskArchive(join(temporaryFolder(), 'not there yet'))
})

const text = async (key: string) => Buffer.from(await archive.open(key)).toString()
const staged = () => (existsSync(join(archive.root, '.staging')) ? readdirSync(join(archive.root, '.staging')) : [])

function stage(content: string): StagedFile {
  const file = archive.stage('.txt')
  writeFileSync(file.path, content)
  return file
}

describe('an archive on a disk', () => {
  it('gives objects back as they were put, bytes or staged files', async () => {
    await archive.put('data/a', Buffer.from([0, 255, 10]))
    await archive.put('data/b', new Uint8Array())
    await archive.put('data/c', stage('staged'))
    expect(await archive.open('data/a')).toEqual(Buffer.from([0, 255, 10]))
    expect((await archive.open('data/b')).length).toBe(0)
    expect(await text('data/c')).toBe('staged')
    expect(staged()).toEqual([])
  })

  it('lists the keys of a prefix in order, and nothing of others', async () => {
    const keys = ['data/b/2', 'data/b/1', 'data/a/ü 😀', "data/b/it's", 'data/bb/x', 'refused/x', 'data/b/deep/er/x']
    for (const key of keys) await archive.put(key, Buffer.from(key))
    expect(await archive.list('data/b/')).toEqual(['data/b/1', 'data/b/2', 'data/b/deep/er/x', "data/b/it's"])
    expect(await archive.list('data/')).toEqual(keys.filter(key => key.startsWith('data/')).sort())
    expect(await archive.list('none/')).toEqual([])
    for (const key of keys) expect(await text(key)).toBe(key)
  })

  it('lists no prefix with a folder in the place of an object, and takes no table for one', async () => {
    archive = new DiskArchive(temporaryFolder())
    await archive.put('facts/Orders.json/a.json', Buffer.from('{}'))
    expect(await archive.list('facts/')).toEqual(['facts/Orders.json/a.json'])
    for (const key of ['facts/Orders.json/b.json', 'data/Orders/event_date=2026-11-22/a.parquet']) {
      mkdirSync(join(archive.root, key), { recursive: true })
      await expect(archive.list(key.slice(0, 5))).rejects.toThrow(`${key}: is a folder, where an object belongs`)
    }
  })

  it('lists no prefix with a pipe in the place of an object, which would be passed over', async () => {
    await archive.put('refused/a', Buffer.from('a'))
    execFileSync('mkfifo', [join(archive.root, 'refused/b')])
    await expect(archive.list('refused/')).rejects.toThrow('refused/b: is no file')
    expect(await archive.survey('refused/')).toEqual({
      keys: ['refused/a'],
      odd: [{ key: 'refused/b', reason: 'is no file' }],
    })
    expect((await archive.entries('refused/')).map(({ key }) => key)).toEqual(['refused/a'])
  })

  it('never rewrites an object', async () => {
    await archive.put('data/a', Buffer.from('first'))
    await expect(archive.put('data/a', Buffer.from('second'))).rejects.toThrow('object data/a exists already')
    await expect(archive.put('data/a', stage('third'))).rejects.toThrow('never rewritten')
    expect(await text('data/a')).toBe('first')
    expect(staged()).toEqual([])
  })

  it('has no object where one could not be put', async () => {
    await archive.put('data/file', Buffer.from('x'))
    await expect(archive.put('data/file/below', Buffer.from('y'))).rejects.toThrow()
    await expect(archive.put('data/gone', { path: join(archive.root, '.staging', 'none') })).rejects.toMatchObject({
      code: 'ENOENT',
    })
    expect(await archive.list('data/')).toEqual(['data/file'])
    expect(staged()).toEqual([])
  })

  it('opens nothing that is not there', async () => {
    await expect(archive.open('data/none')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is like a map that forgets nothing', async () => {
    const key = fc.constantFrom('a/1', 'a/2', 'a/b/1', 'c/1')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, fc.uint8Array({ maxLength: 5 })), { maxLength: 10 }), async puts => {
        const disk = new DiskArchive(temporaryFolder())
        const model = new Map<string, Uint8Array>()
        for (const [name, bytes] of puts) {
          if (model.has(name)) await expect(disk.put(name, bytes)).rejects.toThrow()
          else await disk.put(name, bytes)
          if (!model.has(name)) model.set(name, bytes)
        }
        expect(await disk.list('a/')).toEqual([...model.keys()].filter(name => name.startsWith('a/')).sort())
        for (const [name, bytes] of model) expect(new Uint8Array(await disk.open(name))).toEqual(bytes)
      }),
      runs(30),
    )
  })
})

describe('the staging folder', () => {
  it('gives each file a name of its own, and is no part of the archive', async () => {
    const names = Array.from({ length: 100 }, () => archive.stage('.x').path)
    expect(new Set(names).size).toBe(100)
    stage('half an object')
    await archive.put('data/a', Buffer.from('x'))
    expect(await archive.list('data/')).toEqual(['data/a'])
    expect(await archive.list('')).not.toContain('half an object')
  })

  it('is swept of what dead processes left, of nothing that is alive and of no name that it did not give', async () => {
    const own = stage('own').path
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
    await once(gone, 'exit')
    const living = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' })
    try {
      const folder = join(archive.root, '.staging')
      const named = (pid: number | undefined, ending: string) => `${pid}-${randomUUID()}.${ending}`
      const swept = [named(gone.pid, 'ndjson'), named(gone.pid, 'parquet')]
      const kept = [named(living.pid, 'ndjson'), named(1, 'ndjson'), 'junk', `${gone.pid}-notes.txt`]
      for (const name of [...swept, ...kept]) writeFileSync(join(folder, name), 'x')
      archive.sweep()
      expect(staged().sort()).toEqual([...kept, own.slice(folder.length + 1)].sort())
      expect(readFileSync(own, 'utf8')).toBe('own')
    } finally {
      living.kill()
    }
  })

  it('need not be there to be swept', () => {
    archive.sweep()
    mkdirSync(archive.root)
    archive.sweep()
    expect(readdirSync(archive.root)).toEqual([])
  })
})

describe('a pipe in the place of an object', () => {
  it('is refused by name, and nobody waits for it', async () => {
    const archive = new DiskArchive(temporaryFolder())
    await archive.put('facts/Orders/a.json', Buffer.from('{}'))
    execFileSync('mkfifo', [join(archive.root, 'facts/Orders/b.json')])
    const reads = [
      () => archive.open('facts/Orders/b.json'),
      () => archive.open('facts/Orders/b.json', 100),
      () => archive.openTagged('facts/Orders/b.json'),
      async () => archive.stream('facts/Orders/b.json'),
    ]
    for (const read of reads) await expect(read()).rejects.toThrow('facts/Orders/b.json: is no file')
  })
})
