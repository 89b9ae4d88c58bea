import { archiveFlag } from '../../cli/show/archive-name.js'
import { formatVkey } from '../../proof/note.js'
import type { PageAsking, Screen } from '../screen.js'

/** Checks what somebody was handed: this server judges it, as the command line does, and keeps nothing. */
export async function checkScreen(asking: PageAsking): Promise<Screen> {
  const [key] = asking.identity?.known ?? []
  return {
    question: 'Is this receipt, file or proof what it says?',
    trail: [['check', '/check']],
    command: `itemtrail rerun RECEIPT.json${archiveFlag(asking.root)}`,
    data: { key: key === undefined ? null : formatVkey(key) },
    body: (
      <>
        <p>
          Each file is judged by this server as the command line does, and has its own result. A receipt is asked again
          of this archive: the same, another (and which rows), edited, or it cannot be checked. A file beside its
          receipt is compared with it and with what the archive answers now. A <code>.row-proof</code> is verified by
          the key that is believed. Receipts and proofs go to this server, on this machine, which keeps nothing of them;
          of other files only the hash does.
        </p>
        <div class="drop script" id="drop">
          <label>
            a receipt, and the file that it is of; or a row proof
            <input type="file" id="files" multiple />
          </label>
        </div>
        <output id="checked"></output>
        <noscript>
          <p class="note">
            Without the script nothing here reads a file. On a command line: <code>itemtrail rerun RECEIPT.json</code>,{' '}
            <code>itemtrail verify proof FILE{asking.keyFlag}</code>
          </p>
        </noscript>
      </>
    ),
  }
}
