import { formatInstant, parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { SAVED_QUERIES } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { isDoubtful, worstOf } from '../verdict/findings.js'
import type { ItemHistory } from '../verdict/fold-history.js'
import { describeSealed } from '../verdict/sealed-told.js'
import { archiveBegan, stateAt } from '../verdict/state-at.js'
import {
  type AskedPeriod,
  type JudgeOptions,
  judgeTable,
  NOT_SHOWN,
  type TableVerdict,
} from '../verdict/table-verdict.js'
import type { AnswerVerdict, Asked } from './asked.js'
import type { JudgedArchive, QuestionAsked } from './asked-archive.js'
import { namedTables } from './objects-read.js'
import { readHistory } from './read-history.js'

/**
 * Judges what an answer rests on: the period of a saved query, all time for SQL of one's own and each table that it
 * names; of a question about one item, that item. Undefined for a statement that names no table of the archive.
 */
export async function judgeAnswer(
  asked: QuestionAsked,
  archive: JudgedArchive,
  options: JudgeOptions = {},
): Promise<AnswerVerdict | undefined> {
  const { engine } = archive
  const itemKey = asked.query === undefined ? undefined : asked.parameters.get('item_key')
  if (typeof itemKey === 'string' && asked.table !== undefined)
    return itemVerdict(await judgeItem(engine, archive.table(asked.table), itemKey, instantOf(asked, 'at')))
  const tables =
    asked.table === undefined
      ? namedTables(
          asked.sql,
          archive.tables().map(name => archive.table(name)),
        )
      : [archive.table(asked.table)]
  if (tables.length === 0) return undefined
  const verdicts: TableVerdict[] = []
  for (const table of tables) verdicts.push(await judgeTable(engine, table, periodOf(asked), options))
  return tablesVerdict(verdicts)
}

/** The verdict of an answer that rests on tables. */
function tablesVerdict(tables: readonly TableVerdict[]): AnswerVerdict {
  return {
    confidence: worstOf(tables.map(({ confidence }) => confidence)),
    isDoubtful: tables.some(({ isDoubtful }) => isDoubtful),
    tables,
    item: undefined,
  }
}

function itemVerdict(item: ItemHistory): AnswerVerdict {
  const { confidence } = item
  return { confidence, isDoubtful: isDoubtful(confidence), tables: [], item }
}

async function judgeItem(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  atUs: number | null,
): Promise<ItemHistory> {
  const all = await readHistory(engine, table, itemKey)
  return atUs === null ? all : stateAt(all, { us: atUs }, await archiveBegan(engine, table)).until
}

/** The period of a saved query, from its parameters; all time where it has none. */
export function periodOf(asked: Pick<Asked, 'query' | 'parameters'>): AskedPeriod {
  const [from, to, at] = ['from', 'to', 'at'].map(name => instantOf(asked, name)) as [
    number | null,
    number | null,
    number | null,
  ]
  const isOfStates = SAVED_QUERIES.get(asked.query ?? '')?.states !== undefined
  if (isOfStates && at !== null) return { kind: 'states', fromUs: at, toUs: at }
  if (isOfStates && from !== null && to !== null) return { kind: 'states', fromUs: from, toUs: to }
  return { kind: 'period', fromUs: from, toUs: to }
}

/** Null for one that is not given, and for the ends of time that stand for none. */
function instantOf({ query, parameters }: Pick<Asked, 'query' | 'parameters'>, name: string): number | null {
  const parameter = SAVED_QUERIES.get(query ?? '')?.parameters.find(known => known.name === name)
  const value = parameters.get(name)
  if (parameter?.type !== 'instant' || typeof value !== 'string') return null
  const us = parseInstant(value)?.us
  return us === undefined || us === parseInstant(parameter.default ?? '')?.us ? null : us
}

/** Stretches that are listed; the number tells of all. */
const LISTED = 100

/** A verdict as JSON: in answers, in receipts. docs/cli-json.md describes its fields. `undefined`: nobody judged. */
export function describeVerdict(verdict: AnswerVerdict | undefined): Readonly<Record<string, unknown>> {
  const { item } = verdict ?? {}
  return {
    judged: verdict !== undefined,
    confidence: verdict?.confidence ?? null,
    doubtful: verdict?.isDoubtful ?? null,
    tables: verdict?.tables.map(describeTable) ?? [],
    item: item === undefined ? null : describeItem(item),
    not_shown: verdict === undefined ? null : NOT_SHOWN,
  }
}

function describeItem({ itemKey, remarks, facts }: ItemHistory): object {
  return { item_key: JSON.parse(itemKey) as object, remarks, journal: describeSealed(facts.sealed) }
}

function describeTable(verdict: TableVerdict): object {
  const text = (us: number | null) => (us === null ? null : formatInstant(us, 6))
  return {
    table: verdict.table,
    from: text(verdict.fromUs),
    to: text(verdict.toUs),
    confidence: verdict.confidence,
    doubtful: verdict.isDoubtful,
    changes: verdict.changes,
    items: verdict.items,
    repeats: verdict.repeats,
    verdicts: Object.fromEntries(
      Object.entries(verdict.verdicts).map(([word, n]) => [word.toLowerCase().replace('-', '_'), n]),
    ),
    gaps: verdict.gaps,
    missing_stretches: verdict.missing.length,
    missing: verdict.missing
      .slice(0, LISTED)
      .map(({ sinceUs, untilUs }) => ({ since: text(sinceUs), until: text(untilUs) })),
    lost: verdict.lost.map(({ fact }) => ({ source: fact.source, from: fact.from, to: fact.to, reason: fact.reason })),
    new_streams: verdict.newStreams.map(({ fact }) => ({
      previous: fact.previous,
      source: fact.source,
      before: fact.recorded,
    })),
    broken_baselines: verdict.brokenBaselines.map(({ source, us }) => ({ source, time: text(us) })),
    altered_comparisons: verdict.alteredComparisons.map(({ source, us }) => ({ source, time: text(us) })),
    refused: verdict.refused,
    altered_rows: verdict.altered,
    unchecked_rows: verdict.unchecked,
    empty_days: verdict.emptyDays,
    regions: verdict.regions,
    archive_began: text(verdict.beganUs),
    received_until: text(verdict.receivedUs),
    behind: verdict.isBehind,
    before_archive: verdict.isBefore,
    journal: describeSealed(verdict.sealed),
  }
}
