import { expect, it } from 'vitest'
import { halvesOf, type PlannedBucket, planLots } from '../../derived/lots.js'

const bucket = (name: string, bytes: number): PlannedBucket => ({ name, bytes, deliveries: 5, digest: '0-0' })

function shown(buckets: readonly PlannedBucket[], room: number): readonly string[] {
  return planLots(buckets, room).map(lot => `${lot.buckets.map(({ name }) => name).join('')} in ${lot.slices}`)
}

it('puts buckets together as long as there is room, and slices one that is larger', () => {
  const buckets = [bucket('0', 40), bucket('1', 60), bucket('2', 1), bucket('3', 250), bucket('4', 10)]
  expect(shown(buckets, 100)).toEqual(['01 in 1', '2 in 1', '3 in 3', '4 in 1'])
  expect(shown(buckets, 1000)).toEqual(['01234 in 1'])
  expect(shown([], 100)).toEqual([])
})

it('halves what did not fit, unless it is small already', () => {
  const MB = 1024 ** 2
  const [lot] = planLots([bucket('0', MB), bucket('1', MB), bucket('2', MB)], 100 * MB)
  expect(halvesOf(lot as never).map(({ buckets }) => buckets.map(({ name }) => name).join(''))).toEqual(['01', '2'])
  expect(halvesOf({ buckets: [bucket('0', 5 * MB)], slices: 2 })).toMatchObject([{ slices: 4 }])
  expect(halvesOf({ buckets: [bucket('0', MB)], slices: 2 })).toEqual([])
})
