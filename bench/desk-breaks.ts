/** What looks at whole histories, over an archive in which changes are lost, told twice and told late. */
import { DESK_SIZE, measureDesk } from './desk.js'
import type { Suite } from './suite.js'

const { env } = process

const SIZE = {
  ...DESK_SIZE,
  breaks: Number(env.BENCH_BREAKS ?? 0.0015),
  repeats: Number(env.BENCH_REPEATS ?? 0.01),
  late: Number(env.BENCH_LATE ?? 0.01),
  rows: ['verify continuity', 'verify continuity, compacted', 'as-of TABLE', 'as-of TABLE, compacted'],
}

export const suite: Suite = {
  name: 'desk-breaks',
  question: 'how far is what looks at whole histories from its floor where changes are lost, told twice and told late?',
  run: note => measureDesk(SIZE, note),
}
