/** A text of an answer as people read it, and what it is in a spreadsheet. */
export interface PlainText {
  readonly text: string
  readonly kind: 'text' | 'number' | 'time'
}

/** Makes a column's text plain: a key as it is typed, a DynamoDB value without its type. */
export type ReadPlain = (column: string, text: string) => PlainText

/** Leaves every text as the archive has it. */
export const asStored: ReadPlain = (_, text) => ({ text, kind: 'text' })

/** A decimal without the zeros that only its type puts at its end: `12.3400000000` as `12.34`. */
export function withoutZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}
