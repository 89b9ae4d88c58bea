/** Faults under questions about many items: each answer is the one of the whole archive, or its verdict doubts it. */
import { afterAll, describe, expect, it } from 'vitest'
import { type AnswerVerdict, periodOf } from '../../queries/answer-verdict.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { type OpenArchive, openArchive } from '../../queries/open-archive.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { formatInstant } from '../../transform/instant.js'
import { tableConfiguration } from '../factories.js'
import { temporaryFolder, writeRows } from '../local/desk.js'
import { reportFigures } from '../reliability/figures.js'
import { type CleanItem, cleanItem, Dice } from './clean-history.js'
import { FAULTS, rowsOf } from './faults.js'
import { BEGIN } from './random-archive.js'

/** `npm run reliability` tries 30. */
const SEEDS = Number(process.env.ITEMTRAIL_SEEDS ?? 1)
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
  readonly damage: (dice: Dice) => Pair
}

const NOT_SHOWN = [
  'drop of the last change',
  'drop of a closed loop around a baseline',
  'drop of a closed loop between baselines',
  'edit of the last new image',
]

const others = (dice: Dice): readonly CleanItem[] => [1, 2, 3, 4].map(i => cleanItem(`W${i}`, 'streams', dice))

const LIST_FAULTS: readonly ListFault[] = [
  ...FAULTS.map(({ name, hop, inject }) => ({
    name,
    place: hop,
    isNotShown: NOT_SHOWN.includes(name),
    damage: (dice: Dice) => {
      const { item, rows } = inject('F', 'streams', dice)
      const beside = others(dice).flatMap(other => rowsOf(other))
      return { whole: [...rowsOf(item), ...beside], damaged: [...rows, ...beside] }
    },
  })),
  {
    name: 'remove an object',
    place: 'archive',
    isNotShown: false,
    damage: dice => {
      const whole = others(dice)
        .flatMap(item => rowsOf(item))
        .sort((a, b) => a.event_time_us - b.event_time_us)
      const from = 3 + dice.roll(Math.max(1, Math.floor(whole.length / 2)))
      return { whole, damaged: whole.filter((_, i) => i < from || i >= from + 4) }
    },
  },
]

/** Questions about deliveries and faults have another answer where there are others: that is what they are asked for. */
const OF_DELIVERIES = ['altered-rows', 'balance', 'continuity', 'duplicates', 'late-arrivals', 'anchors']
const [FROM, TO] = [formatInstant(BEGIN * 1_000_000, 6), formatInstant((BEGIN + 1050) * 1_000_000, 6)]
const QUESTIONS = [...SAVED_QUERIES.values()]
  .filter(({ name, parameters }) => !OF_DELIVERIES.includes(name) && !parameters.some(({ type }) => type === 'item'))
  .filter(({ asksForColumn }) => !asksForColumn)
  .map(({ name, parameters }) => {
    const values: Readonly<Record<string, string>> = {
      from: FROM,
      to: TO,
      at: TO,
      attribute: 'v',
      actor: 'w1',
      allowed: '[["0","1"]]',
      at_least: '2',
    }
    const known = parameters.filter(parameter => Object.hasOwn(values, parameter.name))
    return [
      name,
      Object.fromEntries(known.map(parameter => [parameter.name, values[parameter.name] as string])),
    ] as const
  })

describe('faults under questions about many items', () => {
  const figures = new Map<string, { right: number; doubtful: number; silent: number }>()
  afterAll(() =>
    reportFigures('lists', {
      columns: ['place', 'fault', 'answers', 'right', 'doubtful in their verdict', 'silent'],
      rows: LIST_FAULTS.map(({ name, place }) => {
        const { right = 0, doubtful = 0, silent = 0 } = figures.get(name) ?? {}
        return [place, name, ...[right + doubtful + silent, right, doubtful, silent].map(String)]
      }),
    }),
  )

  it.each(LIST_FAULTS)('leaves each answer right or doubtful: $name ($place)', { timeout: 600_000 }, async fault => {
    const counts = { right: 0, doubtful: 0, silent: 0 }
    const silent: string[] = []
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { whole, damaged } = fault.damage(new Dice(seed))
      const [before, after] = [await askAll(whole), await askAll(damaged)]
      for (const [name, { rows, verdict }] of after) {
        const isRight = rows === before.get(name)?.rows
        const told = isRight ? 'right' : verdict.isDoubtful ? 'doubtful' : 'silent'
        counts[told]++
        if (told === 'silent') silent.push(`${name}, seed ${seed}`)
        // no false alarm: of the whole archive nothing is doubted
        expect([name, before.get(name)?.verdict.isDoubtful]).toEqual([name, false])
      }
    }
    figures.set(fault.name, counts)
    if (!fault.isNotShown) expect(silent).toEqual([])
  })
})

interface Asked {
  readonly rows: string
  readonly verdict: AnswerVerdict
}

async function askAll(rows: readonly AuditRow[]): Promise<ReadonlyMap<string, Asked>> {
  const root = temporaryFolder()
  await writeRows(root, rows, table)
  const archive = await openArchive(root, { tables: [table] })
  const verdicts = new Map<string, AnswerVerdict>()
  const asked = new Map<string, Asked>()
  for (const [name, parameters] of QUESTIONS) asked.set(name, await askOne(archive, name, parameters, verdicts))
  await archive.close()
  return asked
}

/** Answers about one period have one verdict. */
async function askOne(
  archive: OpenArchive,
  name: string,
  parameters: Readonly<Record<string, string>>,
  verdicts: Map<string, AnswerVerdict>,
): Promise<Asked> {
  const answer = await archive.run(name, table.table, parameters)
  const period = JSON.stringify(periodOf(answer.asked))
  const verdict = verdicts.get(period) ?? ((await answer.verdict()) as AnswerVerdict)
  verdicts.set(period, verdict)
  const rows = JSON.stringify([...answer], (_, value) => (typeof value === 'bigint' ? String(value) : value))
  return { rows, verdict }
}
