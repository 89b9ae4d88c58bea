import { describeConfidence, itemAdvice } from '../cli/show/confidence.js'
import { pageVerdict } from '../cli/show/table-verdict.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import { isDoubtful } from '../queries/verdict/findings.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import { NOT_SHOWN, type TableVerdict } from '../queries/verdict/table-verdict.js'
import type { PageAsking, Sureness } from './screen.js'

/** How long a screen of a small table waits for each thing that takes long. */
const PATIENCE_MS = 700

/** The verdict about the changes of a table in a period: found out once, and not waited for long. */
export async function surenessOf(
  asking: PageAsking,
  table: string,
  parameters: Readonly<Record<string, string>>,
  { query = 'changes-between', after }: SurenessOptions = {},
): Promise<Sureness> {
  const asked = { query, table, parameters: new Map(Object.entries(parameters)), sql: '' }
  const judge = async () => ({ verdict: await asking.verdict(asked) })
  const judged = await soon(asking, table, after === undefined ? judge() : after.then(judge, judge))
  return judged === undefined ? { kind: 'pending' } : judgedBy(judged.verdict, asking.root)
}

interface SurenessOptions {
  /** The saved query whose answer it is about. @default - the changes of the period */
  readonly query?: string | undefined
  /** What is found out first, for both would take twice as long. @default - nothing */
  readonly after?: Promise<unknown> | undefined
}

/** A verdict in the words of the command line. */
export function judgedBy(verdict: AnswerVerdict | undefined, root: string): Sureness {
  const { word, text } = pageVerdict(verdict, root)
  const lines = text
    .split('; ')
    .map(line => line.replace(NOT_SHOWN, ''))
    .filter(line => line !== '')
  return { kind: 'judged', verdict, word, lines }
}

/**
 * What stands for a verdict where there is room for words only: its own, and that it is doubtful where that does not
 * say so, as of an archive that is behind. None where nothing is judged.
 */
export function verdictWords(sureness: Sureness | undefined): readonly string[] {
  if (sureness?.kind !== 'judged' || sureness.verdict === undefined) return []
  const { confidence, isDoubtful: isDoubted } = sureness.verdict
  return isDoubted && !isDoubtful(confidence) ? [confidence, 'DOUBTFUL'] : [confidence]
}

/** The verdict about the one table that a screen is of, as far as it is known. */
export function tableVerdictIn(sureness: Sureness | undefined): TableVerdict | undefined {
  return sureness?.kind === 'judged' ? sureness.verdict?.tables[0] : undefined
}

/** The verdict about one item, or about its history up to a moment. */
export function judgedItem(history: ItemHistory, table: string, root: string): Extract<Sureness, { kind: 'judged' }> {
  const { confidence: word } = history
  const text = describeConfidence(history).slice(word.length).replace(/^: /, '').trim()
  const verdict = { confidence: word, isDoubtful: isDoubtful(word), tables: [], item: history }
  return { kind: 'judged', verdict, word, lines: [text, ...itemAdvice(word, table, root)] }
}

/** Up to so many bytes of a table all is waited for, as long as it takes no second. */
const SMALL = 64 * 1024 * 1024
/**
 * How long a page of a larger one may take before what is not known by then is told to be on its way: the rest takes a
 * tenth of a second, and all together no second.
 */
const PAGE_MS = 800

/** What is known soon, or undefined: it is found out meanwhile, and known by a later look. A file waits for all. */
export async function soon<T>(asking: PageAsking, table: string, making: Promise<T>): Promise<T | undefined> {
  if (asking.waits) return making
  const left = (await isSmallTable(asking, table))
    ? PATIENCE_MS
    : Math.max(0, PAGE_MS - (performance.now() - asking.begunMs))
  return Promise.race([making, later(left)])
}

/** True for a table that is read as a whole at no cost: not on AWS, and not a large one. */
export function isSmallTable({ archive: { engine }, once }: PageAsking, table: string): Promise<boolean> {
  return once(`size of ${table}`, async () => {
    const objects = await engine.objects?.(table)
    return objects !== undefined && objects.reduce((sum, { bytes }) => sum + bytes, 0) < SMALL
  })
}

function later(ms: number): Promise<undefined> {
  return new Promise(resolve => setTimeout(() => resolve(undefined), ms).unref())
}
