import { existsSync, statSync } from 'node:fs'
import { toolVersion } from '../../config/package.js'
import type { WrittenFile } from '../../queries/answers/receipt.js'
import type { PageContext } from '../../view/paper/html-file.js'
import { CommandError, EXIT, type Io, type Options } from '../io.js'
import { writeWhole } from '../show/output-file.js'
import type { OutputFormat } from '../show/output-format.js'
import type { AnswerSurface } from '../show/surface.js'
import { escapeForeign } from '../show/terminal.js'
import { printable } from '../show/text.js'

/**
 * What was asked and how sure the answer is, in a file beside one that holds rows alone: such a file is handed on
 * without what was told on a terminal. Constructing it throws a `CommandError` where the place is taken.
 */
export class VerdictBeside {
  private readonly path: string | undefined
  private told = ''

  constructor(
    { isRowsAlone }: OutputFormat,
    private readonly options: Options,
  ) {
    const { output, force } = options
    if (isRowsAlone !== true || typeof output !== 'string' || !mayBeFile(output)) return
    this.path = `${output}.verdict.txt`
    if (existsSync(this.path) && force !== true)
      throw new CommandError(
        `${this.path} is there already`,
        EXIT.usage,
        '--force writes over it, --output names another',
      )
  }

  /** Keeps what the answer says of what was asked and how sure it is. */
  async keep({ summary, web }: AnswerSurface, io: Io): Promise<void> {
    if (this.path === undefined) return
    const texts: string[] = []
    await summary?.({ ...io, err: text => texts.push(text), columns: undefined, colour: false })
    this.told = [...askedLines(await web()), '', texts.join('')].join('\n')
  }

  /** Writes it once the file is there, with the hash by which it is known which one. */
  write({ name, sha256 }: WrittenFile, io: Io): void {
    if (this.path === undefined) return
    const text = `${name}, SHA-256 ${sha256}, by itemtrail ${toolVersion()}\n\n${this.told}`
    writeWhole(this.path, escapeForeign(text), this.options.force === true)
    io.err(`how sure it is: ${printable(this.path)}\n`)
  }
}

/** The question and what it was asked with, SQL where that is somebody's own. */
function askedLines({ question, parameters = {}, sql, isOwnSql = false }: PageContext): readonly string[] {
  const facts = Object.entries(parameters).map(([name, value]) => `${name}: ${value}`)
  return [question, ...facts, ...(isOwnSql && sql !== undefined ? [sql] : [])]
}

/** False for what is there and is no file, such as /dev/stdout: nothing can lie beside it. */
function mayBeFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() !== false
}
