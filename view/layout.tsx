import type { Child } from 'hono/jsx'
import { ageOf } from '../queries/moment.js'
import { NOT_SHOWN } from '../queries/verdict/table-verdict.js'
import { linkTo, type Search } from './address.js'
import { Keys } from './keys.js'
import { Chip } from './paper/parts.js'
import type { PageAsking, Screen, Sureness } from './screen.js'
import { verdictWords } from './sureness.js'
import { Time } from './times.js'

/** What stands around every screen. */
export interface Surroundings {
  readonly asking: PageAsking
  readonly screen: Screen
  /** When the archive's last change was made, in microseconds since 1970; null: it has none; undefined: not asked. */
  readonly lastUs: number | null | undefined
  /** What of the archive is not read: where there is something, nobody can say that the screen is whole. */
  readonly unread: readonly string[]
}

const REVEALED =
  'sealed values are open on this screen, for itemtrail view was started with --reveal; files from here have what is stored'

/** A whole page. */
function Layout({ asking, screen, lastUs, unread }: Surroundings) {
  const { question, trail, body, sureness } = screen
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>{`${question} · itemtrail`}</title>
        <link rel="stylesheet" href="/style.css" />
        <script src="/page.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">
          to the answer
        </a>
        <header class="top">
          <nav aria-label="where this is">
            <ol>
              <li>
                <a class="brand" href="/">
                  itemtrail
                </a>
              </li>
              {trail.map(([name, link]) => (
                <li>
                  <a href={link}>{name}</a>
                </li>
              ))}
            </ol>
          </nav>
          <span class="any">
            archive {asking.root}
            {lastUs === undefined ? (
              ''
            ) : lastUs === null ? (
              ', which has no change yet'
            ) : (
              <>
                , last change <Time us={lastUs} clock={asking.clock} />, {ageOf(lastUs, asking.now.getTime() * 1000)}{' '}
                ago
              </>
            )}
          </span>
          <span class="paper">time zone {asking.clock.zone}</span>
          <ZoneForm asking={asking} />
        </header>
        <main id="main" tabindex={-1}>
          <h1>{question}</h1>
          {asking.keys === undefined ? null : <p class="note bad">{REVEALED}</p>}
          <Unread unread={unread} />
          {sureness === undefined ? null : (
            <Later name="sure" asking={asking}>
              {sureness.kind === 'pending' ? undefined : <Sure sureness={sureness} />}
            </Later>
          )}
          <Tools asking={asking} screen={screen} />
          {(screen.remarks ?? []).map(text => (
            <p class="note">{text}</p>
          ))}
          {body}
        </main>
        <Keys />
      </body>
    </html>
  )
}

/** The address of what is looked at, with other parts. */
export function here({ path, search }: PageAsking, other: Search = {}): string {
  return linkTo(path, { ...search, ...other })
}

function ZoneForm({ asking }: { readonly asking: PageAsking }) {
  const others = Object.entries(asking.search).filter(([name]) => name !== 'tz')
  return (
    <form method="get" action={linkTo(asking.path)}>
      {others.map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <label>
        time zone
        <input id="tz" name="tz" value={asking.clock.zone} size={12} autocomplete="off" spellcheck={false} />
      </label>
      <button type="submit">show</button>
    </form>
  )
}

interface LaterOf {
  readonly name: keyof typeof LATER
  readonly asking: PageAsking
  /** Undefined where it is still being found out. */
  readonly children?: Child | undefined
}

const COUNTED = 'by what this can be narrowed is being counted'
const LATER = {
  sure: 'how sure this is, is being found out',
  facets: COUNTED,
  'all-facets': COUNTED,
  days: 'the days are being counted and judged',
  gaps: 'what is missing is being found out',
} as const

/** What may come after the rest of its page: until then it says so, and the script looks again. */
export function Later({ name, asking, children }: LaterOf) {
  return (
    <div class="later" data-later={name}>
      {children ?? (
        <p class={name === 'sure' ? 'bar confidence' : 'quick'} data-pending="" role="status">
          {name === 'sure' ? <Chip word="NOT JUDGED YET" /> : null}{' '}
          <span>
            {LATER[name]}: <a href={here(asking)}>look again</a>
          </span>
        </p>
      )}
    </div>
  )
}

/** Lines that a person is shown of what is not read; `.json` has all. */
const MOST_UNREAD = 20

/** Stands above how sure the rest is: of what is not read no verdict knows. */
function Unread({ unread }: Pick<Surroundings, 'unread'>) {
  if (unread.length === 0) return null
  const more = unread.length - MOST_UNREAD
  return (
    <div class="note bad" role="alert">
      <p class="confidence">
        <Chip word="UNCHECKED" /> <span>nobody can say that this is whole:</span>
      </p>
      <ul>
        {unread.slice(0, MOST_UNREAD).map(text => (
          <li class="any">{text}</li>
        ))}
        {more > 0 ? <li>and {more} more</li> : null}
      </ul>
    </div>
  )
}

/** The words of a verdict, each as a chip. */
export function SureChips({ sureness }: { readonly sureness: Extract<Sureness, { kind: 'judged' }> }) {
  const words = verdictWords(sureness)
  return (
    <>
      {(words.length === 0 ? [sureness.word] : words).map(word => (
        <Chip word={word} />
      ))}
    </>
  )
}

function Sure({ sureness }: { readonly sureness: Extract<Sureness, { kind: 'judged' }> }) {
  const [first = '', ...rest] = sureness.lines
  return (
    <>
      <div class="bar">
        <p class="confidence">
          <SureChips sureness={sureness} /> <span>{first}</span>
        </p>
      </div>
      {rest.map(line => (
        <p>{line}</p>
      ))}
      <p class="dim">{NOT_SHOWN}</p>
    </>
  )
}

function Tools({ asking, screen }: { readonly asking: PageAsking; readonly screen: Screen }) {
  const { counts, receipt, command, rows } = screen
  const file = (ending: string) =>
    `${linkTo(asking.path.length === 0 ? ['index'] : asking.path)}${ending}${queryOf(asking)}`
  return (
    <>
      <div class="tools">
        <span class="later" data-later="counts">
          {counts === undefined ? null : <span {...(screen.isCounting && { 'data-pending': '' })}>{counts}</span>}
          {receipt === undefined ? null : <ReceiptLink receipt={receipt} />}
        </span>
        <span class="noprint">
          <a href={file('.json')}>JSON</a>
          {rows === undefined ? null : (
            <>
              {' '}
              <a href={file('.csv')}>CSV</a>
            </>
          )}
        </span>
        <span class="script noprint">
          <button type="button" data-copy-link="">
            copy link
          </button>{' '}
          {command === undefined ? null : (
            <>
              <button type="button" data-copy={command} data-copy-command="">
                copy command
              </button>{' '}
            </>
          )}
          <button type="button" data-print="">
            print
          </button>{' '}
          <button type="button" data-keys="">
            keys ?
          </button>
        </span>
      </div>
      {command === undefined ? null : (
        <details class="command">
          <summary>the command that gives the same</summary>
          <code>{command}</code>
        </details>
      )}
    </>
  )
}

/** A hash is looked at by its beginning, copied and printed whole. */
function ReceiptLink({ receipt: { sha256, link } }: { readonly receipt: NonNullable<Screen['receipt']> }) {
  if (sha256 === undefined) return <a href={link}>receipt, made when it is asked for</a>
  return (
    <span>
      result SHA-256{' '}
      <a href={link}>
        <code class="hash">{sha256}</code>
      </a>
    </span>
  )
}

function queryOf(asking: PageAsking): string {
  const link = here(asking)
  return link.includes('?') ? link.slice(link.indexOf('?')) : ''
}

/** A list for people: what it is, how many rows, headers with a scope. */
export function ListTable({ caption, columns, children, isBroken }: ListOf) {
  return (
    <table class={isBroken ? 'wide broken' : 'wide'}>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {columns.map(([name, isNumber]) => (
            <th scope="col" {...(isNumber && { class: 'n' })}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  )
}

interface ListOf {
  readonly caption: string
  readonly columns: readonly (readonly [name: string, isNumber?: boolean])[]
  /** True where it fits on paper only with its words broken. @default false */
  readonly isBroken?: boolean
  readonly children?: Child
}

/** `<!doctype html>` and the page. */
export function pageOf(surroundings: Surroundings): string {
  return `<!doctype html>\n${String(<Layout {...surroundings} />)}`
}
