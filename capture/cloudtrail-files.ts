/** Files as CloudTrail delivers them into a bucket, copied into a folder: gzip, or plain JSON. */
import { createHash, type Hash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { FileError } from '../config/gate.js'
import { splitDocuments } from '../transform/json.js'
import { Refusal } from '../transform/refusal.js'
import { logName, readDigests, tellMissing } from './cloudtrail-digests.js'
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
 * The events of DynamoDB in all files of a folder, whatever lies deeper in it. What is damaged, or by CloudTrail's
 * digests missing or another, is told in `noted` and costs the rest nothing. Throws `NoEvents` for what is no folder,
 * or one without a file of CloudTrail.
 */
export async function* readCallEvents(folder: string, noted: EventProblems): AsyncGenerator<CallEvent> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true) throw new NoEvents(`${JSON.stringify(folder)} is not there, expected a folder`)
  const files = await filesIn(folder)
  const logs = files.filter(({ path }) => !OTHER_FILES.test(path))
  if (logs.length === 0)
    throw new NoEvents(`${JSON.stringify(folder)} has no file of CloudTrail in it, expected *.json.gz or *.json`)
  const digests = files.filter(({ isPlain, path }) => isPlain && path.includes('CloudTrail-Digest'))
  const delivered = readDigests(digests, noted.problems)
  for (const { path, file, isPlain } of logs) {
    // a pipe would be waited for, and a link leads anywhere
    if (isPlain) yield* eventsOf(path, file, delivered.get(logName(path)), noted)
    else noted.problems.push(`${file} is no plain file: ${LOST}`)
  }
  const missing = tellMissing(delivered, new Set(logs.map(({ path }) => logName(path))))
  noted.problems.push(...missing.map(files => `${files}: ${LOST}`))
}

/** Files that are no logs: digests, which say which logs were delivered, and what else a trail can have. */
const OTHER_FILES = /CloudTrail-(Digest|Insight|Aggregated)/

interface FoundFile {
  readonly path: string
  /** The same below the folder. */
  readonly file: string
  readonly isPlain: boolean
}

async function filesIn(folder: string): Promise<readonly FoundFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => !entry.isDirectory() && /\.json(\.gz)?$/.test(entry.name))
    .map(entry => ({ path: join(entry.parentPath, entry.name), isPlain: entry.isFile() }))
    .map(({ path, isPlain }) => ({ path, isPlain, file: relative(folder, path) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function* eventsOf(
  path: string,
  file: string,
  delivered: string | undefined,
  { problems }: EventProblems,
): AsyncGenerator<CallEvent> {
  let [count, refused, isWhole] = [0, '', true]
  const hash = createHash('sha256')
  try {
    const input = await openInput(path, Readable.from([]))
    for await (const document of readDocuments(hashed(input.bytes, hash))) {
      const event = tryEvent(document)
      if (!(event instanceof Error)) {
        if (event !== undefined) yield event
      } else if (count++ === 0) refused = event.message
    }
  } catch (error) {
    isWhole = false
    problems.push(`${file} cannot be read to its end (${(error as Error).message}): ${LOST}`)
  }
  if (isWhole && delivered !== undefined && hash.digest('hex') !== delivered)
    problems.push(
      `${file} is not the file that CloudTrail delivered, by its digest: what it tells is not to be believed`,
    )
  if (count > 0)
    problems.push(`${file} has ${count} ${count === 1 ? 'event' : 'events'} that cannot be read (${refused}): ${LOST}`)
}

async function* hashed(bytes: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    hash.update(piece)
    yield piece
  }
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
