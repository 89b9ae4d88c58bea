/** Files as CloudTrail delivers them into a bucket, copied into a folder: gzip, or plain JSON. */
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { FileError } from '../config/gate.js'
import { splitDocuments } from '../transform/json.js'
import { Refusal } from '../transform/refusal.js'
import { type CallEvent, isOfDynamoDb, readEvent } from './cloudtrail-event.js'
import { type Document, readDocuments } from './document-reader.js'
import { openInput } from './input.js'
import { isOverlong } from './overlong.js'
import { objectText } from './wrapped-records.js'

/** What of a folder of events could not be read; it is filled while they are. */
export interface EventProblems {
  readonly problems: string[]
}

/** Says where CloudTrail's files lie and that there are none. */
export class NoEvents extends Error {
  override readonly name = 'NoEvents'
}

/**
 * The events of DynamoDB in all files of a folder, whatever lies deeper in it. What is damaged is told in `noted` and
 * costs the rest nothing. Throws `NoEvents` for what is no folder, or one without a file of CloudTrail.
 */
export async function* readCallEvents(folder: string, noted: EventProblems): AsyncGenerator<CallEvent> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true) throw new NoEvents(`${JSON.stringify(folder)} is not there, expected a folder`)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(entry => !entry.isDirectory())
    .map(entry => ({ entry, path: join(entry.parentPath, entry.name) }))
    .filter(({ path }) => isEventFile(path))
  if (files.length === 0)
    throw new NoEvents(`${JSON.stringify(folder)} has no file of CloudTrail in it, expected *.json.gz or *.json`)
  for (const { entry, path } of files.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    // a pipe would be waited for, and a link leads anywhere
    if (entry.isFile()) yield* eventsOf(path, relative(folder, path), noted)
    else noted.problems.push(`${relative(folder, path)} is no plain file: ${LOST}`)
  }
}

/** Digest files say which files were delivered, and hold no events. */
function isEventFile(file: string): boolean {
  return /\.json(\.gz)?$/.test(file) && !/CloudTrail-(Digest|Insight|Aggregated)/.test(file)
}

async function* eventsOf(path: string, file: string, { problems }: EventProblems): AsyncGenerator<CallEvent> {
  let [count, refused] = [0, '']
  try {
    const input = await openInput(path, Readable.from([]))
    for await (const document of readDocuments(input.bytes)) {
      const event = tryEvent(document)
      if (!(event instanceof Error)) {
        if (event !== undefined) yield event
      } else if (count++ === 0) refused = event.message
    }
  } catch (error) {
    problems.push(`${file} cannot be read to its end (${(error as Error).message}): ${LOST}`)
  }
  if (count > 0)
    problems.push(`${file} has ${count} ${count === 1 ? 'event' : 'events'} that cannot be read (${refused}): ${LOST}`)
}

const LOST = 'calls that it tells of are in no answer'

/** CloudTrail's own events have at most 1 MB; a file of many is read in pieces. */
const MAX_EVENT = 1024 ** 2

/** What is wrong with an event is a value: the next one may be right. */
function tryEvent(document: Document): CallEvent | undefined | Error {
  try {
    if (isOverlong(document) || document.length > MAX_EVENT) throw new Refusal('it is longer than an event can be')
    return eventIn(Buffer.from(document))
  } catch (error) {
    if (error instanceof FileError || error instanceof Refusal) return error
    throw error
  }
}

/** The event that a document is; undefined for one of another service, whatever it is. */
function eventIn(document: Buffer): CallEvent | undefined {
  const [one, ...more] = splitDocuments(document.toString())
  if (one === undefined || more.length > 0) throw new Refusal('it is no single event')
  if (one.value.eventSource === undefined) throw new Refusal('it has no eventSource')
  return isOfDynamoDb(one.value) ? readEvent(one.value, objectText(document, 'requestParameters'), 'it') : undefined
}
