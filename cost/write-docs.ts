/** The tables of docs/cost.md and docs/scale.md that are made from the code. Run by `npx tsx cost/write-docs.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { costOfAmount, PRICES, type Price } from '../aws/prices.js'
import { assumptionsOf } from './assumptions.js'
import type { AddedBill, Bill } from './bill.js'
import { DEPLOYED, RETENTION_DAYS } from './deployed.js'
import { planOf } from './plan.js'
import type { Question } from './questions.js'
import { subjectAt } from './scale.js'
import { scaleTables } from './scale-tables.js'
import type { SealingBill } from './sealing.js'
import { table } from './table.js'

/** The tables, by the name in their mark. */
function costTables(): Readonly<Record<string, string>> {
  const plan = planOf(subjectAt(100))
  const [streams, , kinesis] = plan.bills as [Bill, Bill, Bill]
  return {
    prices: pricesTable(),
    idle: idleTable(streams, kinesis),
    streams: billTable(streams),
    kinesis: billTable(kinesis),
    sealing: sealingTable(plan.sealing),
    persons: addedTable(plan.persons, 'a month, at most'),
    callers: addedTable(plan.callers, 'a month, at most'),
    reconciliation: addedTable(plan.reconciliation, 'a month, at most'),
    canary: addedTable(plan.canary, 'a month'),
    keeping: keepingTable(),
    questions: questionsTable(plan.questions),
    assumptions: assumptionsTable(),
    ...scaleTables(),
  }
}

function pricesTable(): string {
  const rows = Object.entries<Price>(PRICES).map(([name, { usd, units, unit, source, date }]) => [
    name,
    String(usd),
    `${units.toLocaleString('en-US')} ${unit}`,
    `${source}, ${date}`,
  ])
  return table(['what', 'US dollars', 'for', 'source'], rows)
}

function questionsTable(questions: readonly Question[]): string {
  const rows = questions.map(({ question, days, bytes, usd, cancelled }) => [
    question,
    days.toLocaleString('en-US'),
    `${(bytes / 1024 ** 3).toFixed(1)}${cancelled ? ', cancelled' : ''}`,
    usd.toFixed(2),
  ])
  return table(['question', 'days', 'scans at most, GB', 'US dollars'], rows)
}

function assumptionsTable(): string {
  const all = assumptionsOf({ peakGiven: false, parquetMeasured: false })
  const rows = all.map(({ assumption, value, source, date }) => [assumption, value, `${source}, ${date}`])
  return table(['what', 'taken as', 'source'], rows)
}

function idleTable(streams: Bill, kinesis: Bill): string {
  const fixed = (bill: Bill) => bill.parts.filter(part => part.fixed)
  const names = [...new Set([...fixed(streams), ...fixed(kinesis)].map(({ part }) => part))]
  const cells = (bill: Bill, name: string) => {
    const part = fixed(bill).find(one => one.part === name)
    return part === undefined ? '' : `${part.arithmetic} = ${part.usd.toFixed(2)}`
  }
  const total = (bill: Bill) =>
    `**${fixed(bill)
      .reduce((sum, { usd }) => sum + usd, 0)
      .toFixed(2)}**`
  return table(
    ['a month', 'streams', 'kinesis'],
    [
      ...names.map(name => [name, cells(streams, name), cells(kinesis, name)]),
      ['**together**', total(streams), total(kinesis)],
    ],
  )
}

/** A GB from the day that it is written until it is given up. */
function keepingTable(): string {
  const { infrequentAccessDays, instantRetrievalDays } = DEPLOYED.lifecycle
  const months = (days: number) => (days * 12) / 365
  const stations = [
    ['S3 Standard', 0, infrequentAccessDays],
    ['S3 Standard-IA', infrequentAccessDays, instantRetrievalDays],
    ['S3 Glacier Instant Retrieval', instantRetrievalDays, RETENTION_DAYS],
  ] as const
  const costs = stations.map(([name, from, to]) => costOfAmount(name, months(to - from)))
  const total = costs.reduce((sum, usd) => sum + usd, 0)
  return table(
    ['a GB for seven years', 'days', 'US dollars'],
    [
      ...stations.map(([name, from, to], i) => [name, `${from} to ${to}`, (costs[i] as number).toFixed(2)]),
      ['**together**', '', `**${total.toFixed(2)}**`],
    ],
  )
}

/** What a journal adds, whatever carries the changes. */
function sealingTable(sealing: SealingBill): string {
  const kept = ["the journal's files, a month after seven years", '', sealing.usdAMonthAtEnd.toFixed(2)]
  return addedTable(sealing, 'a month', [kept])
}

/** What something adds that not every archive has. */
function addedTable({ parts, usdAMonth }: AddedBill, title: string, more: readonly (readonly string[])[] = []): string {
  return table(
    [title, 'arithmetic', 'US dollars'],
    [
      ...parts.map(({ part, arithmetic, usd }) => [part, arithmetic, usd.toFixed(2)]),
      ['**together**', '', `**${usdAMonth.toFixed(2)}**`],
      ...more,
    ],
  )
}

function billTable({ parts, usdAMillion, usdAMonth }: Bill): string {
  const changing = parts.filter(({ fixed }) => !fixed)
  const sum = changing.reduce((total, { usd }) => total + usd, 0)
  return table(
    ['a month', 'arithmetic', 'US dollars'],
    [
      ...changing.map(({ part, arithmetic, usd }) => [part, arithmetic, usd.toFixed(2)]),
      ['**changes**', `**$${usdAMillion.toFixed(2)} a million**`, `**${sum.toFixed(2)}**`],
      ['with what is paid when idle', '', usdAMonth.toFixed(2)],
    ],
  )
}

/** A document with each marked table as the code has it. */
export function withTables(document: string): string {
  const tables = costTables()
  return document.replaceAll(
    /(<!-- made by npx tsx cost\/write-docs\.ts: (\w+) -->\n)(?:(?!<!-- end -->)[\s\S])*/g,
    (_, begin: string, name: string) => {
      const made = tables[name]
      if (made === undefined) throw new Error(`table "${name}" is unknown, expected ${Object.keys(tables).join(', ')}`)
      return `${begin}${made}\n`
    },
  )
}

/** The documents that have such tables, by their names under docs/. */
const DOCUMENTS = ['cost.md', 'scale.md'] as const

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of DOCUMENTS) {
    const path = fileURLToPath(new URL(`../docs/${name}`, import.meta.url))
    writeFileSync(path, withTables(readFileSync(path, 'utf8')))
  }
}
