import { archiveFlag } from '../../cli/show/archive-name.js'
import { formatVkey } from '../../proof/note.js'
import type { CheckedPaper } from '../check-papers.js'
import type { PageAsking, Screen } from '../screen.js'

/**
 * Checks what somebody was handed: this server judges it, as the command line does, and keeps nothing. `checked` is
 * what came of files that a page without script handed over.
 */
export async function checkScreen(asking: PageAsking, checked: readonly CheckedPaper[] = []): Promise<Screen> {
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
        <form method="post" action="/check" enctype="multipart/form-data" class="drop" id="drop">
          <label>
            a receipt, and the file that it is of; or a row proof
            <input type="file" id="files" name="file" multiple required />
          </label>
          <noscript>
            <button type="submit">check</button>
            <small>without the script whole files go to this server</small>
          </noscript>
        </form>
        <p class="dim">
          on a command line: <code>itemtrail rerun RECEIPT.json</code>,{' '}
          <code>itemtrail verify proof FILE{asking.keyFlag}</code>
        </p>
        <output id="checked">
          {checked.map(one => (
            <Checked paper={one} root={asking.root} />
          ))}
        </output>
      </>
    ),
  }
}

const MARKS = { good: '✓', bad: '✗', fair: '?' } as const

/** What came of a file; a receipt that waits for somebody's word is run by the command, which can be given it. */
function Checked({ paper: { name, mark, lines, ask }, root }: { readonly paper: CheckedPaper; readonly root: string }) {
  const [first, ...rest] = lines
  return (
    <div>
      <p class={mark}>{`${MARKS[mark]} ${name}: ${first}`}</p>
      {rest.map(line => (
        <p class="any">{line}</p>
      ))}
      {ask === undefined ? null : (
        <>
          <p class="note">{ask.why}</p>
          <pre>{ask.sql}</pre>
          {ask.values === '[]' ? null : <p class="any">with the values {ask.values}</p>}
          <p>
            once you have read it: <code>{`itemtrail rerun RECEIPT.json --trust-sql${archiveFlag(root)}`}</code>
          </p>
        </>
      )}
    </div>
  )
}
