import { drawSample, SAMPLE_COLUMNS, type Sample, type SampleRequest } from '../../evidence/sample.js'
import { instantOf } from '../ask/instant-argument.js'
import { ANSWER_OPTIONS, type Asking, askArchive, judgedParts, lazily } from '../ask/question.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findWorkspaceTable } from '../ask/workspace.js'
import { type Command, CommandError, type Options } from '../io.js'
import type { AnswerSurface } from '../show/surface.js'
import { printRows } from '../show/table.js'
import { exitOfVerdict, pageVerdict, printVerdict } from '../show/table-verdict.js'
import { printable, wrap } from '../show/text.js'

/** Changes for an examination, which anybody can draw again. */
export const sample: Command = {
  usage: 'sample <table>',
  summary: 'draws changes of a period so that anybody draws the same; with --evidence, as a working paper',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--n <count>', 'how many are drawn'],
    ['--seed <text>', 'what they are drawn by; best chosen by whoever examines'],
    ['--from <instant>', 'the period that they are drawn from'],
    ['--to <instant>', 'the moment after it'],
    ...ANSWER_OPTIONS,
  ],
  example: 'itemtrail sample Orders --n 25 --seed 2026-Q4 --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z',
  run: ([name], options, io) => {
    const request = requestOf(options)
    return askArchive(options, io, async asking => {
      const { workspace } = asking
      const drawn = await drawSample(workspace.archive, findWorkspaceTable(workspace, name as string), request)
      return surfaceOf(drawn, asking)
    })
  },
}

function requestOf(options: Options): SampleRequest {
  const text = (flag: 'n' | 'seed' | 'from' | 'to') => {
    const value = options[flag]
    if (typeof value !== 'string') throw new CommandError(`--${flag} is missing`)
    if (value === '') throw new CommandError(`--${flag} is empty`)
    return value
  }
  const n = text('n')
  if (!/^[1-9]\d{0,5}$/.test(n)) throw new CommandError(`--n is ${JSON.stringify(n)}, expected 1 to 999999`)
  const [fromUs, toUs] = [instantOf(text('from'), '--from').us, instantOf(text('to'), '--to').us]
  if (fromUs >= toUs) throw new CommandError(`--from ${options.from} is not before --to ${options.to}`)
  return { n: Number(n), seed: text('seed'), fromUs, toUs }
}

/** What a person is shown; files have the images, too. */
const SHOWN = ['draw', 'event_time', 'event_name', 'item_key', 'changed', 'actor', 'event_id'] as const

function surfaceOf({ answer, verdict, title }: Sample, { workspace, receipts }: Asking): AnswerSurface {
  const { root } = workspace
  const shown = { title, plainColumns: SAMPLE_COLUMNS }
  const receipt = lazily(() => receipts.keep(answer, workspace, verdict ?? null, shown))
  return {
    page: io => {
      if (answer.length > 0) printRows(SHOWN, answer.rows(), io)
      io.out(`${wrap(printable(title), io.columns)}\n`)
      printVerdict(verdict, root, io.out, io)
    },
    ...judgedParts({ verdict: async () => verdict, receipt }, root),
    rows: () => answer.rows(),
    table: async () => answer.table,
    web: async () => ({
      question: title,
      sql: answer.asked.sql,
      confidence: pageVerdict(verdict, root),
      details: answer.columns.filter(name => !(SHOWN as readonly string[]).includes(name)),
    }),
    end: () => exitOfVerdict(verdict),
  }
}
