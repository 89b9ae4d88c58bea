import type { Objects } from '../store/objects.js'
import type { Ledger } from '../store/redriven.js'
import { type KeptEntry, openRefused, type RefusedType, reasonOf } from '../store/refused-reader.js'
import {
  documentsOf,
  type JudgementOptions,
  judgeRefused,
  type Outlook,
  type RefusedDocument,
  type RefusedJudgement,
} from './refused-documents.js'

/** Records that were refused for one reason. */
export interface RefusedGroup {
  readonly table: string
  readonly type: RefusedType
  readonly reason: string
  records: number
  /** Documents in these records. */
  changes: number
  ready: number
  /** When the first and the last of them arrived, milliseconds since 1970. */
  first: number
  last: number
}

/** Everything that is refused and was not sent again. */
export interface RefusedSurvey {
  /** Most records first. */
  readonly groups: readonly RefusedGroup[]
  /** Objects, or lines in them, that cannot be read. */
  readonly damaged: readonly string[]
  /** Records that were sent again before. */
  readonly done: number
  /** Documents by what can be done with them. */
  readonly counts: Readonly<Record<Outlook, number>>
  /** What is to be sent, by day. */
  readonly days: ReadonlyMap<string, DayToSend>
}

/** What is to be sent of one day: a document's bytes are read again, because all of them may not fit into memory. */
export interface DayToSend {
  /** The documents of each object, by its key, in their order. */
  readonly objects: Map<string, PlaceToSend[]>
  bytes: number
}

/** Where a document stands in its object, and what stands in for its time. */
export type PlaceToSend = Pick<RefusedDocument, 'line' | 'index'> & Pick<RefusedJudgement, 'arrival'>

/** What is looked into. */
export interface SurveyOptions extends JudgementOptions {
  readonly objects: Objects
  readonly prefixes: readonly string[]
  /** The objects that are looked into. @default - all that have the prefixes */
  readonly keys?: readonly string[]
  readonly ledger: Ledger
  /** @default - all tables */
  readonly table?: string
  /** Sends what the transform here still refuses, too. */
  readonly all?: boolean
  /** Called for each object that was looked into. */
  readonly onObject?: (done: number, total: number) => void
}

/** Objects that are read at once: each may have as many bytes as Firehose gathers. */
const PARALLEL = 4

/** Reads everything that is refused, and finds out why, and what can be done. Nothing is sent. */
export async function surveyRefused(options: SurveyOptions): Promise<RefusedSurvey> {
  const groups = new Map<string, RefusedGroup>()
  const damaged = new Set<string>()
  const days = new Map<string, DayToSend>()
  const counts = { ready: 0, refused: 0, 'too-large': 0, 'needs-original': 0 }
  let done = 0
  const keys = options.keys ?? (await listObjects(options))
  const look = async (key: string) => {
    for await (const kept of openRefused(options.objects, key, bad => damaged.add(bad))) {
      if (options.table !== undefined && kept.entry.table !== options.table) continue
      const left = await judgeLeft(kept, options)
      if (left.length === 0) done++
      else addToGroup(groups, kept, left, options)
      for (const { document, judgement } of left) {
        counts[judgement.outlook]++
        if (isToBeSent(judgement, options)) addToDay(days, document, judgement)
      }
    }
  }
  for (let i = 0; i < keys.length; i += PARALLEL) {
    await Promise.all(keys.slice(i, i + PARALLEL).map(look))
    options.onObject?.(Math.min(i + PARALLEL, keys.length), keys.length)
  }
  const mostFirst = [...groups.values()].sort((a, b) => b.records - a.records || a.first - b.first)
  return { groups: mostFirst, damaged: [...damaged], done, counts, days }
}

interface Judged {
  readonly document: RefusedDocument
  readonly judgement: RefusedJudgement
}

/** The documents of a refused record that were not sent again, each judged. */
async function judgeLeft(kept: KeptEntry, options: SurveyOptions): Promise<readonly Judged[]> {
  const documents = await documentsOf(kept)
  if (documents.every(document => options.ledger.has(document))) return []
  const judgements = await judgeRefused(kept, documents, options)
  return documents
    .map((document, i) => ({ document, judgement: judgements[i] as RefusedJudgement }))
    .filter(({ document }) => !options.ledger.has(document))
}

async function listObjects({ objects, prefixes }: SurveyOptions): Promise<readonly string[]> {
  const keys = new Set<string>()
  for (const prefix of prefixes) for (const key of await objects.list(prefix)) keys.add(key)
  return [...keys]
}

function isToBeSent({ outlook }: RefusedJudgement, { all = false }: SurveyOptions): boolean {
  return outlook === 'ready' || (all && outlook === 'refused')
}

function addToDay(
  days: Map<string, DayToSend>,
  { object, line, index, data }: RefusedDocument,
  { date, arrival }: RefusedJudgement,
): void {
  const day = days.get(date) ?? { objects: new Map<string, PlaceToSend[]>(), bytes: 0 }
  days.set(date, day)
  const places = day.objects.get(object) ?? []
  day.objects.set(object, places)
  places.push({ line, index, arrival })
  day.bytes += data.length
}

function addToGroup(
  groups: Map<string, RefusedGroup>,
  { entry }: KeptEntry,
  judged: readonly Judged[],
  { configurationOf }: SurveyOptions,
): void {
  const { table, type, arrival } = entry
  const reason = reasonOf(entry, configurationOf(table))
  const id = [table, type, reason].join('\n')
  const group = groups.get(id) ?? {
    table,
    type,
    reason,
    records: 0,
    changes: 0,
    ready: 0,
    first: arrival,
    last: arrival,
  }
  groups.set(id, group)
  group.records++
  group.changes += judged.length
  group.ready += judged.filter(({ judgement }) => judgement.outlook === 'ready').length
  group.first = Math.min(group.first, arrival)
  group.last = Math.max(group.last, arrival)
}
