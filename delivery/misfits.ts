/** The values of one column that did not fit the type that it declares, and are null there. */
export interface ColumnMisfits {
  values: number
  /** The first of them, in DynamoDB JSON. */
  readonly example: string
}

/** What stands before the last member of a row line that has one; inside a text its quotes would be escaped. */
const MISFITS = Buffer.from(',"misfits":')
const LINE_FEED = 0x0a

/** Counts, by column, the misfits that row lines tell of. */
export class Misfits {
  readonly byColumn = new Map<string, ColumnMisfits>()

  /** Row lines, each ended by a line feed. */
  count(lines: Buffer): void {
    for (let at = lines.indexOf(MISFITS); at !== -1; at = lines.indexOf(MISFITS, at + 1)) {
      const end = lines.indexOf(LINE_FEED, at)
      // the member, and the brace that closes the line
      const text = JSON.parse(lines.toString('utf8', at + MISFITS.length, end - 1)) as string
      for (const [column, value] of Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>)) {
        const known = this.byColumn.get(column)
        if (known === undefined) this.byColumn.set(column, { values: 1, example: JSON.stringify(value) })
        else known.values++
      }
    }
  }
}
