import { costOf, formatBytes, formatUsd } from '../queries/engines/athena-cost.js'
import { parseMoment } from '../queries/moment.js'
import { formatDay } from '../transform/instant.js'
import { dateOfKey, tablePrefix } from '../transform/layout.js'
import { periodIn } from './address.js'
import { here } from './layout.js'
import type { PageAsking, Screen } from './screen.js'

/** What questions cost, where they cost: on AWS. */
export interface Spending {
  /** What was spent since the start, for people. */
  readonly spent: () => string
  /** How many bytes a statement may scan, as the workgroup says; undefined where it does not. */
  readonly limit: () => Promise<number | undefined>
}

/** The part of the workgroup's limit from which a question is put only when somebody says so. */
const TOLD_FROM = 1 / 10
/** The limit that is taken where the workgroup has none. */
const LIMIT_WITHOUT = 10 * 1024 ** 3

/**
 * What is shown in place of a screen whose statements may each scan more than a tenth of the workgroup's limit, until
 * somebody says that it shall be asked; undefined for any other. It asks nothing itself: objects are listed.
 */
export async function costFirst(asking: PageAsking, spending: Spending): Promise<Screen | undefined> {
  const tables = tablesAsked(asking)
  if (tables.length === 0 || asking.search.ask === 'yes') return undefined
  const limit = (await asking.once('limit of the workgroup', spending.limit)) ?? LIMIT_WITHOUT
  const bytes = await mostScanned(asking, tables)
  if (bytes === undefined || bytes <= limit * TOLD_FROM) return undefined
  const most = `up to ${formatBytes(bytes)}`
  return {
    ...(asking.waits && { status: 400 }),
    isUnasked: true,
    question: `This reads ${most} of ${tables.join(', ')} in each of its statements: shall it be asked?`,
    trail: [],
    counts: 'not asked yet',
    data: { error: 'not asked yet: ask=yes asks it', at_most_bytes: bytes, workgroup_limit_bytes: limit },
    body: (
      <>
        <p>
          {`Each statement may scan ${most}, about USD ${formatUsd(costOf(bytes))}; columns that are not asked for are not scanned. A statement may scan ${formatBytes(limit)} in this workgroup; what stays under a tenth of that is asked at once.`}
        </p>
        <p>
          <a href={here(asking, { ask: 'yes' })}>ask it</a>, or narrow it by a period: <code>from</code> and{' '}
          <code>to</code> in the address
        </p>
      </>
    ),
  }
}

/** What was spent; and, where the objects cannot be listed, that nobody can say what a question will read. */
export function spendingRemarks({ archive }: PageAsking, { spent }: Spending): readonly string[] {
  if (archive.engine.facts !== undefined) return [spent()]
  return [spent(), 'what a question reads is not known before it is asked: only --stack says where the objects lie']
}

/** The tables that a screen asks something of. */
function tablesAsked({ path, search, archive }: PageAsking): readonly string[] {
  const [first, second] = path
  if (first === undefined) return archive.tables()
  const name =
    first === 't' ? second : first === 'q' || first === 'receipt' ? (search.table ?? archive.tables()[0]) : undefined
  const isForm = search.form !== undefined
  return name === undefined || isForm || archive.findTable(name) === undefined ? [] : [archive.table(name).table]
}

/** The bytes of the objects of the days that are asked for; undefined where they cannot be listed. */
async function mostScanned(asking: PageAsking, tables: readonly string[]): Promise<number | undefined> {
  const { facts } = asking.archive.engine
  if (facts === undefined) return undefined
  const [from, to] = daysAsked(asking)
  let sum = 0
  for (const table of tables)
    for (const { key, bytes } of await asking.once(`objects of ${table}`, () => facts.entries(tablePrefix(table)))) {
      const day = dateOfKey(key)
      if ((from === undefined || day >= from) && (to === undefined || day <= to)) sum += bytes
    }
  return sum
}

function daysAsked({ path, search, now }: PageAsking): readonly [from: string | undefined, to: string | undefined] {
  const day = (us: number | null | undefined) => (us == null ? undefined : formatDay(Math.floor(us / 1000)))
  if (path[0] === 't' && path[2] === 'as-of')
    return [undefined, day(parseMoment(path[3] ?? '', now.getTime() * 1000)?.us)]
  const isOfPeriod = path[0] === 'q' || path[2] === 'changes'
  if (!isOfPeriod) return [undefined, undefined]
  const { fromUs, toUs } = periodIn(search)
  return [day(fromUs), day(toUs)]
}
