import { describe, expect, it } from 'vitest'
import { Lineage, type ListedShard, parentsFirst, type ShardPosition } from '../../capture/shards.js'

const listed = (id: string, parent: string | null = null): ListedShard => ({ id, parent, starting: '1' })
const position = (state: ShardPosition['state'], parent: string | null = null): ShardPosition => ({
  ...{ parent, state, after: '1', madeAt: 0, emptyAt: null },
})
const idsOf = (shards: readonly { readonly id: string }[]) => shards.map(({ id }) => id)

describe('parentsFirst', () => {
  it('puts a parent before its children, whatever the order, over long lines', () => {
    const line = Array.from({ length: 20_000 }, (_, i) => listed(String(i), i === 0 ? null : String(i - 1)))
    expect(parentsFirst([...line].reverse())).toEqual(line)
  })

  it('takes a trimmed parent for none, and ends on a circle', () => {
    expect(idsOf(parentsFirst([listed('child', 'gone'), listed('b', 'a'), listed('a', 'b')]))).toHaveLength(3)
  })
})

describe('the lineage of shards', () => {
  it('lets a shard be read once its parent is at its end', () => {
    const lineage = new Lineage()
    lineage.update([listed('b', 'a'), listed('c', 'b'), listed('a'), listed('orphan', 'trimmed')])
    expect(idsOf(lineage.ready())).toEqual(['a', 'orphan'])
    for (const shard of lineage.ready()) shard.state = 'reading'
    expect(lineage.ready()).toEqual([])
    for (const shard of lineage.all) if (shard.id === 'a') shard.state = 'ended'
    expect(idsOf(lineage.ready())).toEqual(['b'])
  })

  it('keeps what it knows of a shard when it is listed again, and when it is not', () => {
    const lineage = new Lineage({ a: position('reading') })
    const [shard] = lineage.all
    lineage.update([listed('a')])
    lineage.update([])
    expect(lineage.all).toEqual([shard])
    expect(lineage.positions()).toEqual({ a: position('reading') })
  })

  it('forgets an ended shard that is not listed once all its children were begun', () => {
    const lineage = new Lineage({ a: position('ended'), b: position('waiting', 'a'), c: position('reading', 'a') })
    lineage.update([listed('b', 'a'), listed('c', 'a')])
    expect(idsOf(lineage.all)).toContain('a')
    for (const shard of lineage.ready()) shard.state = 'reading'
    lineage.update([listed('b', 'a'), listed('c', 'a')])
    expect(idsOf(lineage.all)).toEqual(['b', 'c'])
  })

  it('misses the children of a shard that ended and is not listed, and of no other', () => {
    const lineage = new Lineage({
      lost: position('ended'),
      listed: position('ended'),
      parent: position('ended'),
      reading: position('reading'),
    })
    lineage.update([listed('listed'), listed('child', 'parent')])
    expect(idsOf(lineage.withoutSuccessor())).toEqual(['lost'])
  })
})
