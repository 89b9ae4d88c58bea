import { readFileSync } from 'node:fs'
import { stripVTControlCharacters, styleText } from 'node:util'
import { gunzipSync } from 'node:zlib'
import stringWidth from 'string-width'
import { beforeAll, describe, expect, it } from 'vitest'
import { archiveOf, type Ending, makeFolder, ORDERS, ORDERS_CONFIG, run, type Terminal } from './command-line.js'

/** `<green>text</>` as a terminal gets it. */
function painted(text: string): string {
  return text.replaceAll(/<(bold|dim|green|red|yellow)>(.*?)<\/>/g, (_, style: 'bold', inner: string) =>
    styleText(style, inner, { validateStream: false }),
  )
}

const HISTORY = ['history', 'Orders', 'ORD12345']
const AS_OF = ['as-of', 'Orders', 'ORD12345', '2026-11-19T12:00:00Z']
const TABLE_AS_OF = ['as-of', 'Orders', '2026-10-02T12:00:00Z', '--config', ORDERS_CONFIG]
const DIFF = ['diff', 'Orders', 'ORD12345', '--from', '2026-11-18T09:20:00Z', '--to', '2026-11-20T12:00:00Z']
const DELETIONS = ['query', 'deletions', '--param', 'from=2026-11-15T00:00:00Z']

const NARROW = { columns: 80 }
const WIDE = { columns: 120, colour: true }

describe('the order history on a terminal', () => {
  const root = makeFolder()
  let ingested: Ending
  const answers = new Map<string, Promise<Ending>>()
  /** The archive does not change any more, so nothing is asked twice. */
  const ask = (argv: readonly string[], terminal: Terminal = {}): Promise<Ending> => {
    const question = JSON.stringify([argv, terminal])
    const answer = answers.get(question) ?? run([...argv, '--archive', root], terminal)
    answers.set(question, answer)
    return answer
  }
  beforeAll(async () => {
    ingested = await run(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG], NARROW)
  })

  it('counts what was archived', () => {
    expect(ingested.exit).toBe(0)
    expect(ingested.out).toBe(`table   records  rows   refused  objects
Orders  2,218    2,218  0        51
`)
    // on a slow machine a line now and then tells how far it is
    expect(ingested.err.replaceAll(/^[█░]{20} .* records?, .* left\n/gm, '')).toBe('')
  })

  it('shows a history at 80 columns', async () => {
    expect(await ask(HISTORY, NARROW)).toEqual({
      exit: 0,
      out: `Orders ORD12345  11 changes
UNBROKEN since INSERT 2026-11-18 09:14:07Z: each change starts where the one
before ended

● 2026-11-20 11:47:52Z  MODIFY    by alice@ops.example  ed5f5aa2
    + refund      35.6
    ~ status      "DELIVERED" → "RETURNED"
    ~ updated_by  "customer:meiling.wang" → "alice@ops.example"
    ~ version     10 → 11

● 2026-11-20 08:31:26Z  MODIFY    by customer:meiling.wang  4de47dd3
    ~ note        "" → "one cup arrived broken 😢"
    ~ updated_by  "courier-7" → "customer:meiling.wang"
    ~ version     9 → 10

● 2026-11-19 18:55:19Z  MODIFY    by courier-7  c93ba547
    - shipping.last_scan  "Leipzig"
    ~ status              "SHIPPED" → "DELIVERED"
    ~ version             8 → 9

● 2026-11-19 13:27:00Z  MODIFY    by courier-7  e3441e80
    + shipping.last_scan  "Leipzig"
    ~ updated_by          "svc-shipping" → "courier-7"
    ~ version             7 → 8

● 2026-11-19 06:12:48Z  MODIFY    by svc-shipping  a2f96b62
    + shipping.tracking  "1Z467215388243"
    ~ status             "PICKED" → "SHIPPED"
    ~ tags               +"sent"
    ~ updated_by         "warehouse-3" → "svc-shipping"
    ~ version            6 → 7

● 2026-11-18 16:40:03Z  MODIFY    by warehouse-3  4b422425
    ~ status      "PROCESSING" → "PICKED"
    ~ tags        -"new"
    ~ updated_by  "svc-payments" → "warehouse-3"
    ~ version     5 → 6

● 2026-11-18 10:05:55Z  MODIFY    by svc-payments  a2678374
    - expires_at  1795252447
    + receipt     b64(KBD+Zg/5QtOGL1kFGoVOAxmwrrt+2riJ)
    ~ status      "PENDING" → "PROCESSING"
    ~ updated_by  "alice@ops.example" → "svc-payments"
    ~ version     4 → 5

● 2026-11-18 10:02:12Z  MODIFY    by alice@ops.example  fdb90d20
    ~ shipping.city  "Munchen" → "München"
    ~ updated_by     "customer:meiling.wang" → "alice@ops.example"
    ~ version        3 → 4

● 2026-11-18 09:21:30Z  MODIFY    by customer:meiling.wang  425e0daa
    ~ lines[sku=TEA-OOLONG-100].qty  2 → 3
    ~ total                          125.55 → 138.05
    ~ version                        2 → 3

● 2026-11-18 09:16:41Z  MODIFY    by customer:meiling.wang  86b4052d
    + lines[sku=KETTLE-CAST-IRON]  price: 64.95
                                   qty: 1
                                   sku: "KETTLE-CAST-IRON"
    ~ total                        60.6 → 125.55
    ~ version                      1 → 2

● 2026-11-18 09:14:07Z  INSERT    by customer:meiling.wang  0d91e7b7
    + currency    "EUR"
    + customer    {email: "meiling.wang@example.com", name: "王美玲"}
    + expires_at  1795252447
    + lines       {price: 12.5, qty: 2, sku: "TEA-OOLONG-100"}
                  {price: 8.9, qty: 4, sku: "CUP-CELADON"}
    + note        ""
    + order_id    "ORD12345"
    + placed_at   "2026-11-18T09:14:07Z"
    + shipping    {city: "Munchen", street: "Gärtnerplatz 3"}
    + status      "PENDING"
    + tags        <"new", "web">
    + total       60.6
    + updated_by  "customer:meiling.wang"
    + version     1
`,
      err: '',
    })
  })

  it('shows a history at 120 columns in colours', async () => {
    const { out } = await ask(HISTORY, WIDE)
    const changes = out.split('\n\n')
    expect(changes).toHaveLength(12)
    expect(changes.slice(0, 2).join('\n\n')).toBe(
      painted(`<bold>Orders ORD12345</>  11 changes
<green>UNBROKEN</> since INSERT 2026-11-18 09:14:07Z: each change starts where the one before ended

● 2026-11-20 11:47:52Z  MODIFY    by alice@ops.example  <dim>ed5f5aa2</>
    <green>+ refund      35.6</>
    <yellow>~ status      "DELIVERED" → "RETURNED"</>
    <yellow>~ updated_by  "customer:meiling.wang" → "alice@ops.example"</>
    <yellow>~ version     10 → 11</>`),
    )
    expect(`\n${changes.at(-1)}`).toBe(
      painted(`
● 2026-11-18 09:14:07Z  INSERT    by customer:meiling.wang  <dim>0d91e7b7</>
    <green>+ currency    "EUR"</>
    <green>+ customer    {email: "meiling.wang@example.com", name: "王美玲"}</>
    <green>+ expires_at  1795252447</>
    <green>+ lines       [{price: 12.5, qty: 2, sku: "TEA-OOLONG-100"}, {price: 8.9, qty: 4, sku: "CUP-CELADON"}]</>
    <green>+ note        ""</>
    <green>+ order_id    "ORD12345"</>
    <green>+ placed_at   "2026-11-18T09:14:07Z"</>
    <green>+ shipping    {city: "Munchen", street: "Gärtnerplatz 3"}</>
    <green>+ status      "PENDING"</>
    <green>+ tags        <"new", "web"></>
    <green>+ total       60.6</>
    <green>+ updated_by  "customer:meiling.wang"</>
    <green>+ version     1</>
`),
    )
  })

  it('shows an item at a moment at 80 columns', async () => {
    expect(await ask(AS_OF, NARROW)).toEqual({
      exit: 0,
      out: `Orders ORD12345  as of 2026-11-19 12:00:00Z
state after MODIFY a2f96b62 at 2026-11-19 06:12:48Z, by svc-shipping; next
change MODIFY e3441e80 at 2026-11-19 13:27:00Z
UNBROKEN since INSERT 2026-11-18 09:14:07Z: each change starts where the one
before ended

currency    "EUR"
customer    {email: "meiling.wang@example.com", name: "王美玲"}
lines       {price: 12.5, qty: 3, sku: "TEA-OOLONG-100"}
            {price: 8.9, qty: 4, sku: "CUP-CELADON"}
            {price: 64.95, qty: 1, sku: "KETTLE-CAST-IRON"}
note        ""
order_id    "ORD12345"
placed_at   "2026-11-18T09:14:07Z"
receipt     b64(KBD+Zg/5QtOGL1kFGoVOAxmwrrt+2riJ)
shipping    city: "München"
            street: "Gärtnerplatz 3"
            tracking: "1Z467215388243"
status      "SHIPPED"
tags        <"sent", "web">
total       138.05
updated_by  "svc-shipping"
version     7
`,
      err: '',
    })
  })

  it('shows an item at a moment at 120 columns in colours', async () => {
    expect((await ask(AS_OF, WIDE)).out).toBe(
      painted(`<bold>Orders ORD12345</>  as of 2026-11-19 12:00:00Z
state after MODIFY a2f96b62 at 2026-11-19 06:12:48Z, by svc-shipping; next change MODIFY e3441e80 at
2026-11-19 13:27:00Z
<green>UNBROKEN</> since INSERT 2026-11-18 09:14:07Z: each change starts where the one before ended

currency    "EUR"
customer    {email: "meiling.wang@example.com", name: "王美玲"}
lines       {price: 12.5, qty: 3, sku: "TEA-OOLONG-100"}
            {price: 8.9, qty: 4, sku: "CUP-CELADON"}
            {price: 64.95, qty: 1, sku: "KETTLE-CAST-IRON"}
note        ""
order_id    "ORD12345"
placed_at   "2026-11-18T09:14:07Z"
receipt     b64(KBD+Zg/5QtOGL1kFGoVOAxmwrrt+2riJ)
shipping    {city: "München", street: "Gärtnerplatz 3", tracking: "1Z467215388243"}
status      "SHIPPED"
tags        <"sent", "web">
total       138.05
updated_by  "svc-shipping"
version     7
`),
    )
  })

  it('shows the configured columns of a table at a moment', async () => {
    expect(await ask(TABLE_AS_OF, NARROW)).toEqual({
      exit: 0,
      out: `item      since                 actor       status      total   city     version
ORD10001  2026-10-02 06:31:32Z  svc-payme…  PROCESSING  193.85  Houston  2
ORD10002  2026-10-02 09:22:30Z  customer:…  PENDING     129.9   Zürich   2
ORD10003  2026-10-02 09:31:17Z  customer:…  PENDING     138.55  Leeds    1
ORD10004  2026-10-02 11:37:24Z  customer:…  PENDING     45.4    Görlitz  2
ORD10005  2026-10-02 11:28:54Z  customer:…  PENDING     145     Houston  1
UNBROKEN: 8 changes of 5 items, as of 2026-10-02 12:00:00Z
not shown by this: a lost last change of an item, a change lost together with
its way back, or rows rewritten to fit
`,
      err: `cells were cut to fit the terminal; in a pipe, such as to less -S, they are whole
left out here: whole items; --format json or dynamodb has them
5 items of Orders as of 2026-10-02 12:00:00Z
`,
    })
    expect(await ask(TABLE_AS_OF, WIDE)).toEqual({
      exit: 0,
      out: painted(`<bold>item      since                 actor                status      total   city     version</>
ORD10001  2026-10-02 06:31:32Z  svc-payments         PROCESSING  193.85  Houston  2
ORD10002  2026-10-02 09:22:30Z  customer:a.oezturk   PENDING     129.9   Zürich   2
ORD10003  2026-10-02 09:31:17Z  customer:b.anderson  PENDING     138.55  Leeds    1
ORD10004  2026-10-02 11:37:24Z  customer:einkauf     PENDING     45.4    Görlitz  2
ORD10005  2026-10-02 11:28:54Z  customer:sally       PENDING     145     Houston  1
<green>UNBROKEN</>: 8 changes of 5 items, as of 2026-10-02 12:00:00Z
not shown by this: a lost last change of an item, a change lost together with its way back, or rows rewritten to fit
`),
      err: `left out here: whole items; --format json or dynamodb has them
5 items of Orders as of 2026-10-02 12:00:00Z
`,
    })
  })

  it('shows a comparison at 80 columns, and at 120 in colours', async () => {
    expect((await ask(DIFF, NARROW)).out).toBe(`Orders ORD12345
2026-11-18 09:20:00Z → 2026-11-20 12:00:00Z, 9 changes between
UNBROKEN since INSERT 2026-11-18 09:14:07Z: each change starts where the one
before ended

- expires_at                     1795252447
~ lines[sku=TEA-OOLONG-100].qty  2 → 3
~ note                           "" → "one cup arrived broken 😢"
+ receipt                        b64(KBD+Zg/5QtOGL1kFGoVOAxmwrrt+2riJ)
+ refund                         35.6
~ shipping.city                  "Munchen" → "München"
+ shipping.tracking              "1Z467215388243"
~ status                         "PENDING" → "RETURNED"
~ tags                           -"new" +"sent"
~ total                          125.55 → 138.05
~ updated_by                     "customer:meiling.wang" → "alice@ops.example"
~ version                        2 → 11
`)
    expect((await ask(DIFF, WIDE)).out).toBe(
      painted(`<bold>Orders ORD12345</>
2026-11-18 09:20:00Z → 2026-11-20 12:00:00Z, 9 changes between
<green>UNBROKEN</> since INSERT 2026-11-18 09:14:07Z: each change starts where the one before ended

<red>- expires_at                     1795252447</>
<yellow>~ lines[sku=TEA-OOLONG-100].qty  2 → 3</>
<yellow>~ note                           "" → "one cup arrived broken 😢"</>
<green>+ receipt                        b64(KBD+Zg/5QtOGL1kFGoVOAxmwrrt+2riJ)</>
<green>+ refund                         35.6</>
<yellow>~ shipping.city                  "Munchen" → "München"</>
<green>+ shipping.tracking              "1Z467215388243"</>
<yellow>~ status                         "PENDING" → "RETURNED"</>
<yellow>~ tags                           -"new" +"sent"</>
<yellow>~ total                          125.55 → 138.05</>
<yellow>~ updated_by                     "customer:meiling.wang" → "alice@ops.example"</>
<yellow>~ version                        2 → 11</>
`),
    )
  })

  it('shows what the archive holds', async () => {
    // the size of Parquet objects is not ours to promise
    const { out, err, exit } = await ask(['status'], NARROW)
    const feed =
      /Orders: last change \d+ days ago, delivered [-\d]+ [:.\d]+Z, no gap\s+recorded, never compared with the table\n/
    expect(out).toMatch(feed)
    expect([exit, err, out.replace(feed, '').replace(/\d\.\d MB/, '1.3 MB')]).toEqual([
      0,
      '',
      `table   changes  items  first                 last                  size
Orders  2,218    324    2026-10-01 12:50:34Z  2026-11-20 23:56:20Z  1.3 MB

0 refused
`,
    ])
    expect((await ask(['status'], WIDE)).out.replace(feed, '').replace(/\d\.\d MB/, '1.3 MB')).toBe(
      painted(`<bold>table   changes  items  first                 last                  size</>
Orders  2,218    324    2026-10-01 12:50:34Z  2026-11-20 23:56:20Z  1.3 MB

<green>0 refused</>
`),
    )
  })

  it('cuts wide cells of a query, but never a time, a number or a key', async () => {
    expect(await ask(DELETIONS, { columns: 56 })).toEqual({
      exit: 0,
      out: `event_time            item_key  deleted_by   last_writer
2026-11-15 03:06:05Z  ORD10224  not record…  alice@ops.…
2026-11-15 03:07:20Z  ORD10208  not record…  customer:a…
2026-11-15 03:09:19Z  ORD10220  not record…  alice@ops.…
2026-11-16 09:14:47Z  ORD10255  time to li…  customer:m…
2026-11-17 10:23:57Z  ORD10258  time to li…  customer:g…
2026-11-18 08:50:37Z  ORD10269  time to li…  customer:s…
2026-11-18 18:35:42Z  ORD10272  time to li…  customer:m…
UNBROKEN: 303 changes of 63 items, from
2026-11-15 00:00:00Z
not shown by this: a lost last change of an item, a
change lost together with its way back, or rows
rewritten to fit
`,
      err: `cells were cut to fit the terminal; in a pipe, such as to less -S, they are whole
left out here: old_image, event_time_us, event_id; --format json has them
`,
    })
  })

  it.each([{ argv: HISTORY }, { argv: AS_OF }, { argv: DIFF }, { argv: ['status'] }])(
    'says the same without colour: $argv',
    async ({ argv }) => {
      const [plain, coloured] = [await ask(argv, NARROW), await ask(argv, { ...NARROW, colour: true })]
      expect(stripVTControlCharacters(coloured.out)).toBe(plain.out)
    },
  )

  it.each([
    { argv: HISTORY },
    { argv: AS_OF },
    { argv: TABLE_AS_OF },
    { argv: DIFF },
    { argv: ['status'] },
    { argv: DELETIONS },
    { argv: ['query', 'continuity'] },
  ])('keeps to 80 columns: $argv', async ({ argv }) => {
    const { out } = await ask(argv, NARROW)
    expect(out.split('\n').filter(line => stringWidth(line) > 80)).toEqual([])
  })

  it('cuts nothing where there is no terminal', async () => {
    const { out, err } = await ask(DELETIONS)
    expect(out).toContain('time to live  customer:grace.kim')
    expect(err).not.toContain('cut')
  })

  it('shows attributes of a table where no columns are configured', async () => {
    const first = gunzipSync(readFileSync(ORDERS)).toString().split('\n')[0] as string
    const bare = await archiveOf([first])
    const { out } = await run(['as-of', 'Orders', '2026-10-01T13:00:00Z', '--archive', bare])
    expect(out).toContain(`item      since                 actor  attributes
ORD10001  2026-10-01 12:50:34Z         currency: "USD", customer: {email: "sally@example.com", name: "👩‍🚀 Sally R."}, expires_at: 179111823…
`)
  })
})
