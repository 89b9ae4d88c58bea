import { problemsAt, showRestore } from '../../cli/show/change.js'
import { shortId } from '../../cli/show/confidence.js'
import { showPath } from '../../cli/show/item.js'
import { showItemKey } from '../../cli/show/item-key.js'
import { EvidenceError } from '../../evidence/evidence-error.js'
import { JournalError } from '../../journal/journal-error.js'
import { formatVkey } from '../../proof/note.js'
import { ProofError } from '../../proof/proof-error.js'
import { readHistory } from '../../queries/answers/read-history.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { itemsOfEvent } from '../../queries/list-changes.js'
import { ageOf } from '../../queries/moment.js'
import { objectsOfEvent } from '../../queries/objects-of-event.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { restoredBy } from '../../restore/restored-by.js'
import { DiskArchive } from '../../store/folder.js'
import type { AttributeValue } from '../../transform/attribute-value.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { Actor } from '../actors.js'
import { AddressError, linkTo, shellWord, wordIn } from '../address.js'
import { ChangeBody, itemOfImage, StateTable } from '../items.js'
import { FactList } from '../paper/parts.js'
import { Ways } from '../picks.js'
import { receiptOfItem } from '../receipts.js'
import type { PageAsking, Screen } from '../screen.js'
import { seenHistory } from '../sealed.js'
import { judgedItem } from '../sureness.js'
import { itemLink, tableIn } from '../tables.js'
import { InstantText, Time } from '../times.js'
import { changesIn, describe, type Placed } from './item-history.js'

/** One change: what it did, who made it and how that is known, when, and where it lies. */
export async function changeScreen(asking: PageAsking): Promise<Screen> {
  const table = tableIn(asking, asking.path[1])
  const { history: stored, index } = await findChange(asking, table)
  const history = await seenHistory(asking, table, stored)
  const changes = changesIn(history)
  const { change, step } = changes[index] as Placed
  const [earlier, later] = [changes[index - 1]?.change, changes[index + 1]?.change]
  const row = await asking.once(`row ${change.event_id}`, () => rowOf(asking, table, change))
  const day = String(row?.event_date ?? '')
  const objects = await asking.once(`objects of ${change.event_id}`, () =>
    objectsHolding(asking, table, { eventId: change.event_id, day }),
  )
  const name = showItemKey(history.itemKey)
  const restored = restoredBy(history).get(change.event_id)
  const linkOf = (other: HistoryChange) => linkTo(['t', table.table, 'e', other.event_id])
  return {
    question: `What did the ${change.event_name} of ${table.table} ${name} at ${asking.clock.text(change.event_time_us, change.time_precision)} do?`,
    trail: [
      [table.table, linkTo(['t', table.table])],
      [name, itemLink(table.table, history.itemKey)],
      [shortId(change.event_id), linkOf(change)],
    ],
    command: `itemtrail show ${shellWord(table.table)} ${change.event_id}${asking.flags}`,
    sureness: judgedItem(history, table.table, asking.root),
    receipt: await receiptOfItem(asking, table, history),
    counts: `change ${index + 1} of ${changes.length} of the item; delivered ${change.repeats + 1} ${change.repeats === 0 ? 'time' : 'times'}`,
    remarks: restored === undefined ? [] : [showRestore(restored)],
    data: {
      table: table.table,
      item_key: JSON.parse(history.itemKey) as object,
      change: describe(change, step),
      row,
      objects: objects ?? null,
      earlier: earlier?.event_id ?? null,
      later: later?.event_id ?? null,
    },
    body: (
      <>
        {problemsAt(change, step, history).map(text => (
          <p class="note bad">{text}</p>
        ))}
        <FactList
          of={{
            who: <Actor change={change} />,
            'known from': change.actor_source,
            when: <Time us={change.event_time_us} precision={change.time_precision} clock={asking.clock} />,
            age: `${ageOf(change.event_time_us, asking.now.getTime() * 1000)}`,
            precision: PRECISIONS[change.time_precision] ?? change.time_precision,
            ...(row?.arrived_at != null && {
              received: <InstantText text={String(row.arrived_at)} clock={asking.clock} />,
            }),
          }}
        />
        <nav class="pages noprint" aria-label="changes of the item">
          {earlier === undefined ? (
            <span class="dim">no earlier change</span>
          ) : (
            <a rel="prev" href={linkOf(earlier)}>
              earlier: {earlier.event_name}
            </a>
          )}
          {later === undefined ? (
            <span class="dim">no later change</span>
          ) : (
            <a rel="next" href={linkOf(later)}>
              later: {later.event_name}
            </a>
          )}
        </nav>
        <h2>What it did</h2>
        <Ways asking={asking} />
        <ChangeBody change={change} show={showOf(asking, table, change, 'after')} />
        {asking.raw || asking.search.w === 'all' ? null : <Sides change={change} asking={asking} table={table} />}
        <h2>Where it lies</h2>
        <FactList of={placeOf(change, row, objects)} rows />
        <h2>Its proof</h2>
        {await Proof({ asking, table, change, rowHash: String(row?.row_hash ?? '') })}
      </>
    ),
  }
}

const PRECISIONS: Readonly<Record<string, string>> = {
  s: 'whole seconds, as DynamoDB Streams has them',
  ms: 'milliseconds',
  us: 'microseconds',
  arrival: 'the record has no time, its arrival stands in',
}

/** The change that an address names by the beginning of its id, in the history of its item. */
async function findChange(asking: PageAsking, table: TableConfiguration) {
  const prefix = asking.path[3] ?? ''
  if (!/^[0-9a-f]{8,64}$/.test(prefix))
    throw new AddressError(
      `event ${JSON.stringify(prefix)} is none, expected at least 8 signs of its id, 0 to 9 and a to f`,
    )
  const found = await itemsOfEvent(asking.archive.engine, table, prefix)
  const [only, ...others] = found
  if (only === undefined) throw new AddressError(`event ${prefix} is not in the archive of ${table.table}`, 404)
  if (others.length > 0)
    throw new AddressError(
      `event ${prefix} is the beginning of several ids: ${found.map(({ eventId }) => eventId).join(', ')}`,
    )
  const { itemKey, eventId } = only
  const history = await asking.once(`history ${table.table} ${itemKey}`, () =>
    readHistory(asking.archive.engine, table, itemKey),
  )
  const index = history.changes.findIndex(({ event_id: id }) => id === eventId)
  if (index < 0) throw new AddressError(`event ${eventId} is not in the history of its item`, 404)
  return { history, index }
}

/** What the row says beside what a history tells. */
async function rowOf(
  { archive }: PageAsking,
  table: TableConfiguration,
  { event_id: id, event_time_us: us }: HistoryChange,
): Promise<Row | undefined> {
  const sql = `select event_date, arrived_at, source, source_event_id, config_id, row_hash, old_hash, new_hash
from ${deliveriesOf(table)} where event_id = ? and event_time_us = ? order by row_hash, arrived_at limit 1`
  return [...rowsOf(await archive.engine.run(sql, [id, us]))][0]
}

/** Where the rows of a change lie; undefined on AWS, whose engine does not say. */
async function objectsHolding(
  { archive, root, onAws }: PageAsking,
  table: TableConfiguration,
  event: { readonly eventId: string; readonly day: string },
): Promise<readonly string[] | undefined> {
  if (onAws) return undefined
  const folder = new DiskArchive(root)
  return objectsOfEvent(archive.engine, table, event, key => folder.pathOf(key))
}

function placeOf(
  change: HistoryChange,
  row: Row | undefined,
  objects: readonly string[] | undefined,
): Readonly<Record<string, string>> {
  const text = (value: unknown) => (value == null ? 'none' : String(value))
  return {
    'event id': change.event_id,
    sequence: text(change.sequence),
    partition: `event_date=${text(row?.event_date)}`,
    ...(objects !== undefined && { object: objects.join(', ') || 'none' }),
    'source event': text(row?.source_event_id),
    'SHA-256 before': text(change.old_hash),
    'SHA-256 after': text(change.new_hash),
    'SHA-256 of the row': text(row?.row_hash),
    configuration: text(row?.config_id),
  }
}

function showOf(asking: PageAsking, table: TableConfiguration, change: HistoryChange, side: 'before' | 'after') {
  return {
    raw: asking.raw,
    whole: asking.search.w === 'all',
    bytesLink: (attr: string) => linkTo(['t', table.table, 'e', change.event_id, 'bytes'], { side, attr }),
  }
}

/** The whole item before and after, folded away, and open in print. */
function Sides({
  change,
  asking,
  table,
}: {
  readonly change: HistoryChange
  readonly asking: PageAsking
  readonly table: TableConfiguration
}) {
  const side = (name: 'before' | 'after', text: string | null) => {
    const item = itemOfImage(text)
    if (item === null) return null
    return (
      <details>
        <summary>the whole item {name}</summary>
        <StateTable item={item} caption={`the item ${name} the change`} show={showOf(asking, table, change, name)} />
      </details>
    )
  }
  return (
    <>
      {side('before', change.old_image)}
      {side('after', change.new_image)}
    </>
  )
}

/** The bytes of a binary attribute of an image. */
export async function bytesOfChange(asking: PageAsking): Promise<Uint8Array> {
  const table = tableIn(asking, asking.path[1])
  const { history, index } = await findChange(asking, table)
  const change = history.changes[index] as HistoryChange
  const side = wordIn(asking.search, 'side', ['before', 'after']) ?? 'after'
  const image = itemOfImage(side === 'before' ? change.old_image : change.new_image) ?? {}
  const found = Object.entries(image).find(([name]) => showPath([{ name }]) === asking.search.attr)?.[1] as
    | AttributeValue
    | undefined
  if (found === undefined || !('B' in found))
    throw new AddressError(`attribute ${JSON.stringify(asking.search.attr)} has no bytes ${side} the change`, 404)
  return Buffer.from(found.B, 'base64')
}

/** The text of a change's `.row-proof`. Throws an `AddressError` that says why there is none. */
export async function proofOfChange(asking: PageAsking): Promise<string> {
  const table = tableIn(asking, asking.path[1])
  const { history, index } = await findChange(asking, table)
  const change = history.changes[index] as HistoryChange
  if (asking.onAws) throw new AddressError(OF_A_FOLDER, 404)
  if (asking.identity === undefined) throw new AddressError(NO_KEY, 404)
  const { proveEvent } = await import('../../evidence/give-evidence.js')
  try {
    const proven = await proveEvent(asking.root, asking.identity, table, change.event_id)
    if (proven !== undefined) return proven.proof
  } catch (error) {
    if (error instanceof EvidenceError || error instanceof JournalError || error instanceof ProofError)
      throw new AddressError(error.message, 404)
    throw error
  }
  throw new AddressError(`event ${change.event_id} has no row to prove`, 404)
}

const OF_A_FOLDER = 'proofs are made from a folder; a copy of the bucket is one'
const NO_KEY = 'nobody says whose key is believed, so nothing is proven: itemtrail view --key FILE says it'

interface ProofOf {
  readonly asking: PageAsking
  readonly table: TableConfiguration
  readonly change: HistoryChange
  /** What the row of the change is hashed to, in the archive. */
  readonly rowHash: string
}

async function Proof({ asking, table, change, rowHash }: ProofOf) {
  const { identity } = asking
  if (asking.onAws) return <p class="note">{OF_A_FOLDER}</p>
  const [key] = identity?.known ?? []
  if (key === undefined) return <p class="note">{NO_KEY}</p>
  const proof = await proofOfChange(asking).catch((error: unknown) => {
    if (error instanceof AddressError) return error
    throw error
  })
  if (typeof proof !== 'string') return <p class="note bad">{proof.message}</p>
  return (
    <div data-proof={proof} data-vkey={formatVkey(key)} data-row-hash={rowHash}>
      <p>
        <a
          href={linkTo(['t', table.table, 'e', change.event_id, 'proof'])}
          download={`${shortId(change.event_id)}.row-proof`}
        >
          {shortId(change.event_id)}.row-proof
        </a>{' '}
        leads from this row to a checkpoint that <code>{identity?.origin}</code> signed
      </p>
      <p class="script">
        <button type="button" data-verify="">
          verify it here
        </button>{' '}
        <output></output>
      </p>
      <details>
        <summary>the proof</summary>
        <pre>{proof}</pre>
      </details>
    </div>
  )
}
