import { textFile } from '../../evidence/bag.js'
import { writeBundle } from '../../evidence/write-bundle.js'
import type { JournalIdentity } from '../../journal/head.js'
import { readEventId } from '../../queries/find-event.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { checkFolder } from '../ask/evidence-folder.js'
import { checkSeen, findHistory } from '../ask/find-item.js'
import { KEY_OPTION, neededKey } from '../ask/journal-options.js'
import { tellJournal } from '../ask/remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findWorkspaceTable, type Workspace, withWorkspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { withOutput } from '../show/output-file.js'
import { grouped } from '../show/progress.js'
import { printable } from '../show/text.js'

/** Proofs of changes, for whoever has nothing of the archive. */
export const prove: Command = {
  usage: 'prove <table> <event>',
  shownArguments: '<table> <event id | key>',
  summary: 'proves that the archive had a change when it was sealed, or each change of an item',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    KEY_OPTION,
    ['--output <path>', 'the file of the proof; of a key the folder of its proofs'],
    ['--force', 'writes over a file that is there'],
  ],
  example: 'itemtrail prove Orders 4b422425 --key seal.key.vkey --output 4b422425.row-proof',
  run: ([name, typed = ''], options, io) =>
    withWorkspace(options, async workspace => {
      const table = findWorkspaceTable(workspace, name as string)
      const { verifier } = neededKey(options, workspace.root)
      const identity = { origin: verifier.name, known: [verifier] }
      const { proveEvent } = await import('../../evidence/give-evidence.js')
      const event = readEventId(typed)
      const proven = event === undefined ? undefined : await proveEvent(workspace.root, identity, table, event)
      if (proven === undefined) return proveItem(workspace, identity, table, typed, options, io)
      return withOutput(options, io, async out => {
        out.out(proven.proof)
        return tellJournal(workspace, EXIT.done, io)
      })
    }),
}

async function proveItem(
  workspace: Workspace,
  identity: JournalIdentity,
  table: TableConfiguration,
  key: string,
  options: Options,
  io: Io,
): Promise<ExitCode> {
  const { output } = options
  const found = await findHistory(workspace, table, key)
  await checkSeen(workspace, table, found)
  if (typeof output !== 'string')
    throw new CommandError('--output is missing, expected a folder for the proofs of the changes of an item')
  checkFolder('output', output, options)
  const events = [...found.answer].map(({ event_id: id }) => String(id))
  const { proveEvents } = await import('../../evidence/give-evidence.js')
  const proofs = await proveEvents(workspace.root, identity, table, events)
  writeBundle(
    output,
    proofs.map(({ eventId, proof }) => textFile(`${eventId}.row-proof`, proof)),
  )
  io.err(`wrote ${grouped(proofs.length)} ${proofs.length === 1 ? 'proof' : 'proofs'} to ${printable(output)}\n`)
  return tellJournal(workspace, EXIT.done, io)
}
