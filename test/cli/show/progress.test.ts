import { describe, expect, it, vi } from 'vitest'
import type { Io } from '../../../cli/io.js'
import { Progress, showDuration } from '../../../cli/show/progress.js'
import { escapeForeign } from '../../../cli/show/terminal.js'

/** What a progress of so many records wrote, one record each 100 ms of a clock of our own. */
function watch(errIsTerminal: boolean, records: number, total: number | undefined): string {
  let err = ''
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1000)
  const io = { err: (text: string) => (err += text), errIsTerminal } as unknown as Io
  const progress = new Progress(io, 'record')
  for (let count = 1; count <= records; count++) {
    clock.mockReturnValue(1000 + count * 100)
    progress.update(count, count, total)
  }
  progress.note('writing ...')
  progress.end()
  clock.mockRestore()
  return escapeForeign(err)
}

describe('progress', () => {
  it('rewrites one line on a terminal, with rate and time left, and wipes it away', () => {
    const steps = watch(true, 40, 80).split('\r\u001b[K')
    expect(steps[1]).toBe('░░░░░░░░░░░░░░░░░░░░   1 %  1 record, 10/s, 8 s left')
    expect(steps[40]).toBe('██████████░░░░░░░░░░  50 %  40 records, 10/s, 4 s left')
    expect(steps.slice(41)).toEqual(['writing ...', ''])
  })

  it('says no share where the total is not known', () => {
    expect(watch(true, 2, undefined)).toContain('\r\u001b[K2 records, 10/s\r')
  })

  it('writes a plain line every five seconds elsewhere', () => {
    expect(watch(false, 120, 240)).toBe(
      '████░░░░░░░░░░░░░░░░  20 %  50 records, 10/s, 19 s left\n████████░░░░░░░░░░░░  41 %  100 records, 10/s, 14 s left\n',
    )
  })

  it('says a long time in long units', () => {
    expect([0.2, 90, 150, 7100, 9000].map(showDuration)).toEqual(['1 s', '90 s', '3 min', '118 min', '2.5 h'])
  })
})
