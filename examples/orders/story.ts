/** What happens at the order desk of a small tea shop from 2026-10-01 to 2026-11-20, all of it from one seed. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import {
  type Customer,
  DAY,
  HOUR,
  type Item,
  Life,
  type Line,
  linesOf,
  MINUTE,
  m,
  n,
  putTogether,
  Random,
  removeTogether,
  type Step,
  s,
  ss,
  totalOf,
  toUpdate,
} from './life.js'

const ORDERS = 300
const FIRST = seconds('2026-10-01T06:00:00Z')
const LAST_PLACED = seconds('2026-11-19T12:00:00Z')
const LAST = seconds('2026-11-20T23:59:59Z')
const ALICE = 'alice@ops.example'

/** A marketplace hands over its orders in one batch. */
const IMPORTS = ['2026-10-05', '2026-10-16', '2026-10-27', '2026-11-06', '2026-11-15'].map(day => ({
  at: seconds(`${day}T02:30:00Z`),
  orders: 6,
}))

/** Customers who ask to be forgotten, and when. */
const ERASURES = [
  { email: 'b.anderson@example.com', at: seconds('2026-10-28T10:15:00Z') },
  { email: 'zoe@example.com', at: seconds('2026-11-12T09:30:00Z') },
]

const CUSTOMERS: readonly Customer[] = [
  ['Jürgen Müßig', 'juergen.muessig@example.com', 'München', 'Sendlinger Straße 12', 'EUR'],
  ['王小明', 'xiaoming.wang@example.com', '上海', '南京东路 100 号', 'USD'],
  ['Zoë 🎈 Lindqvist', 'zoe@example.com', 'Malmö', 'Östra Förstadsgatan 7', 'EUR'],
  ['Łukasz Żak', 'lukasz.zak@example.com', 'Kraków', 'ul. Świętej Anny 3', 'EUR'],
  ['María-José Peña', 'mj.pena@example.com', 'A Coruña', 'Rúa Real 41', 'EUR'],
  ['Nguyễn Thị Hà', 'ha.nguyen@example.com', 'Hà Nội', '24 Phố Hàng Bạc', 'USD'],
  ['يوسف حداد', 'y.haddad@example.com', 'Beirut', 'Hamra Street 88', 'USD'],
  ['Δήμητρα Παππά', 'd.pappa@example.com', 'Αθήνα', 'Ερμού 15', 'EUR'],
  ['Beatrice Anderson', 'b.anderson@example.com', 'Leeds', '5 Kirkgate', 'GBP'],
  ["Siobhán O'Brien", 'siobhan@example.com', 'Corcaigh', "12 St Patrick's Quay", 'EUR'],
  // The same letter as above, but written with a combining mark.
  ['Zoe\u0308 Bélanger', 'z.belanger@example.com', 'Genève', 'Rue de la Cité 9', 'CHF'],
  ['👩‍🚀 Sally R.', 'sally@example.com', 'Houston', '2101 E NASA Pkwy', 'USD'],
  ['山田 花子', 'hanako.yamada@example.com', '京都市', '河原町通 5-2', 'USD'],
  ['Þórdís Jónsdóttir', 'thordis@example.com', 'Reykjavík', 'Laugavegur 60', 'EUR'],
  ['Ahmet Öztürk', 'a.oezturk@example.com', 'Zürich', 'Langstrasse 20', 'CHF'],
  ['Grace Kim', 'grace.kim@example.com', 'Springfield', '742 Maple Avenue', 'USD'],
]
/** Its orders carry a 38-digit reference into its own ledger. */
const WHOLESALER: Customer = ['Großhandel Böhm & Söhne', 'einkauf@boehm.example', 'Görlitz', 'Neißstraße 1', 'EUR']
const MEILING: Customer = ['王美玲', 'meiling.wang@example.com', 'Munchen', 'Gärtnerplatz 3', 'EUR']

const GOODS: readonly Line[] = [
  { sku: 'TEA-OOLONG-100', qty: 2, cents: 1250 },
  { sku: 'TEA-SENCHA-250', qty: 1, cents: 2190 },
  { sku: 'CUP-CELADON', qty: 4, cents: 890 },
  { sku: 'KETTLE-CAST-IRON', qty: 1, cents: 6495 },
  { sku: 'TRAY-BAMBOO', qty: 1, cents: 3405 },
  { sku: 'WHISK-MATCHA', qty: 1, cents: 1799 },
  { sku: 'SCALE-POCKET', qty: 1, cents: 2900 },
  { sku: 'TIN-AIRTIGHT-L', qty: 3, cents: 1135 },
  { sku: 'FILTER-PAPER-100', qty: 5, cents: 499 },
]
const NOTES = ['leave with neighbour', 'Bitte klingeln 🔔', 'call before delivery\n(after 6 pm)', 'gift, no invoice']

/** Every request to the table in the order of simulated time, equal times in the order of order ids. */
export function tellStory(seed: number): Step[] {
  const lives = beginLives(new Random(seed))
  const imports = IMPORTS.map(({ at }) =>
    importOrders(
      at,
      lives.filter(life => life.at === at),
    ),
  )
  for (const life of lives) live(life)
  const steps = [...imports, ...lives.flatMap(life => life.steps), ...tellReferenceOrder(new Random(seed))]
  const told = ERASURES.reduce((rest, { email, at }) => erase(rest, lives, email, at), inOrder(steps))
  return told.filter(step => step.at <= LAST)
}

function inOrder(steps: readonly Step[]): Step[] {
  return steps.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** Who orders when: ids rise with time, and each life has randomness of its own. */
function beginLives(random: Random): Life[] {
  const imported = IMPORTS.flatMap(({ at, orders }) => Array.from({ length: orders }, () => at))
  const single = Array.from({ length: ORDERS - imported.length }, () => {
    const day = random.int(FIRST, LAST_PLACED)
    // Orders come by day and in the evening.
    return day - (day % DAY) + random.pick([7, 9, 11, 12, 15, 17, 18, 19, 20, 21]) * HOUR + random.int(0, HOUR - 1)
  }).map(at => Math.min(Math.max(at, FIRST), LAST_PLACED))
  return [...imported, ...single]
    .toSorted((a, b) => a - b)
    .map((at, index) => {
      const own = new Random(random.int(0, 2 ** 31))
      const erased = ERASURES.filter(erasure => erasure.at <= at).map(erasure => erasure.email)
      const customer = random.chance(0.08)
        ? WHOLESALER
        : random.pick(CUSTOMERS.filter(([, email]) => !erased.includes(email)))
      return new Life(`ORD${10001 + index}`, at, customer, own)
    })
}

function importOrders(at: number, lives: readonly Life[]): Step {
  for (const life of lives) life.fill('svc-marketplace', chooseLines(life.random), chooseExtras(life))
  return putTogether(at, lives)
}

/** All orders of a customer leave the table at once, and nothing of theirs happens afterwards. */
function erase(steps: readonly Step[], lives: readonly Life[], email: string, at: number): Step[] {
  const theirs = new Set(lives.filter(life => life.customer[1] === email).map(life => life.id))
  // ORD10042-B belongs with ORD10042.
  const isTheirs = (id: string) => theirs.has(id.slice(0, 8))
  const kept = steps.filter(step => step.at < at || !isTheirs(step.id))
  const present = new Set<string>()
  for (const { id, eventName } of kept.flatMap(step => step.records)) {
    if (eventName === 'REMOVE') present.delete(id)
    else if (isTheirs(id)) present.add(id)
  }
  const orders = [...present].map(id => ({ id }))
  return inOrder([...kept, removeTogether(at, orders)])
}

function live(life: Life): void {
  const { random } = life
  if (life.lines.length === 0) life.place(chooseLines(random), chooseExtras(life))
  if (random.chance(0.05)) life.wait(1, 3).saveCartAgain()
  if (random.chance(0.35)) {
    const lines = life.lines.map((line, i) => (i === 0 ? { ...line, qty: line.qty + 1 } : line))
    life.lines = lines
    life.wait(MINUTE, HOUR).saveCart({ lines: linesOf(lines), total: totalOf(lines) })
    if (random.chance(0.15)) life.wait(5, MINUTE).saveStaleCart({ note: s('from an old tab') })
  }
  if (random.chance(0.4)) addLine(life.wait(MINUTE, HOUR), { ...random.pick(GOODS), qty: 1 })
  if (random.chance(0.15)) life.wait(MINUTE, HOUR).update('svc-coupons', { add: [[['tags'], ss('coupon', 'autumn')]] })
  const fate = random.next()
  if (fate < 0.1) abandon(life)
  else if (fate < 0.2) cancel(life)
  else fulfil(life)
}

function chooseLines(random: Random): Line[] {
  const wanted = new Set(Array.from({ length: random.int(1, 4) }, () => random.pick(GOODS)))
  return [...wanted].map(line => ({ ...line, qty: random.int(1, 5) }))
}

/** Attributes that only some orders have, among them names that trip a careless reader. */
function chooseExtras({ customer, random }: Life): Item {
  const dice = random.next()
  return {
    ...(dice < 0.2 && { note: s('') }),
    ...(dice >= 0.2 && dice < 0.35 && { note: { NULL: true } }),
    ...(dice >= 0.35 && dice < 0.55 && { note: s(random.pick(NOTES)) }),
    ...(random.chance(0.1) && { gift: { BOOL: true } }),
    ...(customer === WHOLESALER && { ledger_ref: n(random.digits(38)) }),
    ...(random.chance(0.025) && {
      audit: m({
        'ip.address': s(`198.51.100.${random.int(1, 254)}`),
        'said "yes"': { BOOL: true },
        "agent's 📱": s('Mozilla/5.0 (“smart” quotes)'),
        'back\\slash': { L: [{ NULL: true }, n('-0.001'), s('')] },
        ['__proto__']: m({ polluted: { BOOL: false }, seal: { B: random.bytes(8) } }),
      }),
    }),
  }
}

function addLine(life: Life, line: Line): void {
  life.lines = [...life.lines, line]
  life.update(life.buyer, { append: line, set: [[['total'], totalOf(life.lines)]] })
}

/** Never paid: gone some hours after its time is over, as with DynamoDB's own deletes. Some customers come back. */
function abandon(life: Life): void {
  life.at = life.expires
  life.wait(10 * MINUTE, 20 * HOUR).remove(true)
  if (!life.random.chance(0.35)) return
  life.wait(HOUR, 5 * DAY).place(chooseLines(life.random))
  fulfil(life)
}

/** Cancelled before it is paid; Sunday's clean-up takes most of these away, and some customers come back. */
function cancel(life: Life): void {
  const { random } = life
  const edit = { remove: [['expires_at']], delete: [[['tags'], ss('new')]] } as const
  life.wait(HOUR, 2 * DAY).move(random.chance(0.7) ? life.buyer : ALICE, 'PENDING', 'CANCELLED', edit)
  if (random.chance(0.3)) return
  const day = Math.floor(life.at / DAY)
  // Day 0 of the epoch was a Thursday, so a Sunday is 3 modulo 7.
  life.at = (day + 7 - ((day + 4) % 7)) * DAY + 3 * HOUR
  life.wait(0, 10 * MINUTE).remove()
  if (!random.chance(0.3)) return
  life.wait(HOUR, 4 * DAY).place(chooseLines(random))
  fulfil(life)
}

function fulfil(life: Life): void {
  const { random } = life
  if (random.chance(0.12)) {
    const street = s(`${life.customer[3]}, 2/F`)
    life.wait(MINUTE, 2 * HOUR).update(ALICE, { set: [[['shipping', 'street'], street]] })
  }
  pay(life)
  if (random.chance(0.05)) {
    const note = s('card reported stolen')
    life.wait(HOUR, 8 * HOUR).move('svc-payments', 'PROCESSING', 'CANCELLED', { set: [[['note'], note]] })
    return
  }
  if (life.lines.length > 2 && random.chance(0.2)) split(life)
  deliver(life)
}

function pay(life: Life): void {
  const { random } = life
  const receipt = { B: random.bytes(random.int(12, 32)) }
  life.wait(2 * MINUTE, 30 * HOUR).move('svc-payments', 'PENDING', 'PROCESSING', {
    set: [[['receipt'], receipt]],
    remove: [['expires_at']],
    ...(life.item.ledger_ref && { add: [[['ledger_ref'], n(1)]] }),
  })
  if (random.chance(0.06)) {
    // The payment provider calls again: first refused by the condition, then without effect.
    const late = new UpdateItemCommand(toUpdate(life.id, { from: 'PENDING', set: [[['status'], s('PROCESSING')]] }))
    life.wait(1, 20).step([], table => table.send(late), 'ConditionalCheckFailedException')
    const same = new UpdateItemCommand(toUpdate(life.id, { set: [[['receipt'], receipt]] }))
    life.wait(1, 20).step([], table => table.send(same))
  }
  if (life.item.audit) {
    life.wait(MINUTE, HOUR).update('svc-fraud', {
      set: [
        [['audit', 'ip.address'], s('203.0.113.9')],
        [['audit', '__proto__', 'polluted'], { BOOL: true }],
      ],
      remove: [['audit', 'said "yes"']],
    })
  }
}

function deliver(life: Life): void {
  const { random } = life
  const warehouse = `warehouse-${random.int(1, 4)}`
  life.wait(HOUR, DAY).move(warehouse, 'PROCESSING', 'PICKED', { delete: [[['tags'], ss('new', 'coupon')]] })
  ship(life)
  if (life.id === 'ORD10150') {
    // The one change in this table that the life cycle forbids.
    life.wait(HOUR, 2 * HOUR).move(ALICE, 'SHIPPED', 'PICKED', { set: [[['note'], s('back at the dock')]] })
    ship(life)
  }
  for (const hub of ['Leipzig', 'Luxembourg', 'Köln/Bonn'].slice(0, random.int(0, 3))) {
    life.wait(3 * HOUR, 12 * HOUR).update('svc-tracking', { set: [[['shipping', 'last_scan'], s(hub)]] })
  }
  const courier = `courier-${random.int(1, 9)}`
  life.wait(4 * HOUR, 2 * DAY).move(courier, 'SHIPPED', 'DELIVERED', { remove: [['shipping', 'last_scan']] })
  if (random.chance(0.2)) life.wait(HOUR, 2 * DAY).update(life.buyer, { set: [[['note'], s('thank you! 🙏')]] })
  if (random.chance(0.04)) life.wait(HOUR, 2 * DAY).update(life.buyer, { set: [[['note'], { NULL: true }]] })
  if (!random.chance(0.15)) return
  life.wait(DAY, 9 * DAY)
  if (random.chance(0.35)) exchange(life)
  else life.move(warehouse, 'DELIVERED', 'RETURNED', { set: [[['refund'], totalOf(life.lines)]] })
}

function ship(life: Life): void {
  const tracking = s(`1Z${life.random.digits(12)}`)
  const edit = { set: [[['shipping', 'tracking'], tracking]], add: [[['tags'], ss('sent')]] } as const
  life.wait(HOUR, 20 * HOUR).move('svc-shipping', 'PICKED', 'SHIPPED', edit)
}

/** What is not in stock yet goes into an order of its own, in one transaction. */
function split(life: Life): void {
  const [first, ...later] = life.lines
  if (first === undefined) return
  life.lines = [first]
  life.wait(10 * MINUTE, 3 * HOUR)
  const rest = new Life(`${life.id}-B`, life.at, life.customer, life.random)
  rest.fill('svc-stock', later, { status: s('PROCESSING'), split_from: s(life.id) })
  const set = [[['lines'], linesOf(life.lines)] as const, [['total'], totalOf(life.lines)] as const]
  life.updateWith(rest, 'svc-stock', { from: 'PROCESSING', set })
  deliver(rest)
  life.steps.push(...rest.steps)
}

/** A return for a replacement. The first try expects a wrong status, so the transaction is cancelled as a whole. */
function exchange(life: Life): void {
  const replacement = new Life(`${life.id}-R`, life.at, life.customer, life.random)
  replacement.fill(ALICE, life.lines, { status: s('PROCESSING'), replaces: s(life.id) })
  const set = [[['status'], s('RETURNED')] as const]
  life.updateWith(replacement, ALICE, { from: 'SHIPPED', set }, 'TransactionCanceledException')
  replacement.at = life.wait(10, MINUTE).at
  life.updateWith(replacement, ALICE, { from: 'DELIVERED', set })
  deliver(replacement)
  life.steps.push(...replacement.steps)
}

/** ORD12345, the order that documents and tests refer to: nothing in it is left to chance but its receipt. */
function tellReferenceOrder(random: Random): Step[] {
  const [tea, , cups, kettle] = GOODS as readonly [Line, Line, Line, Line]
  const life = new Life('ORD12345', seconds('2026-11-18T09:14:07Z'), MEILING, random)
  const at = (time: string) => {
    life.at = seconds(time)
    return life
  }
  life.place([tea, cups], { note: s('') })
  addLine(at('2026-11-18T09:16:41Z'), kettle)
  const lines = [{ ...tea, qty: 3 }, cups, kettle]
  life.lines = lines
  const recount = { set: [[['lines', 0, 'qty'], n(3)] as const, [['total'], totalOf(lines)] as const] }
  at('2026-11-18T09:21:30Z').update(life.buyer, recount)
  at('2026-11-18T10:02:12Z').update(ALICE, { set: [[['shipping', 'city'], s('München')]] })
  at('2026-11-18T10:05:55Z').move('svc-payments', 'PENDING', 'PROCESSING', {
    set: [[['receipt'], { B: random.bytes(24) }]],
    remove: [['expires_at']],
  })
  at('2026-11-18T16:40:03Z').move('warehouse-3', 'PROCESSING', 'PICKED', { delete: [[['tags'], ss('new')]] })
  at('2026-11-19T06:12:48Z').move('svc-shipping', 'PICKED', 'SHIPPED', {
    set: [[['shipping', 'tracking'], s('1Z467215388243')]],
    add: [[['tags'], ss('sent')]],
  })
  at('2026-11-19T13:27:00Z').update('courier-7', { set: [[['shipping', 'last_scan'], s('Leipzig')]] })
  at('2026-11-19T18:55:19Z').move('courier-7', 'SHIPPED', 'DELIVERED', { remove: [['shipping', 'last_scan']] })
  at('2026-11-20T08:31:26Z').update(life.buyer, { set: [[['note'], s('one cup arrived broken 😢')]] })
  at('2026-11-20T11:47:52Z').move(ALICE, 'DELIVERED', 'RETURNED', { set: [[['refund'], totalOf([cups])]] })
  return life.steps
}

function seconds(time: string): number {
  return Date.parse(time) / 1000
}
