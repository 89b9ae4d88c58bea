import { describe, expect, it } from 'vitest'
import { strayFiles } from '../../journal/log-files.js'
import { CHECKPOINT, claimPath } from '../../journal/log-store.js'
import { seal } from '../../journal/seal.js'
import { verifyLog } from '../../journal/verify-log.js'
import { signerOf } from '../../proof/note.js'
import { ORIGIN, SEED } from '../proof/vectors.js'
import { IDENTITY } from './desk-journal.js'
import { MemoryLog, MemoryObjects } from './memory-log.js'

/** A journal of so many sealings, each of an object more, or of several. */
async function sealed(times: number, now = (i: number) => i, each = 1): Promise<MemoryLog> {
  const [store, objects] = [new MemoryLog(), new MemoryObjects()]
  for (let i = 0; i < times; i++) {
    for (let n = 0; n < each; n++) objects.put(`facts/Orders/${i}-${n}.json`, `${i}`, i)
    await seal({
      store,
      objects,
      identity: IDENTITY,
      signers: [signerOf(ORIGIN, SEED)],
      name: 'test',
      now: () => now(i),
    })
  }
  return store
}

const kindsOf = async (store: MemoryLog) => (await verifyLog(store, IDENTITY)).findings.map(({ kind }) => kind)

/** What somebody does who wants a shorter history, and leaves some of it behind. */
async function cutTo(store: MemoryLog, size: number, previous: number): Promise<void> {
  for (const path of store.files.keys())
    if (path.startsWith('next/') && path >= claimPath(size)) store.files.delete(path)
  store.files.set(CHECKPOINT, store.files.get(claimPath(previous)) as Uint8Array)
}

describe('the files of a journal', () => {
  it('are all explained by its claims, whatever its size', async () => {
    const store = await sealed(10, i => i, 64)
    const { findings, remarks, head } = await verifyLog(store, IDENTITY)
    expect({ findings, remarks, size: head.size }).toEqual({ findings: [], remarks: [], size: 650 })
    const sizes = Array.from({ length: 10 }, (_, i) => (i + 1) * 65)
    expect(strayFiles([...store.files.keys()], sizes)).toEqual({ findings: [], remark: undefined })
  })

  it('tell of a cut, by a tile, a claim or a time stamp of what came then, without a checkpoint that was kept', async () => {
    for (const left of ['tile/0/000.p/8', 'tile/entries/000.p/8', claimPath(6), 'timestamps/8.tsr']) {
      const store = await sealed(4)
      const kept = left.startsWith('timestamps/') ? Buffer.from('x') : (store.files.get(left) as Uint8Array)
      await cutTo(store, 4, 2)
      for (const path of store.files.keys()) if (/\.p\/[68]$/.test(path)) store.files.delete(path)
      expect(await kindsOf(store)).toEqual([])
      store.files.set(left, kept)
      const { findings } = await verifyLog(store, IDENTITY)
      expect(findings).toEqual([
        {
          kind: 'cut-off',
          key: `log/${left}`,
          message: `is there, and the chain of claims ends at 4: what came then is gone`,
        },
      ])
    }
  })

  it('tell of a claim that the chain does not come by', async () => {
    const store = await sealed(4)
    store.files.set(claimPath(3), store.files.get(claimPath(2)) as Uint8Array)
    expect(await kindsOf(store)).toEqual(['forked'])
  })

  it('that no sealer writes are named as not looked at', async () => {
    const store = await sealed(2)
    for (const path of ['foo', 'next/3', 'timestamps/3.tsr', 'tile/0/000.p/3', 'tile/x'])
      store.files.set(path, Buffer.from('x'))
    const { findings, remarks } = await verifyLog(store, IDENTITY)
    expect([findings, remarks]).toEqual([
      [],
      [expect.stringContaining('what log/foo is, which is there with 4 more: no file')],
    ])
  })

  it('say that a sealer’s clock went back', async () => {
    const { findings, remarks } = await verifyLog(await sealed(4, i => (i === 2 ? 0 : 1000 + i)), IDENTITY)
    expect([findings, remarks]).toEqual([
      [],
      ["when it was sealed: the sealer's clock went back once, first to 1970-01-01T00:00:00.000Z at size 4"],
    ])
  })

  it('are not missed while they are written: each listed file was claimed before', async () => {
    let later = () => {}
    const store = new MemoryLog(async (call, path) => {
      if (call === 'read' && path === claimPath(2)) later()
      return 'do'
    })
    const [whole, first] = [await sealed(2), await sealed(1)]
    for (const [path, bytes] of first.files) store.files.set(path, bytes)
    later = () => {
      for (const [path, bytes] of whole.files) store.files.set(path, bytes)
    }
    expect(await kindsOf(store)).toEqual([])
  })
})
