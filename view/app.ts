import { readFileSync } from 'node:fs'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { CommandError } from '../cli/io.js'
import { archiveFlag } from '../cli/show/archive-name.js'
import { toJson } from '../cli/show/json-text.js'
import { FileError } from '../config/gate.js'
import { ConfigurationError } from '../config/problems.js'
import type { ReadingKeys } from '../erasure/subject-keys.js'
import { EvidenceError } from '../evidence/evidence-error.js'
import type { JournalIdentity } from '../journal/head.js'
import { ArchiveError } from '../library/archive-error.js'
import { describeVerdict } from '../queries/answers/answer-verdict.js'
import { toCsv } from '../queries/answers/csv.js'
import { QueryError } from '../queries/engines/engine.js'
import { ParameterError } from '../queries/parameters.js'
import { formatInstant } from '../transform/instant.js'
import { SealingError } from '../transform/sealed-field.js'
import { AddressError, shellWord } from './address.js'
import type { ArchiveInView, Looked } from './archive-in-view.js'
import { checkPapers, MOST_DROPPED, sortedOut } from './check-papers.js'
import { goTo } from './go.js'
import { pageOf, type Surroundings } from './layout.js'
import { revealPage } from './paper/reveal.js'
import { STYLE } from './paper/style.js'
import { type Admission, CHECKING, guard } from './safety.js'
import type { PageAsking, Screen } from './screen.js'
import { asOfScreen } from './screens/as-of.js'
import { certificateScreen } from './screens/certificate.js'
import { bytesOfChange, changeScreen, proofOfChange } from './screens/change.js'
import { changesScreen, receiptOfChanges } from './screens/changes.js'
import { checkScreen } from './screens/check.js'
import { homeScreen } from './screens/home.js'
import { itemScreen } from './screens/item.js'
import { proofScreen } from './screens/proof.js'
import { questionScreen, receiptOf } from './screens/question.js'
import { receiptOfSample, sampleScreen } from './screens/sample.js'
import { receiptOfSql, sqlScreen } from './screens/sql.js'
import { tableScreen } from './screens/table.js'
import { costFirst, type Spending, spendingRemarks } from './spending.js'
import { verdictWords } from './sureness.js'
import { lastChange } from './tables.js'
import { clockOf } from './times.js'
import { unreadBy } from './unread.js'

/** What the page looks at, and who may look. */
export interface AppOptions {
  readonly view: ArchiveInView
  /** Names the archive as the command line does. */
  readonly root: string
  readonly onAws: boolean
  /** Whose journal is believed. @default - nobody's */
  readonly identity?: JournalIdentity | undefined
  /** The key as it was typed. @default - what the configuration names */
  readonly typedKey?: string | undefined
  /** @default false */
  readonly allowsSql?: boolean | undefined
  /** The keys of persons, by which sealed values are opened on every screen. @default - they stay sealed */
  readonly keys?: (() => Promise<ReadingKeys>) | undefined
  readonly admission: Admission
  /** The names that this server goes by, each with its port. */
  readonly hosts: () => readonly string[]
  /** @default - the clock */
  readonly now?: (() => Date) | undefined
  /** What questions cost. @default - nothing */
  readonly spending?: Spending | undefined
}

type Ending = 'html' | 'json' | 'csv'
type Make = (asking: PageAsking) => Promise<Screen>

const SCRIPT = readFileSync(new URL('./page.js', import.meta.url), 'utf8')

/** The page: a function from request to response. It only ever reads. */
export function createApp(options: AppOptions): Hono {
  const app = new Hono({ strict: false })
  // an archive that cannot be opened by now is told in its own words
  app.onError(
    error => new Response(`${isNamed(error) ? error.message : 'something failed that should not'}\n`, { status: 503 }),
  )
  app.use(guard(options.hosts, options.admission))
  app.get('/open', c => {
    // what looks at a link before somebody opens it does not spend it
    if (c.req.method === 'HEAD') return c.body(null, 204)
    if (!options.admission.admit(c.req.query('token') ?? '')) return c.text(SPENT, 401)
    options.admission.remember(c)
    return c.redirect('/', 303)
  })
  app.get('/style.css', c => c.text(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }))
  app.get('/page.js', c => c.text(SCRIPT, 200, { 'content-type': 'text/javascript; charset=utf-8' }))
  app.post(CHECKING, bodyLimit({ maxSize: MOST_DROPPED, onError: tooMuch }), c => judge(c, options))
  app.get('*', c => answer(c, options))
  return app
}

const SPENT = 'this link was used, or is none: a new start of itemtrail view prints a new one\n'

function tooMuch(c: Context): Response {
  return c.json({ error: `these files are too large, at most ${MOST_DROPPED} bytes are taken at once` }, 413)
}

/** What somebody was handed, judged as the command line does; a form that is none is said to be. */
async function judge(c: Context, options: AppOptions): Promise<Response> {
  const form = await c.req.formData().catch(() => undefined)
  if (form === undefined) return c.json({ error: 'this is no form of files' }, 400)
  return options.view.look(async looked => {
    const isPlain = !form.has('dropped')
    const ending = isPlain ? 'html' : 'json'
    const asking = askingOf(new URL(CHECKING, c.req.url), ['check'], ending, looked, options) as PageAsking
    try {
      if (isPlain) {
        const checked = await checkPapers(asking, await sortedOut(form), isNamed)
        return await send(await checkScreen(asking, checked), asking, ending, options)
      }
      return c.json({ checked: await checkPapers(asking, form, isNamed) })
    } catch (error) {
      if (!isNamed(error)) throw error
      return c.json({ error: (error as Error).message }, 400)
    }
  })
}

/** The screens by their paths: `:` is any step. */
const SCREENS: readonly (readonly [path: string, make: Make])[] = [
  ['', homeScreen],
  ['index', homeScreen],
  ['t/:', tableScreen],
  ['t/:/changes', changesScreen],
  ['t/:/i/:', itemScreen],
  ['t/:/e/:', changeScreen],
  ['t/:/as-of/:', asOfScreen],
  ['q/:', questionScreen],
  ['sample', sampleScreen],
  ['proof/:', proofScreen],
  ['check', asking => checkScreen(asking)],
  ['certificate/:', certificateScreen],
  ['sql', sqlScreen],
]

/** What is handed over as a file of its own. */
const FILES: readonly (readonly [path: string, make: (asking: PageAsking) => Promise<Response>])[] = [
  ['go', goTo],
  [
    't/:/e/:/proof',
    async asking =>
      fileOf(
        await proofOfChange(asking),
        'text/plain; charset=utf-8',
        `${(asking.path[3] ?? '').slice(0, 8)}.row-proof`,
      ),
  ],
  ['t/:/e/:/bytes', async asking => fileOf(await bytesOfChange(asking), 'application/octet-stream', 'attribute.bin')],
  ['receipt/:', async asking => receiptFile(await receiptOf(asking))],
  ['t/:/changes/receipt', async asking => receiptFile(await receiptOfChanges(asking))],
  ['sample/receipt', async asking => receiptFile(await receiptOfSample(asking))],
  ['sql/receipt', async asking => receiptFile(await receiptOfSql(asking))],
]

function receiptFile(receipt: object): Response {
  return fileOf(`${JSON.stringify(receipt, null, 2)}\n`, 'application/json', 'receipt.json')
}

function fileOf(
  content: string | Uint8Array,
  type: string,
  name: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  const body = typeof content === 'string' ? content : new Uint8Array(content)
  return new Response(body, {
    headers: { 'content-type': type, 'content-disposition': `attachment; filename="${name}"`, ...more },
  })
}

function find<T>(routes: readonly (readonly [path: string, make: T])[], path: readonly string[]): T | undefined {
  const fits = (route: readonly string[]) =>
    route.length === path.length && route.every((step, i) => step === ':' || step === path[i])
  return routes.find(([route]) => fits(route === '' ? [] : route.split('/')))?.[1]
}

async function answer(c: Context, options: AppOptions): Promise<Response> {
  return options.view.look(async looked => {
    const url = new URL(c.req.url)
    const [path, ending] = pathOf(url, looked)
    const asking = askingOf(url, path, ending, looked, options)
    try {
      if (asking instanceof AddressError) throw asking
      const first = options.spending && (await costFirst(asking, options.spending))
      if (first !== undefined) return await send(first, asking, ending === 'csv' ? 'json' : ending, options)
      const file = find(FILES, path)
      if (file !== undefined) return await file(asking)
      const make = find(SCREENS, path)
      if (make === undefined) throw new AddressError('there is no such page', 404)
      return await send(await make(asking), asking, ending, options)
    } catch (error) {
      const plain =
        asking instanceof AddressError
          ? (askingOf(new URL('/', url), [], ending, looked, options) as PageAsking)
          : asking
      return send(errorScreen(error), plain, ending === 'csv' ? 'html' : ending, options)
    }
  })
}

/** The steps of an address, and what is wanted of it. A table or a key may end as a file does: then it is that. */
function pathOf(url: URL, { archive }: Looked): readonly [path: readonly string[], ending: Ending] {
  const steps = url.pathname
    .split('/')
    .filter(step => step !== '')
    .map(decode)
  const last = steps.at(-1) ?? ''
  const [, name, ending] = /^(.*)\.(json|csv)$/s.exec(last) ?? []
  const isTable = steps.length === 2 && archive.findTable(last) !== undefined && archive.tables().includes(last)
  if (name === undefined || isTable) return [steps, 'html']
  const path = [...steps.slice(0, -1), name]
  return [path.length === 1 && name === 'index' ? [] : path, ending as Ending]
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

function askingOf(
  url: URL,
  path: readonly string[],
  ending: Ending,
  looked: Looked,
  options: AppOptions,
): PageAsking | AddressError {
  const search = Object.fromEntries([...url.searchParams].filter(([, value]) => value !== ''))
  const { root, onAws, identity, typedKey, allowsSql = false, keys, now = () => new Date() } = options
  const key = typedKey === undefined ? '' : ` --key ${shellWord(typedKey)}`
  const { archive, verdict, once } = looked
  try {
    const clock = clockOf(search.tz)
    return {
      archive,
      verdict,
      once,
      root,
      onAws,
      identity,
      flags: `${archiveFlag(root)}${key}`,
      keyFlag: identity === undefined ? ' --key KEY' : key,
      search,
      path,
      clock,
      now: now(),
      begunMs: performance.now(),
      raw: search.raw !== undefined,
      waits: ending !== 'html',
      allowsSql,
      keys,
    }
  } catch (error) {
    if (error instanceof AddressError) return error
    throw error
  }
}

async function send(screen: Screen, asking: PageAsking, ending: Ending, options: AppOptions): Promise<Response> {
  const { status = 200 } = screen
  const lastUs = screen.isUnasked ? undefined : await lastChange(asking)
  const unread = screen.isUnasked ? [] : (screen.unread ?? (await unreadBy(asking)))
  if (ending === 'csv') return csvOf(screen, asking, unread)
  const engineRemarks = asking.archive.engine.remarks?.() ?? []
  const told = { ...screen, remarks: [...new Set([...engineRemarks, ...(screen.remarks ?? [])])] }
  if (ending === 'json')
    return new Response(`${toJson(described(told, { asking, lastUs, unread }))}\n`, {
      status,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    })
  const remarks = [
    ...told.remarks,
    ...(options.spending === undefined ? [] : spendingRemarks(asking, options.spending)),
  ]
  const html = revealPage(pageOf({ asking, screen: { ...screen, remarks }, lastUs, unread }))
  return new Response(html, { status, headers: { 'content-type': 'text/html; charset=utf-8' } })
}

function csvOf(screen: Screen, { path }: PageAsking, unread: readonly string[]): Response {
  const { rows, isCut, whyNoFile, counts, command, sureness } = screen
  const refused = (text: string, status: number) =>
    new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } })
  if (rows === undefined) return refused('this is no list, expected .json', 404)
  if (isCut) return refused(`${counts}: a file of some rows would look whole; narrow it, or ask\n${command}`, 400)
  const lacking = [...unread, ...(whyNoFile === undefined ? [] : [whyNoFile])]
  // the command gives the file, and ends with 3, which a download cannot
  if (lacking.length > 0)
    return refused(`${lacking.join('\n')}\na file would look whole; this gives it, and says so\n${command ?? ''}`, 409)
  // CSV has no place for how sure it is, and whoever is handed the file sees its name
  const words = verdictWords(sureness).join('-')
  return fileOf(Buffer.concat([...toCsv(rows)]), 'text/csv; charset=utf-8; header=present', nameOf(path, words), {
    ...(words !== '' && { 'itemtrail-verdict': words }),
  })
}

const LONGEST_NAME = 80

/** `Orders-changes.GAP.csv`: what a file is of, and the words of its verdict. */
function nameOf(path: readonly string[], words: string): string {
  const plain = (path[0] === 't' ? path.slice(1) : path)
    .join('-')
    .replaceAll(/[^\w.-]+/g, '_')
    .slice(0, LONGEST_NAME)
  return `${[plain || 'tables', ...(words === '' ? [] : [words]), 'csv'].join('.')}`
}

/** What is always on a screen, and its own. */
function described(screen: Screen, { asking, lastUs, unread }: Omit<Surroundings, 'screen'>): object {
  const { question, command = null, counts = null, remarks = [], receipt, sureness, data } = screen
  return {
    question,
    archive: asking.root,
    last_change: lastUs == null ? null : formatInstant(lastUs, 6),
    counts,
    command,
    receipt: receipt?.sha256 ?? null,
    remarks,
    unread,
    verdict: sureness?.kind === 'judged' ? describeVerdict(sureness.verdict) : null,
    ...data,
  }
}

const NAMED = [
  AddressError,
  CommandError,
  ParameterError,
  ArchiveError,
  QueryError,
  FileError,
  ConfigurationError,
  EvidenceError,
  SealingError,
] as const

function isNamed(error: unknown): boolean {
  return NAMED.some(kind => error instanceof kind)
}

/** What went wrong, in its own words; what nobody expected in no words of an archive's. */
function errorScreen(error: unknown): Screen {
  const isOurs = isNamed(error)
  const { message, hint } = error as { message: string; hint?: string }
  const status = error instanceof AddressError ? error.status : error instanceof QueryError || !isOurs ? 500 : 400
  const question = isOurs ? message : 'something failed that should not'
  return {
    status,
    question,
    trail: [],
    body: hint ?? (isOurs ? '' : message),
    data: { error: message, hint: hint ?? null },
  }
}
