import type { Help } from 'commander'
import { wrap } from './text.js'

/** Help of a word where there is no room for two columns: what it means stands below it. */
export function narrowItem(term: string, _width: number, description: string, { helpWidth = 80 }: Help): string {
  const lines = description === '' ? [] : wrap(description, helpWidth - 6).split('\n')
  return [`  ${term}`, ...lines.map(line => `      ${line}`)].join('\n')
}

/** A text whose lines keep within so many columns. */
export function narrowText(text: string, columns: number): string {
  return text
    .split('\n')
    .map(line => {
      const [indent = ''] = /^ */.exec(line) ?? []
      const lines = wrap(line.slice(indent.length), columns - indent.length - 2).split('\n')
      return lines.map((part, i) => `${indent}${i > 0 && indent !== '' ? '  ' : ''}${part}`).join('\n')
    })
    .join('\n')
}
