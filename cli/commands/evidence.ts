import { checkFolder, giveBundle, REDACT_OPTION } from '../ask/evidence-folder.js'
import { KEY_OPTION, neededKey } from '../ask/journal-options.js'
import { readReceiptText } from '../ask/receipt-file.js'
import { tellUnread } from '../ask/remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, withWorkspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT } from '../io.js'

/** A bundle of an answer that was given before. */
export const evidence: Command = {
  usage: 'evidence <receipt>',
  summary: 'asks the question of a receipt again, and writes the bundle of the answer if it is the same',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    KEY_OPTION,
    ['--output <folder>', 'where the bundle goes'],
    REDACT_OPTION,
    ['--trust-sql', 'runs SQL that this version did not write, with your rights: read it first'],
  ],
  example: 'itemtrail evidence receipt.json --key seal.key.vkey --output bag',
  run: async ([path = ''], options, io) => {
    const { output } = options
    if (typeof output !== 'string') throw new CommandError('--output is missing, expected a folder')
    checkFolder('output', output, options)
    neededKey(options)
    const [{ readReceipt, ReceiptError }, { rerun }] = await Promise.all([
      import('../../queries/answers/receipt.js'),
      import('../../queries/answers/rerun.js'),
    ])
    try {
      const { receipt: first } = readReceipt(readReceiptText(path), `receipt ${path}`)
      return await withWorkspace(options, async workspace => {
        const again = await rerun(first, workspace.archive, { trustSql: options.trustSql === true })
        const { outcome, answer, receipt, problems, needsTrust } = again
        if (answer === undefined || receipt === undefined) {
          const hint = needsTrust ? '--trust-sql runs it, with your rights: read it first' : undefined
          throw new CommandError(`receipt ${path} is ${outcome}: ${problems.join('; ')}`, EXIT.unchecked, hint)
        }
        if (outcome !== 'same' && outcome !== 'reordered')
          throw new CommandError(
            `archive does not give the answer of receipt ${path}: ${outcome}`,
            EXIT.findings,
            `itemtrail rerun ${path} says what differs`,
          )
        await giveBundle(output, { answer, receipt, shown: {} }, { workspace, options, keepsFormulas: false }, io)
        return tellUnread(workspace, EXIT.done, io)
      })
    } catch (error) {
      if (!(error instanceof ReceiptError)) throw error
      throw new CommandError(error.message)
    }
  },
}
