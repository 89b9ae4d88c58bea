import { isMissing, type Objects } from '../store/objects.js'
import { AthenaTables } from './athena-tables.js'
import { type ListedObject, listingOf } from './coverage.js'
import { DerivedReader } from './reader.js'

/** How long what was listed is taken for what is there. */
const FRESH_MS = 60_000

/** What a stack derives from its tables, read for an engine on AWS: listed once a minute at most. */
export class UnloadedCopies extends DerivedReader {
  /** The archive's bucket, the derived files' bucket, and the database of both. */
  constructor(
    archive: ListedPlace & Pick<Objects, 'folders'>,
    derived: ListedPlace & Pick<Objects, 'open'>,
    database: string,
    now: () => number = Date.now,
  ) {
    super({
      list: listingOf({ entries: entriesOf(archive), folders: prefix => archive.folders(prefix) }),
      derived: { entries: entriesOf(derived), openTagged: key => openText(derived, key) },
      tablesOf: scope => new AthenaTables(database, scope),
      freshMs: FRESH_MS,
      now,
    })
  }
}

/** A bucket as far as a reader needs to see it. */
export interface ListedPlace {
  entries(prefix: string): Promise<readonly ListedObject[]>
}

/** When an object was written, and how it is stored, only a writer asks. */
function entriesOf(place: ListedPlace): Objects['entries'] {
  return async prefix =>
    (await place.entries(prefix)).map(object => ({ modified: 0, storageClass: 'STANDARD', ...object }))
}

async function openText(objects: Pick<Objects, 'open'>, key: string) {
  try {
    return { text: Buffer.from(await objects.open(key)).toString(), etag: '' }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
