import type { Answer } from '../queries/answers/answer.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import type { Receipt, WrittenFile } from '../queries/answers/receipt.js'
import type { Io, Options } from './io.js'
import { checkTarget, writeWhole } from './show/output.js'
import { grouped } from './show/progress.js'
import { printable } from './show/text.js'
import type { Workspace } from './workspace.js'

export const RECEIPT_OPTION = [
  '--receipt <file>',
  'writes a receipt of the answer; "itemtrail rerun" checks it',
] as const

/** Keeps the receipt that a question asks for, one at most, and writes it when the answer is out. */
export class ReceiptFile {
  private kept: Receipt | undefined

  constructor(
    private readonly options: Options,
    private readonly io: Io,
  ) {
    checkTarget(options, 'receipt')
  }

  /** True where one is wanted. */
  get isWanted(): boolean {
    return this.options.receipt !== undefined
  }

  /**
   * Makes the receipt of an answer; undefined where none is wanted. `verdict` is null where nobody is to judge the answer.
   * @default verdict - the archive is asked
   */
  async keep(answer: Answer, { archive }: Workspace, verdict?: AnswerVerdict | null): Promise<Receipt | undefined> {
    if (!this.isWanted) return undefined
    const { makeReceipt } = await import('../queries/answers/receipt.js')
    this.kept = await makeReceipt(answer, archive, { askedAs: typedCommand(this.io), verdict })
    return this.kept
  }

  /** Writes the receipt once the answer is out, with the file that has it, and tells of it in two lines. */
  async write(file: WrittenFile | undefined): Promise<void> {
    const path = checkTarget(this.options, 'receipt')
    if (this.kept === undefined || path === undefined) return
    const { withFiles, writeReceipt } = await import('../queries/answers/receipt.js')
    const receipt = file === undefined ? this.kept : withFiles(this.kept, [file])
    writeWhole(path, writeReceipt(receipt), this.options.force === true)
    const { sha256 } = receipt.result
    this.io.err(`receipt ${printable(path)}: ${describe(receipt)}\nresult SHA-256 ${sha256}\n`)
  }
}

function describe({ result, items, verdict, read }: Receipt): string {
  const counted = (count: number, noun: string) => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
  const { distinct = null } = items ?? {}
  return [
    counted(result.rows, 'row') + (distinct === null ? '' : ` of ${counted(distinct, 'item')}`),
    verdict.judged === true ? String(verdict.confidence) : 'not judged',
    ...(read.objects === null ? [] : [`from ${counted(read.objects.count, 'object')}`]),
  ].join(', ')
}

function typedCommand({ argv }: Io): string | undefined {
  if (argv === undefined) return undefined
  const quote = (word: string) => (/^[\w.,:/=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
  return ['itemtrail', ...argv].map(quote).join(' ')
}
