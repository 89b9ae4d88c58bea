import { FileError, readBounded } from '../../config/gate.js'
import type { EvidenceRequest } from '../../evidence/give-evidence.js'
import type { OpenArchive } from '../../library/archive.js'
import type { Answer } from '../../queries/answers/answer.js'
import type { AnswerVerdict } from '../../queries/answers/asked.js'
import type { Receipt, WrittenFile } from '../../queries/answers/receipt.js'
import { MAX_RECEIPT } from '../../queries/answers/receipt-schema.js'
import { CommandError, type Io, type Options } from '../io.js'
import { checkTarget, writeWhole } from '../show/output-file.js'
import { grouped } from '../show/progress.js'
import { printable } from '../show/text.js'
import type { Workspace } from './workspace.js'

export const RECEIPT_OPTION = [
  '--receipt <file>',
  'writes a receipt of the answer; "itemtrail rerun" checks it',
] as const

/** How a bundle shows an answer. */
type ShownInBundle = Pick<EvidenceRequest, 'title' | 'plainColumns'>

/** An answer with the receipt that was made of it. */
export interface AnswerWithReceipt {
  readonly answer: Answer
  readonly receipt: Receipt
  readonly shown: ShownInBundle
}

/** Keeps the receipt that a question asks for, one at most, and writes it when the answer is out. */
export class ReceiptFile {
  private kept: AnswerWithReceipt | undefined

  constructor(
    private readonly options: Options,
    private readonly io: Io,
  ) {
    checkTarget(options, 'receipt')
  }

  /** True where one is wanted, for itself or for a bundle. */
  get isWanted(): boolean {
    return this.options.receipt !== undefined || this.options.evidence !== undefined
  }

  /** The answer that a receipt was made of; undefined where none was. */
  get answer(): AnswerWithReceipt | undefined {
    return this.kept
  }

  /**
   * Makes the receipt of an answer; undefined where none is wanted. `verdict` is null where nobody is to judge the
   * answer; `shown` is how a bundle shows it.
   * @default verdict - the archive is asked
   */
  async keep(
    answer: Answer,
    { archive }: Workspace,
    verdict?: AnswerVerdict | null,
    shown: ShownInBundle = {},
  ): Promise<Receipt | undefined> {
    if (!this.isWanted) return undefined
    const { makeReceipt } = await import('../../queries/answers/receipt.js')
    const askedAs = this.typesPerson(archive) ? undefined : typedCommand(this.io)
    const receipt = await makeReceipt(answer, archive, { askedAs, verdict })
    this.kept = { answer, receipt, shown }
    return receipt
  }

  /** What was typed is handed on with a receipt, and may name who is a token in every row. */
  private typesPerson(archive: OpenArchive): boolean {
    const isPersonal = (name: string) => archive.table(name).keyIsPersonal !== undefined
    return this.options.subject !== undefined || archive.tables().some(isPersonal)
  }

  /** Writes the receipt once the answer is out, with the file that has it, and tells of it in two lines. */
  async write(file: WrittenFile | undefined): Promise<void> {
    const path = checkTarget(this.options, 'receipt')
    if (this.kept === undefined || path === undefined) return
    const { withFiles, writeReceipt } = await import('../../queries/answers/receipt.js')
    const receipt = file === undefined ? this.kept.receipt : withFiles(this.kept.receipt, [file])
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

/** The bytes of a receipt that a user names. Throws a `CommandError` where there is none. */
export function readReceiptText(path: string): Uint8Array {
  const file = `receipt ${path}`
  try {
    const bytes = readBounded(path, file, { maxBytes: MAX_RECEIPT })
    if (bytes !== undefined) return bytes
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(error.message)
    throw error
  }
  throw new CommandError(`${file} is not there`)
}
