import { describe, expect, it } from 'vitest'
import { type Outcome, storyOf } from '../../simulation/run.js'

const STORY = [
  '0d 01:00:00.000 forwarder 1: records were not accepted, Lambda will send them again {"records":1}',
  '0d 02:00:00.000 table: has version 4421584500000000111 of ORD-11',
  '0d 02:00:01.000 mapping: calls the forwarder with 1 records from 4421584500000000111 on',
  '0d 02:00:02.000 fault: put-hangs',
  '0d 02:00:03.000 fault: put-hangs',
  '0d 02:01:00.000 alarm put-failures: goes off, RecordsLeft is 1, above 0',
  '0d 03:00:00.000 s3: keeps archive/data/Orders/a, 10 bytes',
  '0d 03:00:01.000 s3: keeps archive/data/Orders/b, 10 bytes',
  '0d 04:00:00.000 fault: s3-slow',
] as const

function told(problem: string): readonly string[] {
  return storyOf({ problems: [problem], story: [...STORY, `0d 05:00:00.000 judge: ${problem}`] } as never as Outcome)
}

describe('the story of a problem', () => {
  it('that names an alarm has why it goes off, and the last of each kind that went wrong before', () => {
    const story = told('alarm put-failures fires for nothing')
    expect(story).toEqual(expect.arrayContaining([STORY[0], STORY[4], STORY[5]]))
    expect(story).not.toContain(STORY[2])
  })

  it('that names an alarm which is silent, or nothing at all, has the last of each kind that went wrong', () => {
    for (const problem of [
      'alarm record-oversize should fire',
      'forwarder 12 asks 9 times for firehose PutRecordBatch, expected at most 1',
    ]) {
      const story = told(problem)
      expect(story).toEqual(expect.arrayContaining([STORY[0], STORY[4], STORY[8]]))
      expect(story).not.toContain(STORY[1])
    }
  })

  it('that names an item has none of those whose names only begin as its does', () => {
    expect(told('history of ORD-11 is UNBROKEN, though 1 of 2 versions are there')).toContain(STORY[1])
    expect(told('history of ORD-1 is UNBROKEN, though 1 of 2 versions are there')).not.toContain(STORY[1])
  })

  it('is empty where there is no problem', () => {
    expect(storyOf({ problems: [], story: STORY } as never as Outcome)).toEqual([])
  })
})
