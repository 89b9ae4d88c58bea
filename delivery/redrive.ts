import { hash } from 'node:crypto'
import type { Objects } from '../store/objects.js'
import { openRefused } from '../store/refused-reader.js'
import { documentsOf, type RefusedDocument, type RefusedJudgement } from './refused-documents.js'
import type { RefusedSurvey, SurveyOptions } from './refused-survey.js'

/** A document on its way, with the day that it is of and what stands in for its time. */
export type DocumentToSend = RefusedDocument & Pick<RefusedJudgement, 'date' | 'arrival'>

/** Where refused documents are sent again. */
export interface RedriveTarget {
  readonly name: string
  /** What it takes at once, and how many days in one run. */
  readonly limits: { readonly documents: number; readonly bytes: number; readonly days: number }
  /** Sends documents. What was not accepted is to be sent again. */
  send(documents: readonly DocumentToSend[]): Promise<Resent>
}

/** What became of documents that were sent together. */
export interface Resent {
  readonly accepted: readonly DocumentToSend[]
  /** Documents that were accepted, refused once more, and are kept as new refused records. */
  readonly refusedAgain: number
  /** Why documents were not accepted: error codes and how often. */
  readonly errors: ReadonlyMap<string, number>
}

/** What became of everything that was to be sent. */
export interface Redriven {
  /** Documents that were accepted, those included that were there twice. */
  readonly sent: number
  readonly refusedAgain: number
  /** Documents of further days, for another run. */
  readonly waiting: number
  /** Documents that were not accepted, or not even tried after one was not. */
  readonly left: number
  readonly errors: ReadonlyMap<string, number>
}

/**
 * Sends what a survey found, day by day, because Firehose holds a limited number of days at a time. What was accepted
 * is remembered at once, so a run that is interrupted goes on where it was.
 */
export async function redrive(
  survey: RefusedSurvey,
  target: RedriveTarget,
  options: SurveyOptions & { readonly onSent?: (sent: number, total: number) => void },
): Promise<Redriven> {
  const { ledger, now = Date.now } = options
  const total = survey.counts.ready + (options.all === true ? survey.counts.refused : 0)
  const days = [...survey.days.keys()].sort().slice(0, target.limits.days)
  const accepted = new Set<string>()
  let [sent, refusedAgain, tried] = [0, 0, 0]
  let errors: ReadonlyMap<string, number> = new Map()
  const remember = (documents: readonly DocumentToSend[]) => {
    if (documents.length > 0) ledger.add(documents, target.name, now())
    sent += documents.length
    options.onSent?.(sent, total)
  }
  for await (const chunk of chunksOf(readInOrder(days, survey, options.objects), target.limits)) {
    const copies = groupBy(chunk, contentOf)
    const fresh = [...copies]
      .filter(([content]) => !accepted.has(content))
      .map(([, [first]]) => first as DocumentToSend)
    const resent = await target.send(fresh)
    for (const document of resent.accepted) accepted.add(contentOf(document))
    remember(chunk.filter(document => accepted.has(contentOf(document))))
    refusedAgain += resent.refusedAgain
    errors = resent.errors
    tried += chunk.length
    if (resent.accepted.length < fresh.length) break
    errors = new Map()
  }
  const waiting = days.length < survey.days.size && sent === tried ? total - sent : 0
  return { sent, refusedAgain, waiting, left: total - sent - waiting, errors }
}

/** Bytes of days that are read together: an object may hold changes of all of them. */
const BYTES_TOGETHER = 64 * 1024 * 1024

/** What is to be sent, in the order of its days. */
async function* readInOrder(
  days: readonly string[],
  survey: RefusedSurvey,
  objects: Objects,
): AsyncGenerator<DocumentToSend> {
  for (const together of daysTogether(days, survey)) {
    const documents = readDays(together, survey, objects)
    if (together.length === 1) yield* documents
    else yield* await sortByDay(documents)
  }
}

function* daysTogether(days: readonly string[], survey: RefusedSurvey): Generator<readonly string[]> {
  let together: string[] = []
  let bytes = 0
  for (const day of days) {
    const more = survey.days.get(day)?.bytes ?? 0
    if (together.length > 0 && bytes + more > BYTES_TOGETHER) {
      yield together
      together = []
      bytes = 0
    }
    together.push(day)
    bytes += more
  }
  if (together.length > 0) yield together
}

async function sortByDay(documents: AsyncIterable<DocumentToSend>): Promise<readonly DocumentToSend[]> {
  const sorted: DocumentToSend[] = []
  for await (const document of documents) sorted.push(document)
  return sorted.sort((a, b) => (a.date === b.date ? 0 : a.date < b.date ? -1 : 1))
}

/** Documents of some days, object by object: each is read once, and what it holds was judged by the survey. */
async function* readDays(
  days: readonly string[],
  survey: RefusedSurvey,
  objects: Objects,
): AsyncGenerator<DocumentToSend> {
  const keys = new Set(days.flatMap(day => [...(survey.days.get(day)?.objects.keys() ?? [])]))
  for (const key of keys) {
    const wanted = new Map<string, Pick<DocumentToSend, 'date' | 'arrival'>>()
    for (const date of days)
      for (const { line, index, arrival } of survey.days.get(date)?.objects.get(key) ?? [])
        wanted.set(`${line} ${index}`, { date, arrival })
    for await (const kept of openRefused(objects, key, () => {})) {
      for (const document of await documentsOf(kept)) {
        const found = wanted.get(`${document.line} ${document.index}`)
        if (found !== undefined) yield { ...document, ...found }
      }
    }
  }
}

async function* chunksOf(
  documents: AsyncIterable<DocumentToSend>,
  limits: RedriveTarget['limits'],
): AsyncGenerator<readonly DocumentToSend[]> {
  let chunk: DocumentToSend[] = []
  let bytes = 0
  for await (const document of documents) {
    if (chunk.length === limits.documents || (chunk.length > 0 && bytes + document.data.length > limits.bytes)) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(document)
    bytes += document.data.length
  }
  if (chunk.length > 0) yield chunk
}

/** One change may have been refused several times. */
function contentOf({ table, form, data }: DocumentToSend): string {
  return `${table} ${form} ${hash('sha256', data)}`
}

/** Values by what a function says of each. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
