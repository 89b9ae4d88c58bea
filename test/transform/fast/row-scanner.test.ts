import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ORDERS, orderRecords } from '../../../bench/orders.js'
import { createRandom } from '../../../bench/random.js'
import { columnsOf, rowLine } from '../../../transform/audit-row.js'
import { RowScanner } from '../../../transform/fast/row-scanner.js'
import { checkRowLine } from '../../../transform/row-line.js'
import { rowsOfRecord } from '../../delivery/desk.js'
import { changeDocument, runs, typedTable } from '../arbitraries.js'
import { mutate } from '../mutations.js'

const columns = columnsOf(typedTable)
const byName = new Map(columns.map(column => [column.name, column]))
const scanner = new RowScanner(columns)

/** How many lines the scanner is certain of; the zero behind them is its end. */
function count(lines: Uint8Array | string): number {
  const bytes = Buffer.concat([Buffer.from(lines as string), Buffer.of(0)])
  return scanner.count(bytes, bytes.length - 1)
}

const oddLines = fc
  .sample(changeDocument, runs(200))
  .flatMap(document => rowsOfRecord(document, typedTable).map(rowLine))
const orders = [...orderRecords({ count: 50 })].map(record => rowsOfRecord(record, ORDERS).map(rowLine).join(''))

describe('RowScanner', () => {
  it('is certain of the rows that the transform makes', () => {
    // a bigint of 19 digits may be none
    const usual = oddLines.filter(line => !/_bigint":-?\d{19}/.test(line))
    expect(usual.map(count)).toEqual(usual.map(() => 1))
    expect(usual.length).toBeGreaterThan(oddLines.length / 2)
    expect(count(usual.join(''))).toBe(usual.length)
    const ours = new RowScanner(columnsOf(ORDERS))
    for (const lines of orders) {
      const bytes = Buffer.from(`${lines}\0`)
      expect(ours.count(bytes, bytes.length - 1)).toBe(1)
    }
  })

  it('is certain of nothing that checkRowLine refuses, however a line was tampered with', () => {
    const random = createRandom(20261122)
    let certain = 0
    for (let i = 0; i < 4_000; i++) {
      const line = oddLines[Math.floor(random() * oddLines.length)] as string
      const bytes = mutate(Buffer.from(line), random)
      const lines = count(bytes)
      if (lines === 0) continue
      certain++
      const texts = bytes.toString().split('\n')
      expect(texts.pop()).toBe('')
      expect(texts.map(text => checkRowLine(text, byName))).toEqual(texts.map(() => undefined))
      expect(texts).toHaveLength(lines)
    }
    // the lines that were not tampered with are among them
    expect(certain).toBeGreaterThan(600)
  })

  it('leaves to checkRowLine a line without its line feed, an empty line, and columns out of order', () => {
    const [line] = oddLines as [string]
    expect(count(line.trimEnd())).toBe(0)
    expect(count(`${line}\n`)).toBe(0)
    expect(count('')).toBe(0)
    const reversed = Object.fromEntries(Object.entries(JSON.parse(line) as object).reverse())
    expect(count(`${JSON.stringify(reversed)}\n`)).toBe(0)
  })

  it('knows which moments there are', () => {
    const [line] = oddLines as [string]
    const at = (moment: string) => count(line.replace(/"arrived_at":"[^"]*"/, `"arrived_at":"${moment}"`))
    expect(['2026-11-22 00:00:00.000', '2028-02-29 19:59:59.999', '2026-12-31 23:59:59.999'].map(at)).toEqual([1, 1, 1])
    const none = [
      '2026-02-29 00:00:00.000',
      '2026-11-22 24:00:00.000',
      '2026-11-22 29:00:00.000',
      '2026-11-22 10:60:00.000',
    ]
    expect([...none, '2026-11-22T10:00:00.000', '2026-11-22 10:00:00.00', '2026-11-22 10:00:00.0000'].map(at)).toEqual(
      Array(7).fill(0),
    )
  })
})
