import { showItemKey } from '../../cli/show/item-key.js'
import { drawSample, type Sample, type SampleRequest } from '../../evidence/sample.js'
import { fingerprintOf } from '../../queries/answers/canonical-answer.js'
import { makeReceipt } from '../../queries/answers/receipt.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { Actor } from '../actors.js'
import { AddressError, linkTo, periodIn, shellWord } from '../address.js'
import { itemOfImage, StateTable } from '../items.js'
import { FactList } from '../paper/parts.js'
import type { PageAsking, Screen } from '../screen.js'
import { judgedBy } from '../sureness.js'
import { itemLink, lastChangeOf, tableIn } from '../tables.js'
import { Time } from '../times.js'

/** Changes that anybody draws again: a block each, with room for a tick and a remark by pen. */
export async function sampleScreen(asking: PageAsking): Promise<Screen> {
  const { search, archive, root } = asking
  const table = tableIn(asking, search.table ?? archive.tables()[0])
  const { table: name } = table
  const request = requestIn(asking)
  const trail = [
    [name, linkTo(['t', name])],
    ['sample', linkTo(['sample'], { table: name })],
  ] as const
  if (request === undefined) {
    const last = await lastChangeOf(asking, table)
    return {
      question: `Which changes of ${name} are to be drawn?`,
      trail,
      body: <Form asking={asking} table={name} last={last} />,
      data: { table: name, missing: ['seed', 'from', 'to'].filter(one => search[one] === undefined) },
      counts: 'nothing is drawn yet',
    }
  }
  const { n, seed, fromUs, toUs } = request
  const { answer, population, verdict } = await drawn(asking, table, request)
  const rows = [...rowsOf(answer.table)]
  const { sha256 } = fingerprintOf(answer.table)
  const [from, to] = [formatInstant(fromUs, 6), formatInstant(toUs, 6)]
  return {
    question: `Working paper: ${rows.length} of ${count(population)} changes of ${name} from ${asking.clock.text(fromUs)} to ${asking.clock.text(toUs)}, drawn by the seed ${JSON.stringify(seed)}`,
    trail,
    command: commandOf(name, request, asking.flags),
    sureness: judgedBy(verdict, root),
    counts: `${rows.length} of a population of ${count(population)} changes`,
    receipt: { sha256, link: linkTo(['sample', 'receipt'], { ...search, table: name }) },
    data: { table: name, n, seed, from, to, population, drawn: rows, result: { sha256 } },
    rows: answer.table,
    body: asking.waits ? null : (
      <>
        <FactList
          of={{
            population: count(population),
            seed,
            from: <Time us={fromUs} clock={asking.clock} />,
            to: <Time us={toUs} clock={asking.clock} />,
          }}
        />
        {rows.map(row => (
          <Block row={row} table={name} asking={asking} />
        ))}
      </>
    ),
  }
}

function drawn(asking: PageAsking, table: TableConfiguration, request: SampleRequest): Promise<Sample> {
  return asking.once(`sample ${table.table} ${JSON.stringify(request)}`, () =>
    drawSample(asking.archive, table, request),
  )
}

function commandOf(table: string, { n, seed, fromUs, toUs }: SampleRequest, flags: string): string {
  const [from, to] = [formatInstant(fromUs, 6), formatInstant(toUs, 6)]
  return `itemtrail sample ${shellWord(table)} --n ${n} --seed ${shellWord(seed)} --from ${from} --to ${to}${flags}`
}

/** The receipt of a sample, as `itemtrail sample --receipt` writes it. */
export async function receiptOfSample(asking: PageAsking): Promise<object> {
  const { search, archive } = asking
  const request = requestIn(asking)
  if (request === undefined) throw new AddressError('a sample has seed, from and to')
  const table = tableIn(asking, search.table ?? archive.tables()[0])
  const { answer, verdict } = await drawn(asking, table, request)
  return makeReceipt(answer, archive, {
    verdict: verdict ?? null,
    askedAs: commandOf(table.table, request, asking.flags),
  })
}

/** What an address asks to be drawn; undefined where it does not say all of it. */
function requestIn({ onAws, search }: PageAsking): SampleRequest | undefined {
  if (onAws) throw new AddressError('a sample is drawn from a folder', 400, 'a copy of the bucket is one')
  const { fromUs, toUs } = periodIn(search)
  const n = search.n ?? '25'
  if (!/^[1-9]\d{0,2}$/.test(n)) throw new AddressError(`n is ${JSON.stringify(n)}, expected 1 to 999`)
  if (search.seed === undefined || fromUs === null || toUs === null) return undefined
  return { n: Number(n), seed: search.seed, fromUs, toUs }
}

function count(n: number): string {
  return n.toLocaleString('en')
}

function Form({
  asking,
  table,
  last,
}: {
  readonly asking: PageAsking
  readonly table: string
  readonly last: number | null
}) {
  const { search } = asking
  const end = last === null ? '' : formatInstant(last + 1_000_000, 0)
  const start = last === null ? '' : formatInstant(last - 30 * 86_400_000_000, 0)
  return (
    <form method="get" action="/sample" id="narrow">
      <input type="hidden" name="table" value={table} />
      <label>
        how many
        <input name="n" value={search.n ?? '25'} size={5} required />
      </label>
      <label>
        seed, best chosen by whoever examines
        <input name="seed" value={search.seed ?? ''} required />
      </label>
      <label>
        from
        <input name="from" value={search.from ?? start} size={24} required />
      </label>
      <label>
        to (not included)
        <input name="to" value={search.to ?? end} size={24} required />
      </label>
      <button type="submit">draw</button>
    </form>
  )
}

function Block({ row, table, asking }: { readonly row: Row; readonly table: string; readonly asking: PageAsking }) {
  const text = (name: string) => (row[name] === null || row[name] === undefined ? null : String(row[name]))
  const [before, after] = [itemOfImage(text('old_image')), itemOfImage(text('new_image'))]
  const itemKey = String(row.item_key)
  return (
    <section class="work" aria-labelledby={`draw-${row.draw}`}>
      <h2 id={`draw-${row.draw}`}>
        {String(row.draw)}. {String(row.event_name)} of <a href={itemLink(table, itemKey)}>{showItemKey(itemKey)}</a>
      </h2>
      <FactList
        of={{
          when: <Time us={Number(row.event_time_us)} clock={asking.clock} />,
          who: (
            <Actor
              change={{
                actor: text('actor'),
                actor_source: String(row.actor_source),
                last_writer: null,
                event_name: String(row.event_name) as 'MODIFY',
              }}
            />
          ),
          event: <code>{String(row.event_id)}</code>,
        }}
      />
      <div class="sides">
        {before === null ? (
          <p class="dim">before: no item, or no image</p>
        ) : (
          <StateTable item={before} caption="before" show={{ raw: asking.raw }} />
        )}
        {after === null ? (
          <p class="dim">after: no item, or no image</p>
        ) : (
          <StateTable item={after} caption="after" show={{ raw: asking.raw }} />
        )}
      </div>
      <p class="pen">
        <b></b> as expected <b></b> not as expected <span>remark:</span>
      </p>
    </section>
  )
}
