import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Fence } from '../../erasure/fences.js'
import { createFolderKeys, FolderKeys } from '../../erasure/folder-keys.js'
import { everythingIn } from './everything-in.js'
import { describeKeyStore } from './key-contract.js'

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

describeKeyStore('keys in a folder', async () => {
  const { folder, fences, clock, open } = makeStore()
  return {
    clock,
    cacheMs: 60_000,
    open: async () => {
      const keys = open()
      return { store: keys, current: async token => keys.current(token), find: async name => keys.find(name) }
    },
    fence: async ({ token, generation }) => {
      fences.set(`${token}.${generation}`, 'erasing')
    },
    everything: () => everythingIn(join(folder, 'subjects')),
    exchange: async (token, other) => writeFileSync(fileOf(folder, token), readFileSync(fileOf(folder, other))),
    damage: async token => writeFileSync(fileOf(folder, token), 'nothing'),
  }
})

describe('a folder of keys', () => {
  it('brings none back with an old copy of it', () => {
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

  it('is named where it is not there', () => {
    const { folder, open } = makeStore()
    expect(() => open(join(folder, 'nowhere'))).toThrow(/is not there: itemtrail subject init/)
  })
})
