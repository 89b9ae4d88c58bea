/** The values of one column that did not fit the type that it declares, and are null there. */
export interface ColumnMisfits {
  values: number
  /** The first of them, in DynamoDB JSON. */
  readonly example: string
}

/** What stands before the last member of a row line that has one; inside a text its quotes would be escaped. */
const MISFITS = Buffer.from(',"misfits":')
/** How such a line ends, an object in a text; a single byte is found much faster than several. */
const END = Buffer.from('}"}\n')
const LINE_FEED = 0x0a

/** Counts, by column, the misfits that row lines tell of. */
export class Misfits {
  readonly byColumn = new Map<string, ColumnMisfits>()

  /** Row lines, each ended by a line feed. */
  count(lines: Buffer): void {
    let start = 0
    for (let feed = lines.indexOf(LINE_FEED); feed !== -1; feed = lines.indexOf(LINE_FEED, start)) {
      if (END.every((byte, i) => lines[feed + 1 - END.length + i] === byte)) this.countLine(lines.subarray(start, feed))
      start = feed + 1
    }
  }

  private countLine(line: Buffer): void {
    const at = line.indexOf(MISFITS)
    if (at === -1) return
    // the member, and the brace that closes the line
    const text = JSON.parse(line.toString('utf8', at + MISFITS.length, line.length - 1)) as string
    for (const [column, value] of Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>)) {
      const known = this.byColumn.get(column)
      if (known === undefined) this.byColumn.set(column, { values: 1, example: JSON.stringify(value) })
      else known.values++
    }
  }
}
