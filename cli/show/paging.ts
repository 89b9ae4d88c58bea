import { goesToTerminal, type Io, type Options } from '../io.js'
import { escapeForeign } from './terminal.js'

export const PAGER_OPTION = ['--no-pager', 'prints a long answer on a terminal at once, not by PAGER (less)'] as const

/**
 * Prints an answer to whom it is for: on a terminal through the pager, so that it is read from its beginning. What goes
 * to standard error meanwhile follows once the reader has left it.
 */
export async function paging<T>(options: Options, io: Io, print: (io: Io) => Promise<T>): Promise<T> {
  const pager = options.pager === false || !goesToTerminal(io) ? undefined : io.openPager?.()
  if (pager === undefined) return print(io)
  const notes: string[] = []
  try {
    const out = (text: string) => pager.write(escapeForeign(text))
    return await print({ ...io, out, err: text => notes.push(text), errIsTerminal: false })
  } finally {
    await pager.end()
    for (const note of notes) io.err(note)
  }
}
