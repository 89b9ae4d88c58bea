import type { Answer } from '../queries/answer.js'
import type { AnswerVerdict } from '../queries/answer-verdict.js'
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

/** Keeps the receipts that a question asks for, one at most, and tells of it when the answer is out. */
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
   * Makes the receipt of an answer and writes its file; undefined where none is wanted. `verdict` is null where nobody is to
   * judge the answer. @default verdict - the archive is asked
   */
  async keep(answer: Answer, { archive }: Workspace, verdict?: AnswerVerdict | null): Promise<Receipt | undefined> {
    const path = checkTarget(this.options, 'receipt')
    if (path === undefined) return undefined
    const { makeReceipt, writeReceipt } = await import('../queries/receipt.js')
    this.kept = await makeReceipt(answer, archive, { askedAs: typedCommand(this.io), verdict })
    writeWhole(path, writeReceipt(this.kept), this.options.force === true)
    return this.kept
  }

  /** Two lines under the answer. */
  tell(): void {
    if (this.kept === undefined) return
    const { sha256 } = this.kept.result
    this.io.err(
      `receipt ${printable(String(this.options.receipt))}: ${describe(this.kept)}\nresult SHA-256 ${sha256}\n`,
    )
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
