import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { openInput } from '../../capture/input.js'
import { main } from '../../cli/main.js'
import { readConfiguration } from '../../config/configuration.js'
import { ingest } from '../../delivery/ingest.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { exampleValues } from '../../queries/write-docs.js'
import { DiskArchive } from '../../store/folder.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CONFIGURATION = join(HERE, 'itemtrail.config.json')
const WIDTH = 140
const ROWS = 3

/** What the example of each saved query answers on the bundled orders: the first rows, as a terminal shows them. */
export async function exampleAnswers(): Promise<Readonly<Record<string, string>>> {
  const root = mkdtempSync(join(tmpdir(), 'itemtrail-answers-'))
  try {
    await archiveOrders(root)
    const answers: Record<string, string> = {}
    for (const saved of SAVED_QUERIES.values()) {
      const calls = saved.readsCalls ? ['--cloudtrail', join(HERE, 'cloudtrail')] : []
      const asked = ['query', saved.name, 'Orders', ...exampleValues(saved), ...calls, '--no-verdict']
      answers[saved.name] = firstRows(await answerOf([...asked, '--archive', root, '--config', CONFIGURATION]))
    }
    return answers
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** When the records came is a column: it is the same each time. */
async function archiveOrders(root: string): Promise<void> {
  const table = readConfiguration(CONFIGURATION).tables.get('Orders') as TableConfiguration
  const { bytes } = await openInput(join(HERE, 'orders.jsonl.gz'), process.stdin)
  await ingest(bytes, CAME_AT, { archive: new DiskArchive(root), configurationOf: () => table, now: () => CAME_AT })
}

const CAME_AT = Date.parse('2026-11-21T00:00:00Z')

async function answerOf(argv: readonly string[]): Promise<string> {
  let text = ''
  const io = { stdin: Readable.from([]), columns: WIDTH, errIsTerminal: false, colour: false }
  await main(argv, {
    ...io,
    out: piece => {
      text += piece
    },
    err: () => {},
  })
  return text
}

/** Without what is said of how sure it is, which is the last line. */
function firstRows(answer: string): string {
  const lines = answer.trimEnd().split('\n').slice(0, -1)
  const [rows, more] = [lines.slice(0, ROWS + 1), lines.length - ROWS - 1]
  return [...rows, ...(more > 0 ? [`... ${more} more`] : [])].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(HERE, 'answers.json'), `${JSON.stringify(await exampleAnswers(), null, 2)}\n`)
