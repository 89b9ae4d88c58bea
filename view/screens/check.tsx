import { formatVkey } from '../../proof/note.js'
import type { PageAsking, Screen } from '../screen.js'

/** Checks what somebody handed over: in the browser, to which the file stays. */
export async function checkScreen(asking: PageAsking): Promise<Screen> {
  const [key] = asking.identity?.known ?? []
  return {
    question: 'Is this receipt, file or proof what it says?',
    trail: [['check', '/check']],
    command: 'itemtrail rerun RECEIPT.json',
    data: { key: key === undefined ? null : formatVkey(key) },
    body: (
      <>
        <p>
          A receipt is asked again of this archive: the same, another (and which rows), or it cannot be checked. A file
          beside its receipt is compared with the hash in it. A <code>.row-proof</code> is verified by the key that is
          believed.
        </p>
        <div class="drop script" id="drop" data-vkey={key === undefined ? '' : formatVkey(key)}>
          <label>
            a receipt, and the file that it is of; or a row proof
            <input type="file" id="files" multiple />
          </label>
        </div>
        <output id="checked"></output>
        <noscript>
          <p class="note">
            This server takes no file, and without the script nothing here reads one. On a command line:{' '}
            <code>itemtrail rerun RECEIPT.json</code>, <code>itemtrail verify proof FILE --key KEY</code>
          </p>
        </noscript>
      </>
    ),
  }
}
