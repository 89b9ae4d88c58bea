import type { Answer } from '../queries/answer.js'
import type { Receipt } from '../queries/receipt.js'
import type { Io, Options } from './io.js'
import { checkTarget, writeWhole } from './output.js'
import { grouped } from './progress.js'
import { printable } from './text.js'
import type { Workspace } from './workspace.js'

export const RECEIPT_OPTION = [
  '--receipt <file>',
  'writes a receipt of the answer; "itemtrail rerun" checks it',
] as const

/** Makes and keeps the receipt that `--receipt` asks for, and says so in two lines; without the flag there is none. */
export async function keepReceipt(
  answer: Answer,
  { archive }: Workspace,
  options: Options,
  io: Io,
): Promise<Receipt | undefined> {
  const path = checkTarget(options, 'receipt')
  if (path === undefined) return undefined
  const { makeReceipt, writeReceipt } = await import('../queries/receipt.js')
  const receipt = await makeReceipt(answer, archive, { askedAs: typedCommand(io) })
  writeWhole(path, writeReceipt(receipt), options.force === true)
  io.err(`receipt ${printable(path)}: ${describe(receipt)}\nresult SHA-256 ${receipt.result.sha256}\n`)
  return receipt
}

function describe({ result, items, read }: Receipt): string {
  const counted = (count: number, noun: string) => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
  const { distinct = null, gaps = null, conflicts = null } = items ?? {}
  return [
    counted(result.rows, 'row') + (distinct === null ? '' : ` of ${counted(distinct, 'item')}`),
    ...(gaps === null || conflicts === null ? [] : [counted(gaps, 'gap'), counted(conflicts, 'conflict')]),
    ...(read.objects === null ? [] : [`from ${counted(read.objects.count, 'object')}`]),
  ].join(', ')
}

function typedCommand({ argv }: Io): string | undefined {
  if (argv === undefined) return undefined
  const quote = (word: string) => (/^[\w.,:/=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
  return ['itemtrail', ...argv].map(quote).join(' ')
}
