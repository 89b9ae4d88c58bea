import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { KEY_CACHE_MINUTES } from '../../config/key-store.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { expenseOf, formatExpense } from '../../queries/engines/athena-cost.js'
import type { Spending } from '../../view/spending.js'
import { ENGINE_OPTIONS, engineOf, placeOf, stackOf } from '../ask/engine-choice.js'
import { believedKey, KEY_OPTION } from '../ask/journal-options.js'
import { type ArchiveKeys, keysOfStack, withoutKeys } from '../ask/key-store.js'
import { keysOfFolder, lookAtTokens } from '../ask/own-keys.js'
import { REVEAL_OPTION } from '../ask/revealing.js'
import {
  ARCHIVE_OPTION,
  archiveRoot,
  CONFIG_OPTION,
  journalOnAws,
  journalOptions,
  loadConfiguration,
  openArchiveIn,
} from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type Io, type Options } from '../io.js'
import { DEFAULT_ARCHIVE, nameOnAws } from '../show/archive-name.js'

/** The archive in a browser: the same questions, and what a terminal cannot show. */
export const view: Command = {
  usage: 'view',
  summary: 'shows the archive in a browser, on this machine alone; nothing is written',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ...ENGINE_OPTIONS,
    KEY_OPTION,
    ['--port <n>', 'the port on 127.0.0.1 (default: a free one)'],
    ['--no-open', 'prints the link, and opens no browser'],
    REVEAL_OPTION,
    ['--allow-sql', 'has a page for SQL of your own: one query that reads'],
  ],
  example: 'itemtrail view --archive demo',
  run: async (_, options, io) => {
    const port = portOf(options)
    const place = await placeIn(options)
    const [{ servePage }, { ArchiveInView }] = await Promise.all([
      import('../../view/serve.js'),
      import('../../view/archive-in-view.js'),
    ])
    const inView = new ArchiveInView(place.open)
    // what cannot be opened is told here, and not in a browser
    await inView.look(async () => {})
    const { root, onAws, spending } = place
    const keys = options.reveal === true ? { keys: openedForMinutes(place.persons.open) } : {}
    // a key store that does not open is told here, too
    await keys.keys?.()
    const shown = {
      view: inView,
      root,
      onAws,
      identity: identityOf(options, root),
      ...typedKeyOf(options),
      spending,
      ...keys,
    }
    const served = await servePage({ ...shown, allowsSql: options.allowSql === true }, port).catch(async error => {
      await inView.close()
      throw refusedPort(error, port)
    })
    io.out(`${served.link}\n`)
    io.err('the link is good once; Ctrl-C ends it\n')
    if (options.open !== false) openBrowser(served.link)
    await untilInterrupted(io)
    await served.close()
    return EXIT.done
  },
}

/** So long a key that was destroyed may still be used here, as it may in a function. */
const KEYS_KEPT_MS = KEY_CACHE_MINUTES * 60_000

function openedForMinutes(open: ArchiveKeys['open']): ArchiveKeys['open'] {
  let [opened, since]: [ReturnType<ArchiveKeys['open']> | undefined, number] = [undefined, 0]
  return () => {
    if (opened === undefined || Date.now() - since >= KEYS_KEPT_MS) {
      since = Date.now()
      opened = open()
      opened.catch(() => {
        opened = undefined
      })
    }
    return opened
  }
}

function portOf({ port }: Options): number {
  if (port === undefined) return 0
  if (typeof port === 'string' && /^\d{1,5}$/.test(port) && Number(port) < 65_536) return Number(port)
  throw new CommandError(`--port is ${JSON.stringify(port)}, expected 0 to 65535`)
}

/** What the system says of a port names neither the flag nor what to do. */
function refusedPort(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new CommandError(`--port ${port} is taken on 127.0.0.1`, EXIT.usage, 'without --port a free one is found')
  if (error.code === 'EACCES') return new CommandError(`--port ${port} may not be taken, expected 1024 to 65535`)
  return error
}

function typedKeyOf({ key }: Options): { readonly typedKey?: string } {
  return typeof key === 'string' ? { typedKey: key } : {}
}

function identityOf(options: Options, root: string) {
  const key = believedKey(options, root)
  return key === undefined ? undefined : { origin: key.verifier.name, known: [key.verifier] }
}

interface Place {
  readonly root: string
  readonly onAws: boolean
  readonly persons: ArchiveKeys
  readonly open: (signal: AbortSignal) => ReturnType<typeof openArchiveIn>
  readonly spending?: Spending
}

async function placeIn(options: Options): Promise<Place> {
  const configuration = loadConfiguration(options)
  const tables = () => configuration?.tables.values() ?? []
  if (engineOf(options, DEFAULT_ARCHIVE) === 'duckdb') {
    const root = archiveRoot(options)
    if (!existsSync(root))
      throw new CommandError(
        `archive ${JSON.stringify(root)} is not there`,
        EXIT.unchecked,
        'itemtrail demo makes one to look at, itemtrail ingest FILE your own',
      )
    await lookAtTokens(configuration, root)
    const known = journalOptions(configuration, root, options)
    return {
      root,
      onAws: false,
      persons: keysOfFolder(configuration, root),
      open: signal => openArchiveIn(root, tables(), { signal, ...known }),
    }
  }
  const place = await placeOf(options, configuration)
  const [{ openStackEngine }, { openArchive }] = await Promise.all([
    import('../../library/stack.js'),
    import('../../library/open-archive.js'),
  ])
  const engines: AthenaEngine[] = []
  const open = async (signal: AbortSignal) => {
    const engine = await openStackEngine(place, { signal, known: journalOnAws(configuration, options) })
    engines.push(engine)
    return openArchive({ engine, tables: withoutKeys(tables()), others: true })
  }
  const spending: Spending = {
    spent: () =>
      `athena: ${formatExpense(expenseOf(engines.flatMap(({ executions }) => executions)))} since this was started`,
    limit: async () => engines.at(-1)?.scanLimit(),
  }
  const persons = keysOfStack(stackOf(options), place.region)
  return { root: nameOnAws(place.workgroup, place.database, place.region), onAws: true, persons, open, spending }
}

/** A browser that cannot be opened is no failure: the link is printed. */
function openBrowser(link: string): void {
  const [command, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open']
  const child = spawn(command as string, [...args, link], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

function untilInterrupted({ interruption }: Io): Promise<void> {
  const signal = interruption?.()
  return new Promise(resolve => {
    if (signal === undefined || signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
