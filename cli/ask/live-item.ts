/** What a table itself holds now, beside what of it has arrived in the archive of a stack: one consistent read. */
import { lookedAt } from '../../capture/told-states.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import { stateLeft } from '../../queries/verdict/state-after.js'
import { readKept } from '../../store/kept-configurations.js'
import type { Objects } from '../../store/objects.js'
import { parseItem } from '../../transform/attribute-value.js'
import { type TableConfiguration, unconfiguredTable } from '../../transform/table-configuration.js'
import type { Io } from '../io.js'
import { isOnAws } from '../show/archive-name.js'
import { printable } from '../show/text.js'
import { stackOf } from './engine-choice.js'
import type { Asking } from './question.js'

/** The flag of questions about one item. */
export const LIVE_OPTION = ['--no-live', 'of a stack, does not look what the table itself holds now'] as const

/** What the table itself said of an item. */
export interface TableLook {
  /** `newer`: something else than the newest change here left, so a change has not arrived, or never will. */
  readonly state: 'same' | 'newer' | 'unknown'
  /** When it was read, by the clock here, ISO 8601 in UTC; null where it was not. */
  readonly read: string | null
  /** For people. */
  readonly text: string
}

/** Reads the item from its table; undefined where no stack is asked, or nobody is to look. */
export async function lookAtTable(
  { workspace, options }: Pick<Asking, 'workspace' | 'options'>,
  table: TableConfiguration,
  history: ItemHistory,
): Promise<TableLook | undefined> {
  const { root, engine } = workspace
  if (options.live === false || !isOnAws(root) || stackOf(options) === undefined) return undefined
  const sealed = engine.facts === undefined ? [] : await sealedWhere(engine.facts, table)
  if (sealed.length > 0)
    return notLooked('its rows are sealed, so what the table holds cannot be compared without the keys of persons')
  try {
    return await compare(table, history, typeof options.region === 'string' ? options.region : undefined)
  } catch (error) {
    const { name, message } = error as Error
    return notLooked(`${name}: ${message}`)
  }
}

/** Tells it on standard error, whatever it is: that nobody looked must not look like that nothing is newer. */
export function tellLive(live: TableLook | undefined, io: Io): void {
  if (live !== undefined) io.err(`${printable(live.text)}\n`)
}

/** The same for programs. */
export function describeLive(live: TableLook | undefined): object | null {
  return live === undefined ? null : { state: live.state, read: live.read, text: live.text }
}

/** The configurations of a table, here and in the archive, under which rows are not what the table holds. */
async function sealedWhere(archive: Objects, table: TableConfiguration): Promise<readonly TableConfiguration[]> {
  const { versions } = await readKept(archive, table.table)
  const isSealed = ({ erasable, keyIsPersonal }: TableConfiguration) =>
    erasable !== undefined || keyIsPersonal !== undefined
  return [table, ...versions].filter(isSealed)
}

async function compare(
  { table: name }: TableConfiguration,
  { itemKey, steps }: ItemHistory,
  region: string | undefined,
): Promise<TableLook> {
  const [{ DynamoDBClient }, { readItem }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('../../capture/table-scan.js'),
  ])
  const client = new DynamoDBClient({ maxAttempts: 1, ...(region !== undefined && { region }), ...BRIEFLY })
  const text = await readItem(client, { name }, itemKey, PATIENCE).finally(() => client.destroy())
  const keys = Object.keys(parseItem(itemKey)).map(attribute => ({ attribute, column: attribute }))
  const held = await lookedAt(text, itemKey, { ...unconfiguredTable(name), keys })
  const read = new Date().toISOString()
  const left = (steps.at(-1)?.changes ?? []).map(stateLeft)
  const isIt = (state: (typeof left)[number]) => (state.kind === 'present' ? state.hash : null) === (held?.hash ?? null)
  if (left.length === 0) return { read, ...neverArrived(held !== null, read) }
  if (left.some(state => state.kind !== 'unknown' && isIt(state)))
    return { state: 'same', read, text: `the table holds the same, read ${read}` }
  if (left.some(({ kind }) => kind === 'unknown'))
    return { state: 'unknown', read, text: `the table itself was read ${read}, and the newest change has no image` }
  const what = held === null ? 'has no such item any more' : 'holds something else than the newest change here left'
  return { state: 'newer', read, text: `the table ${what}, read ${read}: ${WAITS}` }
}

const WAITS =
  'a change has not arrived yet, or never will; itemtrail status --stack tells how far behind the archive is'

function neverArrived(isHeld: boolean, read: string): Pick<TableLook, 'state' | 'text'> {
  return isHeld
    ? { state: 'newer', text: `the table holds this item, read ${read}, of which nothing has arrived` }
    : { state: 'same', text: `the table has no such item either, read ${read}` }
}

function notLooked(why: string): TableLook {
  return { state: 'unknown', read: null, text: `the table itself was not looked at: ${why}` }
}

/** Who asks for a history waits for it, and not for a table that does not answer. */
const BRIEFLY = { requestHandler: { connectionTimeout: 2000, requestTimeout: 4000 } } as const
const PATIENCE = { tries: 2, throttledTries: 2, callMs: 5000 } as const
