import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Fence } from '../../erasure/fences.js'
import { createFolderKeys, FolderKeys } from '../../erasure/folder-keys.js'
import { SealingError } from '../../transform/sealed-field.js'

function makeStore() {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-keys-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  createFolderKeys(folder)
  const fences = new Map<string, Fence>()
  const clock = { now: Date.UTC(2026, 10, 29) }
  const open = (at = folder) =>
    FolderKeys.open(
      at,
      ({ token, generation }) => fences.get(`${token}.${generation}`),
      () => clock.now,
    )
  return { folder, fences, clock, open }
}

const fileOf = (folder: string, token: string) => join(folder, 'subjects', token.slice(0, 2), `${token}.1.json`)

describe('keys in a folder', () => {
  it('are the same for every process, and other ones for other persons', () => {
    const { open } = makeStore()
    const [a, b] = [open(), open()]
    const token = a.tokenOf('u-1')
    expect(token).toMatch(/^[0-9a-f]{32}$/)
    expect(b.tokenOf('u-1')).toBe(token)
    expect(b.current(token)).toEqual(a.current(token))
    expect(a.current(a.tokenOf('u-2'))).not.toEqual(a.current(token))
  })

  it('leave nothing when they are destroyed, and none comes in their place', () => {
    const { folder, open, clock } = makeStore()
    const [a, b] = [open(), open()]
    const token = a.tokenOf('u-1')
    a.current(token)
    const wrapped = JSON.parse(readFileSync(fileOf(folder, token), 'utf8')).wrapped as string
    b.destroy({ token, generation: 1 })
    b.destroy({ token, generation: 1 })
    expect(readFileSync(fileOf(folder, token), 'utf8')).not.toContain(wrapped)
    expect(b.current(token)).toEqual({ state: 'erased', generation: 1 })
    // what the other process has read it forgets in time
    expect(a.current(token).state).toBe('live')
    clock.now += a.lingersMs
    expect(a.current(token).state).toBe('erased')
    a.make({ token, generation: 1 })
    expect(open().current(token).state).toBe('erased')
  })

  it('are refused for good to a person who was erased before ever being seen', () => {
    const { open } = makeStore()
    const token = open().tokenOf('nobody')
    open().destroy({ token, generation: 1 })
    expect(open().current(token)).toEqual({ state: 'erased', generation: 1 })
  })

  it('do not come back with an old copy of the folder', () => {
    const { folder, fences, open } = makeStore()
    const token = open().tokenOf('u-1')
    open().current(token)
    const copy = `${folder}-copy`
    afterAll(() => rmSync(copy, { recursive: true, force: true }))
    cpSync(folder, copy, { recursive: true })
    fences.set(`${token}.1`, 'erased')
    expect(open(copy).current(token)).toEqual({ state: 'erased', generation: 1 })
    expect(readFileSync(fileOf(copy, token), 'utf8')).toContain('"state":"erased"')
  })

  it('seal nothing new while a person is being erased, and can still be read', () => {
    const { fences, open } = makeStore()
    const token = open().tokenOf('u-1')
    open().current(token)
    fences.set(`${token}.1`, 'erasing')
    expect(open().current(token).state).toBe('erased')
    expect(open().find({ token, generation: 1 })?.state).toBe('live')
  })

  it('are made anew only as another generation', () => {
    const { open } = makeStore()
    const keys = open()
    const token = keys.tokenOf('u-1')
    keys.destroy({ token, generation: 1 })
    keys.make({ token, generation: 2 })
    expect(open().current(token)).toMatchObject({ state: 'live', generation: 2 })
    expect(open().find({ token, generation: 1 })?.state).toBe('erased')
  })

  it('are not believed under another name, or damaged', () => {
    const { folder, open } = makeStore()
    const keys = open()
    const [a, b] = [keys.tokenOf('u-1'), keys.tokenOf('u-2')]
    keys.current(a)
    keys.current(b)
    writeFileSync(fileOf(folder, a), readFileSync(fileOf(folder, b)))
    expect(() => open().current(a)).toThrow(/another store's, or was altered/)
    writeFileSync(fileOf(folder, a), 'nothing')
    expect(() => open().current(a)).toThrow(SealingError)
    expect(() => open(join(folder, 'nowhere'))).toThrow(/is not there: itemtrail subject init/)
  })
})
