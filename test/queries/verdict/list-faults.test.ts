/** Faults under questions about many items: each answer is the one of the whole archive, or its verdict doubts it. */

import { afterAll, describe, expect, it } from 'vitest'
import type { OpenArchive } from '../../../library/archive.js'
import { openArchive } from '../../../library/open-archive.js'
import { periodOf } from '../../../queries/answers/answer-verdict.js'
import type { AnswerVerdict } from '../../../queries/answers/asked.js'
import type { AuditRow } from '../../../transform/audit-row.js'
import { formatInstant } from '../../../transform/instant.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { tableConfiguration } from '../../factories.js'
import { reportFigures } from '../../reliability/figures.js'
import { askAny } from '../ask-any.js'
import { type CleanItem, cleanItem, Dice } from '../clean-history.js'
import { FAULTS, rowsOf } from '../faults.js'
import { listQuestions, type Question, rowsText } from '../list-questions.js'
import { BEGIN } from '../random-archive.js'

/** `npm run reliability` tries 30, and asks every question under each; else every other one, in turn. */
const SEEDS = Number(process.env.ITEMTRAIL_SEEDS ?? 1)
const ASKS_ALL = process.env.ITEMTRAIL_SEEDS !== undefined
const table = tableConfiguration()

/** What a whole archive and a damaged one hold of the same items. */
interface Pair {
  readonly whole: readonly AuditRow[]
  readonly damaged: readonly AuditRow[]
}

interface ListFault {
  readonly name: string
  readonly place: string
  /** What nobody can notice without another look at the table, as every verdict says. */
  readonly isNotShown: boolean
  readonly damage: (seed: number) => Pair
}

const NOT_SHOWN = [
  'drop of the last change',
  'drop of a closed loop around a baseline',
  'drop of a closed loop between baselines',
  'edit of the last new image',
  'a change and its neighbour, forged to fit',
  'a change taken out, its neighbour forged to fit',
]

/** Items without a fault, the same for every fault of a seed. */
function othersOf(seed: number): readonly CleanItem[] {
  const dice = new Dice(1000 + seed)
  return [1, 2, 3, 4].map(i => cleanItem(`W${i}`, 'streams', dice))
}

const LIST_FAULTS: readonly ListFault[] = [
  ...FAULTS.map(({ name, hop, inject }) => ({
    name,
    place: hop,
    isNotShown: NOT_SHOWN.includes(name),
    damage: (seed: number) => {
      const { item, rows } = inject('F', 'streams', new Dice(seed))
      const beside = othersOf(seed).flatMap(other => rowsOf(other))
      return { whole: [...rowsOf(item), ...beside], damaged: [...rows, ...beside] }
    },
  })),
  {
    name: 'remove an object',
    place: 'archive',
    isNotShown: false,
    damage: seed => {
      const dice = new Dice(seed)
      const whole = othersOf(seed)
        .flatMap(item => rowsOf(item))
        .sort((a, b) => a.event_time_us - b.event_time_us)
      const from = 3 + dice.roll(Math.max(1, Math.floor(whole.length / 2)))
      return { whole, damaged: whole.filter((_, i) => i < from || i >= from + 4) }
    },
  },
]

const [FROM, TO] = [formatInstant(BEGIN * 1_000_000, 6), formatInstant((BEGIN + 1050) * 1_000_000, 6)]
const QUESTIONS = listQuestions(FROM, TO)

describe('faults under questions about many items', () => {
  const figures = new Map<string, { right: number; doubtful: number; silent: number }>()
  afterAll(() =>
    reportFigures('lists', {
      columns: ['place', 'fault', 'answers', 'doubtful in their verdict', 'else right', 'silent'],
      rows: LIST_FAULTS.map(({ name, place }) => {
        const { right = 0, doubtful = 0, silent = 0 } = figures.get(name) ?? {}
        return [place, name, ...[right + doubtful + silent, doubtful, right, silent].map(String)]
      }),
    }),
  )

  it.each(LIST_FAULTS)('leaves each answer right or doubtful: $name ($place)', { timeout: 3_600_000 }, async fault => {
    const turn = LIST_FAULTS.indexOf(fault) % 2
    const questions = QUESTIONS.filter((_, i) => ASKS_ALL || i % 2 === turn)
    const counts = { right: 0, doubtful: 0, silent: 0 }
    const silent: string[] = []
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { whole, damaged } = fault.damage(seed)
      const before = await askWhole(whole)
      for (const [name, { rows, isDoubtful }] of await askAll(damaged, questions)) {
        const told = isDoubtful ? 'doubtful' : rows === before.get(name)?.rows ? 'right' : 'silent'
        counts[told]++
        if (told === 'silent') silent.push(`${name}, seed ${seed}`)
      }
    }
    figures.set(fault.name, counts)
    if (!fault.isNotShown) expect(silent).toEqual([])
  })
})

interface Asked {
  readonly isDoubtful: boolean
  /** Undefined where the answer is doubted: whatever it is, it is not silent. */
  readonly rows: string | undefined
}

const wholes = new Map<string, Promise<ReadonlyMap<string, Asked>>>()

/** Of a whole archive nothing may be doubted. Most faults of a seed are put into the same one, which is asked once. */
async function askWhole(rows: readonly AuditRow[]): Promise<ReadonlyMap<string, Asked>> {
  const id = JSON.stringify(rows.map(row => [row.event_id, row.row_hash]))
  const asking = wholes.get(id) ?? askAll(rows, QUESTIONS)
  wholes.set(id, asking)
  const answers = await asking
  for (const [name, { isDoubtful }] of answers) expect([name, isDoubtful]).toEqual([name, false])
  return answers
}

async function askAll(rows: readonly AuditRow[], questions: readonly Question[]): Promise<ReadonlyMap<string, Asked>> {
  const root = temporaryFolder()
  await writeRows(root, rows, table)
  const archive = await openArchive(root, { tables: [table] })
  const verdicts = new Map<string, AnswerVerdict>()
  const asked = new Map<string, Asked>()
  for (const question of questions) asked.set(question[0], await askOne(archive, question, verdicts))
  await archive.close()
  return asked
}

/** Answers about one period have one verdict. */
async function askOne(
  archive: OpenArchive,
  [query, given]: Question,
  verdicts: Map<string, AnswerVerdict>,
): Promise<Asked> {
  const asked = { query, table: table.table, parameters: new Map(Object.entries(given)), sql: '' }
  const period = JSON.stringify(periodOf(asked))
  const verdict = verdicts.get(period) ?? ((await archive.verdict(asked)) as AnswerVerdict)
  verdicts.set(period, verdict)
  if (verdict.isDoubtful) return { isDoubtful: true, rows: undefined }
  return { isDoubtful: false, rows: rowsText(await askAny(archive, query, table.table, given)) }
}
